"""What can be heard and seen of one recording."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from skemotion.audio import decode_start, resample
from skemotion.feature_extraction._log_mel import SAMPLING_RATE
from skemotion.inspection import RecordingDisplay, attention_over_time
from skemotion.report._figures import data_uri, new_figure

LONGEST = 20.0  # seconds that are kept of a recording
_WIDTH, _HEIGHT = 600, 160  # in pixels, more than are shown
_DPI = 100
_PLACES = ((0, 0.62, 1, 0.38), (0, 0, 1, 0.6), (0, 0, 1, 1))
_SMOOTH = {"interpolation": "bilinear"}  # which compresses better
_WEBP = {"quality": 40}  # of 100


@dataclass(frozen=True)
class Snippet:
    """The beginning of a recording, as data URIs.

    Parameters
    ----------
    audio : str or None
        Ogg Opus, mono. None if it is not wanted.
    picture : str
        Waveform, attention and mel spectrogram, exactly as wide as the audio is long.
    seconds : float
        What there is of it.
    is_cut : bool
        Whether the recording goes on.
    """

    audio: str | None
    picture: str
    seconds: float
    is_cut: bool

    @property
    def n_bytes(self) -> int:
        """What it adds to the page."""
        return len(self.audio or "") + len(self.picture)


class SnippetMaker:
    """Decodes the beginnings of recordings, compresses them, and draws them.

    Parameters
    ----------
    audio : bool
        Whether to include what is heard.
    pipeline : fitted Pipeline, default=None
        Whose attention is drawn.
    """

    def __init__(self, *, audio: bool, pipeline: Any = None):
        self._audio = audio
        self._pipeline = pipeline
        self._figure = new_figure(
            (_WIDTH / _DPI, _HEIGHT / _DPI), layout=None, dpi=_DPI
        )
        self._axes = [self._figure.add_axes(place) for place in _PLACES]

    def __call__(self, path: str) -> Snippet:
        """Make the snippet of a recording.

        Raises
        ------
        ValueError
            If it cannot be read; the message is the reason, without the name.
        """
        start = decode_start(path, sampling_rate=SAMPLING_RATE, duration=LONGEST)
        signal = resample(start.signal, start.native_rate, SAMPLING_RATE)
        signal = signal / max(1.0, float(np.abs(signal).max()))
        attention = None
        if self._pipeline is not None:
            attention = attention_over_time(self._pipeline, (signal, SAMPLING_RATE))
        return Snippet(
            audio=_compress(signal) if self._audio else None,
            picture=self._draw(signal, attention),
            seconds=len(signal) / SAMPLING_RATE,
            is_cut=start.findings.is_cut,
        )

    def _draw(self, signal, attention):
        """Draw waveform, attention and spectrogram over all of the width."""
        silent = attention is not None and not attention[1].any()
        display = RecordingDisplay(
            signal, SAMPLING_RATE, np.ones(1), [""], attention=attention, silent=silent
        )
        display.plot(ax=self._axes, cmap="magma", colorbar=False, im_kw=_SMOOTH)
        for ax in self._figure.axes:
            ax.set_axis_off()
            ax.set_title("", loc="left")
        self._axes[2].set_visible(False)  # the page has the probabilities
        content = io.BytesIO()
        self._figure.savefig(content, format="webp", transparent=True, pil_kwargs=_WEBP)
        return data_uri(content.getvalue(), "image/webp")


def _compress(signal):
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, signal, SAMPLING_RATE, format="OGG", subtype="OPUS")
    return data_uri(content.getvalue(), "audio/ogg")
