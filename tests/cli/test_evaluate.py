"""``skemotion evaluate``: folds, what is kept of them, labels, and what is written."""

import csv
import json
import re
import shutil
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from skemotion import EmotionPipeline
from skemotion.cli import main
from skemotion.cli._labels import load_labelled

EMOTIONS = ["anger", "fear", "neutral", "sadness"]
QUICK = ["--recipe", "descriptors"]


@pytest.fixture(scope="module")
def speech(corpus):
    """Names of recordings, and the one that all of them are copies of."""
    return sorted(corpus.glob("anger/*.wav"))[0]


def make_table(folder, recording, n_speakers=4, n_each=1, emotions=EMOTIONS):
    """Write a table of recordings that are named after what they are said to hold."""
    rows = []
    for speaker in range(n_speakers):
        for emotion in emotions:
            for number in range(n_each):
                name = f"s{speaker:02}-{emotion}-{number}.wav"
                shutil.copy(recording, folder / name)
                rows.append([name, emotion, f"s{speaker:02}"])
    table = folder / "table.csv"
    with open(table, "w", newline="") as file:
        csv.writer(file).writerows([["path", "label", "speaker"], *rows])
    return table


@pytest.fixture
def table(speech, tmp_path):
    return make_table(tmp_path, speech)


@pytest.fixture
def fits(monkeypatch):
    """Training takes no time, and is right about most; gives what was trained on."""
    trained = []

    def fit(self, X, y, groups=None):
        self["classify"].classes_ = np.unique(y)
        self["classify"].history_ = {"loss": [2.0, 1.0]}
        trained.append((list(X), None if groups is None else list(groups)))
        return self

    def predict_proba(self, X):
        classes = self["classify"].classes_
        found = np.full((len(X), len(classes)), 0.1 / len(classes))
        for row, path in enumerate(X):
            right = path.rpartition("-")[0].rpartition("-")[2]
            wrong = zlib.crc32(path.rpartition("/")[2].encode()) % 4 == 0
            column = np.searchsorted(classes, right) + wrong
            found[row, column % len(classes)] += 0.9
        return found

    monkeypatch.setattr(EmotionPipeline, "fit", fit)
    monkeypatch.setattr(EmotionPipeline, "predict_proba", predict_proba)
    # Other processes would train.
    monkeypatch.setattr("skemotion.cli._evaluating.count_processes", lambda *_: 1)
    return trained


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_speaker_is_left_out_once(table, fits, tmp_path, capfd):
    out = tmp_path / "new" / "out.csv"
    assert main(["evaluate", str(table), *QUICK, "-o", str(out)]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    assert "each of 4 speakers left out once" in captured.out
    for number in range(4):
        assert f"fold {number + 1} of 4, speaker s0{number}: 4 recordings, UAR" in (
            captured.out
        )
    assert [set(groups) for _, groups in fits] == [
        {f"s0{other}" for other in range(4) if other != number} for number in range(4)
    ]
    rows = read_rows(out)
    assert list(rows[0]) == [
        *("path", "truth", "emotion", "confidence"),
        *EMOTIONS,
        *("speaker", "fold", "error"),
    ]
    assert [(row["path"], row["truth"]) for row in rows] == [
        (str(tmp_path / row["path"]), row["label"]) for row in read_rows(table)
    ]
    for row in rows:
        assert row["fold"] == str(int(row["speaker"][1:]) + 1)
        best = max(EMOTIONS, key=lambda emotion: float(row[emotion]))
        assert (row["emotion"], row["confidence"]) == (best, row[best])
    assert {path.name for path in out.parent.iterdir()} == {"out.csv"}


@pytest.mark.parametrize(
    ("n_speakers", "folds", "sizes", "words"),
    [
        (5, ["--folds", "2"], 2, "5 speakers in 2 groups"),
        (5, ["--folds", "5"], 5, "each of 5 speakers left out once"),
        (12, [], 10, "12 speakers in 10 groups"),
        (12, ["--folds", "all"], 12, "each of 12 speakers left out once"),
    ],
)
def test_groups_of_speakers(
    n_speakers, folds, sizes, words, speech, fits, tmp_path, capfd
):
    table = make_table(tmp_path, speech, n_speakers, emotions=EMOTIONS[:2])
    out = tmp_path / "out.csv"
    assert main(["evaluate", str(table), *QUICK, *folds, "-o", str(out)]) == 0
    assert words in capfd.readouterr().out
    rows = read_rows(out)
    assert len({row["fold"] for row in rows}) == len(fits) == sizes
    folds_of = {row["speaker"]: set() for row in rows}
    for row in rows:
        folds_of[row["speaker"]].add(row["fold"])
    assert all(len(numbers) == 1 for numbers in folds_of.values())


@pytest.mark.parametrize("place", ["--out", "--keep"])
def test_a_killed_evaluation_is_resumed(
    place, table, fits, tmp_path, monkeypatch, capfd
):
    where = tmp_path / "result"
    command = ["evaluate", str(table), *QUICK, place, str(where)]
    fit = EmotionPipeline.fit

    def fit_until(self, X, y, groups=None):
        if len(fits) == 2:
            raise KeyboardInterrupt
        return fit(self, X, y, groups)

    with monkeypatch.context() as patch:
        patch.setattr(EmotionPipeline, "fit", fit_until)
        assert main(command) == 130
    assert "skemotion evaluate: interrupted" in capfd.readouterr().err
    assert where.is_file() is False
    fits.clear()
    assert main(command) == 0
    resumed = capfd.readouterr()
    assert "resuming after 2 of 4 folds" in resumed.err
    assert len(fits) == 2
    # What the first two have found is there as if they had been done now.
    assert main(["evaluate", str(table), *QUICK]) == 0
    plain = capfd.readouterr().out
    assert resumed.out.replace(f"saved {where}\n", "") == plain
    left = {path.name for path in tmp_path.iterdir() if path.suffix != ".wav"}
    assert left == {"table.csv", "result"}
    if place == "--keep":  # all are taken from there
        fits.clear()
        assert main(command) == 0
        assert fits == []
        assert capfd.readouterr().out == plain


@pytest.mark.parametrize(
    "change", ["labels", "recipe", "settings", "seed", "version", "folds", "damage"]
)
def test_folds_of_another_evaluation_are_not_taken(
    change, table, fits, tmp_path, monkeypatch
):
    command = ["evaluate", str(table), *QUICK, "--keep", str(tmp_path / "kept")]
    command += ["--folds", "2"]
    assert main(command) == 0
    n_fits = 2
    if change == "labels":
        lines = table.read_text().replace("sadness,s00", "fear,s00")
        table.write_text(lines)
    elif change == "recipe":
        command[command.index("descriptors")] = "post"
        n_fits = 3  # the rehearsal
    elif change == "settings":
        command += ["--set", "classify__epochs=3"]
        n_fits = 3
    elif change == "seed":
        command += ["--seed", "1"]
    elif change == "version":
        monkeypatch.setattr("skemotion.cli._evaluating.__version__", "9")
    elif change == "folds":
        command[command.index("2")] = "3"
        n_fits = 3
    else:
        for path in (tmp_path / "kept").rglob("0001.fold"):
            path.write_bytes(path.read_bytes()[:-60])
        n_fits = 1
    fits.clear()
    assert main(command) == 0
    assert len(fits) == n_fits


def test_what_is_there_is_not_overwritten(table, fits, tmp_path, capfd):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    assert main(["evaluate", str(table), *QUICK, "--predictions", str(out)]) == 1
    assert f"{out} exists: delete it" in capfd.readouterr().err
    assert (out.read_text(), fits) == ("mine", [])


def test_json(table, fits, tmp_path, capfd):
    command = ["evaluate", str(table), *QUICK, "--format", "json"]
    assert main([*command, "-o", str(tmp_path / "out.csv"), "--progress"]) == 0
    captured = capfd.readouterr()
    found = json.loads(captured.out)  # nothing else is there
    rows = read_rows(tmp_path / "out.csv")
    right = [row["emotion"] == row["truth"] for row in rows]
    assert found["accuracy"] == pytest.approx(np.mean(right))
    low, high = found["accuracy_interval"]
    assert low < found["accuracy"] < high
    low, high = found["uar_interval"]
    assert low < found["uar"] < high
    assert found["interval"] == "95 % bootstrap over recordings"
    counts = Counter(row["truth"] for row in rows)
    assert {
        name: row["n_recordings"] for name, row in found["classes"].items()
    } == counts
    assert [fold["speakers"] for fold in found["folds"]] == [
        [f"s0{number}"] for number in range(4)
    ]
    assert np.sum(found["confusion"]["counts"]) == found["n_recordings"] == 16
    assert found["protocol"].startswith("Speaker-independent")
    assert re.search(r"fold 1 of 4 took .* left\n", captured.err)
    assert main(command) == 0
    assert capfd.readouterr().err == ""


def test_holdout_has_one_fold_and_no_groups(table, fits, capfd):
    command = ["evaluate", str(table), *QUICK, "--protocol", "holdout"]
    assert main([*command, "--n-per-class", "1"]) == 0
    assert [(len(paths), groups) for paths, groups in fits] == [(12, None)]
    assert "expect less on new voices" in capfd.readouterr().out
    assert main(command) == 1
    err = capfd.readouterr().err
    assert "--n-per-class 20 needs at least 21 recordings" in err
    assert "give --n-per-class 3 or less" in err


def test_a_class_of_one_speaker_is_said_to_be_lost(table, fits, capfd):
    text = table.read_text()
    for speaker in ("s01", "s02", "s03"):
        text = text.replace(f"sadness,{speaker}", f"fear,{speaker}")
    text += "s00-sadness-0.wav,sadness,s00\n"
    table.write_text(text)
    assert main(["evaluate", str(table), *QUICK]) == 0
    assert "All recordings of sadness are of speakers that are left out" in (
        capfd.readouterr().out
    )


def test_one_speaker_cannot_be_left_out(speech, fits, tmp_path, capfd):
    table = make_table(tmp_path, speech, n_speakers=1, n_each=2)
    assert main(["evaluate", str(table), *QUICK]) == 1
    err = capfd.readouterr().err
    assert "are of one speaker" in err
    assert "--protocol holdout" in err


def test_more_folds_than_speakers(table, fits, capfd):
    assert main(["evaluate", str(table), *QUICK, "--folds", "5"]) == 1
    assert "has 4 speakers" in capfd.readouterr().err
    assert fits == []


def test_recordings_that_cannot_be_read_are_named_before_work(
    table, fits, tmp_path, capfd
):
    for name in ("s00-anger-0.wav", "s03-fear-0.wav"):
        (tmp_path / name).write_bytes(b"no audio")
    assert main(["evaluate", str(table), *QUICK]) == 1
    assert "2 recordings cannot be read" in capfd.readouterr().err
    assert fits == []


@pytest.fixture
def renamed(table):
    table.write_text(table.read_text().replace(",anger,", ",angry,"))
    return table


@pytest.mark.parametrize("name", ["pretrained", "emodb-descriptors", "file"])
def test_labels_that_a_model_does_not_know_are_refused(name, renamed, model, capfd):
    name = str(model) if name == "file" else name
    assert main(["evaluate", str(renamed), "-m", name]) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "does not know 1 label of" in captured.err
    assert "--map angry=anger" in captured.err
    assert "It knows anger, boredom" in captured.err


def test_labels_are_mapped(renamed, model, tmp_path, capfd):
    command = ["evaluate", str(renamed), "-m", str(model), "-o"]
    out = str(tmp_path / "out.csv")
    assert main([*command, out, "--map", "angry=anger", "--map", "fear="]) == 0
    assert "honest only if" in capfd.readouterr().out
    rows = read_rows(out)
    assert Counter(row["truth"] for row in rows) == dict.fromkeys(
        ["anger", "neutral", "sadness"], 4
    )
    assert "fold" not in rows[0]
    assert rows[0]["speaker"] == "s00"


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["rage=anger"], "has no label rage, only anger"),
        (["fear=anger", "fear=sadness"], "two names"),
        (["fear=anger", "neutral=anger", "sadness="], "with 1 label"),
    ],
)
def test_wrong_maps(pairs, message, table, fits, capfd):
    more = [word for pair in pairs for word in ("--map", pair)]
    assert main(["evaluate", str(table), *QUICK, *more]) == 1
    assert message in capfd.readouterr().err


def test_mapped_corpus_keeps_rows_together(renamed):
    corpus = load_labelled(str(renamed), [("fear", ""), ("angry", "anger")])
    for path, label, speaker in zip(
        corpus.paths, corpus.target, corpus.speakers, strict=True
    ):
        assert f"{speaker}-{label}-0.wav" in path
    assert corpus.target_names.tolist() == ["anger", "neutral", "sadness"]


def test_the_model_of_the_package_says_what_it_has_heard(table, monkeypatch, capfd):
    corpus = load_labelled(str(table), [])
    monkeypatch.setattr("skemotion.cli._labels.load_corpus", lambda name, **how: corpus)
    assert main(["evaluate", "emodb", "-m", "emodb-descriptors"]) == 0
    out = capfd.readouterr().out
    assert "emodb-descriptors on all recordings of emodb." in out
    assert "was trained on all recordings of EMO-DB" in out


@pytest.mark.parametrize(
    "more",
    [
        ["-m", "pretrained", "--folds", "3"],
        ["-m", "pretrained", "--set", "classify__epochs=3"],
        ["-m", "pretrained", "--seed", "2"],
        ["--protocol", "holdout", "--folds", "3"],
        ["--n-per-class", "3"],
        ["--folds", "1"],
        ["--folds", "some"],
    ],
)
def test_options_that_contradict_each_other(more, table, capfd):
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", str(table), *more])
    assert caught.value.code == 2
    assert "skemotion evaluate: error: " in capfd.readouterr().err


def test_silence_is_no_emotion(speech, model, tmp_path, capfd):
    table = make_table(tmp_path, speech, n_speakers=2, n_each=1)
    soundfile.write(tmp_path / "s00-anger-0.wav", np.zeros(16000), 16000)
    out = tmp_path / "out.csv"
    assert main(["evaluate", str(table), "-m", str(model), "-o", str(out)]) == 0
    captured = capfd.readouterr()
    assert "1 of 8 recordings hold no speech, and count as not recog" in captured.out
    assert captured.err == ""
    row = read_rows(out)[0]
    assert (row["truth"], row["emotion"], row["error"]) == ("anger", "", "no speech")
    assert row["anger"] == row["confidence"] == ""


@pytest.mark.parametrize("folds", [["--folds", "2"], ["--protocol", "holdout"]])
def test_silence_among_the_recordings_of_a_voice(folds, speech, tiny, tmp_path, capfd):
    table = make_table(tmp_path, speech, n_speakers=3)
    silent = {"s01-fear-0", "s02-anger-0", "s00-neutral-0"}
    for name in silent:
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(16000), 16000)
    out = tmp_path / "out.csv"
    command = ["evaluate", str(table), "--by-speaker", *folds, *tiny, "-o", str(out)]
    more = ["--n-per-class", "1"] if "holdout" in folds else []
    assert main([*command, *more]) == 0
    assert capfd.readouterr().err == ""
    rows = read_rows(out)
    assert len(rows) == (4 if more else 12)
    for row in rows:
        assert (row["error"] == "no speech") == (Path(row["path"]).stem in silent)


@pytest.mark.filterwarnings("default:.*by-speaker does harm")
def test_few_recordings_of_a_voice(table, corpus, tiny, capfd):
    command = ["evaluate", "--by-speaker", *tiny]
    text = table.read_text().splitlines()
    table.write_text("\n".join(text[:-2]))
    assert main([*command, str(table), "--folds", "2"]) == 0
    captured = capfd.readouterr()
    assert captured.err.startswith("skemotion evaluate: warning: 1 of 4 speakers has")
    assert "Transductive" in captured.out
    assert main([*command, str(corpus / "table.csv"), "--folds", "2"]) == 0
    assert capfd.readouterr().err == ""
