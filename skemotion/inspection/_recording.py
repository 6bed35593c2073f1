"""One recording: how it sounds, what it is taken for, and where the model looks."""

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skemotion._validation._arrays import as_numbers
from skemotion._validation._labels import check_classes
from skemotion.audio import recording_name
from skemotion.exceptions import NoSpeechWarning, TruncationWarning
from skemotion.feature_extraction._log_mel import SAMPLING_RATE
from skemotion.feature_extraction._mel import hertz_to_mel
from skemotion.inspection._attention_over_time import attention_over_time
from skemotion.inspection._estimators import last_step
from skemotion.inspection._looks import load
from skemotion.inspection._occlusion import occlusion_over_time
from skemotion.inspection._plotting import (
    COLOURS,
    GREY,
    choose_classes,
    draw_also,
    draw_once,
    name_rows,
    shorten_middle,
    text_size,
)
from skemotion.inspection._recording_parts import (
    N_MELS,
    envelope,
    make_parts,
    mel_decibels,
)

Course = tuple[NDArray[np.float64], NDArray[np.float64]]
_TICKS = (1000, 2000, 4000, 8000)  # Hz
_DYNAMICS = 60.0  # dB below the loudest that are shown
_LEAST_PEAK = 1e-4
_LEAST_FALL = 1e-3
_LIGHT = "#9ecae1"  # of what is not predicted
_MAX_NAME = 44  # letters
_MAX_CLASS_NAME = 14


class RecordingDisplay:
    """Waveform, mel spectrogram and probabilities of one recording.

    Where the model looks is drawn over the waveform, in the recording's own time.
    Beside it stands a bar for each emotion.

    Use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
        The samples.

    sampling_rate : float
        Their rate, in Hz.

    probabilities : ndarray of shape (n_classes,)
        Probability of each class.

    class_names : sequence of str of length n_classes
        Names of the classes, from top to bottom.

    attention : (edges, weights), default=None
        As :func:`attention_over_time` returns it. None draws none.

    occlusion : (edges, falls), default=None
        As :func:`occlusion_over_time` returns it. None draws none.

    name : str, default=None
        What to call the recording.

    y_true : str, default=None
        The class that it is labelled as, one of `class_names`, which is marked.

    silent : bool, default=False
        Whether no speech was found in it.

    Attributes
    ----------
    attention_ax_ : matplotlib Axes or None
        Twin of the waveform's axes, with the scale of attention.

    waveform_ : matplotlib PolyCollection
        Range of the samples in each column of the picture.

    im_ : matplotlib AxesImage
        The spectrogram, in dB below its loudest point.

    colorbar_ : matplotlib Colorbar or None
        The scale of the spectrogram, None if it was not asked for.

    attention_ : matplotlib StepPatch or None
        Attention over time, as share per second, so that it does not depend on the
        length of stretches.

    occlusion_ : matplotlib StepPatch or None
        Fall of the predicted class's probability where a stretch is silenced.

    bars_ : matplotlib BarContainer
        The probabilities.

    ax_ : ndarray of shape (3,) or (4,)
        Axes with waveform, spectrogram, probabilities and, where it is drawn,
        occlusion.

    figure_ : matplotlib Figure
        Figure with the axes.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.inspection import RecordingDisplay
    >>> noise = np.random.default_rng(0).normal(size=16000)
    >>> display = RecordingDisplay(noise, 16000, [0.7, 0.3], ["anger", "fear"])
    >>> display.plot().ax_[0].get_title(loc="left")
    'anger 0.70'
    """

    def __init__(
        self,
        signal: NDArray,
        sampling_rate: float,
        probabilities: NDArray,
        class_names: Sequence[str],
        *,
        attention: Course | None = None,
        occlusion: Course | None = None,
        name: str | None = None,
        y_true: str | None = None,
        silent: bool = False,
    ):
        self.signal = signal
        self.sampling_rate = sampling_rate
        self.probabilities = probabilities
        self.class_names = class_names
        self.attention = attention
        self.occlusion = occlusion
        self.name = name
        self.y_true = y_true
        self.silent = silent

    def plot(
        self,
        *,
        ax: Any = None,
        cmap: Any = "cividis",
        colorbar: bool = True,
        im_kw: dict | None = None,
        bar_kw: dict | None = None,
    ) -> "RecordingDisplay":
        """Draw the recording.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, default=None
            One is a frame, within which the parts are made. A sequence holds one
            for each part: waveform, spectrogram, probabilities and, with
            `occlusion`, that. None creates a figure.

        cmap : str or matplotlib Colormap, default="cividis"
            Colours of the spectrogram.

        colorbar : bool, default=True
            Whether to add a scale to the spectrogram.

        im_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.imshow`.

        bar_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        RecordingDisplay
            The display itself.

        Raises
        ------
        ValueError
            If the recording is empty, its parts do not fit together, or `ax` holds
            another number of axes.
        """
        self._check()
        axes = make_parts(ax, 3 + self._shows_occlusion, RecordingDisplay)
        self.ax_, self.figure_ = axes, axes[0].figure
        for part in axes:
            draw_once(part, RecordingDisplay)
        self._size = text_size(self.figure_)
        self._seconds = len(self.signal) / self.sampling_rate
        self._plot_waveform(axes[0])
        self._plot_attention(axes[0])
        self._plot_spectrogram(axes[1], cmap, colorbar, im_kw or {})
        self._plot_probabilities(axes[2], bar_kw or {})
        self._plot_occlusion(axes[3] if self._shows_occlusion else None)
        for part in axes:
            part.tick_params(axis="x", labelsize=self._size)
            if part is not axes[2]:
                part.tick_params(axis="y", labelsize=self._size)
        return self

    def _check(self):
        n_classes = len(self.class_names)
        if np.ndim(self.signal) != 1 or len(self.signal) == 0:
            raise ValueError(
                f"signal has shape {np.shape(self.signal)}; give the samples of one "
                "recording, of shape (n_samples,), and at least one."
            )
        if np.shape(self.probabilities) != (n_classes,) or n_classes == 0:
            raise ValueError(
                f"probabilities has shape {np.shape(self.probabilities)} for "
                f"{n_classes} class_names; give one of each class, and at least one."
            )
        if self.y_true is not None and self.y_true not in self.class_names:
            raise ValueError(
                f"y_true={self.y_true!r} is none of the class_names: "
                f"{', '.join(map(str, self.class_names))}."
            )

    @property
    def _shows_occlusion(self):
        return self.occlusion is not None and not self.silent

    def _plot_waveform(self, ax):
        low, high = envelope(np.asarray(self.signal))
        times = np.linspace(0, self._seconds, len(low))
        self.waveform_ = ax.fill_between(times, low, high, color="0.45", linewidth=0)
        peak = max(np.abs(low).max(), np.abs(high).max(), _LEAST_PEAK)
        ax.set(xlim=(0, self._seconds), ylim=(-1.05 * peak, 1.05 * peak))
        ax.set_ylabel("Amplitude", fontsize=self._size)
        ax.tick_params(labelbottom=False)
        ax.locator_params(axis="y", nbins=3)
        ax.set_title(self._title(), loc="left", fontsize=self._size)
        draw_once(ax, RecordingDisplay, [self.waveform_])

    def _title(self):
        names = [str(name) for name in self.class_names]
        best = int(np.argmax(self.probabilities))
        said = f"{names[best]} {self.probabilities[best]:.2f}"
        if self.silent:
            said = "no speech found"
        if self.y_true is not None:
            said += f", labelled {self.y_true}"
        if self.name is None:
            return said
        return f"{shorten_middle(self.name, _MAX_NAME)}\n{said}"

    def _plot_attention(self, ax):
        self.attention_ = self.attention_ax_ = None
        if self.attention is None or self.silent or len(self.attention[1]) == 0:
            return
        edges, weights = self.attention
        # Behind the waveform, so that both are seen.
        self.attention_ax_ = twin = ax.twinx()
        ax.set_zorder(twin.get_zorder() + 1)
        ax.patch.set_visible(False)
        density = np.divide(weights, np.diff(edges))
        self.attention_ = twin.stairs(density, edges, fill=True, color=COLOURS[1])
        twin.set_ylim(0, 1.1 * max(density.max(), 1 / self._seconds))
        twin.set_ylabel("Attention\n(1/s)", fontsize=self._size, color="#8a5a00")
        twin.tick_params(labelsize=self._size)
        twin.locator_params(axis="y", nbins=3)
        drawn = [twin]
        if edges[-1] < self._seconds - np.diff(edges).max():
            style = {"color": GREY, "hatch": "//", "fill": False, "linewidth": 0}
            drawn.append(ax.axvspan(edges[-1], self._seconds, **style))
        draw_also(ax, RecordingDisplay, drawn)

    def _plot_spectrogram(self, ax, cmap, colorbar, im_kw):
        decibels, seconds = mel_decibels(np.asarray(self.signal), self.sampling_rate)
        top = hertz_to_mel(SAMPLING_RATE / 2)
        step = top / (N_MELS + 1)
        style = {
            "cmap": cmap,
            "vmin": -_DYNAMICS,
            "vmax": 0,
            "aspect": "auto",
            "origin": "lower",
            "interpolation": "nearest",
            "extent": (0, seconds, 0.5 * step, (N_MELS + 0.5) * step),
        }
        self.im_ = ax.imshow(decibels.T, **{**style, **im_kw})
        ax.set_yticks(
            [hertz_to_mel(tick) for tick in _TICKS],
            [str(tick // 1000) for tick in _TICKS],
        )
        ax.set(xlim=(0, self._seconds), ylim=(0, top))
        ax.set_ylabel("Frequency\n(kHz)", fontsize=self._size)
        if self._shows_occlusion:
            ax.tick_params(labelbottom=False)
        else:
            ax.set_xlabel("Time (s)", fontsize=self._size)
        self.colorbar_ = None
        drawn = [self.im_]
        if colorbar:
            # Within the axes' own box, so that no column of the figure is kept for it.
            place = ax.inset_axes((1.03, 0, 0.04, 1))
            self.colorbar_ = ax.figure.colorbar(self.im_, cax=place)
            self.colorbar_.set_label("Level (dB)", fontsize=self._size)
            place.tick_params(labelsize=self._size)
            drawn = [place, self.im_]
        draw_once(ax, RecordingDisplay, drawn)

    def _plot_probabilities(self, ax, bar_kw):
        probabilities = np.asarray(self.probabilities)
        places = np.arange(len(probabilities))
        best = int(probabilities.argmax())
        colours = [COLOURS[0] if i == best else _LIGHT for i in places]
        style = {"color": GREY if self.silent else colours}
        self.bars_ = ax.barh(places, probabilities, **{**style, **bar_kw})
        name_rows(ax, [str(name) for name in self.class_names], _MAX_CLASS_NAME)
        if self.y_true is not None:
            true = list(self.class_names).index(self.y_true)
            ax.get_yticklabels()[true].set_fontweight("bold")
        ax.set_xlim(0, 1)
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.set_xlabel("Probability", fontsize=self._size)
        ax.spines[["top", "right"]].set_visible(False)
        draw_once(ax, RecordingDisplay, [self.bars_])

    def _plot_occlusion(self, ax):
        self.occlusion_ = None
        if ax is None or self.occlusion is None:
            return
        edges, falls = self.occlusion
        self.occlusion_ = ax.stairs(falls, edges, fill=True, color=COLOURS[2])
        line = ax.axhline(0, color="0.3", linewidth=0.8)
        low, high = min(falls.min(), 0), max(falls.max(), 0)
        margin = 0.1 * max(high - low, _LEAST_FALL)
        ax.set(xlim=(0, self._seconds), ylim=(low - margin, high + margin))
        ax.set_xlabel("Time (s)", fontsize=self._size)
        ax.set_ylabel("Fall if\nsilenced", fontsize=self._size)
        ax.locator_params(axis="y", nbins=3)
        draw_once(ax, RecordingDisplay, [self.occlusion_, line])

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        recording: Any,
        *,
        occlusion: bool = False,
        y_true: Any = None,
        name: str | None = None,
        class_names: Sequence[str] | None = None,
        ax: Any = None,
        cmap: Any = "cividis",
        colorbar: bool = True,
        im_kw: dict | None = None,
        bar_kw: dict | None = None,
    ) -> "RecordingDisplay":
        """Draw what a fitted pipeline makes of a recording.

        Parameters
        ----------
        estimator : fitted Pipeline
            Predicts probabilities of recordings. If its last step has a method
            `attention`, that is drawn as well.

        recording : str, path-like, file object, tuple, ndarray or callable
            As :func:`skemotion.audio.load_audio` takes it.

        occlusion : bool, default=False
            Whether to draw by how much the probability of the predicted class
            falls where the recording is silenced, as :func:`occlusion_over_time`
            computes it, which takes a prediction for each stretch.

        y_true : str or int, default=None
            The class that it is labelled as, which is marked.

        name : str, default=None
            What to call the recording. None takes the name of its file.

        class_names : sequence of str of length n_classes, default=None
            What to call the classes. None takes the classes themselves.

        ax : matplotlib Axes or sequence of them, default=None
            As in :meth:`plot`.

        cmap : str or matplotlib Colormap, default="cividis"
            Colours of the spectrogram.

        colorbar : bool, default=True
            Whether to add a scale to the spectrogram.

        im_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.imshow`.

        bar_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        RecordingDisplay

        Raises
        ------
        AudioError
            If the recording cannot be read.
        sklearn.exceptions.NotFittedError
            If the pipeline is not fitted.

        Examples
        --------
        >>> from skemotion import load_pretrained
        >>> from skemotion.datasets import make_emotional_speech
        >>> from skemotion.inspection import RecordingDisplay
        >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
        >>> display = RecordingDisplay.from_estimator(
        ...     load_pretrained(), speech.signals[0]
        ... )
        >>> len(display.bars_)
        7
        """
        last = last_step(estimator)
        check_is_fitted(last, "classes_")
        name = _short_name(recording) if name is None else name
        pair = load(recording)
        probabilities, silent = _predict(estimator, pair)
        return cls.from_predictions(
            pair,
            probabilities,
            last.classes_,
            attention=(
                attention_over_time(estimator, pair)
                if hasattr(last, "attention")
                else None
            ),
            occlusion=occlusion_over_time(estimator, pair) if occlusion else None,
            name=name,
            y_true=y_true,
            silent=silent,
            class_names=class_names,
            ax=ax,
            cmap=cmap,
            colorbar=colorbar,
            im_kw=im_kw,
            bar_kw=bar_kw,
        )

    @classmethod
    def from_predictions(
        cls,
        recording: Any,
        probabilities: ArrayLike,
        labels: ArrayLike,
        *,
        attention: Course | None = None,
        occlusion: Course | None = None,
        name: str | None = None,
        y_true: Any = None,
        silent: bool = False,
        class_names: Sequence[str] | None = None,
        ax: Any = None,
        cmap: Any = "cividis",
        colorbar: bool = True,
        im_kw: dict | None = None,
        bar_kw: dict | None = None,
    ) -> "RecordingDisplay":
        """Draw a recording and what was predicted of it.

        Parameters
        ----------
        recording : str, path-like, file object, tuple, ndarray or callable
            As :func:`skemotion.audio.load_audio` takes it.

        probabilities : array-like of shape (n_classes,)
            Probability of each class.

        labels : array-like of shape (n_classes,)
            The classes, in this order.

        attention : (edges, weights), default=None
            As :func:`attention_over_time` returns it. None draws none.

        occlusion : (edges, falls), default=None
            As :func:`occlusion_over_time` returns it. None draws none.

        name : str, default=None
            What to call the recording. None takes the name of its file.

        y_true : str or int, default=None
            The one of `labels` that it is labelled as, which is marked.

        silent : bool, default=False
            Whether no speech was found in it.

        class_names : sequence of str of length n_classes, default=None
            What to call the classes. None takes the classes themselves.

        ax : matplotlib Axes or sequence of them, default=None
            As in :meth:`plot`.

        cmap : str or matplotlib Colormap, default="cividis"
            Colours of the spectrogram.

        colorbar : bool, default=True
            Whether to add a scale to the spectrogram.

        im_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.imshow`.

        bar_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        RecordingDisplay

        Raises
        ------
        AudioError
            If the recording cannot be read.
        ValueError
            If arrays do not fit together, or `y_true` is none of `labels`.

        Examples
        --------
        >>> import numpy as np
        >>> from skemotion.inspection import RecordingDisplay
        >>> noise = np.random.default_rng(0).normal(size=16000)
        >>> display = RecordingDisplay.from_predictions(
        ...     (noise, 16000), [0.7, 0.3], ["anger", "fear"], y_true="fear"
        ... )
        >>> display.ax_[0].get_title(loc="left")
        'anger 0.70, labelled fear'
        """
        known, names = choose_classes(check_classes(labels), labels, class_names)
        if y_true is not None:
            if not np.isscalar(y_true) or y_true not in known.tolist():
                listed = ", ".join(map(str, known))
                raise ValueError(f"y_true={y_true!r} is none of the labels: {listed}.")
            y_true = names[known.tolist().index(y_true)]
        probabilities = as_numbers(
            probabilities, "probabilities", dtype=np.float64, n_dims=1
        )
        signal, sampling_rate = load(recording)
        display = cls(
            signal,
            sampling_rate,
            probabilities,
            names,
            attention=attention,
            occlusion=occlusion,
            name=_short_name(recording) if name is None else name,
            y_true=y_true,
            silent=silent,
        )
        return display.plot(
            ax=ax, cmap=cmap, colorbar=colorbar, im_kw=im_kw, bar_kw=bar_kw
        )


def _predict(pipeline, recording):
    """Return probabilities, and whether there is no speech; what is cut is drawn."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (probabilities,) = pipeline.predict_proba([recording])
    silent = False
    for warning in caught:
        if issubclass(warning.category, NoSpeechWarning):
            silent = True
        elif not issubclass(warning.category, TruncationWarning):
            where = warning.filename, warning.lineno
            warnings.warn_explicit(warning.message, warning.category, *where)
    return probabilities, silent


def _short_name(recording):
    name = recording_name(recording, -1)
    return None if name == "X[-1]" else os.path.basename(name)
