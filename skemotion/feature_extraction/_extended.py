"""The extended set: the descriptors of the post, and others beside them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._band import HIGHEST, LOWEST, MIN_SAMPLING_RATE
from skemotion.feature_extraction._columns import stack_columns
from skemotion.feature_extraction._descriptor_set import DescriptorSet
from skemotion.feature_extraction._descriptors import (
    check_resolution,
    describe_spectrogram,
    descriptor_names,
)
from skemotion.feature_extraction._floor import COMPARED, DESCRIBED, tone_power
from skemotion.feature_extraction._formants import (
    FORMANT_NAMES,
    describe_formants,
)
from skemotion.feature_extraction._mel import mel_filters, mel_powers
from skemotion.feature_extraction._offset import N_OFFSET_BINS, remove_offset
from skemotion.feature_extraction._spectral import (
    contrast_bands,
    upper_contrasts,
)
from skemotion.feature_extraction._spectrogram import (
    Spectrogram,
    compute_spectrogram,
    count_frames,
    extend_over_silence,
)
from skemotion.feature_extraction._voice import VOICE_NAMES, describe_voice

_N_CONTRASTS = 6
_N_BANDS = 26
_SHORT_WINDOW = 0.032  # seconds
_PARTS = 4  # short frames to a frame
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


class _Heard(NamedTuple):
    """What all groups are computed from; the signal has no offset."""

    signal: NDArray[np.float32]
    spectrogram: Spectrogram
    sampling_rate: int
    hop_length: int
    n_frames: int
    peak: float
    step: int  # from one short frame to the next, in samples
    near: NDArray[np.intp]  # short frames around each frame
    wide: NDArray[np.intp]


class _Group(NamedTuple):
    """Columns that are computed together, and their names."""

    names: tuple[str, ...]
    describe: Callable[[_Heard], NDArray]


def extended_descriptor_names(n_mfcc: int) -> list[str]:
    """Name the columns of :func:`compute_extended_descriptors`, in order."""
    added = [name for group in _GROUPS for name in group.names]
    return [*descriptor_names(n_mfcc), *added]


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

    They measure the voice, not the file: within a band that resamplers and codecs
    leave alone, of samples without their mean, and above a floor that follows the
    peak.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples.
    sampling_rate : int
        In Hz, at least 16000.
    frame_length, hop_length : int
        Window and step of the analysis, in samples. Frames are centred.
    n_mfcc, n_mels : int
        Number of cepstral coefficients and of mel bands below them.

    Returns
    -------
    ndarray of shape (n_frames, 87 + 2 * n_mfcc), dtype float32

    References
    ----------
    .. [1] F. Eyben et al., "The Geneva Minimalistic Acoustic Parameter Set
       (GeMAPS) for Voice Research and Affective Computing", IEEE Transactions
       on Affective Computing 7(2), 2016, pp. 190-202.
    """
    spectrogram = compute_spectrogram(
        signal,
        sampling_rate=sampling_rate,
        frame_length=frame_length,
        hop_length=hop_length,
    )
    basic = describe_spectrogram(
        signal,
        spectrogram,
        sampling_rate=sampling_rate,
        hop_length=hop_length,
        n_mfcc=n_mfcc,
        n_mels=n_mels,
    )
    heard = _hear(signal, spectrogram, sampling_rate, hop_length, len(basic))
    columns = [basic, *(group.describe(heard) for group in _GROUPS)]
    return np.concatenate(columns, axis=1, dtype=np.float32)


def _hear(signal, spectrogram, sampling_rate, hop_length, n_frames):
    signal, spectrogram = remove_offset(signal, spectrogram, hop_length)
    step = max(hop_length // _PARTS, 1)
    n_short = count_frames(len(signal), _short_window(sampling_rate), step)
    near, wide = (
        _short_frames(n_frames, n_short, hop_length, step, reach)
        for reach in (_PARTS // 2, _PARTS)
    )
    return _Heard(
        signal=signal,
        spectrogram=spectrogram,
        sampling_rate=sampling_rate,
        hop_length=hop_length,
        n_frames=n_frames,
        peak=float(np.abs(signal).max()),
        step=step,
        near=near,
        wide=wide,
    )


def _short_window(sampling_rate):
    return 2 * int(_SHORT_WINDOW / 2 * sampling_rate)


def _short_frames(n_frames, n_short, hop_length, step, reach):
    """Return the numbers of the short frames around each frame."""
    centre = np.round(np.arange(n_frames) * hop_length / step).astype(np.intp)
    index = centre[:, np.newaxis] + np.arange(-reach, reach)
    return np.clip(index, 0, n_short - 1)


def _describe_contrasts(heard):
    sound, frames, magnitudes, _ = heard.spectrogram
    frame_length = frames.shape[1]
    bands = contrast_bands(heard.sampling_rate, frame_length, HIGHEST)
    floor = float(np.sqrt(tone_power(DESCRIBED * heard.peak, frame_length)))
    contrasts = upper_contrasts(magnitudes, bands, floor)
    return extend_over_silence(contrasts, sound, heard.n_frames)


def _describe_bands(heard):
    signal, sampling_rate, peak, step = (
        heard.signal,
        heard.sampling_rate,
        heard.peak,
        heard.step,
    )
    window = _short_window(sampling_rate)
    n_short = count_frames(len(signal), window, step)
    spectrogram = compute_spectrogram(
        signal,
        sampling_rate=sampling_rate,
        frame_length=window,
        hop_length=step,
        dtype=np.float32,
    )
    bank = sampling_rate, window, _N_BANDS, LOWEST, HIGHEST
    power = mel_powers(np.square(spectrogram.magnitudes), *bank)
    width = mel_filters(*bank).sum(axis=0)
    level, loudness = (
        extend_over_silence(
            np.log(power + tone_power(floor * peak, window) * width),
            spectrogram.sound,
            n_short,
        )
        for floor in (DESCRIBED, COMPARED)
    )
    change = np.abs(np.diff(loudness, axis=0, prepend=loudness[:1]))
    near = heard.near
    return np.hstack([level[near].mean(axis=1), change[near].mean(axis=1)])


def _describe_shape(heard):
    """Describe how power is spread over frequency, frame by frame."""
    sound, frames, magnitudes, frequencies = heard.spectrogram
    peak, n_frames = heard.peak, heard.n_frames
    start, stop = np.searchsorted(frequencies, [LOWEST, HIGHEST])
    voice = slice(max(start, N_OFFSET_BINS), stop)
    frequencies = frequencies[voice]
    power = np.square(magnitudes[:, voice])
    power += tone_power(DESCRIBED * peak, frames.shape[1])
    total = power.sum(axis=1)
    part = power / total[:, np.newaxis]
    level = np.log(power)
    centred = (frequencies - frequencies.mean()).astype(np.float32)

    def in_band(low, high):
        start, stop = np.searchsorted(frequencies, [low, high])
        return power[:, start:stop]

    skewness, kurtosis = _skewness_and_log_kurtosis(
        part, frequencies.astype(np.float32)
    )
    columns = {
        "log_energy": np.log(total),
        "spectral_flatness": level.mean(axis=1) - np.log(power.mean(axis=1)),
        "spectral_flux": _flux(np.sqrt(part)),
        "spectral_slope": 1000 * (level @ centred) / np.square(centred).sum(),
        "spectral_entropy": np.log(total) - np.einsum("tf,tf->t", part, level),
        "spectral_skewness": skewness,
        "log_spectral_kurtosis": kurtosis,
        "alpha_ratio": np.log(
            in_band(0, 1000).sum(axis=1) / in_band(1000, 5000).sum(axis=1)
        ),
        "hammarberg_index": np.log(
            in_band(0, 2000).max(axis=1) / in_band(2000, 5000).max(axis=1)
        ),
    }
    shape = stack_columns(columns, _SHAPE_NAMES)
    shape = extend_over_silence(shape, sound, n_frames)
    # From one silent frame to the next, nothing changes.
    shape[sound.stop :, _SHAPE_NAMES.index("spectral_flux")] = 0
    return shape


def _flux(spectra):
    """Return the distance of every spectrum to the one before, 0 for the first."""
    change = np.diff(spectra, axis=0)
    return np.append(0.0, np.sqrt(np.einsum("tf,tf->t", change, change)))


def _skewness_and_log_kurtosis(part, frequencies):
    offset = frequencies - (part @ frequencies)[:, np.newaxis]
    # Once more, for a high tone's spread is less than the centroid's rounding.
    offset -= np.einsum("tf,tf->t", part, offset)[:, np.newaxis]
    square = np.square(offset)
    weighted = part * square
    variance = weighted.sum(axis=1)
    third = np.einsum("tf,tf->t", weighted, offset)
    fourth = np.einsum("tf,tf->t", weighted, square)
    return third / variance**1.5, np.log(fourth / variance**2)


def _describe_voice(heard):
    return describe_voice(
        heard.signal,
        heard.spectrogram,
        heard.sampling_rate,
        heard.peak,
        heard.step,
        heard.near,
        heard.wide,
    )


def _describe_formants(heard):
    return describe_formants(
        heard.signal,
        heard.sampling_rate,
        heard.peak,
        heard.hop_length,
        heard.n_frames,
    )


_GROUPS = (
    _Group(
        tuple(f"spectral_contrast_{i + 1}" for i in range(_N_CONTRASTS)),
        _describe_contrasts,
    ),
    _Group(
        tuple(
            f"{kind}_{i}"
            for kind in ("log_mel", "change_log_mel")
            for i in range(_N_BANDS)
        ),
        _describe_bands,
    ),
    _Group(_SHAPE_NAMES, _describe_shape),
    _Group(VOICE_NAMES, _describe_voice),
    _Group(FORMANT_NAMES, _describe_formants),
)

DESCRIPTORS = DescriptorSet(
    "extended",
    compute_extended_descriptors,
    names=extended_descriptor_names,
    version=2,
    min_sampling_rate=MIN_SAMPLING_RATE,
    check=check_resolution,
)
