"""From a fitted pipeline to a file of ONNX, compared with it before it is kept."""

import logging
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skemotion._files import atomic_path, digest_of
from skemotion.export._graph import OLDEST_OPSET
from skemotion.export._pipeline import build_model
from skemotion.metrics import unweighted_average_recall
from skemotion.runtime._model import ExportedModel, open_session

TOLERANCE = 1e-5  # of probabilities
_FLOAT = 1  # the number of float32 in ONNX
# ONNX Runtime has no convolutions of weights with a sign.
_QUANTIZED = ["MatMul", "Gemm", "LSTM", "Gather", "Transpose"]


class ExportReport(NamedTuple):
    """What a comparison of an exported model with its pipeline has found.

    Parameters
    ----------
    n_bytes : int
        Size of the file.
    n_recordings : int
        How many were compared.
    difference : float
        The largest of their probabilities.
    agreement : float
        Part of them that get the same class.
    recall : float, default=None
        Unweighted average recall of the pipeline. None where labels are not known.
    exported_recall : float, default=None
        That of the exported model.

    Examples
    --------
    >>> from skemotion.export import ExportReport
    >>> report = ExportReport(
    ...     n_bytes=190_000, n_recordings=7, difference=2e-7, agreement=1.0
    ... )
    >>> f"{report.agreement:.0%} of {report.n_recordings} agree"
    '100% of 7 agree'
    """

    n_bytes: int
    n_recordings: int
    difference: float
    agreement: float
    recall: float | None = None
    exported_recall: float | None = None


def export_onnx(
    pipeline: Any,
    path: str | os.PathLike,
    *,
    recordings: Any = None,
    y: Any = None,
    opset: int = OLDEST_OPSET,
    quantize: bool = False,
    source: str | os.PathLike | None = None,
) -> ExportReport:
    """Export a fitted pipeline to ONNX.

    The file holds all that predictions need: the encoder if there is one, scaler,
    network, attention and the detector of what is unlike the training data as one
    graph, and beside it, as metadata, the settings of the front end, the windows
    and the labels. It is compared with the pipeline before it is written.

    Parameters
    ----------
    pipeline : EmotionPipeline
        Fitted, of :class:`~skemotion.SpeechFeatureExtractor` or
        :class:`~skemotion.SpeechEncoder`, of :class:`~skemotion.SequenceScaler`
        and :class:`~skemotion.AttentionBLSTMClassifier` or
        :class:`~skemotion.BLSTMClassifier`. What acts in training alone, such as
        samplers, is left out.
    path : str or path-like
        Where to write the file, which is replaced if it is there, at once and only
        when the new one is complete.
    recordings : sequence of recordings, default=None
        On which both are compared. None takes some made speech.
    y : array-like of shape (n_recordings,), default=None
        Their labels, of which the recall of both is told.
    opset : int, default=18
        Version of ONNX' operators, 18 at least.
    quantize : bool, default=False
        Whether weights are stored in 8 bits, by ONNX Runtime's dynamic
        quantisation. The file is smaller, probabilities differ, and the report
        says by how much.
    source : str or path-like, default=None
        The file that the pipeline was loaded from. ``skemotion predict`` and
        ``timeline`` then run what is exported in its place, if it stands beside it
        under the same name and nothing was quantised.

    Returns
    -------
    ExportReport

    Raises
    ------
    ImportError
        If onnx or onnxruntime is not installed.
    TypeError
        If the pipeline has a part that cannot be exported.
    OSError
        If `source` cannot be read.
    ValueError
        If `opset` is none that is known, if parameters of the classifier were changed
        after `fit`, or if probabilities differ by more than 1e-5 and nothing was
        quantised.

    See Also
    --------
    skemotion.runtime.load_exported : Loads the file.

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
    >>> report.difference < 1e-5
    True
    """
    _check_libraries()
    _check_opset(opset)
    made_of = None if source is None or quantize else digest_of(source)
    model = build_model(pipeline, opset=opset, folded=quantize, made_of=made_of)
    content = (_quantize(model) if quantize else model).SerializeToString()
    exported = ExportedModel(open_session(content, path))
    report = _compare(pipeline, exported, recordings, y, len(content))
    if report.difference > TOLERANCE and not quantize:
        raise ValueError(
            f"the exported model differs by {report.difference:.1e} from the pipeline, "
            f"which is more than {TOLERANCE:.0e}: it was not written."
        )
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(content)
    return report


def _check_libraries():
    try:
        import onnx  # noqa: F401 - is it there?
        import onnxruntime  # noqa: F401 - is it there?
    except ImportError as error:
        raise ImportError(
            "to export a model, onnx and onnxruntime are needed: pip install "
            "'skemotion[onnx]'."
        ) from error


def _check_opset(opset):
    from onnx import defs

    newest = defs.onnx_opset_version()
    if opset not in range(OLDEST_OPSET, newest + 1):
        raise ValueError(
            f"opset={opset!r} is none that can be written: it is one of "
            f"{OLDEST_OPSET} to {newest}."
        )


def _compare(pipeline, exported, recordings, y, n_bytes):
    if recordings is None:
        from skemotion.datasets import make_emotional_speech

        recordings = make_emotional_speech(
            n_speakers=1, n_texts=1, random_state=0
        ).signals
    both = [model.predict_proba(recordings) for model in (pipeline, exported)]
    classes = [pipeline.classes_[each.argmax(axis=1)] for each in both]
    recalls = (
        [None, None]
        if y is None
        else [unweighted_average_recall(y, each) for each in classes]
    )
    return ExportReport(
        n_bytes,
        len(both[0]),
        float(np.abs(both[0] - both[1]).max()),
        float((classes[0] == classes[1]).mean()),
        *recalls,
    )


def _quantize(model):
    """Return a model whose weights are of 8 bits."""
    from onnx import load
    from onnxruntime.quantization import quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, _silent():
        path = Path(folder, "quantized.onnx")
        # What has no shape before it runs is float32 all the same.
        options = {"DefaultTensorType": _FLOAT}
        quantize_dynamic(
            model, path, op_types_to_quantize=_QUANTIZED, extra_options=options
        )
        return load(path)


@contextmanager
def _silent():
    """Keep advice on how to prepare a model from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
