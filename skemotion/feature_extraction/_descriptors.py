"""From a signal to its descriptors, frame by frame, as librosa defines them."""

import numpy as np
from numpy.typing import NDArray

_SCALAR_NAMES = (
    "spectral_centroid",
    "spectral_contrast",
    "spectral_bandwidth",
    "spectral_rolloff",
    "zero_crossing_rate",
    "rms",
)
_CONTRAST_FMIN = 200.0
_MAX_CONTRAST_BANDS = 6
DELTA_WIDTH = 9


def descriptor_names(n_mfcc: int) -> list[str]:
    """Name the columns of :func:`compute_descriptors`, in order."""
    return [
        *_SCALAR_NAMES,
        *(f"mfcc_{i}" for i in range(n_mfcc)),
        *(f"delta_mfcc_{i}" for i in range(n_mfcc)),
    ]


def compute_descriptors(
    signal: NDArray[np.float32],
    *,
    sampling_rate: int,
    frame_length: int,
    hop_length: int,
    n_mfcc: int,
    n_mels: int,
) -> NDArray[np.float32]:
    """Compute all descriptors of one signal from one short-time spectrum.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples.
    sampling_rate : int
        In Hz.
    frame_length, hop_length : int
        Window and step of the analysis, in samples. Frames are centred.
    n_mfcc, n_mels : int
        Number of cepstral coefficients and of mel bands below them.

    Returns
    -------
    ndarray of shape (1 + n_samples // hop_length, 6 + 2 * n_mfcc), dtype float32
    """
    import librosa

    spectrum = np.abs(librosa.stft(signal, n_fft=frame_length, hop_length=hop_length))
    centroid = librosa.feature.spectral_centroid(S=spectrum, sr=sampling_rate)
    contrast = librosa.feature.spectral_contrast(
        S=spectrum, sr=sampling_rate, n_bands=_n_contrast_bands(sampling_rate)
    )[:1]
    mel = librosa.feature.melspectrogram(
        S=spectrum**2, sr=sampling_rate, n_mels=n_mels, n_fft=frame_length
    )
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=n_mfcc)
    columns = [
        centroid,
        contrast,
        librosa.feature.spectral_bandwidth(
            S=spectrum, sr=sampling_rate, centroid=centroid
        ),
        librosa.feature.spectral_rolloff(S=spectrum, sr=sampling_rate),
        librosa.feature.zero_crossing_rate(
            signal, frame_length=frame_length, hop_length=hop_length
        ),
        librosa.feature.rms(y=signal, frame_length=frame_length, hop_length=hop_length),
        mfcc,
        librosa.feature.delta(mfcc, width=DELTA_WIDTH),
    ]
    return np.concatenate(columns).T.astype(np.float32, order="C")


def _n_contrast_bands(sampling_rate):
    """Take librosa's six octave bands, or the ones that start below Nyquist."""
    starts = _CONTRAST_FMIN * 2.0 ** np.arange(_MAX_CONTRAST_BANDS)
    return int((starts < sampling_rate / 2).sum())
