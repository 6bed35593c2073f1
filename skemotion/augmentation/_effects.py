"""What happens to speech between a mouth and a recorder, drawn at random.

Signals have shape (n_samples,), rates are in Hz, and `rng` draws how strong an
effect is, from ranges that the effect owns. Levels are relative to the mean power of
the whole signal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skemotion.audio import resample

Signal = NDArray[np.floating]
Range = tuple[float, float]

# Raised where an effect comes to give other samples, which caches must not mix up.
EFFECTS_VERSION = 1

_LOWEST_NOISE = 50.0  # Hz, below which coloured noise grows no further
_BAND_ORDER = 6
_FIRST_REFLECTION = 0.002  # seconds


@dataclass(frozen=True)
class Effect:
    """What the effects of this package have in common."""

    name: ClassVar[str]
    wants: ClassVar[tuple[str, ...]] = ()

    @property
    def cache_key(self) -> str | None:
        """All that tells it from others; None for classes of others."""
        return repr(self) if type(self).__module__ == __name__ else None

    def _check(self, name: str, low: float = 0.0, high: float = np.inf) -> None:
        """Raise ValueError where a range is none, or leaves its bounds."""
        value = getattr(self, name)
        is_range = (
            isinstance(value, (tuple, list))
            and len(value) == 2
            and all(isinstance(end, Real) for end in value)
            and low <= value[0] <= value[1] <= high
        )
        if not is_range:
            raise ValueError(
                f"{name} of {type(self).__name__} must be the least and the largest "
                f"value, from {low:g} to {high:g}; got {value!r}."
            )


@dataclass(frozen=True)
class Speed(Effect):
    """Play a recording faster or slower, so that the voice is higher or lower, too.

    Parameters
    ----------
    speeds : tuple of (float, float), default=(0.8, 1.25)
        Least and largest speed, where 1 changes nothing. Its logarithm is drawn
        evenly.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.augmentation import Speed
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=16000)
    >>> Speed(speeds=(2.0, 2.0))(signal, 16000, rng).shape
    (8000,)
    """

    speeds: Range = (0.8, 1.25)
    name: ClassVar[str] = "speed"

    def __post_init__(self) -> None:
        self._check("speeds", 0.1, 10.0)

    def __call__(self, signal: Signal, rate: float, rng: Any) -> Signal:
        """Return the signal at another speed."""
        slowest, fastest = np.log(self.speeds)
        speed = np.exp(rng.uniform(slowest, fastest))
        return resample(signal, rate * speed, rate)


@dataclass(frozen=True)
class Lead(Effect):
    """Let some time pass in digital silence before a recording begins.

    Parameters
    ----------
    longest : float, default=1.0
        The most that passes, in seconds. What passes is drawn evenly.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.augmentation import Lead
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=16000)
    >>> led = Lead(longest=0.5)(signal, 16000, rng)
    >>> int(np.argmax(led != 0))  # samples of silence
    5153
    """

    longest: float = 1.0
    name: ClassVar[str] = "lead"

    def __post_init__(self) -> None:
        if not isinstance(self.longest, Real) or not 0 <= self.longest < np.inf:
            raise ValueError(
                f"longest of Lead must be a time in seconds; got {self.longest!r}."
            )

    def __call__(self, signal: Signal, rate: float, rng: Any) -> Signal:
        """Return the signal behind silence."""
        lead = rng.integers(int(self.longest * rate) + 1)
        return np.concatenate([np.zeros(lead), signal])


@dataclass(frozen=True)
class Room(Effect):
    """Add a room, as noise that decays exponentially behind the direct sound.

    It is the statistical model of J. D. Polack, "La transmission de l'énergie
    sonore dans les salles", 1988.

    Parameters
    ----------
    decays : tuple of (float, float), default=(0.1, 0.5)
        Seconds in which the room's sound falls by 60 dB, drawn evenly.
    direct_ratios : tuple of (float, float), default=(0.0, 10.0)
        By how many dB the direct sound is above the room's, drawn evenly.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.augmentation import Room
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=16000)
    >>> Room(decays=(0.3, 0.3))(signal, 16000, rng).shape
    (16000,)
    """

    decays: Range = (0.1, 0.5)
    direct_ratios: Range = (0.0, 10.0)
    name: ClassVar[str] = "room"

    def __post_init__(self) -> None:
        self._check("decays", 0.001, 60.0)
        self._check("direct_ratios", -100.0, 100.0)

    def __call__(self, signal: Signal, rate: float, rng: Any) -> Signal:
        """Return the signal as it sounds in the room."""
        from scipy.signal import fftconvolve

        decay = rng.uniform(*self.decays)
        time = np.arange(max(int(decay * rate), 1)) / rate
        response = rng.normal(size=time.size) * 10 ** (-3 * time / decay)
        response[time < _FIRST_REFLECTION] = 0
        ratio = 10 ** (-rng.uniform(*self.direct_ratios) / 10)
        energy = max(np.sum(np.square(response)), 1e-9)
        response *= np.sqrt(ratio / energy)
        response[0] = 1
        return fftconvolve(signal, response)[: signal.size]


@dataclass(frozen=True)
class _Added(Effect):
    """What is added to a recording, at a level of its own or that of all."""

    snr: Range | None = None
    wants: ClassVar[tuple[str, ...]] = ("snr",)

    def __post_init__(self) -> None:
        if self.snr is not None:
            self._check("snr", -100.0, 200.0)

    def _draw_snr(self, rng: Any, snr: float) -> float:
        return snr if self.snr is None else float(rng.uniform(*self.snr))


@dataclass(frozen=True)
class Babble(_Added):
    """Add voices that speak at the same time, equally loud.

    Parameters
    ----------
    snr : tuple of (float, float), default=None
        Ratio of the recording to the babble, in dB, drawn evenly. None takes what
        :class:`~skemotion.SpeechAugmenter` draws from its own `snr`.
    n_voices : int, default=6
        How many voices, or as many as there are recordings.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.augmentation import Babble
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=16000)
    >>> voices = [rng.normal(size=8000), rng.normal(size=24000)]
    >>> among = Babble()(signal, 16000, rng, snr=10.0, voices=voices)
    >>> float(np.std(among - signal).round(2))  # 10 dB below
    0.32
    """

    n_voices: int = 6
    name: ClassVar[str] = "babble"
    wants: ClassVar[tuple[str, ...]] = ("snr", "voices")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.n_voices, int) or self.n_voices < 1:
            raise ValueError(
                f"n_voices of Babble must be 1 or more; got {self.n_voices!r}."
            )

    def __call__(
        self,
        signal: Signal,
        rate: float,
        rng: Any,
        *,
        snr: float,
        voices: Sequence[Signal],
    ) -> Signal:
        """Return the signal among voices."""
        snr = self._draw_snr(rng, snr)
        babble = np.zeros(signal.size)
        for voice in voices[: self.n_voices]:
            part = np.resize(np.roll(voice, rng.integers(voice.size)), signal.size)
            babble += part / max(np.sqrt(np.mean(np.square(part))), 1e-9)
        return mix(signal, babble, snr)


@dataclass(frozen=True)
class Noise(_Added):
    """Add noise of a random colour, from white to nearly brown.

    Parameters
    ----------
    snr : tuple of (float, float), default=None
        Ratio of the recording to the noise, in dB, drawn evenly. None takes what
        :class:`~skemotion.SpeechAugmenter` draws from its own `snr`.
    slopes : tuple of (float, float), default=(0.0, 1.5)
        Exponent by which the power of the noise falls over frequency, drawn evenly;
        0 is white.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.augmentation import Noise
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=16000)
    >>> noisy = Noise()(signal, 16000, rng, snr=20.0)
    >>> float(np.std(noisy - signal).round(2))  # 20 dB below
    0.1
    """

    slopes: Range = (0.0, 1.5)
    name: ClassVar[str] = "noise"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("slopes", -4.0, 4.0)

    def __call__(self, signal: Signal, rate: float, rng: Any, *, snr: float) -> Signal:
        """Return the signal in noise."""
        from scipy.fft import irfft, next_fast_len, rfft

        snr = self._draw_snr(rng, snr)
        n_fft = next_fast_len(signal.size, real=True)
        spectrum = rfft(rng.normal(size=n_fft))
        frequency = np.fft.rfftfreq(n_fft, 1 / rate)
        slope = rng.uniform(*self.slopes) / 2
        spectrum *= np.maximum(frequency, _LOWEST_NOISE) ** -slope
        return mix(signal, irfft(spectrum, n_fft)[: signal.size], snr)


@dataclass(frozen=True)
class Band(Effect):
    """Keep a band such as telephones and lossy formats keep, at a rate for it.

    Parameters
    ----------
    rates : tuple of (float, float), default=(8000.0, 16000.0)
        Least and largest sampling rate, in Hz. Rates near the least, as those of
        telephones, are drawn more often than others.
    starts : tuple of (float, float), default=(50.0, 400.0)
        Where the band begins, in Hz, drawn evenly.
    ends : tuple of (float, float), default=(0.8, 0.95)
        Where the band ends, as a part of half the rate, drawn evenly.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.augmentation import Band
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=16000)
    >>> telephone = Band(rates=(8000.0, 8000.0), starts=(300.0, 300.0))
    >>> banded, rate = telephone(signal, 16000, rng)
    >>> banded.shape, rate
    ((8000,), 8000.0)
    """

    rates: Range = (8000.0, 16000.0)
    starts: Range = (50.0, 400.0)
    ends: Range = (0.8, 0.95)
    name: ClassVar[str] = "band"

    def __post_init__(self) -> None:
        self._check("rates", 2000.0, 1e6)
        self._check("starts", 1.0, 0.2 * self.rates[0])
        self._check("ends", 0.5, 0.99)

    def __call__(self, signal: Signal, rate: float, rng: Any) -> tuple[Signal, float]:
        """Return what is left of the signal, and its rate."""
        from scipy.signal import butter, sosfilt

        lowest, highest = self.rates
        drawn = lowest * (highest / lowest) ** (rng.random() ** 3)
        lower = min(round(drawn, -2), rate)
        low, high = rng.uniform(*self.starts), rng.uniform(*self.ends) * lower / 2
        band = butter(_BAND_ORDER, (low, high), btype="bandpass", fs=rate, output="sos")
        return resample(sosfilt(band, signal), rate, lower), lower


def mix(signal: Signal, noise: Signal, snr: float) -> Signal:
    """Add noise whose mean power is `snr` dB below the signal's."""
    power = float(np.mean(np.square(noise, dtype=np.float64)))
    wanted = float(np.mean(np.square(signal, dtype=np.float64))) * 10 ** (-snr / 10)
    return signal + noise * np.sqrt(wanted / max(power, 1e-12))


# By name, in the order in which they happen between a mouth and a recorder.
EFFECTS: dict[str, Effect] = {
    effect.name: effect
    for effect in (Speed(), Lead(), Room(), Babble(), Noise(), Band())
}
