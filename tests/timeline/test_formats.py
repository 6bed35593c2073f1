"""What is written is what other programs read."""

import csv
import html
import json
from importlib import util

import numpy as np
import pytest

from skemotion.timeline import EmotionTimeline, Segment, write_timelines

ODD = ['a "q" b', "tab\there", "two\nlines", "a --> b", "<b>&amp;</b>", "x,y;z", "ünï"]
ONE_LINE = [" ".join(label.split()) for label in ODD]
EDGES = [(0.0, 0.3), *((index + 1 / 3, index + 0.9) for index in range(1, 6))]
EDGES.append((3600.5, 3661.9999999))


def make_timeline(labels=ODD, classes=None, duration=3661.9999999):
    segments = [
        Segment(start, end, label, 0.25 + index / 16)
        for index, ((start, end), label) in enumerate(zip(EDGES, labels, strict=False))
    ]
    return EmotionTimeline(
        np.array(sorted(ODD) if classes is None else classes),
        np.array([segment.start for segment in segments]),
        np.array([segment.end for segment in segments]),
        np.full((len(segments), len(ODD)), 1 / len(ODD)),
        np.array([segment[:2] for segment in segments]).reshape(-1, 2),
        segments,
        duration,
    )


@pytest.fixture
def timelines():
    """Of two files of one name, one without any segment."""
    return {"b/x y.wav": make_timeline(), "c/X Y.mp3": make_timeline([])}


def check_times(times, digits):
    """Check that they are right, and never behind the end."""
    times = np.array(times, dtype=float)
    expected = np.array(EDGES)
    assert (times <= expected + 1e-12).all()
    np.testing.assert_allclose(times, expected, atol=1.1 * 10**-digits)


def test_csv(timelines, tmp_path):
    path = tmp_path / "all.csv"
    write_timelines(timelines, path, format="csv")
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["emotion"] for row in rows] == ODD
    assert {row["file"] for row in rows} == {"b/x y.wav"}
    check_times([(row["start"], row["end"]) for row in rows], 6)
    assert float(rows[2]["confidence"]) == 0.375


def test_json_lines(timelines, tmp_path):
    path = tmp_path / "all.jsonl"
    write_timelines(timelines, path, format="jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [row["emotion"] for row in rows] == ODD
    assert list(rows[0]) == ["file", "start", "end", "emotion", "confidence"]
    check_times([(row["start"], row["end"]) for row in rows], 6)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_names_that_are_no_utf8(kind, tmp_path):
    name = b"caf\xe9.wav".decode(errors="surrogateescape")
    path = tmp_path / "all"
    write_timelines({name: make_timeline(ODD[:1])}, path, format=kind)
    content = path.read_text(encoding="utf-8", errors="surrogateescape")
    if kind == "csv":
        assert next(csv.DictReader(content.splitlines()))["file"] == name
    else:
        assert json.loads(content)["file"] == name


def test_audacity_labels(timelines, tmp_path):
    write_timelines(timelines, tmp_path / "labels", format="audacity")
    assert read_names(tmp_path / "labels") == ["X Y-2.txt", "x y.txt"]
    text = (tmp_path / "labels" / "x y.txt").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()]
    assert [row[2] for row in rows] == ONE_LINE
    check_times([row[:2] for row in rows], 6)


def read_names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_textgrid(timelines, tmp_path):
    from praatio import textgrid

    write_timelines(timelines, tmp_path / "grids", format="textgrid")
    assert read_names(tmp_path / "grids") == ["X Y-2.TextGrid", "x y.TextGrid"]
    for name, labels in {"x y": ONE_LINE, "X Y-2": []}.items():
        path = str(tmp_path / "grids" / f"{name}.TextGrid")
        grid = textgrid.openTextgrid(path, includeEmptyIntervals=False)
        assert grid.tierNames == ("emotion", "confidence")
        assert grid.maxTimestamp == 3661.9999999
        entries = grid.getTier("emotion").entries
        assert [entry.label for entry in entries] == labels
        if labels:
            check_times([entry[:2] for entry in entries], 9)
            confidence = grid.getTier("confidence").entries[2].label
            assert float(confidence) == 0.375


def test_webvtt(timelines, tmp_path):
    import webvtt

    write_timelines(timelines, tmp_path / "subtitles", format="webvtt")
    assert read_names(tmp_path / "subtitles") == ["X Y-2.vtt", "x y.vtt"]
    captions = list(webvtt.read(str(tmp_path / "subtitles" / "x y.vtt")))
    # A player shows what the escapes stand for.
    assert [html.unescape(caption.text) for caption in captions] == ONE_LINE
    check_times(
        [(to_seconds(each.start), to_seconds(each.end)) for each in captions], 3
    )
    assert captions[-1].start == "01:00:00.500"
    assert captions[-1].end == "01:01:01.999"
    assert list(webvtt.read(str(tmp_path / "subtitles" / "X Y-2.vtt"))) == []


def to_seconds(timestamp):
    hours, minutes, seconds = map(float, timestamp.split(":"))
    return 3600 * hours + 60 * minutes + seconds


# What audformat's reader does, pandas has deprecated.
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_audformat(timelines, tmp_path):
    import audformat

    write_timelines(timelines, tmp_path / "database", format="audformat")
    table = audformat.Database.load(str(tmp_path / "database"))["emotion"]
    assert table.is_segmented
    frame = table.get().reset_index()
    assert frame["emotion"].tolist() == ODD
    assert set(frame["file"]) == {"b/x y.wav"}
    seconds = frame[["start", "end"]].map(lambda time: time.total_seconds())
    check_times(seconds.to_numpy(), 6)
    assert frame["confidence"][2] == 0.375


@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_audformat_without_any_segment(tmp_path):
    import audformat

    write_timelines({"a.wav": make_timeline([])}, tmp_path / "db", format="audformat")
    table = audformat.Database.load(str(tmp_path / "db"))["emotion"]
    assert len(table) == 0


KINDS = ["csv", "jsonl", "audacity", "textgrid", "webvtt", "audformat"]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_overwritten_or_half_written(kind, timelines, tmp_path):
    out = tmp_path / "out"
    write_timelines(timelines, out, format=kind)
    with pytest.raises(FileExistsError, match="out exists"):
        write_timelines(timelines, out, format=kind)
    broken = {"a.wav": make_timeline([object()] * 2), "b.wav": None}
    with pytest.raises(AttributeError):
        write_timelines(broken, tmp_path / "other", format=kind)
    assert read_names(tmp_path) == ["out"]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_that_are_numbers(kind, tmp_path):
    timelines = {"a.wav": make_timeline([3, 0], classes=[0, 3])}
    write_timelines(timelines, tmp_path / "out", format=kind)
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("kind", "library"),
    [("textgrid", "praatio"), ("webvtt", "webvtt"), ("audformat", "audformat")],
)
def test_a_library_that_is_not_there_is_named(kind, library, tmp_path, monkeypatch):
    find = util.find_spec
    monkeypatch.setattr(
        util, "find_spec", lambda name: None if name == library else find(name)
    )
    message = rf"{library}.*pip install \"skemotion\[timeline\]\""
    with pytest.raises(ImportError, match=message):
        write_timelines({}, tmp_path / "out", format=kind)


def test_there_is_no_such_format(tmp_path):
    with pytest.raises(ValueError, match="no format 'srt': there are csv, jsonl"):
        write_timelines({}, tmp_path / "out", format="srt")
