"""The transformer that listens through a pretrained speech encoder."""

import math
import os
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skemotion._typing import File, Memory
from skemotion._validation._parameters import fit_context
from skemotion.audio import check_recordings, count_samples
from skemotion.feature_extraction._base import RecordingTransformer
from skemotion.feature_extraction._encoding import (
    SAMPLES_PER_FRAME,
    count_encoded,
    encode,
)
from skemotion.feature_extraction._log_mel import SAMPLING_RATE
from skemotion.feature_extraction._weights import (
    EncoderWeights,
    load_weights,
    read_weights,
    write_weights,
)
from skemotion.networks import N_POSITIONS, find_encoder, hash_weights

if TYPE_CHECKING:
    from typing_extensions import Self

_MAX_DURATION = N_POSITIONS / 50  # seconds
_ROUNDING = 1e-3  # samples, by which a length in seconds may be off
ENCODER_VERSION = 1  # raised whenever the numbers change


class SpeechEncoder(RecordingTransformer):
    """Turn recordings into the frames of a pretrained speech encoder.

    The encoder is the first part of a Whisper model [1]_, which learnt to
    transcribe 680,000 hours of speech from the web. Its early layers hear how
    something is said; what was said stands out in the late ones. It is used as
    it is: nothing is trained here, and emotions are learnt by the steps that
    follow. They need far fewer recordings than with acoustic descriptors, and
    lose less on other voices and microphones.

    Parameters
    ----------
    weights : str or path-like, default="whisper-base"
        What was learnt. ``"whisper-base"`` comes with the package, up to its
        third layer. Otherwise the path of a safetensors file, or
        of a folder that holds one, of a Whisper model or its encoder in the
        layout of Hugging Face; or the id of such a model on the Hugging Face hub,
        such as ``"openai/whisper-base"``, which is fetched once by
        huggingface_hub (``pip install "skemotion[hub]"``). No other format is
        read, so nothing is unpickled. The sizes are those of the file.

    layer : int or tuple of int, default=2
        The block whose output is taken, counted from 1, or several, whose outputs
        are put side by side. Blocks behind the last of them are not computed.

    duration : float, default=5.0
        Length of every sequence in seconds, at most 30. Longer recordings are cut
        at the end; shorter ones are padded with frames of zeros.

    frame_step : int, default=2
        The encoder gives 50 frames a second; every so many are averaged.

    padding_side : {"left", "right"}, default="left"
        Where a short recording is padded.

    normalize : {"peak"} or None, default="peak"
        "peak" scales what is left of a recording after cutting so that its
        largest sample is 1 in magnitude, so that nothing depends on the gain of
        the microphone. None leaves it as it is.

    n_jobs : int, default=None
        Number of threads that work on a recording each. None means 1 unless in
        a :obj:`joblib.parallel_config` context, -1 means all processors.

    memory : str or object with the joblib.Memory interface, default=None
        Where frames are cached, one entry per recording. The key is made of
        the decoded samples, the parameters and the values of the weights, not
        of paths. See :class:`SpeechFeatureExtractor`.

    verbose : int, default=0
        If positive, a progress bar is shown on standard error.

    on_error : {"raise", "warn"}, default="raise"
        What is done about recordings that cannot be read. "raise" names them all in
        one error. "warn" names them in one warning, and goes on: their rows are
        zeros in all frames and features, as padding is. :class:`EmotionPipeline`
        leaves them out of training, and predicts no emotion for them; other
        pipelines train on their rows.

    Attributes
    ----------
    frame_seconds : float
        Time from one frame to the next; known before `fit`.

    weights_ : dict of str to ndarray
        The arrays that are needed, by their names in the layout of Hugging Face,
        in the precision of the file. They are persisted with the transformer,
        which then needs the file no more.

    layers_ : tuple of int
        The layers whose outputs are put side by side.

    n_dims_out_ : int
        Number of features of a frame.

    See Also
    --------
    SpeechFeatureExtractor : Computes acoustic descriptors instead.
    SequenceUnion : Joins the frames of several transformers.
    SequenceScaler : Standardises the sequences; set `ignore_padding`.

    Notes
    -----
    Recordings are brought to 16 kHz. Their log-mel spectrogram has 80 bands (or
    128, if the first convolution has), windows of 25 ms and steps of 10 ms, and is
    floored 8 decades below its largest value. It is as long as the recording, where
    Whisper itself pads to 30 s, so a frame costs the same in any recording, and
    hears all of it but nothing else.

    Digital silence at either end of a recording is not encoded: its frames are 0
    in every feature, as those that pad are, by which
    :func:`~skemotion.preprocessing.padding_mask` finds them. A recording of
    nothing else is all zeros.

    Every recording is encoded alone, so its frames do not depend on what else X
    holds.

    References
    ----------
    .. [1] A. Radford et al., "Robust Speech Recognition via Large-Scale Weak
       Supervision", Proc. ICML 2023, https://arxiv.org/abs/2212.04356.

    Examples
    --------
    >>> from skemotion import SpeechEncoder
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> SpeechEncoder().fit_transform(speech.signals[:3]).shape
    (3, 125, 512)
    """

    _parameter_constraints: dict = {
        **RecordingTransformer._parameter_constraints,
        "weights": [str, os.PathLike],
        "layer": [Interval(Integral, 1, None, closed="left"), tuple, list],
        "duration": [Interval(Real, 0, _MAX_DURATION, closed="right")],
        "frame_step": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        weights: File = "whisper-base",
        layer: Any = 2,
        duration: float = 5.0,
        frame_step: int = 2,
        padding_side: Literal["left", "right"] = "left",
        normalize: Literal["peak"] | None = "peak",
        n_jobs: int | None = None,
        memory: Memory | None = None,
        verbose: int = 0,
        on_error: Literal["raise", "warn"] = "raise",
    ):
        self.weights = weights
        self.layer = layer
        self.duration = duration
        self.frame_step = frame_step
        self.padding_side = padding_side
        self.normalize = normalize
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose
        self.on_error = on_error

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "Self":
        """Load the weights; nothing is learnt from X.

        Parameters
        ----------
        X : sequence of recordings
            As in :meth:`transform`, but no iterator, which would be empty
            afterwards. No recording is opened.
        y : ignored
            Present for API consistency.

        Returns
        -------
        self : SpeechEncoder

        Raises
        ------
        ValueError
            If `weights` name no safetensors file of a Whisper model, or a file
            that is incomplete, or of fewer blocks than `layer` asks for.
        """
        check_recordings(X, iterators=False)
        self._set_weights(load_weights(self.weights, self._find_layers()))
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Encode every recording.

        Parameters
        ----------
        X : sequence of recordings
            Paths, binary file objects, pairs ``(signal, sampling_rate)``, 1-D
            signals at 16 kHz, segments ``(recording, start, end)``, dicts of
            Hugging Face, or functions that return a pair, as
            :func:`skemotion.audio.load_audio` takes them; they may be mixed. It
            may be a data frame with a column ``path``, a segmented index of
            audformat, or a data frame that has one.

        Returns
        -------
        ndarray of shape (n_recordings, n_frames, n_dims), dtype float32
            With ``ceil(duration * 50 / frame_step)`` frames, where less than 10 ms
            at the end do not count, and the features of each layer side by
            side, such as 512 for each of Whisper base.

        Raises
        ------
        AudioError
            If recordings cannot be read, unless `on_error` is "warn". It names all
            of them, and those that are missing or of no known format before any
            work is done.
        WorkerError
            If a worker process dies.
        TypeError
            If X is a single path or signal, a set, or a table that has no
            recordings in a column ``path``, nor in its index.
        OSError
            If `memory` is a folder that cannot be made.

        Warns
        -----
        TruncationWarning
            If recordings are longer than `duration`. It counts them all and
            names ten. Functions do not count: they are told how much is wanted.
        UnreadableWarning
            If `on_error` is "warn" and recordings cannot be read. Its attribute
            `rows` has the rows of X that are zeros, and `failures` the reasons.
        SilentBeginningWarning
            If there is next to no sound in their first `duration` seconds, but
            behind.
        CancellationWarning
            If the channels of recordings cancel when they are averaged.
        IncompleteAudioWarning
            If files hold less than their headers say. What there is is used.
        """
        check_is_fitted(self)
        self._check_parameters()
        encoder = find_encoder(self._architecture, self.weights_, self._digest)
        describe = partial(encode, encoder=encoder)
        return self._extract(X, describe, self._settings(), threads_only=True)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns of the last axis, such as ``"layer2_0"``.

        Parameters
        ----------
        input_features : ignored
            Present for API consistency.

        Returns
        -------
        ndarray of shape (n_dims,), dtype object
        """
        check_is_fitted(self)
        width = self._architecture.width
        names = [f"layer{layer}_{i}" for layer in self.layers_ for i in range(width)]
        return np.asarray(names, dtype=object)

    @property
    def frame_seconds(self) -> float:
        """Time from one frame to the next."""
        return self.frame_step * SAMPLES_PER_FRAME / SAMPLING_RATE

    def frame_edges(self, seconds: float) -> NDArray[np.float64]:
        """Tell where the frames of a recording lie in it.

        Parameters
        ----------
        seconds : float
            Length of the recording.

        Returns
        -------
        ndarray of shape (n_frames + 1,), dtype float64
            Frame ``i`` is of what lies between edges ``i`` and ``i + 1``, in seconds
            from the recording's begin. Padding in front of it is negative.
        """
        step, n_samples = int(self.frame_step), round(self.duration * SAMPLING_RATE)
        n_frames = count_encoded(n_samples, step)
        first = 0
        if self.padding_side == "left":
            n_real = min(math.ceil(seconds * SAMPLING_RATE - _ROUNDING), n_samples)
            first = count_encoded(n_real, step) - n_frames
        numbers = np.arange(first, first + n_frames + 1, dtype=np.float64)
        return numbers * self.frame_seconds

    def to_safetensors(self) -> bytes:
        """Return `weights_` as the content of a safetensors file.

        Returns
        -------
        bytes
            Written to a file, it can be given as `weights`.
        """
        check_is_fitted(self)
        return write_weights(self.weights_)

    def from_safetensors(
        self, content: bytes, layers: tuple[int, ...]
    ) -> "SpeechEncoder":
        """Set what is fitted to the content of a safetensors file.

        Parameters
        ----------
        content : bytes
            As :meth:`to_safetensors` returns it.
        layers : tuple of int
            The layers whose outputs are put side by side.

        Returns
        -------
        self : SpeechEncoder

        Raises
        ------
        ValueError
            If it holds no encoder of so many blocks.
        """
        self._set_weights(read_weights(content, layers))
        return self

    def _find_layers(self) -> tuple[int, ...]:
        """Return the layers that are asked for."""
        layers = (self.layer,) if isinstance(self.layer, Integral) else self.layer
        if (
            not layers
            or not all(isinstance(each, Integral) and int(each) >= 1 for each in layers)
            or len(set(layers)) < len(layers)
        ):
            raise ValueError(
                f"layer={self.layer!r} must be the number of a block, from 1, or a "
                "tuple of different ones."
            )
        return tuple(int(each) for each in layers)

    def _set_weights(self, weights: EncoderWeights) -> None:
        """Set what is fitted."""
        self._architecture, self.weights_ = weights
        self._digest = hash_weights(self.weights_)
        self.layers_ = self._architecture.layers
        self.n_dims_out_ = self._architecture.width * len(self.layers_)

    def _settings(self):
        """Collect all that frames depend on besides the samples."""
        n_samples = count_samples(self.duration, SAMPLING_RATE)
        n_frames = count_encoded(n_samples, int(self.frame_step))
        return {
            "version": ENCODER_VERSION,
            "weights": self._digest,
            "layers": list(self.layers_),
            "sampling_rate": SAMPLING_RATE,
            "duration": float(self.duration),
            "n_samples": n_samples,
            "n_mels": self._architecture.n_mels,
            "frame_step": int(self.frame_step),
            "padding_side": str(self.padding_side),
            "normalize": self.normalize,
            "shape": (n_frames, self.n_dims_out_),
        }
