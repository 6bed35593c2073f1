"""From a signal to its descriptors, frame by frame, as librosa defines them."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from skemotion.feature_extraction._columns import stack_columns
from skemotion.feature_extraction._descriptor_set import DescriptorSet
from skemotion.feature_extraction._spectral import (
    centroid_and_bandwidth,
    contrast_bands,
    lowest_contrast,
    mel_cepstrum,
    roll_off,
)
from skemotion.feature_extraction._spectrogram import (
    Spectrogram,
    compute_spectrogram,
    count_frames,
)

_SCALAR_NAMES = (
    "spectral_centroid",
    "spectral_contrast",
    "spectral_bandwidth",
    "spectral_rolloff",
    "zero_crossing_rate",
    "rms",
)
_N_SCALARS = len(_SCALAR_NAMES)
_ZERO_CROSSING_THRESHOLD = 1e-10
_NEARLY_CONSTANT = 2e-3
_DELTA_WIDTH = 9


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

    Frames of nothing but zeros in front of the sound and behind it, such as
    padding, are not analysed: what librosa returns for them is known.

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
    ndarray of shape (n_frames, 6 + 2 * n_mfcc), dtype float32
    """
    spectrogram = compute_spectrogram(
        signal,
        sampling_rate=sampling_rate,
        frame_length=frame_length,
        hop_length=hop_length,
    )
    return describe_spectrogram(
        signal,
        spectrogram,
        sampling_rate=sampling_rate,
        hop_length=hop_length,
        n_mfcc=n_mfcc,
        n_mels=n_mels,
    )


def describe_spectrogram(
    signal: NDArray[np.float32],
    spectrogram: Spectrogram,
    *,
    sampling_rate: int,
    hop_length: int,
    n_mfcc: int,
    n_mels: int,
) -> NDArray[np.float32]:
    """Compute all descriptors of a signal whose spectrogram is there already.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples.
    spectrogram : Spectrogram
        Of this signal.
    sampling_rate : int
        In Hz.
    hop_length : int
        Step of the spectrogram, in samples.
    n_mfcc, n_mels : int
        Number of cepstral coefficients and of mel bands below them.

    Returns
    -------
    ndarray of shape (n_frames, 6 + 2 * n_mfcc), dtype float32
    """
    sound, frames, magnitudes, frequencies = spectrogram
    frame_length = frames.shape[1]
    n_frames = count_frames(len(signal), frame_length, hop_length)
    centroid, bandwidth = centroid_and_bandwidth(magnitudes, frequencies)
    contrast = lowest_contrast(magnitudes, contrast_bands(sampling_rate, frame_length))

    descriptors = np.empty((n_frames, _N_SCALARS + 2 * n_mfcc), dtype=np.float32)
    static, slopes = np.split(descriptors, [_N_SCALARS + n_mfcc], axis=1)
    scalars = {
        "spectral_centroid": centroid,
        "spectral_contrast": contrast,
        "spectral_bandwidth": bandwidth,
        "spectral_rolloff": roll_off(magnitudes, frequencies),
        "zero_crossing_rate": _zero_crossing_rate(
            signal, sound, frame_length, hop_length
        ),
        "rms": _root_mean_square(frames),
    }
    static[sound, :_N_SCALARS] = stack_columns(scalars, _SCALAR_NAMES)
    static[sound, _N_SCALARS:] = mel_cepstrum(
        magnitudes, n_mfcc, sampling_rate, frame_length, n_mels
    )
    static[: sound.start] = static[sound.start]
    static[sound.stop :] = static[sound.stop - 1]
    slopes[:] = _slopes(static[:, _N_SCALARS:])
    return descriptors


def _zero_crossing_rate(signal, sound, frame_length, hop_length):
    """Return the share of samples whose sign is not that of the one before."""
    negative = signal < -_ZERO_CROSSING_THRESHOLD
    crossings = 1 + np.flatnonzero(negative[1:] != negative[:-1])
    starts = np.arange(sound.start, sound.stop) * hop_length - frame_length // 2
    # librosa repeats the first and the last sample, so nothing crosses beyond them.
    until = np.searchsorted(crossings, starts + frame_length)
    return (until - np.searchsorted(crossings, starts + 1)) / frame_length


def _root_mean_square(frames):
    return np.sqrt(np.einsum("tn,tn->t", frames, frames) / frames.shape[1])


def _slopes(values):
    """Return the slope over frames, by least squares over nine of them.

    The first and last four frames have that of the nearest nine.
    """
    half = _DELTA_WIDTH // 2
    steps = np.arange(-half, half + 1)
    weights = steps / np.square(steps).sum()
    inner = (
        sliding_window_view(values.astype(np.float64), _DELTA_WIDTH, axis=0) @ weights
    )
    if (inner.std(axis=0) < _NEARLY_CONSTANT * np.abs(values).max(axis=0)).any():
        return _slopes_of_librosa(values)
    slopes = np.empty_like(values)
    slopes[half:-half] = inner
    slopes[:half], slopes[-half:] = inner[0], inner[-1]
    return slopes


def _slopes_of_librosa(values):
    # It fits the ends in single precision, with an error that shows where little
    # else is left, as in silence.
    from scipy.signal import savgol_filter

    return savgol_filter(values, _DELTA_WIDTH, polyorder=1, deriv=1, axis=0)


def check_resolution(
    sampling_rate: int,
    frame_length: int,
    hop_length: int,
    n_frames: int,
    n_mfcc: int,
    n_mels: int,
) -> None:
    """Raise ValueError where frames are too short, too few, or have too few bands."""
    if n_mfcc > n_mels:
        raise ValueError(
            f"n_mfcc={n_mfcc} is more than n_mels={n_mels} allows; raise n_mels or ask "
            "for fewer MFCCs."
        )
    if n_frames < _DELTA_WIDTH:
        raise ValueError(
            f"duration and hop_length={hop_length} give {n_frames} frames, but the "
            f"MFCC derivatives need {_DELTA_WIDTH}; raise duration or lower hop_length."
        )
    if sampling_rate / frame_length > 100:
        raise ValueError(
            f"frame_length={frame_length} is too short to resolve the band below 200 "
            f"Hz at {sampling_rate} Hz; use at least {-(-sampling_rate // 100)} "
            "samples."
        )


DESCRIPTORS = DescriptorSet(
    "post",
    compute_descriptors,
    names=descriptor_names,
    version=2,
    check=check_resolution,
)
