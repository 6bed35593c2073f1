"""The step that adds copies of recordings when a pipeline is fitted."""

import io
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_consistent_length

from skemotion._validation import draw_seed
from skemotion.audio import (
    Recording,
    check_recordings,
    decode,
    recording_name,
    resample,
)
from skemotion.augmentation import _effects

_N_VOICES = 6


class SpeechAugmenter(BaseEstimator):
    """Add copies of recordings with noise, babble, a room, or in a narrow band.

    What has been trained on a studio's recordings alone fails on others: it
    takes silence between words for granted. In an imbalanced-learn pipeline
    this step acts in `fit` alone, so nothing but real recordings is ever
    predicted or scored. It stands first, before
    :class:`SpeechFeatureExtractor`.

    Parameters
    ----------
    n_copies : int, default=2
        Copies of each recording. Training takes as many times longer.

    effects : tuple or list of str, \
            default=("lead", "room", "babble", "noise", "band")
        What can happen to a copy, in this order:

        - ``"lead"``: up to a second passes before the recording;
        - ``"room"``: it sounds in a room, whose reverberation falls by 60 dB in
          0.1 to 0.5 s;
        - ``"babble"`` is added, six recordings of `X` at a time;
        - ``"noise"`` of a random colour is added;
        - ``"band"``: it is sampled at 8 to 16 kHz, and little is left below 50
          to 400 Hz, as on a telephone.

    probability : float, default=0.4
        How likely each effect is. A copy to which none would happen gets one.

    snr : tuple of (float, float), default=(5.0, 40.0)
        Least and largest ratio of the recording to noise or babble, in dB,
        between which it is drawn evenly.

    random_state : int, RandomState instance or None, default=None
        Decides what happens to which copy. Pass an int for reproducible results.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_samples_new,)
        The recording of `X` that each of the new ones stems from.

    See Also
    --------
    SequenceSampler : Makes new sequences from old ones.
    make_emotion_pipeline : Uses it as the step `augment`.

    Notes
    -----
    Copies are made when they are read, one at a time, so that they take no
    memory. The effects are cheap models: noise with power falling by up to
    :math:`1/f^{1.5}`, Polack's statistical room, and Butterworth filters.

    No cache of descriptors is of use for copies, since they are others in each
    fold.

    Examples
    --------
    >>> from skemotion import SpeechAugmenter
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=2, n_texts=1)
    >>> augmenter = SpeechAugmenter(n_copies=1, random_state=0)
    >>> X, y = augmenter.fit_resample(speech.signals, speech.target)
    >>> len(speech.signals), len(X), len(y)
    (14, 28, 28)
    """

    _parameter_constraints: dict = {
        "n_copies": [Interval(Integral, 0, None, closed="left")],
        "effects": [tuple, list],
        "probability": [Interval(Real, 0, 1, closed="both")],
        "snr": [tuple, list],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_copies=2,
        *,
        effects=("lead", "room", "babble", "noise", "band"),
        probability=0.4,
        snr=(5.0, 40.0),
        random_state=None,
    ):
        self.n_copies = n_copies
        self.effects = effects
        self.probability = probability
        self.snr = snr
        self.random_state = random_state

    def fit(self, X, y=None):
        """Check the parameters and the type of X; nothing is learnt.

        Parameters
        ----------
        X : sequence of recordings
            As in :meth:`fit_resample`.
        y : ignored
            Present for API consistency.

        Returns
        -------
        self : SpeechAugmenter
        """
        self._check_parameters()
        check_recordings(X)
        return self

    def fit_resample(self, X, y):
        """Append copies.

        Parameters
        ----------
        X : sequence of recordings
            Paths, binary file objects, pairs ``(signal, sampling_rate)``,
            signals, or functions, as :meth:`SpeechFeatureExtractor.transform`
            takes them.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        X_resampled : list of length n_samples * (1 + n_copies)
            The given recordings, then their copies. A copy is a function that
            returns a pair ``(signal, sampling_rate)``.
        y_resampled : of the kind of `y`
            Their labels.
        """
        self._check_parameters()
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        recordings = [_detach(recording) for recording in check_recordings(X)]
        check_consistent_length(recordings, y)
        n_samples = len(recordings)
        seed = draw_seed(self.random_state)
        copies = [
            self._copy(recordings, index, np.random.default_rng([seed, turn, index]))
            for turn in range(self.n_copies)
            for index in range(n_samples)
        ]
        self.sample_indices_ = np.tile(np.arange(n_samples), 1 + self.n_copies)
        return [*recordings, *copies], _safe_indexing(y, self.sample_indices_)

    def _copy(self, recordings, index, rng):
        """Decide what happens to a copy."""
        drawn = rng.random(len(self.effects)) < self.probability
        if not drawn.any():
            drawn[rng.integers(len(self.effects))] = True
        happening = set(np.compress(drawn, self.effects))
        effects = [name for name in _EFFECTS if name in happening]
        voices = []
        if "babble" in effects:
            chosen = rng.integers(len(recordings), size=_N_VOICES)
            voices = [recordings[i] for i in chosen]
        return _Copy(
            recording=recordings[index],
            name=recording_name(recordings[index], index),
            effects=tuple(effects),
            voices=tuple(voices),
            snr=rng.uniform(*self.snr),
            seed=int(rng.integers(2**31)),
        )

    def _check_parameters(self):
        self._validate_params()
        unknown = [name for name in self.effects if name not in _EFFECTS]
        if unknown or not self.effects:
            raise ValueError(
                f"effects must be some of {', '.join(map(repr, _EFFECTS))}; got "
                f"{self.effects!r}."
            )
        if len(self.snr) != 2 or not self.snr[0] <= self.snr[1]:
            raise ValueError(
                "snr must be the least and the largest ratio in dB, such as "
                f"(5.0, 40.0); got {self.snr!r}."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


@dataclass(frozen=True)
class _Copy:
    """A recording to which something happens when it is read."""

    recording: Recording
    name: str
    effects: tuple[str, ...]
    voices: tuple[Recording, ...]
    snr: float
    seed: int

    def __call__(self, sampling_rate, duration):
        signal, rate = decode(
            self.recording, sampling_rate=sampling_rate, duration=duration
        )
        signal = signal.astype(np.float64)
        rng = np.random.default_rng(self.seed)
        for name in self.effects:
            signal, rate = _EFFECTS[name](self, signal, rate, rng)
        return signal, rate


def _begin_later(copy, signal, rate, rng):
    return _effects.begin_later(signal, rate, rng), rate


def _reverberate(copy, signal, rate, rng):
    return _effects.reverberate(signal, rate, rng), rate


def _add_babble(copy, signal, rate, rng):
    voices = []
    for recording in copy.voices:
        voice, own_rate = decode(
            recording, sampling_rate=rate, duration=signal.size / rate
        )
        voices.append(resample(voice, own_rate, rate))
    return _effects.add_babble(signal, rng, copy.snr, voices), rate


def _add_noise(copy, signal, rate, rng):
    return _effects.add_noise(signal, rate, rng, copy.snr), rate


def _limit_band(copy, signal, rate, rng):
    return _effects.limit_band(signal, rate, rng)


# In the order in which they happen between a mouth and a recorder.
_EFFECTS = {
    "lead": _begin_later,
    "room": _reverberate,
    "babble": _add_babble,
    "noise": _add_noise,
    "band": _limit_band,
}


def _detach(recording):
    """Read a file object into memory, so that it can be read again elsewhere."""
    if not hasattr(recording, "read"):
        return recording
    if recording.seekable():
        recording.seek(0)
    detached = io.BytesIO(recording.read())
    name = getattr(recording, "name", None)
    if isinstance(name, str):
        detached.name = name
    return detached
