"""``skemotion predict`` on recordings without speech, and on long ones."""

import csv
import io
import json

import joblib
import numpy as np
import pytest
import soundfile

from skemotion import EmotionPipeline
from skemotion.cli import main

pytestmark = pytest.mark.filterwarnings(
    "ignore::skemotion.exceptions.CancellationWarning"
)


def read_rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture
def files(corpus, tmp_path):
    """Speech, silence, nothing, speech, silence again, and the first silence."""
    silent, antiphase = str(tmp_path / "silent.wav"), str(tmp_path / "antiphase.wav")
    soundfile.write(silent, np.zeros(90_000), 16000)
    noise = np.random.default_rng(0).normal(size=120_000) / 8
    soundfile.write(antiphase, np.stack([noise, -noise], axis=1), 16000)
    spoken = [str(path) for path in sorted(corpus.glob("*/*.wav"))[:2]]
    return [spoken[0], silent, "gone.wav", spoken[1], antiphase, silent]


def check_error(err, *, unreadable=True):
    assert "Warning" not in err
    assert "warning" not in err
    assert "skemotion: 3 recordings hold no speech: " in err
    assert "silent.wav" in err
    assert "antiphase.wav" in err
    assert ("1 recording cannot be read:\n  gone.wav" in err) == unreadable


def test_standard_output_in_all_formats(model, files, capfd):
    found = {}
    for kind in ("text", "csv", "json"):
        assert main(["predict", "-m", str(model), "--format", kind, *files]) == 1
        captured = capfd.readouterr()
        found[kind] = captured.out
        check_error(captured.err)
    lines = [line.split("\t") for line in found["text"].splitlines()]
    assert [line[0] for line in lines] == [path for path in files if path != "gone.wav"]
    assert [line[1:] for line in lines if len(line) == 4] == [["", "", "no speech"]] * 3
    rows = list(csv.DictReader(io.StringIO(found["csv"])))
    assert [row["path"] for row in rows] == files
    for row in (rows[1], rows[4], rows[5]):
        assert row.pop("error") == "no speech"
        assert float(row.pop("seconds")) in (5.625, 7.5)
        assert row.pop("speech") == "0.0000"
        assert {row[name] for name in row if name != "path"} == {""}
    objects = json.loads(found["json"])
    silence = {"emotion": "", "seconds": 5.625, "speech": 0.0, "error": "no speech"}
    assert objects[1] == {"path": files[1], **silence}
    expected = joblib.load(model).predict_proba([files[0], files[3]])
    for number, row in zip([0, 3], expected, strict=True):
        values = list(objects[number]["probabilities"].values())
        np.testing.assert_allclose(values, row, atol=1e-4)


def test_nothing_but_silence(model, files, capfd):
    assert main(["predict", "-m", str(model), files[1]]) == 1
    captured = capfd.readouterr()
    assert captured.out == f"{files[1]}\t\t\tno speech\n"
    assert captured.err == f"skemotion: 1 recording holds no speech: {files[1]}\n"


def test_journal(model, files, tmp_path, capfd, monkeypatch):
    listed, out = tmp_path / "list.txt", tmp_path / "out.csv"
    listed.write_text("\n".join(files))
    command = ["predict", "-m", str(model), "--files-from", str(listed)]
    command += ["--out", str(out), "--chunk-size", "2"]
    predict, calls = EmotionPipeline.predict_proba, []

    def interrupt(self, X):
        calls.append(X)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return predict(self, X)

    with monkeypatch.context() as patch:
        patch.setattr(EmotionPipeline, "predict_proba", interrupt)
        assert main(command) == 130
    assert not out.exists()
    capfd.readouterr()
    assert main(command) == 1
    check_error(capfd.readouterr().err.replace("skemotion: resuming", ""))
    rows = read_rows(out)
    assert [row["path"] for row in rows] == files
    assert [row["error"] == "no speech" for row in rows] == [0, 1, 0, 0, 1, 1]
    failed = read_rows(tmp_path / "out.csv.failed")
    assert [row["path"] for row in failed if row["error"] == "no speech"] == [
        *(files[1], files[4], files[5])
    ]


@pytest.mark.filterwarnings("default::skemotion.exceptions.AdaptationWarning")
def test_one_speaker(model_by_speaker, files, capfd):
    command = ["predict", "-m", str(model_by_speaker), "--one-speaker"]
    command += ["--format", "csv"]
    assert main([*command, *files]) == 1
    captured = capfd.readouterr()
    warning, _, err = captured.err.partition("\n")
    assert warning.startswith(
        "skemotion predict: warning: adapted to 2 recordings, where 50"
    )
    check_error(err)
    rows = list(csv.DictReader(io.StringIO(captured.out)))
    assert [row["error"] == "no speech" for row in rows] == [0, 1, 0, 0, 1, 1]
    # What holds no speech says nothing of the voice.
    assert main([*command, files[0], files[3]]) == 0
    alone = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    assert [rows[0], rows[3]] == alone


def join_speech(corpus, seconds):
    recordings = sorted(corpus.glob("*/*.wav"))[::3]
    speech = [soundfile.read(path, dtype="float32")[0] for path in recordings]
    return np.concatenate(speech)[: seconds * 16000]


def test_all_of_a_long_recording_is_looked_at(model, corpus, tmp_path, capfd):
    signal = join_speech(corpus, 20)
    path = tmp_path / "long.wav"
    soundfile.write(path, signal, 16000)
    assert main(["predict", "-m", str(model), "--format", "json", str(path)]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    pipeline = joblib.load(model)
    expected = pipeline.predict_proba([str(path)])[0]
    found = json.loads(captured.out)[0]["probabilities"]
    np.testing.assert_allclose(list(found.values()), expected, atol=1e-4)
    first = pipeline.predict_proba([signal[: 5 * 16000]])[0]
    assert np.abs(first - expected).max() > 1e-4


@pytest.mark.filterwarnings("default::skemotion.exceptions.TruncationWarning")
def test_models_that_look_at_the_beginning_say_so(model, corpus, tmp_path, capfd):
    other = tmp_path / "first.joblib"
    joblib.dump(joblib.load(model).set_params(hop_duration=None), other)
    path = tmp_path / "long.wav"
    soundfile.write(path, join_speech(corpus, 8), 16000)
    assert main(["predict", "-m", str(other), str(path)]) == 0
    err = capfd.readouterr().err
    assert err.startswith(
        "skemotion predict: warning: 1 of 1 recordings is longer than"
    )
