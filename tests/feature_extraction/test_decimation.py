"""Another sampling rate by one product."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from skemotion.feature_extraction._decimation import change_rate


@pytest.mark.parametrize("n_samples", [1, 900])
@pytest.mark.parametrize(
    ("rate", "up", "down"),
    [(16000, 5, 8), (22050, 200, 441), (44100, 100, 441), (8000, 5, 4)],
)
def test_rate_is_changed_as_scipy_does(rate, up, down, n_samples):
    signal = np.random.default_rng(0).normal(size=n_samples)
    expected = resample_poly(signal, up, down, window=("kaiser", 5.0))
    changed = change_rate(signal.astype(np.float32), rate, 10_000)
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed, expected, atol=2e-6)
