"""The transformer that turns recordings into sequences."""

from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skemotion._typing import Memory
from skemotion._validation._parameters import fit_context
from skemotion.audio import check_recordings, count_samples
from skemotion.feature_extraction._base import RecordingTransformer
from skemotion.feature_extraction._descriptor_set import DescriptorSet
from skemotion.feature_extraction._sets import (
    cached_version,
    describe,
    find_sets,
    names_of_sets,
)
from skemotion.feature_extraction._spectrogram import count_frames

if TYPE_CHECKING:
    from typing_extensions import Self


class SpeechFeatureExtractor(RecordingTransformer):
    """Turn recordings into sequences of acoustic descriptors.

    Every recording is decoded, mixed down, resampled, cut or padded to
    `duration`, and described frame by frame by spectral centroid, contrast
    (its lowest band), bandwidth and roll-off, zero-crossing rate, root mean
    square, mel-frequency cepstral coefficients (MFCC) and their first
    derivatives. The defaults give 157 frames of 46 descriptors [1]_, each
    equal to what librosa's own function returns [2]_.

    The transformer is stateless: `fit` only checks parameters.

    Parameters
    ----------
    sampling_rate : int, default=16000
        Rate to which recordings are brought, in Hz. More than 800 Hz.

    duration : float, default=5.0
        Length of every sequence in seconds. Longer recordings are cut at the
        end, with a warning, and no more of a file is read; shorter ones are
        padded. :class:`EmotionPipeline` looks at all of a recording, if it is
        given a `hop_duration`.

    hop_length : int, default=512
        Step from one frame to the next, in samples.

    frame_length : int, default=2048
        Length of the window and of the Fourier transform, in samples.

    n_mfcc : int, default=20
        Number of MFCCs, at most `n_mels`.

    n_mels : int, default=128
        Number of mel bands that the MFCCs are computed from.

    padding_side : {"left", "right"}, default="left"
        Where digital silence is added to a short recording.

    normalize : {"peak"} or None, default=None
        "peak" scales what is left of a recording after cutting so that its
        largest sample is 1 in magnitude, so that no descriptor depends on the
        gain of the microphone. None leaves it as it is.

    descriptors : {"post", "extended"}, DescriptorSet or list of these, default="post"
        Which descriptors a frame has: the 46 above, or these and 81 more, 127
        in all; a :class:`~skemotion.feature_extraction.DescriptorSet` of your
        own; or several sets side by side. "extended" adds the upper contrast
        bands, the energy in 26 mel bands and its fast changes, the shape of the
        spectrum, pitch, voicing, harmonics-to-noise ratio, measures of jitter
        and shimmer, the prominence of the first harmonic, and three formants,
        all within 50 to 7000 Hz. It asks for a `sampling_rate` of at least
        16000 Hz, and takes about five times as long.

    n_jobs : int, default=None
        Number of recordings worked on at the same time, by joblib. None means
        1 unless in a :obj:`joblib.parallel_config` context, -1 means all
        processors. The default backend is threads for fewer than 500
        recordings, and processes for more; meanwhile, BLAS is kept to one
        thread.

    memory : str or object with the joblib.Memory interface, default=None
        Where descriptors are cached, one entry per recording. The key is made
        of the decoded samples and the parameters, not of the path, so a
        renamed file is found again and a changed one is not. Functions are
        cached if they have a `cache_key`, as the copies of
        :class:`SpeechAugmenter` do. Of a folder, entries are kept in a format
        of skemotion's that costs less than joblib's; several processes may
        share it, and ``skemotion cache`` looks after it.

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
        Time from one frame to the next.

    See Also
    --------
    SequenceScaler : Standardises the sequences.
    skemotion.make_emotion_pipeline : The whole way to emotions.

    Notes
    -----
    A signal of n samples has ``1 + n // hop_length`` frames, centred at
    multiples of `hop_length`; if `frame_length` is odd, ``1 + (n - 1) //
    hop_length``, as in librosa. Frames of nothing but zeros in front of the sound
    or behind it are not analysed, so padding costs next to nothing.

    Below 12.8 kHz fewer than librosa's seven contrast bands fit under the Nyquist
    frequency; the ones that do are used.

    *What descriptors follow besides the voice.* The 81 that "extended" adds look
    at 50 to 7000 Hz (but ``shimmer``, at the largest samples), subtract the
    recording's mean, and see nothing 80 dB below its peak, or 60 dB for formants
    and for changes from one short window to the next. So the way
    by another rate (22.05, 44.1, 48 kHz), MP3 down to 32 kbit/s, an offset of 5 %
    of the peak, and silence at either end move the mean of none over a recording
    of the Berlin EMO-DB by more than half of its deviation over all recordings.
    Levels (``log_mel_*``, ``log_energy``) follow the gain, which
    ``normalize="peak"`` takes out; nothing else does. A frame that is analysed
    holds what is there: white noise, other voices and rooms are not taken out.

    The 46 are equal to librosa's, which look up to the Nyquist frequency and keep
    an offset, and so they follow more:

    - an offset adds to the lowest band: of 5 % of the peak, it moves
      ``spectral_contrast`` by 3.8 deviations, ``zero_crossing_rate`` by 1.8,
      ``spectral_centroid`` and ``spectral_rolloff`` by 0.9, ``rms`` by 0.6, and a
      few MFCCs by 0.5;
    - encoders leave out what is above 7.2 kHz, and the highest mel bands with it:
      MP3 moves MFCCs by up to 1, and ``zero_crossing_rate`` by 0.5; another rate
      moves MFCCs by 0.4;
    - where silence follows, the derivatives of the last frames span the end of the
      speech, where they are otherwise repeated: ``delta_mfcc_*`` moves by up to
      0.9;
    - without ``normalize="peak"``, ``rms`` and ``mfcc_0`` follow the gain.

    References
    ----------
    .. [1] R. Cantini, "Emotion detection from speech using Bi-directional LSTM
       networks and attention mechanism in Keras", 2020.
    .. [2] B. McFee et al., "librosa: Audio and music signal analysis in
       Python", Proc. 14th Python in Science Conf., 2015, pp. 18-24.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import SpeechFeatureExtractor
    >>> rng = np.random.default_rng(0)
    >>> signals = [rng.normal(size=16000), rng.normal(size=80000)]
    >>> extractor = SpeechFeatureExtractor()
    >>> extractor.transform(signals).shape
    (2, 157, 46)
    >>> extractor.get_feature_names_out()[:3]
    array(['spectral_centroid', 'spectral_contrast', 'spectral_bandwidth'],
          dtype=object)
    """

    _parameter_constraints: dict = {
        "sampling_rate": [Interval(Integral, 801, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "frame_length": [Interval(Integral, 2, None, closed="left")],
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "descriptors": [str, DescriptorSet, list, tuple],
        **RecordingTransformer._parameter_constraints,
    }

    def __init__(
        self,
        *,
        sampling_rate: int = 16000,
        duration: float = 5.0,
        hop_length: int = 512,
        frame_length: int = 2048,
        n_mfcc: int = 20,
        n_mels: int = 128,
        padding_side: Literal["left", "right"] = "left",
        normalize: Literal["peak"] | None = None,
        descriptors: Any = "post",
        n_jobs: int | None = None,
        memory: Memory | None = None,
        verbose: int = 0,
        on_error: Literal["raise", "warn"] = "raise",
    ):
        self.sampling_rate = sampling_rate
        self.duration = duration
        self.hop_length = hop_length
        self.frame_length = frame_length
        self.n_mfcc = n_mfcc
        self.n_mels = n_mels
        self.padding_side = padding_side
        self.normalize = normalize
        self.descriptors = descriptors
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose
        self.on_error = on_error

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "Self":
        """Check the parameters and the type of X; nothing is learnt.

        Parameters
        ----------
        X : sequence of recordings
            As in :meth:`transform`, but no iterator, which would be empty
            afterwards. No recording is opened.
        y : ignored
            Present for API consistency.

        Returns
        -------
        self : SpeechFeatureExtractor
        """
        self._check_parameters()
        check_recordings(X, iterators=False)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Extract the descriptors of every recording.

        Parameters
        ----------
        X : sequence of recordings
            Paths, binary file objects, pairs ``(signal, sampling_rate)``, 1-D
            signals at `sampling_rate`, segments ``(recording, start, end)``, dicts of
            Hugging Face, or functions that return a pair, as
            :func:`skemotion.audio.load_audio` takes them; they may be mixed. It
            may be a data frame with a column ``path``, a segmented index of
            audformat, or a data frame that has one.

        Returns
        -------
        ndarray of shape (n_recordings, n_frames, n_features), dtype float32
            With ``6 + 2 * n_mfcc`` features, or ``87 + 2 * n_mfcc`` if
            `descriptors` is "extended"; those of several sets side by side.

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
        self._check_parameters()
        sets = find_sets(self.descriptors)
        return self._extract(X, partial(describe, sets=sets), self._settings())

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns of the last axis.

        Parameters
        ----------
        input_features : ignored
            Present for API consistency.

        Returns
        -------
        ndarray of shape (n_features,), dtype object
        """
        names = names_of_sets(find_sets(self.descriptors), **self._analysis())
        return np.asarray(names, dtype=object)

    @property
    def frame_seconds(self) -> float:
        """Time from one frame to the next."""
        return self.hop_length / self.sampling_rate

    def frame_edges(self, seconds: float) -> NDArray[np.float64]:
        """Tell where the frames of a recording lie in it.

        Parameters
        ----------
        seconds : float
            Length of the recording.

        Returns
        -------
        ndarray of shape (n_frames + 1,), dtype float64
            Frame ``i`` is centred between edges ``i`` and ``i + 1``, in seconds from
            the recording's begin. Padding in front of it is negative.
        """
        padding = 0.0
        if self.padding_side == "left":
            padding = max(self._n_samples / self.sampling_rate - seconds, 0.0)
        return (np.arange(self._n_frames + 1) - 0.5) * self.frame_seconds - padding

    @property
    def _n_samples(self):
        return count_samples(self.duration, self.sampling_rate)

    @property
    def _n_frames(self):
        return count_frames(
            self._n_samples, int(self.frame_length), int(self.hop_length)
        )

    def _settings(self):
        """Collect all that descriptors depend on besides the samples."""
        sets = find_sets(self.descriptors)
        names = [each.name for each in sets]
        return {
            "version": cached_version(sets),
            "sampling_rate": int(self.sampling_rate),
            "duration": float(self.duration),
            "n_samples": self._n_samples,
            "padding_side": str(self.padding_side),
            "normalize": self.normalize,
            "shape": (self._n_frames, len(self.get_feature_names_out())),
            "set": names[0] if len(names) == 1 else names,
            "descriptors": self._analysis(),
        }

    def _analysis(self):
        """Collect what the functions of descriptors may ask for."""
        names = ("frame_length", "hop_length", "n_mfcc", "n_mels")
        return {name: int(getattr(self, name)) for name in names}

    def _check_parameters(self):
        super()._check_parameters()
        sets = find_sets(self.descriptors)
        for each in sets:
            each.check_settings(
                sampling_rate=int(self.sampling_rate),
                n_frames=self._n_frames,
                **self._analysis(),
            )
        names_of_sets(sets, **self._analysis())

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
