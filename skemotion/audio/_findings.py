"""What is odd about a recording that can be read all the same."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# The power that is left of channels that cancel, as a part of what would be left of
# ones that have nothing in common: 13 dB below it.
_CANCELLED = 0.05
# A beginning is silent if it stays below the first, where full scale is 1, and by so
# much below what follows: 40 dB and 34 dB.
_QUIET = 0.01
_SOUND = 50.0


class _Channels:
    """Powers of channels and of their mean, without what is constant in them."""

    def __init__(self) -> None:
        self._n_samples = 0
        self._mean = np.zeros(2)  # sum and sum of squares of the mean of channels
        self._each = np.zeros((0, 2))  # the same of every channel

    def add(self, channels: NDArray, mean: NDArray) -> None:
        self._n_samples += len(mean)
        self._mean += _sums(mean)
        sums = np.array([_sums(channel) for channel in channels])
        self._each = self._each + sums if self._n_channels else sums

    @property
    def _n_channels(self):
        return len(self._each)

    @property
    def cancel(self) -> bool:
        if not self._n_channels:
            return False
        power = sum(map(self._power, self._each)) / self._n_channels**2
        return bool(power > 0 and self._power(self._mean) < _CANCELLED * power)

    def _power(self, sums):
        return max(sums[1] - sums[0] ** 2 / self._n_samples, 0.0)


def _sums(signal):
    with np.errstate(invalid="ignore", over="ignore"):  # of what is refused later
        signal = signal.astype(np.float64)
        return np.array([signal.sum(), signal @ signal])


@dataclass
class Findings:
    """What is found out while a recording is read.

    Attributes
    ----------
    is_cut : bool
        Whether the recording goes on after what was asked for. Of a function it is
        not known, since that is told how much is wanted: False.
    ends_early : bool
        Whether it holds less than its header says.
    begins_silent : bool
        Whether there is next to no sound in what was asked for, but behind it.
    """

    is_cut: bool = False
    ends_early: bool = False
    begins_silent: bool = False
    _channels: _Channels = field(default_factory=_Channels, repr=False)

    @property
    def channels_cancel(self) -> bool:
        """Whether the mean of the channels is silent, or nearly, but they are not."""
        return self._channels.cancel

    def note_channels(self, channels: NDArray, mean: NDArray) -> None:
        """Look at samples that are averaged.

        Parameters
        ----------
        channels : ndarray of shape (n_channels, n_samples)
        mean : ndarray of shape (n_samples,)
        """
        self._channels.add(channels, mean)


def may_be_silent(beginning: NDArray[np.float32]) -> bool:
    """Tell whether it takes a look at the rest to know if a beginning is silent."""
    return peak_of(beginning) < _QUIET


def stands_out(rest: NDArray[np.float32], beginning: NDArray[np.float32]) -> bool:
    """Tell whether a part is so much louder that the beginning is silent beside it."""
    return peak_of(rest) > _SOUND * peak_of(beginning)


def peak_of(signal: NDArray[np.float32]) -> float:
    """Return the largest magnitude of a signal; 0 if it holds no samples."""
    return float(max(signal.max(), -signal.min())) if signal.size else 0.0
