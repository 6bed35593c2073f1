"""What is said of recordings that are longer than what is looked at."""

import io
import warnings

import numpy as np
import pytest
import soundfile

from skemotion import SpeechAugmenter, SpeechFeatureExtractor
from skemotion.audio import count_samples
from skemotion.exceptions import TruncationWarning

RATE = 16000
RNG = np.random.default_rng(0)
LONG = RNG.normal(size=RATE).astype(np.float32) / 8
SHORT = LONG[: RATE // 2]  # exactly as long as the extractors' duration


def make(**parameters):
    return SpeechFeatureExtractor(duration=0.5, n_mfcc=3, n_mels=16, **parameters)


class Pipe(io.BytesIO):
    def seekable(self):
        return False


def encoded(signal, kind=io.BytesIO):
    file = io.BytesIO()
    soundfile.write(file, signal, RATE, format="WAV")
    return kind(file.getvalue())


def kinds(signal, path):
    soundfile.write(path, signal, RATE)
    integers = (signal * 2**15).astype(np.int16)
    return [
        *(signal, integers, (signal, RATE), (np.repeat(signal, 3), 3 * RATE)),
        *(str(path), path, encoded(signal), encoded(signal, Pipe)),
    ]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_every_kind_of_recording_is_counted(tmp_path, n_jobs):
    longer = kinds(LONG, tmp_path / "long.wav")
    recordings = [*kinds(SHORT, tmp_path / "short.wav"), *longer]
    with pytest.warns(TruncationWarning) as caught:
        make(n_jobs=n_jobs).transform(recordings)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith(
        "8 of 16 recordings are longer than duration=0.5 s; the rest of them is not "
        "looked at: X[8], X[9], X[10], X[11], "
    )
    assert f"{tmp_path / 'long.wav'}" in message
    assert caught[0].filename == __file__


def test_many_are_counted_and_ten_named():
    with pytest.warns(TruncationWarning, match=r"12 of 13 .* X\[10\] and 2 more\.$"):
        make().transform([SHORT, *[LONG] * 12])


def test_cached_ones_are_counted_too(tmp_path):
    extractor = make(memory=tmp_path)
    for _ in range(2):
        with pytest.warns(TruncationWarning, match="1 of 2 recordings is longer"):
            extractor.transform([LONG, SHORT])


@pytest.mark.parametrize("memory", [False, True])
def test_copies_are_not_counted(tmp_path, memory):
    X, _ = SpeechAugmenter(2, random_state=0).fit_resample([LONG, SHORT], "ab")
    extractor = make(memory=tmp_path if memory else None)
    for _ in range(2):
        with pytest.warns(TruncationWarning, match="1 of 2 recordings"):
            extractor.transform(X)
    extractor.transform(X[2:])


def test_as_long_as_the_duration_is_not_longer():
    for rate in (8000, 11025, 22050, 44100, 48000):
        for duration in (0.3, 0.7, 1.1):
            signal = np.resize(LONG, count_samples(duration, rate))
            extractor = make().set_params(duration=duration)
            extractor.transform([(signal, rate)])
            with pytest.warns(TruncationWarning):
                extractor.transform([(np.append(signal, 0.1), rate)])


def test_features_are_those_of_the_beginning():
    with pytest.warns(TruncationWarning):
        cut = make().transform([LONG])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(cut, make().transform([SHORT]))
