"""``skemotion report``: from a corpus to a page."""

import csv
import json
import os

import pytest

from skemotion.cli import main


def test_a_model_on_a_corpus(corpus, model, tmp_path, capfd):
    page = tmp_path / "new" / "page"
    arguments = ["report", str(corpus / "table.csv"), "-m", str(model)]
    arguments += ["-o", f"{page}{os.sep}", "--n-recordings", "3"]
    assert main(arguments) == 0
    captured = capfd.readouterr()
    assert f"saved {page / 'index.html'}" in captured.out
    assert captured.err == ""
    assert [entry.name for entry in page.parent.iterdir()] == ["page"]
    assert [entry.name for entry in page.iterdir()] == ["index.html"]
    text = (page / "index.html").read_text(encoding="utf-8")
    assert "<h1>Emotions recognised in table.csv</h1>" in text
    assert "3 of 84 recordings" in text
    assert "Waveform, attention, mel spectrogram" in text
    assert text.count("<audio") == 3


def test_a_recipe_on_new_speakers(corpus, tiny, tmp_path):
    arguments = ["report", str(corpus / "table.csv"), "-o", str(tmp_path), *tiny]
    arguments += ["--no-audio", "--n-recordings", "1", "--title", "Mine & yours"]
    assert main(arguments) == 0
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<h1>Mine &amp; yours</h1>" in text
    assert "Speaker-independent" in text
    assert 'id="training"' in text
    assert "<audio" not in text


def test_from_evaluate(corpus, model, tmp_path, capfd):
    arguments = ["evaluate", str(corpus / "table.csv"), "-m", str(model)]
    arguments += ["--report", str(tmp_path / "page"), "--format", "json"]
    assert main(arguments) == 0
    captured = capfd.readouterr()
    text = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    scores = json.loads(captured.out)
    assert f"<dd>{scores['uar']:.3f}</dd>" in text
    low, high = scores["uar_interval"]
    assert f"{low:.3f} to {high:.3f}" in text
    assert main(arguments) == 1
    assert "index.html exists: delete it" in capfd.readouterr().err


def test_what_cannot_be_written_is_said_before_any_work(
    corpus, tmp_path, capfd, monkeypatch
):
    monkeypatch.setattr("skemotion.cli._report.load_labelled", pytest.fail)
    (tmp_path / "index.html").write_text("mine")
    assert main(["report", str(corpus), "-o", str(tmp_path)]) == 1
    assert "index.html exists: delete it" in capfd.readouterr().err
    file = str(tmp_path / "index.html")
    assert main(["report", str(corpus), "-o", file]) == 1
    assert "is a file: name a folder" in capfd.readouterr().err
    assert main(["report", str(corpus), "-o", os.path.join(file, "page")]) == 1
    assert "is not a folder" in capfd.readouterr().err


def test_labels_and_files_of_any_name(corpus, model, tmp_path):
    """A table may hold any label, and a folder any file."""
    label = "</script><script>alert(1)</script>"
    recordings = sorted((corpus / "anger").glob("*.wav"))[:2]
    hostile = tmp_path / '"><img src=x onerror=alert(1)>.wav'
    hostile.write_bytes(recordings[0].read_bytes())
    table = tmp_path / "table.csv"
    with open(table, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["path", "label", "speaker"], [hostile, "anger", label]])
        writer.writerow([recordings[1], "fear", label])
    page = tmp_path / "page"
    assert main(["report", str(table), "-m", str(model), "-o", str(page)]) == 0
    text = (page / "index.html").read_text(encoding="utf-8")
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
