"""Pitch in single precision, and in double where that is not sure."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from skemotion.feature_extraction import _pitch

RATE, WIDTH, SHORTEST, LONGEST = 16000, 640, 32, 213


def find_in_double_precision(frames):
    correlation = _pitch._correlate(
        frames, LONGEST + 2, _pitch.HIGHEST / RATE, np.float64
    )
    left, middle, right = (
        correlation[:, SHORTEST + k : LONGEST + 1 + k] for k in (-1, 0, 1)
    )
    is_peak = (middle > 0.135) & (middle > left) & (middle >= right)
    frame, lag = np.nonzero(is_peak)
    return frame, lag + SHORTEST, left[is_peak], middle[is_peak], right[is_peak]


@pytest.mark.parametrize(
    ("doubt", "tolerance"), [(1e-6, 1e-6), (0.01, 1e-6), (9, 1e-13)]
)
def test_peaks_are_those_of_double_precision(monkeypatch, doubt, tolerance):
    signal = np.random.default_rng(0).normal(size=WIDTH + 60 * 128)
    frames = sliding_window_view(signal.astype(np.float32), WIDTH)[::128]
    expected = find_in_double_precision(frames)
    monkeypatch.setattr(_pitch, "_DOUBT", doubt)
    found = _pitch._find_peaks(frames, SHORTEST, LONGEST, RATE)
    for actual, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(actual, wanted, atol=tolerance)
