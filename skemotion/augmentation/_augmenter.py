"""The step that adds copies of recordings when a pipeline is fitted."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from imblearn.base import BaseSampler, SamplerMixin
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval

from skemotion._typing import RandomState
from skemotion._validation._parameters import draw_seed, fit_context
from skemotion._validation._rows import check_same_length
from skemotion.audio import check_recordings, recording_name, resample
from skemotion.augmentation import _effects
from skemotion.augmentation._choice import (
    apply,
    check_effects,
    in_order,
    key_of,
    n_voices_of,
    name_of,
)
from skemotion.augmentation._effects import EFFECTS
from skemotion.augmentation._sources import Source, detach
from skemotion.augmentation._voices import Voices

if TYPE_CHECKING:
    from typing_extensions import Self

_DEFAULT = ("lead", "room", "babble", "noise", "band")


class SpeechAugmenter(SamplerMixin, BaseEstimator):
    """Add copies of recordings with noise, babble, a room, a narrow band, or faster.

    What has been trained on a studio's recordings alone fails on others: it
    takes silence between words for granted. In an imbalanced-learn pipeline
    this step acts in `fit` alone, so nothing but real recordings is ever
    predicted or scored. It stands first, before :class:`SpeechEncoder` or
    :class:`SpeechFeatureExtractor`.

    Parameters
    ----------
    n_copies : int, default=2
        Copies of each recording. Training takes as many times longer.

    effects : tuple or list of str or callable, \
            default=("lead", "room", "babble", "noise", "band")
        What can happen to a copy, in this order:

        - ``"speed"``: it is played at 0.8 to 1.25 times its speed, and its pitch
          with it. Not among the defaults;
        - ``"lead"``: up to a second passes before the recording;
        - ``"room"``: it sounds in a room, whose reverberation falls by 60 dB in
          0.1 to 0.5 s;
        - ``"babble"`` is added, six recordings of `X` at a time, or as many
          as it holds;
        - ``"noise"`` of a random colour is added;
        - ``"band"``: it is sampled at 8 to 16 kHz, and little is left below 50
          to 400 Hz, as on a telephone.

        In place of a name, :class:`~skemotion.augmentation.Speed`, ``Lead``,
        ``Room``, ``Babble``, ``Noise`` and ``Band`` take other ranges. An effect of
        your own is a function of the signal, its sampling rate and a random number
        generator, as the notes say. It happens behind the one that it stands behind,
        or first.

    probability : float or dict of str to float, default=0.4
        How likely each effect is, all alike or by name. A copy to which none would
        happen gets one. An effect of your own is called as its attribute `name`
        says, or its ``__name__``.

    snr : tuple of (float, float), default=(5.0, 40.0)
        Least and largest ratio of the recording to noise or babble, in dB,
        between which it is drawn evenly.

    random_state : int, RandomState instance or None, default=None
        Decides what happens to which copy. With an int, a recording has the
        same copies in each fit, whatever else is in `X`, but for the voices in
        babble. With None, copies are others in each fit.

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

    What happens to a copy depends on `random_state`, on the number of the copy,
    and on the samples of the recording, not on its path or its place in `X`. So
    recordings that hold the same have the same copies. Voices in babble are
    chosen so that those of a copy change only where one of them comes or goes:
    they are always of `X`, so never of recordings that are left out.

    Unless `random_state` is None, features of copies are cached as those of
    recordings are, by the `memory` of the extractor, and so are shared by folds
    and by the candidates of a search. What is found in the cache is neither
    decoded nor computed again.

    For this, `fit_resample` reads all of every recording once. A recording that
    has changed by the time that a copy of it is made is an error. A function is
    known by its attribute `cache_key`, if it has one, and else by its place in
    `X`; then its copies, and those with its voice, are not cached.

    An effect of your own is called as ``effect(signal, sampling_rate, rng)``, with an
    ndarray of shape (n_samples,) and dtype float64, a rate in Hz and a
    :class:`numpy.random.Generator`. It returns a new signal, or a signal and its
    rate, and draws all that it draws from `rng`. With an attribute `wants` it is
    given more by keyword: ``wants = ("snr",)`` the ratio in dB that was drawn from
    `snr`, and ``"voices"`` a list of `n_voices` other recordings, at the same rate.
    Copies with it are cached if it has an attribute `cache_key`, a string that tells
    what it does, version and ranges included; without, they are made anew.

    Examples
    --------
    >>> from skemotion import SpeechAugmenter
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=2, n_texts=1)
    >>> augmenter = SpeechAugmenter(n_copies=1, random_state=0)
    >>> X, y = augmenter.fit_resample(speech.signals, speech.target)
    >>> len(speech.signals), len(X), len(y)
    (14, 28, 28)

    Louder noise than usual, and an effect of one's own:

    >>> from skemotion.augmentation import Noise
    >>> def clip(signal, sampling_rate, rng):
    ...     limit = rng.uniform(0.2, 0.8) * abs(signal).max()
    ...     return signal.clip(-limit, limit)
    >>> augmenter = SpeechAugmenter(effects=(Noise(snr=(0, 10)), clip), random_state=0)
    >>> X, y = augmenter.fit_resample(speech.signals, speech.target)
    >>> len(X)
    42
    """

    _parameter_constraints: dict = {
        "n_copies": [Interval(Integral, 0, None, closed="left")],
        "effects": [tuple, list],
        "probability": [Interval(Real, 0, 1, closed="both"), dict],
        "snr": [tuple, list],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_copies: int = 2,
        *,
        effects: Any = _DEFAULT,
        probability: float | Mapping[str, float] = 0.4,
        snr: tuple[float, float] = (5.0, 40.0),
        random_state: RandomState = None,
    ):
        self.n_copies = n_copies
        self.effects = effects
        self.probability = probability
        self.snr = snr
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "Self":
        """Check the parameters and the type of X; nothing is learnt.

        Parameters
        ----------
        X : sequence of recordings
            As in :meth:`fit_resample`, but no iterator, which would be empty
            afterwards.
        y : ignored
            Present for API consistency.

        Returns
        -------
        self : SpeechAugmenter
        """
        self._check_parameters()
        check_recordings(X, iterators=False)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X: Any, y: Any) -> tuple[list[Any], Any]:
        """Append copies.

        Parameters
        ----------
        X : sequence of recordings
            Whatever :meth:`SpeechFeatureExtractor.transform` takes, such as paths,
            signals, segments, or a data frame with a column ``path``.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        X_resampled : list of length n_samples * (1 + n_copies)
            The given recordings, then their copies. A copy is a function that
            returns a pair ``(signal, sampling_rate)``. File objects that
            cannot be rewound have been read, and others stand for them.
        y_resampled : of the kind of `y`
            Their labels.

        Raises
        ------
        TypeError
            If X is no sequence of recordings.
        ValueError
            If `y` is None, or is not as long as X.
        """
        self._check_parameters()
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        X = check_recordings(X)
        check_same_length(X, y=y)
        return self._fit_resample(X, y)

    def _fit_resample(self, X, y):
        self.sample_indices_ = np.tile(np.arange(len(X)), 1 + self.n_copies)
        given, detached = detach(X)
        copies = self._copies(detached) if self.n_copies else []
        return [*given, *copies], _take(y, self.sample_indices_)

    def _copies(self, recordings):
        seed = draw_seed(self.random_state)
        sources = [Source.of(recording, i) for i, recording in enumerate(recordings)]
        voices = Voices(sources)
        return [
            self._copy(source, index, seed, number, voices)
            for number in range(self.n_copies)
            for index, source in enumerate(sources)
        ]

    def _copy(self, source, index, seed, number, voices):
        """Decide what happens to a copy, by what it is a copy of."""
        chance = hashlib.sha256(f"{seed} {number} {source.identity}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(chance[:16], "big"))
        # All is drawn, used or not, so that parameters change no more than they must.
        drawn = dict(zip(_DEFAULT, rng.random(len(_DEFAULT)), strict=True))
        snr, own_seed = float(rng.uniform(*self.snr)), int(rng.integers(2**31))
        drawn["speed"] = rng.random()  # later than the others, as it came later
        names = list(map(name_of, self.effects))
        # So that others change nothing for these, nor for one another.
        drawn |= {name: _draw(chance, name) for name in names if name not in drawn}
        probability = self._probabilities(names)
        happening = [name for name in names if drawn[name] < probability[name]]
        happening = happening or [min(names, key=drawn.__getitem__)]
        effects = tuple(
            effect for effect in in_order(self.effects) if name_of(effect) in happening
        )
        n_voices, chosen = n_voices_of(effects), ()
        if n_voices:
            chosen = voices.choose(n_voices, int.from_bytes(chance[16:24], "big"))
        return _Copy(
            source=source,
            name=recording_name(source.recording, index),
            effects=effects,
            voices=chosen,
            snr=snr,
            seed=own_seed,
            repeats=self.random_state is not None,
        )

    def _probabilities(self, names):
        if isinstance(self.probability, dict):
            return self.probability
        return dict.fromkeys(names, self.probability)

    def _check_parameters(self):
        check_effects(self.effects)
        if isinstance(self.probability, dict):
            names = {*map(name_of, self.effects)}
            known = names <= self.probability.keys() <= {*EFFECTS, *names}
            values = self.probability.values()
            if not known or not all(0 <= value <= 1 for value in values):
                raise ValueError(
                    "probability must be a number from 0 to 1, or a dict with one for "
                    f"each of {', '.join(map(name_of, self.effects))}; got "
                    f"{self.probability!r}."
                )
        are_numbers = all(isinstance(value, Real) for value in self.snr)
        if not are_numbers or len(self.snr) != 2 or not self.snr[0] <= self.snr[1]:
            raise ValueError(
                "snr must be the least and the largest ratio in dB, such as "
                f"(5.0, 40.0); got {self.snr!r}."
            )

    def __sklearn_tags__(self):
        # Of a sampler, whose other ways, such as feature names, recordings lack.
        tags = BaseSampler.__sklearn_tags__(self)
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.sparse = False
        tags.input_tags.dataframe = False
        tags.input_tags.string = True
        tags.sampler_tags.sample_indices = True
        return tags


@dataclass(frozen=True)
class _Copy:
    """A recording to which something happens when it is read."""

    source: Source
    name: str
    effects: tuple[Any, ...]
    voices: tuple[Source, ...]
    snr: float
    seed: int
    repeats: bool

    @property
    def cache_key(self) -> str | None:
        """All that tells it from others, if it can be met again."""
        sources = [source.cache_key for source in (self.source, *self.voices)]
        effects = list(map(key_of, self.effects))
        if not self.repeats or None in sources or None in effects:
            return None
        version = _effects.EFFECTS_VERSION
        return json.dumps(
            ["SpeechAugmenter", version, sources, effects, self.snr, self.seed]
        )

    def __call__(self, sampling_rate, duration):
        signal, rate = self.source.read(sampling_rate, duration)
        signal = signal.astype(np.float64)
        rng = np.random.default_rng(self.seed)
        for effect in self.effects:
            given: dict[str, Callable[[], Any]] = {
                "snr": lambda: self.snr,
                "voices": partial(self._hear, rate, signal.size / rate),
            }
            signal, rate = apply(effect, signal, rate, rng, given)
        return signal, rate

    def _hear(self, rate, seconds):
        """Return the voices at this rate, each of about this many seconds."""
        heard = []
        for source in self.voices:
            voice, own_rate = source.read(rate, seconds)
            heard.append(resample(voice, own_rate, rate))
        return heard


def _draw(chance, name):
    """Return a number from 0 to 1, which depends on the copy and the name alone."""
    digest = hashlib.sha256(chance + name.encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _take(y, indices):
    """Repeat labels of any kind, as that kind."""
    if isinstance(y, tuple):
        return tuple(y[i] for i in indices)
    if type(y).__module__.split(".")[0] == "pandas" and not hasattr(y, "iloc"):
        return y.take(indices)  # an index, or an array of pandas' own
    return _safe_indexing(y, indices)
