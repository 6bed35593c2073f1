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
from skemotion.inspection._attention_over_time import attention_over_time
from skemotion.inspection._estimators import last_step
from skemotion.inspection._looks import load
from skemotion.inspection._occlusion import occlusion_over_time
from skemotion.inspection._plotting import (
    choose_classes,
    draw_also,
    draw_once,
    shorten_middle,
    text_size,
)
from skemotion.inspection._recording_axes import make_parts
from skemotion.inspection._recording_parts import (
    Course,
    draw_attention,
    draw_level_scale,
    draw_occlusion,
    draw_probabilities,
    draw_spectrogram,
    draw_waveform,
    hatch_unseen,
)

_MAX_NAME = 44  # letters


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
        self.waveform_ = draw_waveform(
            ax, np.asarray(self.signal), self._seconds, size=self._size
        )
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
        self.attention_ax_, self.attention_ = draw_attention(
            ax, self.attention, self._seconds, size=self._size
        )
        unseen = hatch_unseen(ax, self.attention, self._seconds)
        draw_also(ax, RecordingDisplay, [self.attention_ax_, *unseen])

    def _plot_spectrogram(self, ax, cmap, colorbar, im_kw):
        self.im_ = draw_spectrogram(
            ax,
            np.asarray(self.signal),
            self.sampling_rate,
            cmap=cmap,
            im_kw=im_kw,
            size=self._size,
        )
        if self._shows_occlusion:
            ax.tick_params(labelbottom=False)
        else:
            ax.set_xlabel("Time (s)", fontsize=self._size)
        self.colorbar_ = None
        drawn = [self.im_]
        if colorbar:
            self.colorbar_ = draw_level_scale(ax, self.im_, size=self._size)
            drawn = [self.colorbar_.ax, self.im_]
        draw_once(ax, RecordingDisplay, drawn)

    def _plot_probabilities(self, ax, bar_kw):
        self.bars_ = draw_probabilities(
            ax,
            np.asarray(self.probabilities),
            self.class_names,
            y_true=self.y_true,
            silent=self.silent,
            bar_kw=bar_kw,
            size=self._size,
        )
        draw_once(ax, RecordingDisplay, [self.bars_])

    def _plot_occlusion(self, ax):
        self.occlusion_ = None
        if ax is None or self.occlusion is None:
            return
        self.occlusion_, line = draw_occlusion(
            ax, self.occlusion, self._seconds, size=self._size
        )
        ax.set_xlabel("Time (s)", fontsize=self._size)
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
