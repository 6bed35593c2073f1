"""Exported models, which predict as the pipelines do that they were made of."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion._files import digest_of, refuse_pipes
from skemotion._messages import warn_user
from skemotion.exceptions import AudioError
from skemotion.pipeline._confidence import pull_to_equal
from skemotion.pipeline._means import WeightedMeans
from skemotion.pipeline._windows import WindowedRecordings, WindowRule
from skemotion.runtime._format import (
    EXPORT_AGAIN,
    METADATA_KEY,
    SUFFIX,
    Names,
    read_description,
)
from skemotion.runtime._fronts import make_front


class ExportedModel:
    """A model that was exported to ONNX, and predicts as its pipeline does.

    It is made by :func:`load_exported`. Several threads may ask it at once.

    Parameters
    ----------
    session : onnxruntime.InferenceSession or PlainSession
        Of a file that :func:`skemotion.export.export_onnx` has written.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    hop_duration : float or None
        From one window to the next, in seconds. None: the first alone is looked at.
    detect_speech : bool
        Whether nothing but windows with speech is looked at.
    novelty_detector_ : object
        With `offset_` and `rank_scores`. Not there if the pipeline has none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skemotion import load_pretrained
    >>> from skemotion.datasets import make_emotional_speech
    >>> from skemotion.export import export_onnx
    >>> from skemotion.runtime import load_exported
    >>> pipeline = load_pretrained("emodb-descriptors")
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "model.onnx")
    ...     report = export_onnx(pipeline, path, recordings=speech.signals[:2])
    ...     exported = load_exported(path)
    >>> exported.predict_proba(speech.signals[:2]).shape
    (2, 7)
    """

    def __init__(self, session: Any):
        metadata = session.get_modelmeta().custom_metadata_map
        described = read_description(metadata.get(METADATA_KEY))
        self._session = session
        self._front = make_front(described)
        windows = described.windows
        self._duration = windows["duration"]
        self._sampling_rate = windows["sampling_rate"]
        self._goes_on = windows["goes_on"]
        self._made_of = described.made_of
        self.classes_ = described.classes
        self.hop_duration = windows["hop_duration"]
        self.detect_speech = windows["detect_speech"]
        if described.novelty is not None:
            self.novelty_detector_ = described.novelty

    def predict(self, X: Any) -> NDArray:
        """Predict the class of each recording.

        Parameters
        ----------
        X : sequence of recordings
            As :func:`skemotion.audio.load_audio` takes them.

        Returns
        -------
        ndarray of shape (n_samples,)
            The first class where nobody speaks, if speech is looked for.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Predict the probability of each class.

        Parameters
        ----------
        X : sequence of recordings
            As :func:`skemotion.audio.load_audio` takes them.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), dtype float32
            Equal to the pipeline's to 1e-5.

        Raises
        ------
        AudioError
            If recordings cannot be read. It names all of them.
        """
        return self.predict_with_novelty(X)[0]

    def novelty(self, X: Any) -> NDArray[np.float64]:
        """Compute how unlike the training data each sample is.

        Parameters
        ----------
        X : sequence of recordings
            As :func:`skemotion.audio.load_audio` takes them.

        Returns
        -------
        ndarray of shape (n_samples,), dtype float64
            As :meth:`predict_with_novelty` returns it.
        """
        return self.predict_with_novelty(X)[1]

    def attention(self, X: Any) -> NDArray[np.float32]:
        """Return how much each frame of the first window counts.

        Parameters
        ----------
        X : sequence of recordings
            As :func:`skemotion.audio.load_audio` takes them.

        Returns
        -------
        ndarray of shape (n_samples, n_frames), dtype float32
            What :meth:`skemotion.AttentionBLSTMClassifier.attention` returns of the
            sequences that the pipeline's first steps make of X: rows sum to 1.

        Raises
        ------
        AttributeError
            If the model has no attention.
        AudioError
            If recordings cannot be read. It names all of them.
        """
        outputs = [output.name for output in self._session.get_outputs()]
        if Names.ATTENTION not in outputs:
            raise AttributeError(
                "this model has no attention: export one of AttentionBLSTMClassifier."
            )
        rule = WindowRule(self._duration, self._sampling_rate, None, False, False)
        recordings = WindowedRecordings(X, rule)
        means = dict(self._ask(recordings, [Names.ATTENTION]))
        recordings.warn()
        rows = [means[row] for row in range(len(recordings))]
        return np.array(rows, np.float32)

    def predict_with_novelty(
        self, X: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Predict probabilities, and how unlike the training data each sample is.

        Parameters
        ----------
        X : sequence of recordings
            As :func:`skemotion.audio.load_audio` takes them.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), dtype float32
            As :meth:`predict_proba` returns them.
        novelty : ndarray of shape (n_samples,), dtype float64
            As :meth:`skemotion.EmotionPipeline.novelty` returns it. NaN without
            speech, and where the model does not tell.
        """
        wanted = [Names.PROBABILITIES]
        detector = getattr(self, "novelty_detector_", None)
        if detector is not None:
            wanted.append(Names.DISTANCE)
        recordings = WindowedRecordings(X, self._rule())
        means = self._ask(recordings, wanted)
        recordings.warn()
        n_rows, n_classes = len(recordings), len(self.classes_)
        probabilities = np.full((n_rows, n_classes), 1 / n_classes, np.float32)
        distances = np.full(n_rows, np.nan)
        for row, values in means:
            if row in recordings.unreadable:
                continue
            probabilities[row] = values[:n_classes]
            distances[row] = values[n_classes] if detector is not None else np.nan
        if detector is None:
            return probabilities, distances
        probabilities = pull_to_equal(probabilities, -distances, detector.offset_)
        return probabilities, detector.rank_scores(-distances)

    def _rule(self):
        return WindowRule(
            self._duration,
            self._sampling_rate,
            self.hop_duration,
            self.detect_speech,
            self._goes_on,
        )

    def _ask(self, recordings, wanted):
        """Return the means, over windows, of what the graph puts out."""
        means = WeightedMeans()
        for batch in recordings.batches():
            failures = []
            windows = zip(
                batch.windows, batch.rows, batch.weights, batch.alone, strict=True
            )
            for window, row, weight, alone in windows:
                try:
                    inputs = self._front(*_samples_of(window))
                except ValueError as error:
                    failures.append((window.name, str(error)))
                    continue
                values = np.concatenate(
                    [np.atleast_1d(v[0]) for v in self._session.run(wanted, inputs)]
                )
                weight = np.array([1.0 if alone else weight])
                means.add(np.array([row]), weight, values[np.newaxis])
            if failures:
                recordings.note_failures(batch, AudioError(failures))
        return means


def load_exported(
    path: str | os.PathLike, *, n_threads: int | None = None
) -> ExportedModel:
    """Load a model that was exported to ONNX.

    Needs onnxruntime, and neither TensorFlow nor scikit-learn.

    Parameters
    ----------
    path : str or path-like
        A file that :func:`skemotion.export.export_onnx` has written.
    n_threads : int, default=None
        Threads that compute one prediction. None means as many as there are cores.

    Returns
    -------
    ExportedModel

    Raises
    ------
    ImportError
        If onnxruntime is not installed.
    ValueError
        If the file is no such model.
    OSError
        If the file cannot be read, or is a pipe or a device.

    See Also
    --------
    skemotion.export.export_onnx : Writes the file.

    Examples
    --------
    >>> from skemotion import load_pretrained
    >>> from skemotion.export import export_onnx
    >>> from skemotion.runtime import load_exported
    >>> report = export_onnx(load_pretrained(), "model.onnx")  # doctest: +SKIP
    >>> load_exported("model.onnx").predict(["speech.wav"])  # doctest: +SKIP
    array(['anger'], dtype='<U9')
    """
    if n_threads is not None and not (isinstance(n_threads, int) and n_threads > 0):
        raise ValueError(f"n_threads={n_threads!r} must be an int from 1 on, or None.")
    refuse_pipes(path)
    session = open_session(Path(path).read_bytes(), path, n_threads=n_threads)
    try:
        return ExportedModel(session)
    except ValueError as error:
        raise ValueError(f"{path} cannot be loaded: {error}") from error


def load_linked(
    bundle: str | os.PathLike, *, n_threads: int | None = None
) -> ExportedModel:
    """Load the exported model beside a bundle, from which it has its weights.

    Without onnxruntime it is computed by NumPy, in one thread.
    """
    path = Path(bundle).with_suffix(SUFFIX)
    if find_spec("onnxruntime") is None:
        from skemotion.runtime._plain import PlainSession

        return ExportedModel(PlainSession(path))
    # By its name, beside which ONNX Runtime 1.19, too, finds what is linked.
    return ExportedModel(open_session(str(path), path, n_threads=n_threads))


def load_beside(
    model: str | os.PathLike, *, n_threads: int | None = None
) -> ExportedModel | None:
    """Load what was exported from a file, if it stands beside it.

    None if there is nothing, or no onnxruntime. What was exported from another file
    of that name is not taken, with a warning.
    """
    path = Path(model).with_suffix(SUFFIX)
    if find_spec("onnxruntime") is None or not path.is_file():
        return None
    try:
        exported = load_exported(path, n_threads=n_threads)
    except ValueError as error:
        warn_user(UserWarning(f"{error} {model} is loaded instead."))
        return None
    if exported._made_of != digest_of(model):
        warning = (
            f"{path} was not exported from {model} as it is now, which is loaded "
            f"instead: {EXPORT_AGAIN} for faster answers."
        )
        warn_user(UserWarning(warning))
        return None
    return exported


def open_session(model: bytes | str, name: Any, *, n_threads: int | None = None) -> Any:
    """Return an onnxruntime.InferenceSession for the CPU."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"{name} is run by onnxruntime, which is not installed: "
            "pip install onnxruntime."
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if n_threads is not None:
        options.intra_op_num_threads = n_threads
    try:
        return onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # of classes that onnxruntime does not name publicly
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{name} is no model of ONNX ({reason}).") from error


def _samples_of(window):
    return window() if callable(window) else window
