"""The commands, as somebody at a terminal or in a script meets them."""

import csv
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from sklearn.utils import Bunch

from skemotion import EmotionPipeline
from skemotion.cli import main

SMALL = ["--set", "classify__units=4", "--set", "classify__epochs=1"]
SMALL += ["--set", "classify__n_members=1"]
UNCHANGED = ["--set", "augment=passthrough"]
TINY = ["--recipe", "descriptors", *SMALL, *UNCHANGED]


def recordings(corpus):
    return [str(path) for path in sorted(corpus.glob("anger/*.wav"))[:2]]


def test_train_says_what_it_did(corpus, tmp_path, capfd):
    path = tmp_path / "new" / "model.joblib"
    arguments = ["train", str(corpus / "table.csv"), "-o", str(path), *SMALL]
    arguments += ["--recipe", "descriptors", "--set", "augment__n_copies=1"]
    assert main(arguments) == 0
    captured = capfd.readouterr()
    assert "trained on 84 recordings" in captured.out
    assert str(path) in captured.out
    assert captured.err == ""
    assert [entry.name for entry in path.parent.iterdir()] == ["model.joblib"]


def test_fetch_says_where_the_corpus_is(monkeypatch, tmp_path, capfd):
    asked = []

    def fetch(corpus, home):
        asked.append((corpus.name, home))
        return Bunch(paths=["a.wav"])

    monkeypatch.setattr("skemotion.cli._fetch.fetch_corpus", fetch)
    for words, name in ([], "emodb"), (["ravdess"], "ravdess"):
        assert main(["fetch", *words, "--data-home", str(tmp_path)]) == 0
        assert asked.pop() == (name, str(tmp_path))
        out = capfd.readouterr().out
        assert "1 verified recordings of" in out
        assert out.endswith(f" in {tmp_path / name}\n")
    assert "(CC BY-NC-SA 4.0)" in out
    with pytest.raises(SystemExit):
        main(["fetch", "iemocap"])
    assert re.search("emodb'?, '?ravdess", capfd.readouterr().err)


def test_the_fetched_corpus_must_be_fetched_first(monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("SKEMOTION_DATA", str(tmp_path))
    assert main(["train", "emodb"]) == 1
    err = capfd.readouterr().err
    assert "run 'skemotion fetch emodb'" in err
    assert "emodb:PATH stands for a copy" in err


def test_predict_text(corpus, model, capfd):
    files = recordings(corpus)
    assert main(["predict", "-m", str(model), *files]) == 0
    captured = capfd.readouterr()
    rows = [line.split("\t") for line in captured.out.splitlines()]
    assert [row[0] for row in rows] == files
    assert all(0 < float(row[2]) <= 1 for row in rows)
    assert captured.err == ""


def test_predict_formats_agree(corpus, model, capfd):
    files = recordings(corpus)
    assert main(["predict", "-m", str(model), "--format", "csv", *files]) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    assert main(["predict", "-m", str(model), "--format", "json", *files]) == 0
    found = json.loads(capfd.readouterr().out)
    assert [row["path"] for row in rows] == [row["path"] for row in found] == files
    for row, result in zip(rows, found, strict=True):
        assert row["emotion"] == result["emotion"]
        assert len(result["probabilities"]) == 7
        assert sum(result["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        for label, value in result["probabilities"].items():
            assert float(row[label]) == pytest.approx(value)
        assert result["confidence"] == max(result["probabilities"].values())


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.ResamplingWarning")
def test_evaluate_by_speaker(corpus, tmp_path, capfd):
    out = tmp_path / "predictions.csv"
    arguments = ["evaluate", str(corpus / "table.csv"), *TINY]
    arguments += ["--predictions", str(out), "--figures", str(tmp_path)]
    assert main(arguments) == 0
    captured = capfd.readouterr()
    assert "Speaker-independent: each of 3 speakers left out once" in captured.out
    assert "unweighted average recall" in captured.out
    assert captured.err == ""
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 84
    assert (tmp_path / "confusion_matrix.png").stat().st_size > 1000


def test_evaluate_holdout_warns_of_known_voices(corpus, capfd):
    arguments = ["evaluate", str(corpus), "--protocol", "holdout"]
    assert main([*arguments, "--n-per-class", "2", *TINY]) == 0
    out = capfd.readouterr().out
    assert "expect less on new voices" in out
    assert "14" in out


def test_evaluate_model(corpus, model, capfd):
    assert main(["evaluate", str(corpus), "--model", str(model)]) == 0
    assert "honest only if" in capfd.readouterr().out


def test_quickstart(tmp_path, capfd):
    """By the recommended recipe."""
    folder = tmp_path / "out"
    assert main(["quickstart", "--out", str(folder), *SMALL, *UNCHANGED]) == 0
    captured = capfd.readouterr()
    assert "speakers that are not trained on" in captured.out
    assert "This was synthetic speech" in captured.out
    assert "macro avg" in captured.out
    assert captured.err == ""
    saved = {path.name for path in folder.iterdir()}
    assert saved == {
        "recordings",
        "model.joblib",
        "confusion_matrix.png",
        "training_history.png",
        "attention.png",
    }
    command = captured.out.split("try: skemotion ")[1].splitlines()[0].split()
    assert main(command) == 0


def test_quickstart_scores_what_predict_would_say(corpus, tmp_path, monkeypatch, capfd):
    """Of whole recordings, and not of the first frames of each."""
    predict, asked = EmotionPipeline.predict_proba, []

    def predict_first(self, X):
        found = predict(self, X)
        if "extract" in self.named_steps:
            asked.extend(X)
            found[:] = np.eye(found.shape[1])[0]
        return found

    monkeypatch.setattr(EmotionPipeline, "predict_proba", predict_first)
    table = str(corpus / "table.csv")
    arguments = ["quickstart", "--data", table, "-o", str(tmp_path), *TINY]
    assert main(arguments) == 0
    assert len(asked) == 28
    assert {path.rpartition("/")[2][:3] for path in asked} < {"s01", "s02", "s03"}
    out = capfd.readouterr().out
    assert "unweighted average recall (UAR) 0.143" in out
    assert "  anger      1.00  ####" in out


def test_quickstart_on_recordings_without_speakers(corpus, tmp_path, capfd):
    arguments = ["quickstart", "--data", str(corpus), "--out", str(tmp_path)]
    assert main([*arguments, *TINY]) == 0
    out = capfd.readouterr().out
    assert "of speakers that may be in both" in out
    assert "synthetic" not in out


@pytest.mark.filterwarnings("default::skemotion.exceptions.TruncationWarning")
@pytest.mark.emodb
def test_quickstart_on_emodb(emodb_path, tmp_path, capfd):
    data = ["--data", f"emodb:{emodb_path}"]
    assert main(["quickstart", *data, "--out", str(tmp_path), *TINY]) == 0
    out, err = capfd.readouterr()
    assert "535 recordings, 7 emotions" in out
    assert "synthetic" not in out
    assert "skemotion quickstart: warning: " in err
    assert "are longer than duration=5.0 s" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "no/such/folder"], "no/such/folder"),
        (["train", "emodb:no/such/folder"], "no/such/folder"),
        (["evaluate", "{corpus}"], "the speakers of .* are not known"),
        (["evaluate", "{corpus}", "--protocol", "holdout"], "needs at least 21"),
        (["predict", "-m", "no-model.joblib", "a.wav"], "no-model.joblib"),
        (["predict", "-m", "{corpus}/table.csv", "a.wav"], "is no bundle of skemotion"),
        (
            ["predict", "-m", "{model}", "gone.wav", "lost.wav"],
            "2 recordings cannot be read",
        ),
        (["predict", "-m", "{model}", "--files-from", "no-list.txt"], "no-list.txt"),
        (
            ["predict", "-m", "{model}", "--one-speaker", "a.wav"],
            "was not trained on feat",
        ),
        (["evaluate", "{corpus}", "--model", "{model}", "--by-speaker"], "who speaks"),
        (["train", "{corpus}", "--by-speaker"], "a CSV table with a column speaker"),
        (["extract", "no/such/folder", "--out", "{corpus}/x.npy"], "no/such/folder"),
        (
            ["extract", "{corpus}", "-o", "{corpus}/x.npy", "--set", "hop=4"],
            "there is no such parameter",
        ),
        (["train", "{corpus}", "--set", "classify__unit=4"], "classify__units"),
        (
            ["train", "{corpus}", "--recipe", "post", "--set", "classify__units=none"],
            "units",
        ),
    ],
)
def test_failed_work_is_one_message_and_1(arguments, message, corpus, model, capfd):
    arguments = [text.format(corpus=corpus, model=model) for text in arguments]
    assert main(arguments) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"skemotion {arguments[0]}: error: ")
    assert "Traceback" not in captured.err
    assert re.search(message, captured.err)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["train"],
        ["predict", "-m", "model.joblib"],
        ["predict", "-m", "model.joblib", "a.wav", "--files-from", "list.txt"],
        [
            "predict",
            "-m",
            "model.joblib",
            "a.wav",
            "--out",
            "x.csv",
            "--format",
            "json",
        ],
        ["predict", "-m", "model.joblib", "a.wav", "--min-confidence", "1.5"],
        ["extract", "--out", "x.npy"],
        ["extract", "x", "--files-from", "list.txt", "--out", "x.npy"],
        ["extract", "x", "--out", "x.csv"],
        ["train", "x", "--set", "units"],
        ["evaluate", "x", "--n-per-class", "0"],
    ],
)
def test_wrong_usage_exits_with_2(arguments, capfd):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: skemotion" in capfd.readouterr().err


def write_folder(folder, counts):
    rng = np.random.default_rng(0)
    for label, n_recordings in counts.items():
        (folder / label).mkdir(parents=True)
        for number in range(n_recordings):
            noise = 0.1 * rng.normal(size=8000)
            soundfile.write(folder / label / f"{number}.wav", noise, 16000)


def run_program(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "skemotion", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_warnings_are_one_line_each(tmp_path):
    write_folder(tmp_path / "data", {"anger": 8, "fear": 4})
    done = run_program(
        *("train", tmp_path / "data", "-o", tmp_path / "model.joblib"),
        *("--recipe", "post", *SMALL, *UNCHANGED),
    )
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("skemotion train: warning: k_neighbors=5 lowered to")


def test_nothing_is_left_of_a_failed_training(tmp_path):
    write_folder(tmp_path / "data", {"anger": 2, "fear": 2})
    (tmp_path / "data" / "fear" / "1.wav").write_bytes(b"no audio")
    output = tmp_path / "out" / "model.joblib"
    arguments = ["train", str(tmp_path / "data"), "-o", str(output), *TINY]
    assert main(arguments) == 1
    assert not output.parent.exists()


def test_the_command_is_installed(model, corpus):
    done = run_program("predict", "-m", model, *recordings(corpus))
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2
