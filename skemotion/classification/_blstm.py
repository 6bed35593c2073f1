"""The classifiers of the post: a bidirectional LSTM with and without attention."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skemotion.classification._base import BaseBLSTMClassifier
from skemotion.networks import attention_layers


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
    units : int, default=256
        Units of the LSTM in each direction, and of the attention's hidden layer.

    dropout : float, default=0.0
        Fraction of the summary vector that is dropped in training.

    mask_padding : bool, default=False
        Whether frames that are exactly 0 in every feature at the beginning or
        the end are left out of recurrence and attention, as
        ``SequenceScaler(keep_padding=True)`` marks them. It makes an epoch
        about a third longer.

    frame_step : int, default=1
        The LSTMs read the means of so many neighbouring frames each, which
        takes as much less time. Functionals and attention stand for all frames.

    noise : float, default=0.0
        Deviation of Gaussian noise that is added in training to what the LSTMs
        read, and to the functionals. It suits features of unit variance.

    functionals_units : int or None, default=None
        Units of a dense layer that reads the functionals of the frames, those
        of :class:`~skemotion.SequenceFunctionals`, and whose output is
        classified beside the summary of the sequence: a second view. They are
        standardised as in the first call of `fit` or `partial_fit`, and are a
        second input of `model_`. None leaves them out.

    n_members : int, default=1
        Networks that are trained side by side, each with a loss, initial
        weights and dropout of its own; their probabilities are averaged, and
        so is their attention.

    label_smoothing : float, default=0.0
        Part of every label that is spread evenly over all classes in training.

    optimizer : str or keras.optimizers.Optimizer, default="adam"
        Name of a Keras optimizer, or an instance, which is copied.

    learning_rate : float, LearningRateSchedule or None, default=None
        Step size, or a schedule of Keras for it. None means the optimizer's
        own, 0.001 for Adam.

    schedule : {"one_cycle", "cosine"} or None, default=None
        How the step size goes through the epochs of a `fit`: "cosine" falls
        from `learning_rate` to 0, "one_cycle" first rises to it for 30 % of
        the epochs. None leaves it as it is. "learning_rate" is then kept in
        `history_`, too.

    batch_size : int, default=32
        Sequences per step in training and prediction.

    epochs : int, default=30
        Passes over the training set, at most.

    early_stopping : bool or "auto", default="auto"
        Whether to stop once the validation loss has not improved for
        `patience` epochs, and to go back to the weights of the best epoch.
        "auto" does so where `fit` is given `X_val` and `y_val`, as the
        pipeline of :func:`~skemotion.make_emotion_pipeline` does. True also
        holds out `validation_fraction` of X where none are given, shuffled
        and stratified: behind a sampler, that part holds synthetic
        recordings made from the others, and chooses the epoch on them.

    validation_fraction : float, default=0.1
        Part of X to hold out if `early_stopping` is True and `fit` is given
        no `X_val`.

    patience : int, default=10
        Epochs without improvement after which training stops.

    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss, as in scikit-learn, and multiplied with
        the `sample_weight` of `fit`.

    callbacks : keras.callbacks.Callback or list of them, default=None
        Copied for every `fit`, so that the parameter never changes. The
        network that they see is lent to other trainings afterwards; `model_`
        gets what it has learnt when training ends.

    warm_start : bool, default=False
        Whether another `fit` trains on from where the last one ended, for
        `epochs` more, instead of starting anew. What defines the network and
        its optimizer is then that of the first `fit`.

    random_state : int, RandomState instance or None, default=None
        Seed of the weights, the order of batches, dropout and the held-out
        part. With an int, refits on one machine are bit-identical. The
        streams of :mod:`random` and TensorFlow are put back after training.

    verbose : int, default=0
        What Keras prints in training: 0 nothing, 1 a progress bar, 2 a line
        per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.

    estimator_ : scikeras.wrappers.KerasClassifier
        The fitted estimator that does the work, on integer labels.

    model_ : keras.Model
        The fitted network.

    history_ : dict of str to list of float
        "loss" and "accuracy" of every epoch, and "val_loss" and
        "val_accuracy" where there was validation.

    n_features_in_ : int
        Features per frame, the last axis of X.

    n_frames_in_ : int
        Frames per sequence.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for two-dimensional X with column names.

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

    _attention = True

    def attention(self, X: ArrayLike) -> NDArray:
        """Return the weight of every frame in the decision.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples, n_frames), dtype float32
            Rows sum to 1. Masked padding has weight 0.
        """
        return np.mean(
            [
                self._run_forward(X, layer=layer)
                for layer in attention_layers(self.n_members)
            ],
            axis=0,
        )


class BLSTMClassifier(BaseBLSTMClassifier):
    """Bidirectional LSTM whose last states are classified.

    Two LSTMs [1]_ read the sequence forwards and backwards; the last state of
    each direction is classified by a softmax layer. It is what [2]_ compares
    attention with.

    Parameters
    ----------
    units : int, default=256
        Units of the LSTM in each direction.

    dropout : float, default=0.0
        Fraction of the summary vector that is dropped in training.

    mask_padding : bool, default=False
        Whether frames that are exactly 0 in every feature at the beginning or
        the end are left out of recurrence, as
        ``SequenceScaler(keep_padding=True)`` marks them. It makes an epoch
        about a third longer.

    frame_step : int, default=1
        The LSTMs read the means of so many neighbouring frames each, which
        takes as much less time. Functionals and attention stand for all frames.

    noise : float, default=0.0
        Deviation of Gaussian noise that is added in training to what the LSTMs
        read, and to the functionals. It suits features of unit variance.

    functionals_units : int or None, default=None
        Units of a dense layer that reads the functionals of the frames, those
        of :class:`~skemotion.SequenceFunctionals`, and whose output is
        classified beside the summary of the sequence: a second view. They are
        standardised as in the first call of `fit` or `partial_fit`, and are a
        second input of `model_`. None leaves them out.

    n_members : int, default=1
        Networks that are trained side by side, each with a loss, initial
        weights and dropout of its own; their probabilities are averaged, and
        so is their attention.

    label_smoothing : float, default=0.0
        Part of every label that is spread evenly over all classes in training.

    optimizer : str or keras.optimizers.Optimizer, default="adam"
        Name of a Keras optimizer, or an instance, which is copied.

    learning_rate : float, LearningRateSchedule or None, default=None
        Step size, or a schedule of Keras for it. None means the optimizer's
        own, 0.001 for Adam.

    schedule : {"one_cycle", "cosine"} or None, default=None
        How the step size goes through the epochs of a `fit`: "cosine" falls
        from `learning_rate` to 0, "one_cycle" first rises to it for 30 % of
        the epochs. None leaves it as it is. "learning_rate" is then kept in
        `history_`, too.

    batch_size : int, default=32
        Sequences per step in training and prediction.

    epochs : int, default=30
        Passes over the training set, at most.

    early_stopping : bool or "auto", default="auto"
        Whether to stop once the validation loss has not improved for
        `patience` epochs, and to go back to the weights of the best epoch.
        "auto" does so where `fit` is given `X_val` and `y_val`, as the
        pipeline of :func:`~skemotion.make_emotion_pipeline` does. True also
        holds out `validation_fraction` of X where none are given, shuffled
        and stratified: behind a sampler, that part holds synthetic
        recordings made from the others, and chooses the epoch on them.

    validation_fraction : float, default=0.1
        Part of X to hold out if `early_stopping` is True and `fit` is given
        no `X_val`.

    patience : int, default=10
        Epochs without improvement after which training stops.

    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss, as in scikit-learn, and multiplied with
        the `sample_weight` of `fit`.

    callbacks : keras.callbacks.Callback or list of them, default=None
        Copied for every `fit`, so that the parameter never changes. The
        network that they see is lent to other trainings afterwards; `model_`
        gets what it has learnt when training ends.

    warm_start : bool, default=False
        Whether another `fit` trains on from where the last one ended, for
        `epochs` more, instead of starting anew. What defines the network and
        its optimizer is then that of the first `fit`.

    random_state : int, RandomState instance or None, default=None
        Seed of the weights, the order of batches, dropout and the held-out
        part. With an int, refits on one machine are bit-identical. The
        streams of :mod:`random` and TensorFlow are put back after training.

    verbose : int, default=0
        What Keras prints in training: 0 nothing, 1 a progress bar, 2 a line
        per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.

    estimator_ : scikeras.wrappers.KerasClassifier
        The fitted estimator that does the work, on integer labels.

    model_ : keras.Model
        The fitted network.

    history_ : dict of str to list of float
        "loss" and "accuracy" of every epoch, and "val_loss" and
        "val_accuracy" where there was validation.

    n_features_in_ : int
        Features per frame, the last axis of X.

    n_frames_in_ : int
        Frames per sequence.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for two-dimensional X with column names.

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

    _attention = False
