"""Text that the docstrings of several classes share."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

_Class = TypeVar("_Class", bound=type[Any])

BLSTM = """
    units : int, default=256
        Units of the LSTM in each direction{and_attention}.

    dropout : float, default=0.0
        Fraction that is dropped in training of the vector that is classified,
        and of the functionals that `functionals_units` reads.

    ignore_padding : bool, default=False
        Whether the frames at the beginning and at the end that are exactly 0
        in every feature are left out of {recurrence}, as
        ``SequenceScaler(ignore_padding=True)`` marks them. It makes an epoch
        about a third longer.

    frame_step : int, default=1
        The LSTMs read the means of so many neighbouring frames each, which
        takes as much less time. {whole} stand for all frames.

    noise : float, default=0.0
        Deviation, between 0 and 1, of Gaussian noise that is added in training
        to what the LSTMs read, and to the functionals. It suits features of
        unit variance.

    functionals_units : int or None, default=None
        Units of a dense layer that reads the `functionals` of the frames, and
        whose output is classified beside the summary of the sequence: a second
        view. They are standardised as in the first call of `fit` or
        `partial_fit`, and are a second input of `model_`. None leaves them out.

    functionals : tuple or list of str, default=("mean", "std", "p5", "p25", \
            "p50", "p75", "p95", "slope", "mean_abs_diff")
        Which functionals are read, by the names that
        :class:`~skemotion.SequenceFunctionals` knows. Only used if
        `functionals_units` is not None.
"""

TRAINING = """
    n_members : int, default=1
        Networks that are trained side by side, each with a loss, initial
        weights and dropout of its own; their probabilities are averaged{attention}.

    label_smoothing : float, default=0.0
        Part of every label that is spread evenly over all classes in training.

    optimizer : str or keras.optimizers.Optimizer, default="adam"
        Name of a Keras optimizer, or an instance, which is copied.

    learning_rate : float, LearningRateSchedule or None, default=None
        Step size, or a schedule of Keras for it. None means the optimizer's
        own, 0.001 for Adam.

    schedule : {{"one_cycle", "cosine"}} or None, default=None
        How the step size goes through the epochs of a `fit`: "cosine" falls
        from `learning_rate` to 0, "one_cycle" first rises to it for 30 % of
        the epochs. "learning_rate" is then kept in `history_`, too, and stands
        again when the training has ended. None leaves it as it is.

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
        the `sample_weight` of `fit`. Classes that a dict leaves out weigh 1.

    callbacks : keras.callbacks.Callback or list of them, default=None
        Copied for every `fit`, so that the parameter never changes. The
        network that they see is lent to other trainings afterwards; `model_`
        gets what it has learnt when training ends. They can change values,
        such as weights and the step size, and no settings: to freeze a layer,
        change `model_` between two trainings.

    checkpoint : str or path-like, default=None
        Folder in which a `fit` is kept every ten seconds and at its end. If it is
        killed, the same `fit`, in another process as well, goes on from there and
        ends with the same bits. The same means: X, y, weights, parameters, and
        versions of this package, Keras, TensorFlow and NumPy; `random_state` must
        not be None. Another `fit` begins anew, with a file of its own, so that the
        fits of a search or a cross-validation share a folder; those that have
        ended are then not done again. Delete the folder when the models are
        saved, or call `forget_checkpoint`. It holds numbers and text, and reading
        it runs no code. None keeps nothing. The user guide tells what that asks
        of `callbacks`.

    warm_start : bool, default=False
        Whether another `fit` trains on from where the last one ended, for
        `epochs` more, instead of starting anew. What defines the network and
        its optimizer is then that of the first `fit`. `early_stopping=True`
        holds out the same rows each time, if X has the same rows.

    random_state : int, RandomState instance or None, default=None
        Seed of the weights, the order of batches, dropout and the held-out
        part. With an int, refits on one machine are bit-identical, whatever
        else the process draws.

    verbose : int, default=0
        What Keras prints in training: 0 nothing, 1 a progress bar, 2 a line
        per epoch.
"""

ATTRIBUTES = """
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.

    estimator_ : scikeras.wrappers.KerasClassifier
        The fitted estimator that does the work, on integer labels.

    model_ : keras.Model
        The fitted network.

    history_ : dict of str to list of float
        "loss" and "accuracy" of every epoch, and "val_loss" and
        "val_accuracy" where there was validation. The loss is the mean of the
        members'.

    n_features_in_ : int
        Features per frame, the last axis of X.

    n_frames_in_ : int
        Frames per sequence.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for two-dimensional X with column names.
"""


def fill_in(**texts: str) -> Callable[[_Class], _Class]:
    """Put texts in the place of ``<name>`` in the docstring of a class.

    Parameters
    ----------
    **texts : str
        What stands for each name.

    Returns
    -------
    callable
        A decorator of classes.
    """

    def decorate(cls: _Class) -> _Class:
        # Since Python 3.13, docstrings come without the indentation of their source.
        doc = inspect.cleandoc(cls.__doc__ or "")
        for name, text in texts.items():
            doc = doc.replace(f"<{name}>", inspect.cleandoc(text))
        cls.__doc__ = doc
        return cls

    return decorate
