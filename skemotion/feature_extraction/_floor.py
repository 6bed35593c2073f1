"""What lies so far below a recording's peak that it tells of the file.

A quantiser's noise, what a codec leaves out, what a filter lets through: none is
seen where power has a floor that is stronger. It follows the peak, so that no gain
shows either.
"""

import numpy as np
from numpy.typing import NDArray

# Of the peak: 80 dB below it, and 60 dB for changes and models of a frame, which
# see what is faint as well as what is loud.
DESCRIBED = 1e-4
COMPARED = 1e-3
_LEAST_POWER = 1e-30  # so that a silent recording has logarithms, too


def tone_power(amplitude: float, frame_length: int) -> np.float32:
    """Return the power of a tone in its bin of a spectrum, under a Hann window."""
    power = np.square(amplitude * frame_length / 4)
    return np.float32(max(power, _LEAST_POWER))


def frame_energy(amplitude: float, window: NDArray[np.float64]) -> float:
    """Return the energy of a windowed frame of samples of one magnitude."""
    return float(max(np.square(amplitude * window).sum(), _LEAST_POWER))
