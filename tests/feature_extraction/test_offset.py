"""A constant is taken out of the spectrum as out of the signal."""

import numpy as np

from skemotion.feature_extraction._offset import N_OFFSET_BINS, remove_offset
from skemotion.feature_extraction._spectrogram import compute_spectrogram

HOW = {"sampling_rate": 16000, "frame_length": 2048, "hop_length": 512}


def test_spectrum_is_that_of_the_signal_without_its_mean():
    rng = np.random.default_rng(0)
    signal = np.zeros(40000, "f4")
    signal[9000:33000] = 0.3 + 0.1 * rng.normal(size=24000)
    centred, found = remove_offset(signal, compute_spectrogram(signal, **HOW), 512)
    assert abs(centred[9000:33000].mean()) < 1e-6
    expected = compute_spectrogram(centred, **HOW)
    beyond = slice(N_OFFSET_BINS, None)
    np.testing.assert_allclose(
        found.magnitudes[:, beyond], expected.magnitudes[:, beyond], rtol=0, atol=0.02
    )
