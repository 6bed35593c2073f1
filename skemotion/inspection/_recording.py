"""One recording: how it sounds, what it is taken for, and where the model looks."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skemotion.audio import check_recordings, decode, recording_name, resample
from skemotion.exceptions import AudioError, NoSpeechWarning, TruncationWarning
from skemotion.feature_extraction._log_mel import (
    HOP_LENGTH,
    SAMPLING_RATE,
    hertz_to_mel,
    log_mel_spectrogram,
)
from skemotion.inspection._attention_over_time import attention_over_time
from skemotion.inspection._estimators import last_step
from skemotion.inspection._plotting import (
    COLOURS,
    GREY,
    create_axes,
    draw_once,
    drawn_by,
    text_size,
)

Course = tuple[NDArray[np.float64], NDArray[np.float64]]
_N_MELS = 80
_TICKS = (1000, 2000, 4000, 8000)  # Hz
_DYNAMICS = 60.0  # dB below the loudest that are shown
_MAX_COLUMNS = 1500  # more are not seen
_MIN_SAMPLES = 201  # of which there is a spectrum
_TOLERANCE = 1e-4


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
    waveform_ax_, spectrogram_ax_, probability_ax_ : matplotlib Axes
        The three parts.

    attention_ax_ : matplotlib Axes or None
        Twin of `waveform_ax_` with the scale of attention and occlusion.

    waveform_ : matplotlib PolyCollection
        Range of the samples in each column of the picture.

    im_ : matplotlib AxesImage
        The spectrogram, in dB below its loudest point.

    colorbar_ : matplotlib Colorbar
        The scale of the spectrogram.

    attention_, occlusion_ : matplotlib StepPatch or None
        The courses over time, as density: share of the attention per second, and
        fall of the probability.

    bars_ : matplotlib BarContainer
        The probabilities.

    ax_ : ndarray of shape (3,)
        The three parts together.

    figure_ : matplotlib Figure
        Figure with the axes.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.inspection import RecordingDisplay
    >>> noise = np.random.default_rng(0).normal(size=16000)
    >>> display = RecordingDisplay(noise, 16000, [0.7, 0.3], ["anger", "fear"])
    >>> display.plot().waveform_ax_.get_title(loc="left")
    'anger 0.70'
    """

    def __init__(
        self,
        signal: ArrayLike,
        sampling_rate: float,
        probabilities: ArrayLike,
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
        ax : matplotlib Axes or sequence of three, default=None
            Three axes take waveform, spectrogram and probabilities. One is a frame
            within which three are made. None creates a figure.

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
        """
        axes = _three_axes(ax)
        self.ax_, self.figure_ = axes, axes[0].figure
        self.waveform_ax_, self.spectrogram_ax_, self.probability_ax_ = axes
        self._size = text_size(self.figure_)
        for single in axes:
            draw_once(single, RecordingDisplay)
        drawn = [
            self._plot_waveform(self.waveform_ax_),
            self._plot_spectrogram(self.spectrogram_ax_, cmap, colorbar, im_kw or {}),
            self._plot_probabilities(self.probability_ax_, bar_kw or {}),
        ]
        for single, artists in zip(axes, drawn, strict=True):
            draw_once(single, RecordingDisplay, artists)
            single.tick_params(labelsize=self._size)
        return self

    def _plot_waveform(self, ax):
        seconds = len(self.signal) / self.sampling_rate
        low, high = _envelope(np.asarray(self.signal))
        times = np.linspace(0, seconds, len(low))
        self.waveform_ = ax.fill_between(times, low, high, color="0.55", linewidth=0)
        peak = max(np.abs(low).max(), np.abs(high).max(), _TOLERANCE)
        ax.set(xlim=(0, seconds), ylim=(-1.05 * peak, 1.05 * peak))
        ax.set_ylabel("Amplitude", fontsize=self._size)
        ax.tick_params(labelbottom=False)
        ax.locator_params(axis="y", nbins=3)
        ax.set_title(self._title(), loc="left", fontsize=self._size)
        return [self.waveform_, *self._plot_courses(ax, seconds)]

    def _title(self):
        name = "" if self.name is None else f"{self.name}: "
        if self.silent:
            return f"{name}no speech found"
        best = int(np.argmax(self.probabilities))
        true = "" if self.y_true is None else f" (labelled {self.y_true})"
        said = f"{self.class_names[best]} {self.probabilities[best]:.2f}"
        return f"{name}{said}{true}"

    def _plot_courses(self, ax, seconds):
        self.attention_ = self.occlusion_ = self.attention_ax_ = None
        if self.silent or (self.attention is None and self.occlusion is None):
            return []
        twin = self.attention_ax_ = ax.twinx()
        twin.tick_params(labelsize=self._size)
        if self.attention is not None:
            edges, weights = self.attention
            density = np.divide(weights, np.diff(edges))
            self.attention_ = twin.stairs(
                density, edges, fill=True, color=COLOURS[1], alpha=0.55
            )
            twin.set_ylim(0, 1.1 * max(density.max(), 1 / seconds))
            twin.set_ylabel("Attention (1/s)", fontsize=self._size)
        return [twin]

    def _plot_spectrogram(self, ax, cmap, colorbar, im_kw):
        decibels, seconds = _mel_decibels(np.asarray(self.signal), self.sampling_rate)
        step = hertz_to_mel(SAMPLING_RATE / 2) / (_N_MELS + 1)
        style = {
            "cmap": cmap,
            "vmin": -_DYNAMICS,
            "vmax": 0,
            "aspect": "auto",
            "origin": "lower",
            "interpolation": "nearest",
            "extent": (0, seconds, 0.5 * step, (_N_MELS + 0.5) * step),
        }
        self.im_ = ax.imshow(decibels.T, **{**style, **im_kw})
        ticks = [tick for tick in _TICKS if tick <= SAMPLING_RATE / 2]
        ax.set_yticks(
            [hertz_to_mel(tick) for tick in ticks], [f"{t // 1000}" for t in ticks]
        )
        ax.set_xlim(0, len(self.signal) / self.sampling_rate)
        ax.set_ylim(0, hertz_to_mel(SAMPLING_RATE / 2))
        ax.set_xlabel("Time (s)", fontsize=self._size)
        ax.set_ylabel("Frequency (kHz)", fontsize=self._size)
        self.colorbar_ = None
        if not colorbar:
            return [self.im_]
        self.colorbar_ = ax.figure.colorbar(self.im_, ax=ax)
        self.colorbar_.set_label("Level (dB)", fontsize=self._size)
        self.colorbar_.ax.tick_params(labelsize=self._size)
        return [self.colorbar_, self.im_]

    def _plot_probabilities(self, ax, bar_kw):
        probabilities = np.asarray(self.probabilities)
        places = np.arange(len(probabilities))
        best = int(probabilities.argmax())
        colours = [COLOURS[0] if i == best else "#9ecae1" for i in places]
        style = {"color": GREY if self.silent else colours}
        self.bars_ = ax.barh(places, probabilities, **{**style, **bar_kw})
        names = [str(name) for name in self.class_names]
        ax.set_yticks(places, names)
        ax.set(xlim=(0, 1), ylim=(len(places) - 0.4, -0.6), xticks=[0, 0.5, 1])
        ax.set_xlabel("Probability", fontsize=self._size)
        ax.spines[["top", "right"]].set_visible(False)
        return [self.bars_]

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        recording: Any,
        *,
        occlusion: bool = False,
        y_true: str | None = None,
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

        y_true : str, default=None
            The class that it is labelled as, which is marked.

        name : str, default=None
            What to call the recording. None takes the name of its file.

        class_names : sequence of str of length n_classes, default=None
            What to call the classes. None takes the classes themselves.

        ax : matplotlib Axes or sequence of three, default=None
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
        pair = _load(recording)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            probabilities = estimator.predict_proba([pair])[0]
            attention = None
            if hasattr(last, "attention"):
                attention = attention_over_time(estimator, pair)
        silent = False
        for warning in caught:
            silent |= issubclass(warning.category, NoSpeechWarning)
            if not issubclass(warning.category, (NoSpeechWarning, TruncationWarning)):
                warnings.warn_explicit(
                    warning.message, warning.category, warning.filename, warning.lineno
                )
        display = cls(
            *pair,
            probabilities,
            list(map(str, last.classes_)) if class_names is None else class_names,
            attention=attention,
            name=name,
            y_true=y_true,
            silent=silent,
        )
        return display.plot(
            ax=ax, cmap=cmap, colorbar=colorbar, im_kw=im_kw, bar_kw=bar_kw
        )


def _short_name(recording):
    import os.path

    name = recording_name(recording, -1)
    return None if name == "X[-1]" else os.path.basename(name)


def _load(recording):
    """Decode all of a recording."""
    check_recordings([recording])
    try:
        return decode(recording, sampling_rate=SAMPLING_RATE, duration=None)
    except ValueError as error:
        raise AudioError([(recording_name(recording, 0), str(error))]) from error


def _three_axes(ax):
    """Return axes for waveform, spectrogram and probabilities."""
    if ax is None:
        import matplotlib.pyplot as plt

        width, height = plt.rcParams["figure.figsize"]
        ax = create_axes(None, figsize=(width, 0.7 * height))
    axes = np.ravel(np.asarray(ax, dtype=object))
    if len(axes) == 3:
        return axes
    if len(axes) != 1:
        raise ValueError(
            f"ax holds {len(axes)} axes; give one, within which all is drawn, or three "
            "for waveform, spectrogram and probabilities."
        )
    return _divide(axes[0])


def _divide(frame):
    """Make three axes within the place of one, or find those made before."""
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    found = drawn_by(frame, RecordingDisplay)
    if found and all(part in frame.figure.axes for part in found):
        return np.array(found, dtype=object)
    frame.set_axis_off()
    grid = GridSpecFromSubplotSpec(
        2, 2, subplot_spec=frame.get_subplotspec(), width_ratios=(2.2, 1)
    )
    figure = frame.figure
    waveform = figure.add_subplot(grid[0, 0])
    spectrogram = figure.add_subplot(grid[1, 0])
    probabilities = figure.add_subplot(grid[:, 1])
    axes = np.array([waveform, spectrogram, probabilities], dtype=object)
    draw_once(frame, RecordingDisplay, axes)
    return axes


def _envelope(signal):
    """Return the least and the largest sample of each column of a picture."""
    step = max(len(signal) // _MAX_COLUMNS, 1)
    starts = np.arange(0, len(signal), step)
    low, high = (f.reduceat(signal, starts) for f in (np.minimum, np.maximum))
    return low, high


def _mel_decibels(signal, rate):
    """Return levels of shape (n_columns, n_mels), and the time that they span."""
    signal = resample(signal.astype(np.float32), rate, SAMPLING_RATE)
    signal = np.pad(signal, (0, max(_MIN_SAMPLES - len(signal), 0)))
    decibels = 40 * log_mel_spectrogram(signal, _N_MELS)
    decibels -= decibels.max()
    step = max(len(decibels) // _MAX_COLUMNS, 1)
    levels = np.maximum.reduceat(decibels, np.arange(0, len(decibels), step))
    return levels, len(decibels) * HOP_LENGTH / SAMPLING_RATE
