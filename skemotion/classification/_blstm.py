"""The classifiers of the post: a bidirectional LSTM with and without attention."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal

from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from skemotion._sequences import FUNCTIONALS, check_functionals
from skemotion._typing import File, RandomState
from skemotion.classification import _docs
from skemotion.classification._base import BaseSequenceClassifier
from skemotion.networks import BLSTM

_MAX_WEIGHTS = 2**28  # a gigabyte, and three more in training


class BaseBLSTMClassifier(BaseSequenceClassifier):
    """What the classifiers with and without attention share.

    Warning: not to be used directly.
    """

    _has_attention: bool

    _parameter_constraints: dict = {
        "units": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "ignore_padding": ["boolean"],
        "frame_step": [Interval(Integral, 1, None, closed="left")],
        "noise": [Interval(Real, 0, 1, closed="both")],
        "functionals_units": [Interval(Integral, 1, None, closed="left"), None],
        "functionals": [tuple, list],
        **BaseSequenceClassifier._parameter_constraints,
    }

    def __init__(
        self,
        units: int = 256,
        *,
        dropout: float = 0.0,
        ignore_padding: bool = False,
        frame_step: int = 1,
        noise: float = 0.0,
        functionals_units: int | None = None,
        functionals: Sequence[str] = FUNCTIONALS,
        n_members: int = 1,
        label_smoothing: float = 0.0,
        optimizer: Any = "adam",
        learning_rate: Any = None,
        schedule: Literal["one_cycle", "cosine"] | None = None,
        batch_size: int = 32,
        epochs: int = 30,
        early_stopping: bool | Literal["auto"] = "auto",
        validation_fraction: float = 0.1,
        patience: int = 10,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        callbacks: Any = None,
        checkpoint: File | None = None,
        warm_start: bool = False,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        super().__init__(
            n_members=n_members,
            label_smoothing=label_smoothing,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            batch_size=batch_size,
            epochs=epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            class_weight=class_weight,
            callbacks=callbacks,
            checkpoint=checkpoint,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.units = units
        self.dropout = dropout
        self.ignore_padding = ignore_padding
        self.frame_step = frame_step
        self.noise = noise
        self.functionals_units = functionals_units
        self.functionals = functionals

    def _make_architecture(self, n_frames, n_features, n_classes):
        read = self.functionals_units
        check_functionals(self.functionals)
        architecture = BLSTM(
            n_frames=int(n_frames),
            n_features=int(n_features),
            n_classes=int(n_classes),
            units=int(self.units),
            # As Python's own, for Keras takes no numbers of NumPy.
            dropout=float(self.dropout),
            attention=self._has_attention,
            ignore_padding=bool(self.ignore_padding),
            frame_step=min(int(self.frame_step), int(n_frames)),
            noise=float(self.noise),
            functionals_units=None if read is None else int(read),
            n_members=int(self.n_members),
            functionals=tuple(map(str, self.functionals)),
        )
        n_weights = architecture.n_weights()
        if n_weights > _MAX_WEIGHTS:
            raise ValueError(
                f"a network of units={self.units}, functionals_units="
                f"{self.functionals_units} and n_members={self.n_members} has "
                f"{n_weights:,} weights, of which {_MAX_WEIGHTS:,} are the most that "
                "are trained; lower these parameters."
            )
        return architecture


@_docs.fill_in(
    blstm=_docs.BLSTM.format(
        and_attention=", and of the attention's hidden layer",
        recurrence="recurrence and attention",
        whole="Functionals and attention",
    ),
    training=_docs.TRAINING.format(attention=", and\n        so is their attention"),
    attributes=_docs.ATTRIBUTES,
)
class AttentionBLSTMClassifier(BaseBLSTMClassifier):
    r"""Bidirectional LSTM with soft attention over the frames.

    Two LSTMs [1]_ read the sequence forwards and backwards. A small network
    gives each frame's state :math:`h_j` an energy
    :math:`e_j = v^T \tanh(U h_j) / \sqrt{units}`, after Bahdanau et al. [2]_
    without a decoder; the softmax of the energies weighs the states into a
    context vector, which is concatenated with the last state of each direction
    and classified [3]_.

    Parameters
    ----------
    <blstm>

    <training>

    Attributes
    ----------
    <attributes>

    See Also
    --------
    BLSTMClassifier : The same without attention.
    skemotion.make_emotion_pipeline : The whole way from recordings to emotions.

    Notes
    -----
    The defaults are the network of [3]_. Its parts are built-in Keras layers,
    so `model_` can be saved and loaded by Keras alone.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural
       Computation 9(8), 1997, pp. 1735-1780.
    .. [2] D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by
       jointly learning to align and translate", ICLR 2015.
    .. [3] R. Cantini, "Emotion detection from speech using Bi-directional LSTM
       networks and attention mechanism in Keras", 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import AttentionBLSTMClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 10, 3))
    >>> y = np.where(X.mean(axis=(1, 2)) > 0, "happiness", "sadness")
    >>> classifier = AttentionBLSTMClassifier(
    ...     units=8, epochs=20, learning_rate=0.01, random_state=0
    ... )
    >>> classifier.fit(X, y).classes_.tolist()
    ['happiness', 'sadness']
    >>> classifier.predict_proba(X).shape
    (40, 2)
    >>> classifier.attention(X).shape
    (40, 10)
    """

    _has_attention = True

    def attention(self, X: ArrayLike) -> NDArray:
        """Return the weight of every frame in the decision.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples, n_frames), dtype float32
            Rows sum to 1. Padding that is ignored has weight 0.
        """
        return self._run_attention(X)


@_docs.fill_in(
    blstm=_docs.BLSTM.format(
        and_attention="", recurrence="recurrence", whole="Functionals"
    ),
    training=_docs.TRAINING.format(attention=""),
    attributes=_docs.ATTRIBUTES,
)
class BLSTMClassifier(BaseBLSTMClassifier):
    """Bidirectional LSTM whose last states are classified.

    Two LSTMs [1]_ read the sequence forwards and backwards; the last state of
    each direction is classified by a softmax layer. It is what [2]_ compares
    attention with.

    Parameters
    ----------
    <blstm>

    <training>

    Attributes
    ----------
    <attributes>

    See Also
    --------
    AttentionBLSTMClassifier : The same with attention.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural
       Computation 9(8), 1997, pp. 1735-1780.
    .. [2] R. Cantini, "Emotion detection from speech using Bi-directional LSTM
       networks and attention mechanism in Keras", 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import BLSTMClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 10, 3))
    >>> y = np.where(X.mean(axis=(1, 2)) > 0, "happiness", "sadness")
    >>> classifier = BLSTMClassifier(units=8, epochs=2, random_state=0).fit(X, y)
    >>> classifier.predict(X).shape
    (40,)
    """

    _has_attention = False
