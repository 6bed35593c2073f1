"""``skemotion timeline``."""

import csv
import importlib.util
import io
import json

import joblib
import numpy as np
import pytest
import soundfile

from skemotion import emotion_timeline
from skemotion.cli import _timeline as command
from skemotion.cli import main

NAMES = ["file", "start", "end", "emotion", "confidence"]


@pytest.fixture(scope="session")
def spoken(corpus, tmp_path_factory):
    """Two recordings of one name, of some seconds, in two folders."""
    folder = tmp_path_factory.mktemp("spoken")
    speech = [
        soundfile.read(path, dtype="float32")[0]
        for path in sorted(corpus.glob("*/*.wav"))[::5]
    ]
    for name, parts in {"a": speech[:6], "b": speech[6:8]}.items():
        (folder / name).mkdir()
        soundfile.write(folder / name / "x.wav", np.concatenate(parts), 16000)
    soundfile.write(folder / "silent.wav", np.zeros(90_000), 16000)
    return folder


@pytest.fixture
def run(model, capfd):
    """A function that runs the command, and returns what it says."""

    def run(*arguments):
        code = main(["timeline", "-m", str(model), *map(str, arguments)])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def check_segments(rows, model, path):
    """Check rows of a table against what Python tells of a file."""
    expected = emotion_timeline(joblib.load(model), str(path)).segments
    found = [row for row in rows if row["file"] == str(path)]
    assert [row["emotion"] for row in found] == [s.emotion for s in expected]
    for name in ("start", "end", "confidence"):
        values = [float(row[name]) for row in found]
        assert values == pytest.approx([getattr(s, name) for s in expected], abs=1e-4)


def test_tables_hold_the_segments_of_all_files(run, model, spoken):
    paths = [spoken / "a" / "x.wav", spoken / "b" / "x.wav"]
    code, out, err = run(*paths)
    assert (code, err) == (0, "")
    reader = csv.DictReader(io.StringIO(out))
    rows = list(reader)
    assert reader.fieldnames == NAMES
    for path in paths:
        check_segments(rows, model, path)
    code, out, _ = run("--format", "jsonl", *paths)
    lines = [json.loads(line) for line in out.splitlines()]
    for path in paths:
        check_segments(lines, model, path)


def test_bad_files_and_silence_do_not_stop_the_others(run, model, spoken, tmp_path):
    files = ["gone.wav", spoken / "a" / "x.wav", spoken / "silent.wav"]
    out = tmp_path / "t.csv"
    code, said, err = run(*files, "--out", out)
    assert code == 1
    assert said == f"saved {out} (3 recordings)\n"
    assert f"1 recording holds no speech: {files[2]}\n" in err
    assert "1 recording cannot be read:\n  gone.wav: no such file" in err
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} == {str(files[1])}
    check_segments(rows, model, files[1])
    with open(tmp_path / "t.csv.failed", newline="") as file:
        failed = list(csv.reader(file))
    assert failed == [
        ["path", "error"],
        ["gone.wav", "no such file"],
        [str(files[2]), "no speech"],
    ]
    code, _, err = run(files[2])
    assert code == 1
    assert err == f"skemotion: 1 recording holds no speech: {files[2]}\n"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_killed_work_is_resumed(kind, run, spoken, tmp_path, monkeypatch):
    files = [spoken / "b" / "x.wav", "gone.wav", spoken / "a" / "x.wav"]
    whole, out = tmp_path / "whole", tmp_path / "out"
    run(*files, "--format", kind, "-o", whole)
    calls = []

    def interrupt(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return emotion_timeline(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(command, "emotion_timeline", interrupt)
        run(*files, "--format", kind, "-o", out)
    assert not out.exists()
    _, _, err = run(*files, "--format", kind, "-o", out, "--window", "2")
    assert "begun with other recordings, parameters" in err
    code, _, err = run(*files, "--format", kind, "-o", out)
    assert code == 1
    assert "resuming after 2 of 3" in err
    assert out.read_bytes() == whole.read_bytes()
    assert "gone.wav: no such file" in err


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("audacity", ".txt"), ("textgrid", ".TextGrid"), ("webvtt", ".vtt")],
)
def test_a_file_for_each_recording(kind, suffix, run, spoken, tmp_path, monkeypatch):
    files = [spoken / "a" / "x.wav", "gone.wav", spoken / "b" / "x.wav"]
    folder = tmp_path / "new" / "labels"
    code, _, _ = run(*files, "--format", kind, "-o", folder)
    assert code == 1
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"x-2{suffix}", f"x{suffix}"]
    # Nothing is done over again, and nothing overwritten.
    before = (folder / f"x{suffix}").read_bytes()
    code, _, err = run(files[2], "--format", kind, "-o", folder)
    assert code == 1
    assert f"x{suffix} exists" in err
    assert (folder / f"x{suffix}").read_bytes() == before
    # A single one may be a file.
    single = tmp_path / f"single{suffix}"
    assert run(files[0], "--format", kind, "-o", single, "--quiet")[:2] == (0, "")
    assert single.read_bytes() == before
    # The folder may be the one that one is in.
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run(files[0], "--format", kind, "-o", ".", "--quiet")[:2] == (0, "")
    assert [path.name for path in (tmp_path / "here").iterdir()] == [f"x{suffix}"]


def test_audformat(run, spoken, tmp_path):
    files = [spoken / "a" / "x.wav", spoken / "silent.wav"]
    code, _, _ = run(*files, "--format", "audformat", "-o", tmp_path / "db")
    assert code == 1
    assert (tmp_path / "db" / "db.yaml").exists()
    code, _, err = run(*files, "--format", "audformat", "-o", tmp_path / "db")
    assert "db exists, and is a folder: name another" in err


def test_parameters_are_passed_on(run, spoken, monkeypatch):
    asked = []

    def tell(model, path, **parameters):
        asked.append(parameters)
        return emotion_timeline(model, path, **parameters)

    monkeypatch.setattr(command, "emotion_timeline", tell)
    options = ["--window", "2", "--hop", "1", "--smoothing", "0"]
    run(spoken / "b" / "x.wav", *options, "--min-pause", "0.2", "--max-utterance", "3")
    values = {"window": 2, "hop": 1, "smoothing": 0, "min_pause": 0.2}
    assert asked == [{**values, "max_utterance": 3}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "textgrid"], "--format textgrid needs --out"),
        (["--format", "audformat"], "--format audformat needs --out"),
        (["--window", "1", "--hop", "2"], "--hop is longer than --window"),
        (["--window", "0"], "0 is not a positive time"),
        (["--hop", "nan"], "nan is not a time"),
        (["--smoothing", "-1"], "-1 is not a time"),
        (["--format", "srt"], "invalid choice: 'srt'"),
        (["b.wav", "--format", "webvtt", "-o", "x.vtt"], "one file, for 2 recordings"),
    ],
)
def test_wrong_usage_is_told_before_any_work(arguments, message, capfd):
    with pytest.raises(SystemExit, match="2"):
        main(["timeline", "-m", "no.model", "a.wav", *arguments])
    assert message in capfd.readouterr().err


def test_a_library_that_is_not_there_is_named_first(capfd, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    arguments = ["a.wav", "--format", "textgrid", "-o", "labels"]
    assert main(["timeline", "-m", "no.model", *arguments]) == 1
    err = capfd.readouterr().err
    assert err.startswith(
        "skemotion timeline: error: the format textgrid is written by praatio"
    )
    assert 'pip install "skemotion[timeline]"' in err


def test_models_by_speaker_are_refused(model_by_speaker, spoken, capfd):
    path = str(spoken / "a" / "x.wav")
    assert main(["timeline", "-m", str(model_by_speaker), path]) == 1
    assert "use a model trained without" in capfd.readouterr().err
