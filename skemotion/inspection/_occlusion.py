"""What a prediction depends on: stretches of a recording, silenced one by one."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from skemotion._validation._parameters import validate_params
from skemotion.inspection._estimators import last_step
from skemotion.inspection._looks import check_takes_recordings, iter_looks, load, shares
from skemotion.pipeline._confidence import pull_to_equal

Array = NDArray[np.float64]
_FADE = 0.005  # seconds, so that silence begins without a click


@validate_params(
    {
        "pipeline": [HasMethods(["predict_proba"])],
        "recording": "no_validation",
        "stretch_seconds": [Interval(Real, 0, None, closed="neither")],
    }
)
def occlusion_over_time(
    pipeline: Any, recording: Any, *, stretch_seconds: float = 0.25
) -> tuple[Array, Array]:
    """Compute by how much a prediction falls where a recording is silenced.

    Attention [1]_ tells where a network looks; this tells what it needs [2]_.
    The recording is divided in equal stretches. Each is silenced in turn, and the
    pipeline is asked again for the probability of the class that it predicts of the
    whole.

    Parameters
    ----------
    pipeline : fitted Pipeline
        Predicts probabilities of recordings; its last step may be any classifier.
    recording : str, path-like, file object, tuple, ndarray or callable
        As :func:`skemotion.audio.load_audio` takes it.
    stretch_seconds : float, default=0.25
        Length of a stretch, to be rounded so that all are equal. Each takes a
        prediction of the windows that it lies in.

    Returns
    -------
    edges : ndarray of shape (n_stretches + 1,), dtype float64
        Where stretches begin and end, in seconds from the recording's begin.
    falls : ndarray of shape (n_stretches,), dtype float64
        By how much the probability falls; negative where it rises. All are 0 if
        there is no speech, and that is looked for.

    Raises
    ------
    TypeError
        If the pipeline has no step that takes recordings.
    AudioError
        If the recording cannot be read.
    sklearn.exceptions.NotFittedError
        If the last step is not fitted.

    See Also
    --------
    attention_over_time : Where the model looks.
    RecordingDisplay : Draws both.

    Notes
    -----
    Silence is not neutral: a recording with a gap is unlike those of the training,
    and a model can become unsure of that alone.

    References
    ----------
    .. [1] S. Jain and B. C. Wallace, "Attention is not Explanation", NAACL 2019.
    .. [2] M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional
       Networks", ECCV 2014.

    Examples
    --------
    >>> from skemotion import load_pretrained
    >>> from skemotion.datasets import make_emotional_speech
    >>> from skemotion.inspection import occlusion_over_time
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> edges, falls = occlusion_over_time(
    ...     load_pretrained(), speech.signals[0], stretch_seconds=1.0
    ... )
    >>> len(edges) - len(falls)
    1
    """
    check_takes_recordings(pipeline)
    check_is_fitted(last_step(pipeline), "classes_")
    signal, rate = load(recording)
    seconds = len(signal) / rate
    n_stretches = max(round(seconds / stretch_seconds), 1)
    edges = np.linspace(0, seconds, n_stretches + 1)
    (whole,) = _answer(pipeline, [(signal, rate)])
    if not whole:
        return edges, np.zeros(n_stretches)
    before = _predict(pipeline, whole)
    best = int(before.argmax())
    answers = [list(whole) for _ in range(n_stretches)]
    touched, versions = [], []
    for number, window in enumerate(whole):
        begin = round(window.start * rate)
        part = signal[begin : begin + round(window.seconds * rate)]
        for stretch in range(n_stretches):
            low, high = edges[stretch : stretch + 2] - window.start
            if low < window.seconds and high > 0:
                touched.append((stretch, number))
                versions.append((_silence(part, rate, low, high), rate))
    for (stretch, number), found in zip(
        touched, _answer(pipeline, versions), strict=True
    ):
        answers[stretch][number] = found[0] if found else None
    falls = [before[best] - _predict(pipeline, answer)[best] for answer in answers]
    return edges, np.array(falls)


class _Answer(NamedTuple):
    """What is said of a window."""

    start: float
    seconds: float
    weight: float
    probabilities: NDArray
    score: float


def _answer(pipeline, recordings):
    """Return a list of answers for each recording."""
    last = last_step(pipeline)
    detector = getattr(pipeline, "novelty_detector_", None)
    found: list[list[_Answer]] = [[] for _ in recordings]
    for look in iter_looks(pipeline, recordings):
        probabilities = last.predict_proba(look.sequences)
        scores = np.zeros(len(look.rows))
        if detector is not None:
            scores = detector.score_samples(look.sequences)
        for row, *rest in zip(
            look.rows,
            look.starts,
            look.seconds,
            look.weights,
            probabilities,
            scores,
            strict=True,
        ):
            found[row].append(_Answer(*rest))
    return found


def _predict(pipeline, answers):
    """Return what the pipeline predicts from its answers about windows."""
    answers = [answer for answer in answers if answer is not None]
    n_classes = len(last_step(pipeline).classes_)
    if not answers:
        return np.full(n_classes, 1 / n_classes)
    weights = shares([answer.weight for answer in answers])
    mean = np.average([a.probabilities for a in answers], axis=0, weights=weights)
    detector = getattr(pipeline, "novelty_detector_", None)
    if detector is None:
        return mean
    score = np.average([a.score for a in answers], weights=weights)
    return pull_to_equal(mean[None], np.array([score]), detector.offset_)[0]


def _silence(signal, rate, begin, end):
    """Return a copy in which nothing is heard between two times, in seconds."""
    times = np.arange(len(signal)) / rate
    distance = np.maximum(begin - times, times - end) / _FADE
    return (signal * np.clip(distance, 0, 1)).astype(np.float32)
