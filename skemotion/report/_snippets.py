"""What can be heard and seen of one recording."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skemotion.audio import decode_start, resample
from skemotion.feature_extraction._log_mel import SAMPLING_RATE, log_mel_spectrogram
from skemotion.report._figures import data_uri

LONGEST = 20.0  # seconds that are kept of a recording
_MIN_SAMPLES = 201  # below, there is no spectrogram
_SIZE = (560, 150)  # in pixels, twice as many as are shown


@dataclass(frozen=True)
class Snippet:
    """The beginning of a recording, as data URIs.

    Parameters
    ----------
    audio : str or None
        Ogg Opus, mono. None if it is not wanted.
    picture : str or None
        Waveform and mel spectrogram, exactly as wide as the audio is long. None
        if the recording is too short for one.
    seconds : float
        What there is of it.
    is_cut : bool
        Whether the recording goes on.
    """

    audio: str | None
    picture: str | None
    seconds: float
    is_cut: bool

    @property
    def n_bytes(self) -> int:
        """What it adds to the page."""
        return len(self.audio or "") + len(self.picture or "")


def make_snippet(path: str, *, audio: bool) -> Snippet:
    """Decode the beginning of a recording, compress it, and draw it.

    Raises
    ------
    ValueError
        If it cannot be read; the message is the reason, without the name.
    """
    start = decode_start(path, sampling_rate=SAMPLING_RATE, duration=LONGEST)
    signal = resample(start.signal, start.native_rate, SAMPLING_RATE)
    signal = signal / max(1.0, float(np.abs(signal).max()))
    return Snippet(
        audio=_compress(signal) if audio else None,
        picture=_draw(signal) if len(signal) >= _MIN_SAMPLES else None,
        seconds=len(signal) / SAMPLING_RATE,
        is_cut=start.is_cut,
    )


def _compress(signal: NDArray[np.float32]) -> str:
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, signal, SAMPLING_RATE, format="OGG", subtype="OPUS")
    return data_uri(content.getvalue(), "audio/ogg")


def _draw(signal: NDArray[np.float32]) -> str:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_SIZE[0] / 100, _SIZE[1] / 100), dpi=100)
    FigureCanvasAgg(figure)
    wave, mel = figure.add_axes((0, 0.68, 1, 0.32)), figure.add_axes((0, 0, 1, 0.66))
    wave.plot(signal, color="#3b8ec2", linewidth=0.8)
    peak = max(float(np.abs(signal).max()), 1e-9)
    wave.set(xlim=(0, len(signal)), ylim=(-peak, peak))
    mel.imshow(
        log_mel_spectrogram(signal).T, origin="lower", aspect="auto", cmap="magma"
    )
    for ax in (wave, mel):
        ax.set_axis_off()
    content = io.BytesIO()
    figure.savefig(
        content, format="webp", transparent=True, pil_kwargs={"quality": 60}
    )
    return data_uri(content.getvalue(), "image/webp")
