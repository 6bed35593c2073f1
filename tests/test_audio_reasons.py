"""What is said of files that are no recordings: what they are, and what to do."""

import io
import os
import sys

import pytest
import soundfile

from skemotion.audio import check_audio, load_audio

CONVERT = r"libsndfile does not read; convert it, .*: ffmpeg -i {0}\.\w+ -ac 1 {0}\.wav"
CONTENTS = {
    "a.wav": (b"", "empty, of 0 bytes"),
    "b.wav": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git lfs"),
    "c.wav": (b"\n<!DOCTYPE html>\n<html lang='de'>", "web page .* download"),
    "d.wav": (b"<?xml version='1.0'?><Error/>", "web page"),
    "e.m4a": (b"\0\0\0\x20ftypM4A \0\0\0\0", "MPEG-4 or AAC.*" + CONVERT.format("e")),
    "f.mp4": (b"\0\0\0\x18ftypisom", CONVERT.format("f")),
    "g.webm": (b"\x1a\x45\xdf\xa3" + bytes(30), "WebM.*" + CONVERT.format("g")),
    "h.aac": (b"\xff\xf1P\x80" + bytes(range(200)), "AAC.*" + CONVERT.format("h")),
    "i.amr": (b"#!AMR\n" + bytes(40), "AMR.*" + CONVERT.format("i")),
    "j.wma": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
    "k.wav": (b"PK\x03\x04" + bytes(40), "zip archive: unpack"),
    "l.wav": (b"\x1f\x8b\x08" + bytes(40), "gzip: unpack"),
    "m.wav": ("Grüße aus dem Ordner".encode(), "it is text"),
    "n.wav": (bytes(2000), "zeros alone"),
    "o.wav": (b"RIFF\x10\0\0\0WAVE", "header is damaged"),
    "p.flac": (b"fLaC" + bytes(range(30)), "header is damaged"),
    "it's.m4a": (b"\0\0\0\x20ftypM4A ", "ffmpeg -i 'it'\"'\"'s.m4a' -ac 1"),
}


def reason(recording):
    reasons = set()
    for function in (check_audio, load_audio):
        with pytest.raises(ValueError, match=".") as caught:
            function(recording)
        reasons.add(str(caught.value))
    (one,) = reasons
    return one


@pytest.mark.parametrize("name", CONTENTS)
def test_contents(name, tmp_path):
    content, expected = CONTENTS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=expected):
        load_audio(tmp_path / name)
    said = reason(tmp_path / name)
    assert "System error" not in said
    assert "Format not recognised" not in said


@pytest.mark.parametrize("name", CONTENTS)
def test_contents_of_file_objects(name):
    file = io.BytesIO(CONTENTS[name][0])
    file.name = name
    with pytest.raises(ValueError, match=CONTENTS[name][1]):
        load_audio(file)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("none.wav", "^no such file$"),
        ("file/a.wav", "no such file: what its path names as a folder is a file"),
        ("folder", "it is a folder"),
        ("dead", "it is a link to gone.wav, which is not there"),
        ("loop", "it is a link that leads in a circle"),
        ("pipe", "it is a pipe, .* save what comes from it"),
        ("x" * 300, "so long a name"),
        ("a\0b", "no file can have this name"),
        ("https://example.org/a.wav", "it is an address, not a file: download"),
        ("s3://bucket/a.wav", "it is an address"),
        ("file:///tmp/a.wav", "it is an address"),
        ("/dev/zero", "it is a device"),
        ("/dev/null", "it is a device"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="other files and links")
def test_paths(path, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.symlink("gone.wav", "dead")
    os.symlink("loop", "loop")
    os.mkfifo("pipe")
    with pytest.raises(ValueError, match=expected):
        check_audio(path)
    assert reason(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="all is allowed")
def test_what_may_not_be_read(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, [0.0, 0.1], 8000)
    path.chmod(0)
    with pytest.raises(ValueError, match="permissions do not allow"):
        check_audio(path)


def test_permissions_as_the_system_says_them(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, [0.0, 0.1], 8000)
    monkeypatch.setattr(os, "access", lambda *args: False)
    with pytest.raises(ValueError, match="permissions do not allow"):
        check_audio(path)
