"""The union of several transformers' features, frame by frame."""

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion

from skemotion._sequences import (
    SequenceOneToOneMixin,
    SequenceTransformerMixin,
    find_loudness,
    hand_on_names,
    takes_recordings,
)
from skemotion._validation._sequences import validate_sequences
from skemotion.feature_extraction._rates import average_over_time

if TYPE_CHECKING:
    from typing_extensions import Self


class SequenceUnion(SequenceTransformerMixin, FeatureUnion):
    """Join the features that several transformers make of the same sequences.

    What :class:`~sklearn.pipeline.FeatureUnion` is for flat vectors: the
    transformers are applied to the same X, and their outputs of shape
    (n_samples, n_frames, n_features) are joined along the last axis. X are
    recordings if the transformers are extractors, and sequences otherwise.

    Where transformers give different numbers of frames over the same time, as
    :class:`SpeechEncoder` and :class:`SpeechFeatureExtractor` do, all are brought
    to the smallest number, by averages over equal spans of time.

    Parameters
    ----------
    transformer_list : list of (str, transformer) tuples
        The transformers and their names. A transformer may be ``"drop"``, or
        ``"passthrough"``, which hands sequences on as they are.

    n_jobs : int, default=None
        Number of transformers that work at the same time, by joblib. None
        means 1 unless in a :obj:`joblib.parallel_config` context, -1 means all
        processors.

    transformer_weights : dict of str to float, default=None
        Factors by which the outputs of transformers are multiplied.

    verbose : bool, default=False
        Whether to print the time that fitting each transformer takes.

    verbose_feature_names_out : bool, default=True
        Whether ``get_feature_names_out`` puts the transformer's name in
        front of each feature's, as in ``"scaled__rms"``. If False, names must
        differ between transformers.

    Attributes
    ----------
    n_features_in_ : int
        Number of features per frame that the first transformer saw in `fit`.

    See Also
    --------
    sklearn.pipeline.FeatureUnion : The same for flat vectors, such as those of
        :class:`SequenceFunctionals`.

    Notes
    -----
    The steps that follow recognise padding by the first column that is called
    ``"rms"`` behind the transformer's name, where names are known, as in an
    :class:`EmotionPipeline`; elsewhere, give them its column as `loudness`.

    Frames that are brought to another number leave padding out: a span that
    has a real frame is the average of its real ones, by how much of each it
    covers, and a span of padding alone is padding still. What padding is, is told
    for each transformer by itself: frames of which its ``"rms"`` is 0, or all
    features where there is none of this name.

    Sequences have three dimensions, so :meth:`set_output` changes nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import SequenceScaler, SequenceUnion
    >>> X = np.random.default_rng(0).normal(size=(4, 157, 46))
    >>> union = SequenceUnion([("raw", "passthrough"), ("scaled", SequenceScaler())])
    >>> union.fit_transform(X).shape
    (4, 157, 92)
    >>> union.get_feature_names_out()[[0, 46]]
    array(['raw__x0', 'scaled__x0'], dtype=object)

    125 frames of an encoder, and 157 of descriptors, which are brought to 125:

    >>> from skemotion import SpeechEncoder, SpeechFeatureExtractor
    >>> union = SequenceUnion(
    ...     [("encoder", SpeechEncoder()), ("post", SpeechFeatureExtractor())]
    ... )
    """

    _parameter_constraints: dict = {
        "transformer_list": [list, tuple],
        "n_jobs": [Integral, None],
        "transformer_weights": [dict, None],
        "verbose": ["verbose"],
        "verbose_feature_names_out": ["boolean"],
    }

    def fit(
        self, X: Any, y: Any = None, *, feature_names: Any = None, **fit_params: Any
    ) -> "Self":
        """Fit all transformers.

        Parameters
        ----------
        X : sequence
            Recordings or sequences.
        y : array-like of shape (n_samples,), default=None
            Class labels, for transformers that look at them.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features; :class:`EmotionPipeline` gives them. They
            are given to the transformers whose `fit` takes them.
        **fit_params : dict
            As in :class:`~sklearn.pipeline.FeatureUnion`.

        Returns
        -------
        self : SequenceUnion
        """
        self._names_in = feature_names
        return super().fit(X, y, **fit_params)

    def fit_transform(
        self, X: Any, y: Any = None, *, feature_names: Any = None, **params: Any
    ) -> NDArray[np.float32]:
        """Fit all transformers and join what they make of X.

        Parameters
        ----------
        X : sequence
            Recordings or sequences.
        y : array-like of shape (n_samples,), default=None
            Class labels, for transformers that look at them.
        feature_names : array-like of str of shape (n_features,), default=None
            As in :meth:`fit`.
        **params : dict
            As in :class:`~sklearn.pipeline.FeatureUnion`.

        Returns
        -------
        ndarray of shape (n_samples, n_frames, n_features)
        """
        self._names_in = feature_names
        return super().fit_transform(X, y, **params)

    def _parallel_func(self, X, y, func, routed_params):
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()
        self._validate_transformers()
        routed = {
            name: hand_on_names(transformer, routed_params[name], self._names_in)
            for name, transformer, _ in self._iter()
        }
        return super()._parallel_func(X, y, func, routed)

    def _iter(self):
        # scikit-learn's own "passthrough" takes the frames for the features.
        for name, transformer, weight in super()._iter():
            if self.named_transformers[name] == "passthrough":
                transformer = _Passthrough()
            yield name, transformer, weight

    def _hstack(self, Xs):
        shapes = {
            name: np.shape(X) for (name, _, _), X in zip(self._iter(), Xs, strict=True)
        }
        for name, shape in shapes.items():
            if len(shape) != 3:
                raise ValueError(
                    f"Transformer {name!r} returned an array of shape {shape}, but "
                    "SequenceUnion joins sequences of shape (n_samples, n_frames, "
                    "n_features): give it X of three dimensions, and join flat "
                    "vectors by sklearn.pipeline.FeatureUnion."
                )
        if len({n_samples for n_samples, _, _ in shapes.values()}) > 1:
            found = ", ".join(f"{name!r} {shape[:2]}" for name, shape in shapes.items())
            raise ValueError(
                "The transformers must return as many samples each, but "
                f"(n_samples, n_frames) are {found}."
            )
        self._check_alike("duration")
        self._check_alike("padding_side")
        n_frames = min(n_frames for _, n_frames, _ in shapes.values())
        joined = [
            average_over_time(np.asarray(X), n_frames, _loudness_of(transformer))
            for (_, transformer, _), X in zip(self._iter(), Xs, strict=True)
        ]
        return np.concatenate(joined, axis=2)

    def _check_alike(self, parameter):
        """Refuse transformers whose frames are not of the same time."""
        found = {
            name: getattr(transformer, parameter)
            for name, transformer, _ in self._iter()
            if hasattr(transformer, parameter)
        }
        if len(set(found.values())) > 1:
            values = ", ".join(
                f"{value!r} of {name!r}" for name, value in found.items()
            )
            raise ValueError(
                f"The transformers must agree in {parameter}, but have {values}."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = any(
            takes_recordings(transformer) for _, transformer in self.transformer_list
        )
        return tags


def _loudness_of(transformer):
    """Return the column of the loudness among a transformer's features, if known."""
    try:
        return find_loudness(transformer.get_feature_names_out())
    except (AttributeError, NotFittedError, ValueError):
        return None


class _Passthrough(SequenceOneToOneMixin, BaseEstimator):
    __metadata_request__fit = {"feature_names": True}

    def fit(self, X, y=None, feature_names=None):
        validate_sequences(self, X, reset=True, feature_names=feature_names)
        return self

    def transform(self, X):
        return validate_sequences(self, X, reset=False)
