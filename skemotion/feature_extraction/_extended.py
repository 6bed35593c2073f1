"""The extended set: the descriptors of the post, and 81 beside them."""

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._descriptors import (
    compute_descriptors,
    descriptor_names,
)
from skemotion.feature_extraction._formants import (
    FORMANT_NAMES,
    describe_formants,
)
from skemotion.feature_extraction._voice import VOICE_NAMES, describe_voice

MIN_SAMPLING_RATE = 12_801  # all seven contrast bands start below half of it
_N_CONTRASTS = 6
_N_BANDS = 26
_BAND_FMIN = 50.0
_SHORT_WINDOW = 0.032  # seconds
_PARTS = 4  # short frames to a frame
_FLOOR = 1e-10
_SHAPE_NAMES = (
    "log_energy",
    "spectral_flatness",
    "spectral_flux",
    "spectral_slope",
    "spectral_entropy",
    "spectral_skewness",
    "log_spectral_kurtosis",
    "alpha_ratio",
    "hammarberg_index",
)


def extended_descriptor_names(n_mfcc: int) -> list[str]:
    """Name the columns of :func:`compute_extended_descriptors`, in order."""
    return [
        *descriptor_names(n_mfcc),
        *(f"spectral_contrast_{i + 1}" for i in range(_N_CONTRASTS)),
        *(f"log_mel_{i}" for i in range(_N_BANDS)),
        *(f"change_log_mel_{i}" for i in range(_N_BANDS)),
        *_SHAPE_NAMES,
        *VOICE_NAMES,
        *FORMANT_NAMES,
    ]


def compute_extended_descriptors(
    signal: NDArray[np.float32],
    *,
    sampling_rate: int,
    frame_length: int,
    hop_length: int,
    n_mfcc: int,
    n_mels: int,
) -> NDArray[np.float32]:
    """Compute the post's descriptors of one signal, and those that they lack.

    Beside them stand the six contrast bands that they leave out; the logarithm
    of the energy in 26 mel bands, from windows of 32 ms at a quarter of the
    step, and its mean change from one such window to the next; the shape of
    the spectrum, with alpha ratio and Hammarberg index as in [1]_; the voice
    (:func:`~skemotion.feature_extraction._voice.describe_voice`) and three
    formants.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples.
    sampling_rate : int
        In Hz, at least 12801.
    frame_length, hop_length : int
        Window and step of the analysis, in samples. Frames are centred.
    n_mfcc, n_mels : int
        Number of cepstral coefficients and of mel bands below them.

    Returns
    -------
    ndarray of shape (1 + n_samples // hop_length, 87 + 2 * n_mfcc), dtype float32

    References
    ----------
    .. [1] F. Eyben et al., "The Geneva Minimalistic Acoustic Parameter Set
       (GeMAPS) for Voice Research and Affective Computing", IEEE Transactions
       on Affective Computing 7(2), 2016, pp. 190-202.
    """
    import librosa

    basic = compute_descriptors(
        signal,
        sampling_rate=sampling_rate,
        frame_length=frame_length,
        hop_length=hop_length,
        n_mfcc=n_mfcc,
        n_mels=n_mels,
    )
    spectrum = np.abs(librosa.stft(signal, n_fft=frame_length, hop_length=hop_length))
    contrast = librosa.feature.spectral_contrast(
        S=spectrum, sr=sampling_rate, n_bands=_N_CONTRASTS
    )
    power = np.square(spectrum, dtype=np.float64)
    frequencies = np.fft.rfftfreq(frame_length, 1 / sampling_rate)
    step = max(hop_length // _PARTS, 1)
    near = _short_frames(len(basic), len(signal), hop_length, step, _PARTS // 2)
    wide = _short_frames(len(basic), len(signal), hop_length, step, _PARTS)
    columns = [
        basic,
        contrast[1:].T,
        _describe_bands(signal, sampling_rate, step, near),
        _describe_shape(power, frequencies),
        describe_voice(signal, power, frequencies, sampling_rate, step, near, wide),
        describe_formants(signal, sampling_rate, hop_length, len(basic)),
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _short_frames(n_frames, n_samples, hop_length, step, reach):
    """Return the numbers of the short frames around each frame."""
    centre = np.round(np.arange(n_frames) * hop_length / step).astype(np.intp)
    index = centre[:, np.newaxis] + np.arange(-reach, reach)
    return np.clip(index, 0, n_samples // step)


def _describe_bands(signal, sampling_rate, step, near):
    import librosa

    mel = librosa.feature.melspectrogram(
        y=signal,
        sr=sampling_rate,
        n_fft=int(_SHORT_WINDOW * sampling_rate),
        hop_length=step,
        n_mels=_N_BANDS,
        fmin=_BAND_FMIN,
    )
    level = np.log(mel.T + 1e-6)
    change = np.abs(np.diff(level, axis=0, prepend=level[:1]))
    return np.hstack([level[near].mean(axis=1), change[near].mean(axis=1)])


def _describe_shape(power, frequencies):
    """Describe how power is spread over frequency, frame by frame."""
    total = power.sum(axis=0)
    part = (power + _FLOOR) / (power + _FLOOR).sum(axis=0)
    offset = frequencies[:, np.newaxis] - frequencies @ part
    spread = np.sqrt((np.square(offset) * part).sum(axis=0))
    level = np.log(power + _FLOOR)
    centred = frequencies - frequencies.mean()
    change = np.diff(np.sqrt(part), axis=1, prepend=np.sqrt(part[:, :1]))

    def in_band(low, high):
        return power[(frequencies >= low) & (frequencies < high)]

    def log_ratio(above, below):
        return np.log(above + _FLOOR) - np.log(below + _FLOOR)

    return np.stack(
        [
            np.log(total + 1e-6),
            level.mean(axis=0) - np.log(power.mean(axis=0) + _FLOOR),
            np.sqrt(np.square(change).sum(axis=0)),
            1000 * (centred @ level) / np.square(centred).sum(),
            -(part * np.log(part)).sum(axis=0),
            (offset**3 * part).sum(axis=0) / spread**3,
            np.log((offset**4 * part).sum(axis=0) / spread**4),
            log_ratio(in_band(50, 1000).sum(axis=0), in_band(1000, 5000).sum(axis=0)),
            log_ratio(in_band(0, 2000).max(axis=0), in_band(2000, 5000).max(axis=0)),
        ],
        axis=1,
    )
