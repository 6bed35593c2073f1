"""What is odd about a corpus, as `check_corpus` tells it."""

import tracemalloc

import numpy as np
import pytest
import soundfile

from skemotion.datasets import _check, check_corpus, make_emotional_speech
from skemotion.datasets._check import KINDS
from skemotion.datasets._looks import Look, look_at

RATE = 16000


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(n_speakers=3, n_texts=2, random_state=0)


@pytest.fixture(scope="module")
def voice(speech):
    return np.asarray(speech.signals[0], dtype=np.float64)


def kinds(found):
    return [each.kind for each in found.findings]


def check_one(recording, voice, **how):
    """Check a recording between others of the corpus, and return what is said."""
    others = [(voice * gain, RATE) for gain in (0.9, 0.8)]
    found = check_corpus([others[0], recording, others[1]], **how)
    assert {each.row for each in found.findings} <= {1}
    return {each.kind: each.detail for each in found.findings}


def test_a_corpus_without_oddities(speech):
    found = check_corpus(
        speech.signals, speech.target, speech.speakers, n_folds=3, duration=9.0
    )
    assert found.findings == []
    assert not found.stops
    assert found.usable.all()
    assert str(found) == "42 recordings looked at: nothing stops training."


def test_unreadable_recordings_stop_training(speech, tmp_path):
    path = tmp_path / "broken.flac"
    soundfile.write(path, np.concatenate(speech.signals), RATE)
    content = bytearray(path.read_bytes())
    content[-40_000:-39_700] = bytes(300)  # behind what is trained on
    path.write_bytes(content)
    X = [*speech.signals[:4], str(path), "gone.wav", np.full(99, np.nan)]
    found = check_corpus(X)
    assert found.stops
    assert found.rows("unreadable").tolist() == [4, 5, 6]
    assert found.usable.tolist() == [True] * 4 + [False] * 3
    names = [each.name for each in found.findings if each.kind == "unreadable"]
    assert names == [str(path), "gone.wav", "X[6]"]
    text = str(found)
    assert text.startswith("7 recordings looked at: training would stop.")
    assert "unreadable (3, stops training):\n" in text
    assert "\n  gone.wav: no such file\n" in text


def test_the_first_row_can_be_the_bad_one(voice):
    found = check_corpus(["gone.wav", (voice, RATE)])
    assert found.usable.tolist() == [False, True]


@pytest.mark.parametrize(
    ("make", "kind", "detail"),
    [
        (lambda v: (0 * v, RATE), "silent", "all samples are 0"),
        (lambda v: (0 * v + 0.25, RATE), "silent", "all samples are 0.25"),
        (lambda v: (v[:4000], RATE), "too short", "0.250 s"),
        (lambda v: (v[99:100], RATE), "too short", "0.000 s"),
        (
            lambda v: (np.random.default_rng(0).normal(size=32000) / 9, RATE),
            "no speech",
            "in 2.00 s",
        ),
        (lambda v: (v[::2], 8000), "low rate", "8000 Hz, where 16000 Hz are wanted"),
        (
            lambda v: (np.repeat(v, 3), 48000),
            "other rate",
            "48000 Hz, where most have 16000 Hz",
        ),
        (lambda v: (0.9 * v, RATE), "duplicate", "the same as X[0]"),
    ],
)
def test_oddities_of_a_recording(make, kind, detail, voice):
    assert check_one(make(voice), voice) == {kind: detail}


def test_longer_than_what_is_trained_on(voice):
    seconds = len(voice) / RATE
    assert check_one((voice, RATE), voice) == {}
    found = check_one(
        (np.concatenate([voice, voice[:99]]), RATE), voice, duration=seconds
    )
    assert list(found) == ["too long"]
    assert "are used" in found["too long"]


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_clipping_is_found_at_any_gain(voice, dtype, gain):
    signal = gain * np.clip(voice * 4 / np.abs(voice).max(), -1, 1)
    if dtype is np.int16:
        signal = np.clip(signal * 32768, -32768, 32767).astype(np.int16)
    found = check_one((signal, RATE), voice)
    assert list(found) == ["clipped"]
    assert f"at {gain:.3g}" in found["clipped"]


def test_what_is_loud_or_coarse_is_not_clipped(voice):
    loud = voice / np.abs(voice).max()
    coarse = np.round(loud * 3).astype(np.int8)  # of a quiet recording of 8 bits
    assert "clipped" not in check_one((loud, RATE), voice)
    assert "clipped" not in check_one((coarse, RATE), voice)


def test_a_copy_in_another_format_is_a_duplicate(voice, tmp_path):
    samples = np.int16(voice * 20000)
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    soundfile.write(tmp_path / "b.flac", samples, RATE)
    soundfile.write(tmp_path / "c.wav", samples, RATE * 2)  # played faster
    X = [str(tmp_path / name) for name in ("a.wav", "b.flac", "c.wav")]
    found = check_corpus(X, ["x", "y", "x"], ["s", "s", "t"])
    assert found.rows("duplicate").tolist() == [1]
    (duplicate,) = [each for each in found.findings if each.kind == "duplicate"]
    assert duplicate.detail == f"the same as {X[0]}, labelled y and not x"


def test_classes_of_few_recordings(speech):
    X = [(speech.signals[0] * gain, RATE) for gain in np.linspace(0.5, 1, 14)]
    y = ["a"] * 7 + ["b"] * 4 + ["c"] * 2 + ["d"]
    found = check_corpus(X, y, k_neighbors=3, n_folds=4)
    named = {(each.kind, each.name): each for each in found.findings}
    assert named.keys() == {
        ("small class", "d"),
        ("few for SMOTE", "c"),
        ("few for folds", "c"),
    }
    assert found.stops
    assert named["small class", "d"].stops
    assert "lowered to 1" in named["few for SMOTE", "c"].detail
    assert found.usable.all()  # more of the class would do as well
    assert [each.kind for each in check_corpus(X, y, k_neighbors=4).findings].count(
        "few for SMOTE"
    ) == 2


def test_unreadable_recordings_do_not_count_for_their_class(speech):
    X = [*speech.signals[:4], "gone.wav"]
    found = check_corpus(X, ["a", "a", "b", "b", "c"], n_folds=2)
    assert kinds(found) == ["unreadable"]
    found = check_corpus(X, ["a", "a", "a", "b", "b"], n_folds=2)
    assert kinds(found) == ["unreadable", "small class"]
    found = check_corpus(X, ["a", "a", "a", "a", "b"], n_folds=2)
    assert found.findings[1].detail == "it is the only class"
    found = check_corpus(["gone.wav"], ["a"])
    assert kinds(found) == ["unreadable"]


def test_speakers_and_classes(speech):
    X = [(speech.signals[0] * gain, RATE) for gain in np.linspace(0.5, 1, 11)]
    y = ["a", "a", "b", "b", "a", "a", "b", "c", "c", "c", "a"]
    speakers = [1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4]
    found = check_corpus(X, y, speakers, k_neighbors=1, n_folds=3)
    named = {(each.kind, each.name): each.detail for each in found.findings}
    assert named == {
        ("few for folds", "b"): "2 speakers for 3 folds",
        ("class of one speaker", "c"): "all of speaker 3",
        ("speaker of one class", "2"): "all 2 recordings are of a",
    }
    assert not found.stops


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_findings_are_in_the_order_of_rows(speech, n_jobs):
    X = ["b.wav", *speech.signals[:20], "a.wav", [0.0] * 9000, "c.wav"]
    found = check_corpus(X, n_jobs=n_jobs)
    assert found.rows("unreadable").tolist() == [0, 21, 23]
    assert [KINDS.index(kind) for kind in kinds(found)] == sorted(
        KINDS.index(kind) for kind in kinds(found)
    )


def test_functions_and_segments(voice, tmp_path):
    soundfile.write(tmp_path / "a.wav", voice, RATE)

    def give(sampling_rate, duration):
        assert duration is None
        return voice * 0.7, RATE

    X = [give, (str(tmp_path / "a.wav"), 0.0, 0.2), (str(tmp_path / "a.wav"), 99, 100)]
    found = check_corpus(X)
    assert kinds(found) == ["unreadable", "too short"]
    assert [each.row for each in found.findings] == [2, 1]


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match="X has 2 rows, but y has 1"):
        check_corpus(["a.wav", "b.wav"], ["x"])
    with pytest.raises(ValueError, match="kind must be one of"):
        check_corpus([[0.1] * 9]).rows("odd")
    with pytest.raises(TypeError, match="sequence of recordings"):
        check_corpus("a.wav")


def test_a_file_that_holds_less_than_it_says_is_cut_short():
    look = Look(n_samples=RATE, rate=RATE, has_speech=True, ends_early=True)
    assert list(_check._describe(look, 5.0, RATE)) == [
        ("cut short", "1.00 s, less than its header says")
    ]


def test_long_recordings_are_never_held_as_a_whole(tmp_path):
    path = tmp_path / "long.wav"
    n_samples = 120 * 48000
    soundfile.write(path, np.zeros(n_samples, dtype=np.int16), 48000)
    look_at(str(path), RATE)
    tracemalloc.start()
    look = look_at(str(path), RATE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert look.n_samples == n_samples
    assert peak < n_samples * 4 / 2


@pytest.mark.emodb
def test_emodb_is_clean_but_for_long_recordings(emodb):
    found = check_corpus(emodb.paths, emodb.target, emodb.speakers)
    assert set(kinds(found)) == {"too long"}
    assert len(found.findings) == 25
    assert not found.stops
