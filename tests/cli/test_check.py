"""``skemotion check``, and ``--on-error`` of the commands that train."""

import csv
import io
import json
import os
import shutil

import joblib
import numpy as np
import pytest
import soundfile

from skemotion.cli import main

RATE = 16000
goes_on = pytest.mark.filterwarnings("default::skemotion.exceptions.UnreadableWarning")


@pytest.fixture
def table(corpus, tmp_path):
    """The corpus as a table, without what is odd; a function that adds rows."""
    lines = (corpus / "table.csv").read_text().splitlines()
    path = tmp_path / "speech.csv"

    def write(*rows):
        path.write_text("\n".join([*lines, *rows]) + "\n", errors="surrogateescape")
        return str(path)

    return write


def add(folder, name, signal, rate=RATE):
    soundfile.write(folder / name, signal, rate)


def test_a_clean_corpus_gives_0(table, capfd):
    assert main(["check", table(), "--folds", "3"]) == 0
    captured = capfd.readouterr()
    assert captured.out.startswith("84 recordings looked at: nothing stops training.")
    assert captured.err == ""


def test_a_folder_of_classes(corpus, capfd):
    assert main(["check", str(corpus)]) == 0
    assert "84 recordings" in capfd.readouterr().out


def test_what_stops_training_gives_1_and_what_does_not_gives_0(table, tmp_path, capfd):
    add(tmp_path, "silent.wav", np.zeros(RATE))
    assert main(["check", table("silent.wav,anger,1")]) == 0
    assert "silent (1):\n" in capfd.readouterr().out
    assert main(["check", table("gone.wav,anger,1")]) == 1
    captured = capfd.readouterr()
    assert "unreadable (1, stops training):\n" in captured.out
    assert f"{tmp_path / 'gone.wav'}: no such file" in captured.out
    assert captured.err == ""
    add(tmp_path, "one.wav", np.sin(np.arange(RATE)))
    assert main(["check", table("one.wav,lonely,1")]) == 1
    assert "small class (1, stops training):\n  lonely: " in capfd.readouterr().out


def test_formats_hold_everything(table, tmp_path, capfd):
    names = [f"gone {number}\r.wav" for number in range(12)]
    rows = [f'"{name}",anger,s' for name in names]
    assert main(["check", table(*rows), "--format", "json"]) == 1
    found = json.loads(capfd.readouterr().out)
    assert found["n_recordings"] == 96
    assert found["n_usable"] == 84
    assert found["stops"] is True
    first = found["findings"][0]
    assert first == {
        "kind": "unreadable",
        "stops": True,
        "path": str(tmp_path / names[0]),
        "label": "anger",
        "speaker": "s",
        "detail": "no such file",
    }
    assert main(["check", table(*rows), "--format", "csv"]) == 1
    text = capfd.readouterr().out
    cells = list(csv.DictReader(io.StringIO(text, newline="")))
    unreadable = [row for row in cells if row["kind"] == "unreadable"]
    assert [row["path"] for row in unreadable] == [
        str(tmp_path / each) for each in names
    ]
    assert {row["stops"] for row in unreadable} == {"true"}
    assert main(["check", table(*rows)]) == 1
    text = capfd.readouterr().out
    assert "\n  and 2 more" in text
    assert "\r" not in text


def test_the_table_of_what_can_be_used(table, tmp_path, capfd):
    (tmp_path / "text.wav").write_text("hello")
    name = table("gone.wav,anger,1", "text.wav,fear,2")
    out = tmp_path / "new" / "usable.csv"
    assert main(["check", name, "-o", str(out)]) == 1
    assert f"saved {out} (84 recordings)" in capfd.readouterr().out
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["path", "label", "speaker"]
    assert all(os.path.isabs(row["path"]) for row in rows)
    assert main(["check", str(out), "--folds", "3"]) == 0
    capfd.readouterr()
    assert main(["check", name, "-o", str(out)]) == 1  # it is there already
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "usable.csv" in captured.err


def test_options_reach_the_check(table, capfd):
    assert main(["check", table(), "--duration", "0.5", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    assert [row["kind"] for row in rows].count("too long") == 84
    assert main(["check", table(), "--k-neighbors", "12", "--map", "anger=fear"]) == 0
    out = capfd.readouterr().out
    assert "few for SMOTE (5):" in out
    assert "anger:" not in out


def test_what_is_no_corpus_is_an_error(tmp_path, capfd):
    assert main(["check", str(tmp_path / "gone")]) == 1
    assert "There is nothing at" in capfd.readouterr().err
    with pytest.raises(SystemExit):
        main(["check", str(tmp_path), "--folds", "1"])
    assert "not a number of folds" in capfd.readouterr().err


@pytest.fixture
def damaged(corpus, tmp_path):
    """A folder of classes with a text, and a FLAC that breaks off."""
    folder = tmp_path / "damaged"
    shutil.copytree(corpus, folder)
    (folder / "table.csv").unlink()
    (folder / "anger" / "text.wav").write_text("hello")
    signal = np.concatenate(
        [soundfile.read(path)[0] for path in sorted(corpus.glob("fear/*.wav"))[:4]]
    )
    late = folder / "fear" / "late.flac"
    soundfile.write(late, signal[: 4 * RATE], RATE)
    content = bytearray(late.read_bytes())
    content[-20_000:-19_700] = bytes(300)
    late.write_bytes(content)
    return folder


@goes_on
def test_training_says_how_to_go_on(damaged, tiny, tmp_path, capfd):
    out = tmp_path / "model.joblib"
    assert main(["train", str(damaged), "-o", str(out), *tiny]) == 1
    err = capfd.readouterr().err
    assert "text.wav: it is text" in err
    assert "--on-error warn" in err
    assert "skemotion check CORPUS" in err
    command = ["train", str(damaged), "-o", str(out), "--on-error", "warn", *tiny]
    assert main(command) == 0
    captured = capfd.readouterr()
    assert "trained on 84 recordings" in captured.out
    assert captured.err.count("2 of 86 recordings cannot be read, and are left") == 1
    assert "late.flac" in captured.err


@goes_on
def test_evaluating_without_them(damaged, tiny, capfd):
    command = ["evaluate", str(damaged), "--protocol", "holdout", "--n-per-class", "2"]
    command += ["--format", "json", *tiny]
    assert main(command) == 1
    assert "--on-error warn" in capfd.readouterr().err
    assert main([*command, "--on-error", "warn"]) == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out)["n_recordings"] == 14
    assert "2 of 86 recordings cannot be read, and are left out" in captured.err


def test_predict_names_errors_whatever_the_model_does(model, damaged, tmp_path, capfd):
    good = str(sorted(damaged.glob("anger/*.wav"))[0])
    paths = [good, str(damaged / "anger" / "text.wav"), str(damaged / "fear/late.flac")]
    expected = None
    for on_error in ("raise", "warn"):
        path = tmp_path / f"{on_error}.joblib"
        pipeline = joblib.load(model).set_params(extract__on_error=on_error)
        joblib.dump(pipeline, path)
        command = ["predict", "-m", str(path), "--format", "csv", *paths]
        assert main(command) == 1
        captured = capfd.readouterr()
        rows = list(csv.DictReader(io.StringIO(captured.out)))
        assert [bool(row["emotion"]) for row in rows] == [True, False, False]
        assert "it is text" in rows[1]["error"]
        assert "breaks off" in rows[2]["error"]
        assert "2 recordings cannot be read" in captured.err
        assert "on_error" not in captured.err
        expected = expected or rows
        assert rows == expected


def test_predict_knows_rows_that_a_vote_has_left_out(model, damaged, tmp_path, capfd):
    from skemotion.cli._predictor import Predictor
    from skemotion.cli._recordings import Recordings

    pipeline = joblib.load(model).set_params(extract__on_error="warn")
    good = str(sorted(damaged.glob("anger/*.wav"))[0])
    rows = [("gone.wav",), (good,), ("gone.wav",)]
    predictor = Predictor({"": pipeline}, Recordings(["path"], rows))
    found = predictor.predict(rows)
    assert [each.error for each in found] == ["no such file", "", "no such file"]
    assert found[1].emotion
