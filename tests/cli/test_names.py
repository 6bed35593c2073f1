"""Names of files of every kind: they come back the same, and stop nothing."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys

import pytest

from skemotion.cli import main

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes")
NAMES = [
    b"plain.wav",
    b"carriage\rreturn.wav",
    b"new\nline.wav",
    b"tab\tulator.wav",
    b"escape\x1b[31m.wav",
    b"quote\"d, 'twice'.wav",
    "Grüße.wav".encode(),
    "怒り.wav".encode(),
    "\u202egnp.wav".encode(),
    b"latin-\xe9.wav",
    b"\xff\xfe.wav",
    b"-.wav",
    b" .wav",
    b"=1+1.wav",
]


@pytest.fixture
def strange(corpus, tmp_path):
    """Copies of one recording under all of the names, in a folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    recording = min(corpus.rglob("*.wav"))
    for name in NAMES:
        shutil.copy(recording, folder / os.fsdecode(name))
    return folder


def run(*arguments, encoding="utf-8"):
    return subprocess.run(
        [sys.executable, "-m", "skemotion", *map(str, arguments)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )


def names_in(rows, key="path"):
    return sorted(os.path.basename(os.fsencode(row[key])) for row in rows)


def read_csv(content):
    text = content.decode(errors="surrogateescape")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("encoding", ["cp1252"])
def test_tables_on_standard_output(model, strange, encoding):
    command = ["predict", "-m", model, strange, "--format"]
    done = run(*command, "csv", encoding=encoding)
    assert done.returncode == 0, done.stderr
    assert names_in(read_csv(done.stdout)) == sorted(NAMES)
    done = run(*command, "json", encoding=encoding)
    assert done.returncode == 0, done.stderr
    assert names_in(json.loads(done.stdout)) == sorted(NAMES)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_text_is_a_line_each_that_a_terminal_can_show(model, strange, encoding):
    done = run("predict", "-m", model, strange, encoding=encoding)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode(encoding).splitlines()
    assert len(lines) == len(NAMES)
    assert all(line.count("\t") in (2, 3) for line in lines)
    assert "\x1b" not in done.stdout.decode(encoding)
    assert "\u202e" not in done.stdout.decode(encoding)


def test_tables_in_files(model, strange, tmp_path):
    assert main(["predict", "-m", str(model), str(strange), "-o", "out.csv"]) == 0
    rows = read_csv((tmp_path / "out.csv").read_bytes())
    assert names_in(rows) == sorted(NAMES)
    command = ["timeline", "-m", str(model), str(strange), "-o"]
    assert main([*command, "out.jsonl", "--format", "jsonl"]) in (0, 1)
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert set(names_in(map(json.loads, lines), "file")) <= set(NAMES)
    assert main(["extract", "--files-from", listed(strange), "--out", "x.npy"]) == 0
    assert len(read_csv((tmp_path / "x.csv").read_bytes())) == len(NAMES) - 1


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def listed(folder):
    """List all but the name that no line can hold."""
    names = [os.fsencode(folder) + b"/" + name for name in NAMES if b"\n" not in name]
    with open("list.txt", "wb") as file:
        file.write(b"\n".join(names))
    return "list.txt"


def test_messages_hold_nothing_that_a_terminal_obeys(model, strange):
    for path in strange.iterdir():
        path.write_bytes(b"no audio")
    done = run("predict", "-m", model, *sorted(strange.iterdir()))
    assert done.returncode == 1
    assert b"\x1b" not in done.stderr
    assert "\u202e".encode() not in done.stderr
    assert done.stderr.count(b"it is text") >= 9
