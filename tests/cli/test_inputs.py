"""What ``skemotion predict`` takes, and what it tells of it besides the emotion."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile

from skemotion import EmotionPipeline
from skemotion.cli import main
from skemotion.cli._sources import open_source

RATE = 16000
few = pytest.mark.filterwarnings("default::skemotion.exceptions.AdaptationWarning")


@pytest.fixture
def paths(corpus):
    return [str(path) for path in sorted(corpus.glob("*/*.wav"))[:4]]


@pytest.fixture
def predict(model, capfd):
    """A function that runs the command, and returns code, rows and errors."""

    def run(*arguments, model=model, kind="csv"):
        command = ["predict", "-m", str(model), "--format", kind]
        code = main([*command, *map(str, arguments)])
        captured = capfd.readouterr()
        if kind == "json":
            return code, json.loads(captured.out), captured.err
        return code, list(csv.DictReader(io.StringIO(captured.out))), captured.err

    return run


def feed(monkeypatch, content):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_folders_are_searched_and_say_what_they_skip(predict, paths, tmp_path):
    for number, name in enumerate(["b/x.wav", "b/a.WAV", "c.flac", ".d/y.wav"]):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        if name.endswith("flac"):
            soundfile.write(target, *soundfile.read(paths[number]))
        else:
            shutil.copy(paths[number], target)
    for name in ("b/voice.m4a", "notes.txt", ".hidden.mp4", "LICENSE"):
        (tmp_path / name).touch()
    code, rows, err = predict(tmp_path, paths[0])
    assert code == 0
    assert [row["path"] for row in rows] == [
        *(str(tmp_path / name) for name in ("b/a.WAV", "b/x.wav", "c.flac")),
        paths[0],
    ]
    voice = Path("b", "voice.m4a")
    assert err == (
        f"skemotion: skipped in {tmp_path}: 1 m4a file, of a format that is not read "
        f"(convert to WAV or FLAC): {voice}; 1 file without suffix, 1 txt file, by the "
        "suffix no audio: LICENSE, notes.txt\n"
    )


def test_a_folder_without_recordings_is_an_error_before_any_work(tmp_path, capfd):
    (tmp_path / "voice.m4a").touch()
    assert main(["predict", "-m", "no-model.joblib", "gone.wav", str(tmp_path)]) == 1
    err = capfd.readouterr().err
    assert err.startswith(
        f"skemotion predict: error: the folder {tmp_path} holds no recordings"
    )
    assert "1 m4a file, of a format that is not read" in err


@pytest.fixture
def table(paths, tmp_path):
    (tmp_path / "audio").mkdir()
    shutil.copy(paths[0], tmp_path / "audio" / "a.wav")
    path = tmp_path / "calls.csv"
    path.write_text(
        "caller, path ,emotion,note\n"
        'anna,audio/a.wav,joy,"so, so"\n'
        "bert,gone.wav\n"
        f"anna,{paths[1]},anger,\n",
        encoding="utf-8-sig",
    )
    return path


def test_tables_keep_their_columns(predict, paths, table, tmp_path):
    code, rows, err = predict(table, paths[2])
    assert code == 1
    assert "gone.wav: no such file" in err
    assert [row["path"] for row in rows] == [
        *(str(tmp_path / name) for name in ("audio/a.wav", "gone.wav")),
        *(paths[1], paths[2]),
    ]
    assert list(rows[0])[-4:] == ["error", "caller", "given_emotion", "note"]
    assert [row["caller"] for row in rows] == ["anna", "bert", "anna", ""]
    assert [row["given_emotion"] for row in rows] == ["joy", "", "anger", ""]
    assert rows[0]["note"] == "so, so"
    assert rows[0]["emotion"] not in ("", "joy")
    _, objects, _ = predict(table, paths[2], kind="json")
    for row, item in zip(rows, objects, strict=True):
        assert {name: item[name] for name in ("caller", "given_emotion", "note")} == {
            name: row[name] for name in ("caller", "given_emotion", "note")
        }


def test_a_table_to_a_table(model, table, predict, tmp_path, capfd):
    out = tmp_path / "out.csv"
    command = ["predict", "-m", str(model), "-o", str(out), "--chunk-size", "2"]
    assert main([*command, str(table)]) == 1
    with out.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    capfd.readouterr()
    _, rows, _ = predict(table)
    assert written == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file\na.wav\n", "lacks the column path; its first line reads 'file'"),
        ("path,x\n,1\na.wav,2\n,3\n", "2 of 3 rows .*\n  line 2: no path\n  line 4"),
        ("path\n", "has no rows"),
        (b"path\n\xff\n", "nor a CSV table"),
        (None, "no such file"),
    ],
)
def test_tables_that_cannot_be_used_are_errors_before_any_work(
    content, message, tmp_path, capfd
):
    table = tmp_path / "table.csv"
    if content is not None:
        table.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skemotion.cli._predict.open_model", None)
        assert main(["predict", str(table)]) == 1
    err = capfd.readouterr().err
    assert err.startswith("skemotion predict: error: ")
    assert re.search(message, err)


@pytest.mark.filterwarnings("default:533 of the 535 recordings:UserWarning")
def test_emodb_has_labels_and_speakers(predict, paths, tmp_path):
    for path, name in zip(paths, ["16b10Wb.wav", "03a01Fa.wav"], strict=False):
        shutil.copy(path, tmp_path / name)
    code, rows, _ = predict(f"emodb:{tmp_path}")
    assert code == 0
    assert [row["label"] for row in rows] == ["happiness", "anger"]
    assert [row["speaker"] for row in rows] == ["03", "16"]


def test_every_known_corpus_has_a_name(tmp_path, monkeypatch, capfd):
    for name in ("03-01-05-02-01-02-23.wav", "Actor_02/03-01-01-01-01-01-02.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.warns(UserWarning, match="1438 of the 1440"):
        source = open_source(f"ravdess:{tmp_path}")
    assert source.columns == ["path", "label", "speaker"]
    assert [tuple(row)[1:] for row in source.rows] == [
        ("anger", "23"),
        ("neutral", "02"),
    ]
    monkeypatch.setenv("SKEMOTION_DATA", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ravdess").mkdir()
    assert main(["check", "ravdess"]) == 1
    err = capfd.readouterr().err
    assert "run 'skemotion fetch ravdess'" in err
    assert f"ravdess:PATH stands for a copy. For {os.path.join('.', 'ravdess')}" in err


def test_a_recording_on_standard_input(predict, paths, monkeypatch):
    feed(monkeypatch, Path(paths[0]).read_bytes())
    code, rows, _ = predict(paths[1], "-")
    assert code == 0
    _, expected, _ = predict(paths[1], paths[0])
    assert rows[1].pop("path") == "-"
    assert expected[1].pop("path") == paths[0]
    assert rows == expected


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "it is empty"), (b"no audio", "it is text")]
)
def test_what_is_no_recording_on_standard_input(
    predict, paths, monkeypatch, content, reason
):
    feed(monkeypatch, content)
    code, rows, err = predict("-", paths[0])
    assert code == 1
    assert f"-: {reason}" in err
    assert [bool(row["error"]) for row in rows] == [True, False]


def test_standard_input_is_read_once(capfd):
    with pytest.raises(SystemExit):
        main(["predict", "-", "a.wav", "-"])
    assert "can be read only once" in capfd.readouterr().err


@few
def test_models_are_adapted_to_what_comes_by_standard_input(
    predict, paths, monkeypatch
):
    feed(monkeypatch, Path(paths[0]).read_bytes())
    _, rows, _ = predict("--adapt", "-", *paths[1:])
    _, expected, _ = predict("--adapt", *paths)
    del rows[0]["path"], expected[0]["path"]
    assert rows == expected


@pytest.mark.skipif(sys.platform == "win32", reason="no such shells")
def test_the_output_of_a_command_is_read_once(model, paths):
    line = f"{sys.executable} -m skemotion predict -m {model} <(cat {paths[0]}) {{}}"
    done = subprocess.run(
        ["bash", "-c", line.format(paths[0])], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    piped, named = done.stdout.splitlines()
    assert piped.split("\t")[1:] == named.split("\t")[1:]


def test_work_on_standard_input_is_resumed_with_the_same_only(
    model, paths, tmp_path, monkeypatch, capfd
):
    out = tmp_path / "out.csv"
    command = ["predict", "-m", str(model), "-o", str(out), "-", paths[1]]
    with monkeypatch.context() as patch:
        predict, calls = EmotionPipeline.predict_proba, iter([1])
        patch.setattr(
            EmotionPipeline, "predict_proba", lambda s, X: next(calls) and predict(s, X)
        )
        feed(patch, Path(paths[0]).read_bytes())
        assert main([*command, "--chunk-size", "1"]) == 1
    feed(monkeypatch, Path(paths[2]).read_bytes())
    assert main(command) == 1
    assert "begun with other recordings" in capfd.readouterr().err
    feed(monkeypatch, Path(paths[0]).read_bytes())
    assert main(command) == 0
    assert "resuming after 1 of 2" in capfd.readouterr().err
    with out.open(encoding="utf-8", newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["-", paths[1]]


@pytest.fixture(scope="module")
def half_speech(corpus, tmp_path_factory):
    """About 9 s of speech, and 9 s of silence in the middle."""
    recordings = sorted(corpus.glob("*/*.wav"))[:6]
    parts = [soundfile.read(path)[0] for path in recordings]
    speech = np.concatenate(parts)
    middle = len(speech) // 2
    silence = np.zeros(len(speech))
    path = tmp_path_factory.mktemp("long") / "half.flac"
    joined = np.concatenate([speech[:middle], silence, speech[middle:]])
    soundfile.write(path, joined, RATE)
    return str(path), len(joined) / RATE


def test_length_and_share_of_speech(predict, half_speech, paths, monkeypatch):
    monkeypatch.setattr("skemotion.cli._predictor.measure_extent", None)
    path, seconds = half_speech
    code, rows, _ = predict(path, paths[0])
    assert code == 0
    assert float(rows[0]["seconds"]) == pytest.approx(seconds, abs=1e-3)
    assert 0.35 < float(rows[0]["speech"]) < 0.55
    assert float(rows[1]["seconds"]) == pytest.approx(
        soundfile.info(paths[0]).duration, abs=1e-3
    )
    assert float(rows[1]["speech"]) > 0.7
    _, objects, _ = predict(path, kind="json")
    assert objects[0]["seconds"] == float(rows[0]["seconds"])
    assert objects[0]["speech"] == float(rows[0]["speech"])


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
@pytest.mark.parametrize(
    "rule",
    [
        {"detect_speech": False},
        {"hop_duration": None},
        {"hop_duration": None, "detect_speech": False},
    ],
)
def test_models_that_look_for_no_speech_tell_it_too(
    model, predict, half_speech, tmp_path, rule
):
    other = tmp_path / "other.joblib"
    joblib.dump(joblib.load(model).set_params(**rule), other)
    _, (expected,), _ = predict(half_speech[0])
    code, (row,), _ = predict(half_speech[0], model=other)
    assert code == 0
    assert row["seconds"] == expected["seconds"]
    assert row["speech"] == expected["speech"]


@pytest.mark.filterwarnings("default::skemotion.exceptions.TruncationWarning")
@pytest.mark.parametrize("command", ["predict", "extract"])
def test_recordings_that_are_cut_are_told_once(
    model, half_speech, paths, tmp_path, capfd, command
):
    other = tmp_path / "first.joblib"
    joblib.dump(joblib.load(model).set_params(hop_duration=None), other)
    listed = tmp_path / "list.txt"
    long = [half_speech[0]] * 2
    listed.write_text("\n".join([long[0], paths[0], "gone.wav", paths[1], long[1]]))
    out = tmp_path / ("out.csv" if command == "predict" else "out.npy")
    options = ["--files-from", str(listed), "-o", str(out), "--chunk-size", "2"]
    options += ["-m", str(other)] if command == "predict" else []
    assert main([command, *options]) == 1
    warned = [line for line in capfd.readouterr().err.splitlines() if "warning" in line]
    assert warned == [
        f"skemotion {command}: warning: 2 of 5 recordings are longer than duration=5.0 "
        f"s; the rest of them is not looked at: {long[0]}, {long[1]}."
    ]


@few
def test_each_of_several_speakers_is_a_voice_of_its_own(
    model_by_speaker, corpus, predict, tmp_path
):
    with (corpus / "table.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))[::7]
    table = tmp_path / "voices.csv"
    rows = [f"{corpus / row['path']},{row['speaker']}" for row in listed]
    known = listed[0]["speaker"]
    gone = [f"gone.wav,{known}", f"lost.wav,{known}"]
    table.write_text("\n".join(["path,who", *rows, *gone]))
    code, found, err = predict(
        table, "--speaker-column", "who", "--chunk-size", "5", model=model_by_speaker
    )
    assert code == 1
    assert "2 recordings cannot be read" in err
    assert err.count("warning") == 1
    assert "3 of 3 speakers have fewer recordings than adapting" in err
    for speaker in {row["speaker"] for row in listed}:
        of_one = [row for row in found if row["who"] == speaker and not row["error"]]
        names = [row["path"] for row in of_one]
        _, alone, _ = predict("--one-speaker", *names, model=model_by_speaker)
        for row, expected in zip(of_one, alone, strict=True):
            assert {**expected, "who": speaker} == row


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path,speaker\na.wav,x\nb.wav,x\n", "have no column who, but path, speaker"),
        ("path,who\na.wav,x\nb.wav,\nc.wav,x\n", "who is empty for 1 of 3 rec.*b.wav"),
        ("path,who\na.wav,x\nb.wav,y\nc.wav,x\n", "1 of 2 speakers have a single .*y"),
    ],
)
def test_speakers_that_are_not_known_are_errors(
    model_by_speaker, tmp_path, capfd, content, message
):
    table = tmp_path / "voices.csv"
    table.write_text(content)
    options = ["-m", str(model_by_speaker), "--speaker-column", "who"]
    assert main(["predict", *options, str(table)]) == 1
    assert re.search(message, capfd.readouterr().err)


def test_other_models_have_no_voices(model, table, capfd):
    options = ["-m", str(model), "--speaker-column", "caller"]
    assert main(["predict", *options, str(table)]) == 1
    assert "so --one-speaker and --speaker-column would" in capfd.readouterr().err
    with pytest.raises(SystemExit):
        main(["predict", *options, "--one-speaker", str(table)])


@few
def test_a_speaker_of_whom_too_little_can_be_read_is_named(
    model_by_speaker, paths, tmp_path, capfd
):
    table = tmp_path / "voices.csv"
    rows = [f"{path},anna" for path in paths[:2]]
    table.write_text(
        "\n".join(["path,who", *rows, f"{paths[2]},bert", "gone.wav,bert"])
    )
    options = ["-m", str(model_by_speaker), "--speaker-column", "who"]
    assert main(["predict", *options, str(table)]) == 1
    err = capfd.readouterr().err
    assert "speaker bert: " in err
    assert "at least 2 recordings" in err
