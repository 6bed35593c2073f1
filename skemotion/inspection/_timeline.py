"""Emotions over the time of a recording, as a picture."""

from typing import Any

import numpy as np

from skemotion.audio import Recording
from skemotion.inspection._plotting import COLOURS, create_axes
from skemotion.timeline import EmotionTimeline, emotion_timeline

_OTHER = "#BBBBBB"
_BAR = (1.03, 0.07)  # begin and height, where probabilities end at 1
_INCHES = 1.15  # of a column of the legend
_BELOW = -34  # points from the axes to the legend, where ticks and label are between


class TimelineDisplay:
    """Probabilities over the time of a recording, with segments and silence.

    Areas upon each other are the probabilities of the emotions. A bar above is a
    segment, named where there is room for it; grey stripes are what is no speech.

    Use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    timeline : EmotionTimeline
        What :func:`skemotion.emotion_timeline` returns.

    Attributes
    ----------
    areas_ : list of matplotlib PolyCollection
        One for each emotion that has a colour, from below. Where there are more
        than eight emotions, the last is of all others.

    bars_ : list of matplotlib BrokenBarHCollection
        The segments of each emotion.

    silences_ : matplotlib BrokenBarHCollection
        What is no speech.

    texts_ : list of matplotlib Text
        The names that segments have room for.

    ax_ : matplotlib Axes
        Axes with the areas.

    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    skemotion.emotion_timeline : Finds what is drawn.

    Examples
    --------
    >>> from skemotion import load_pretrained
    >>> from skemotion.datasets import make_emotional_speech
    >>> from skemotion.inspection import TimelineDisplay
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> display = TimelineDisplay.from_estimator(load_pretrained(), speech.signals[0])
    >>> len(display.areas_)
    7
    """

    def __init__(self, timeline: EmotionTimeline):
        self.timeline = timeline
        self.areas_: list[Any]
        self.bars_: list[Any]
        self.silences_: Any
        self.texts_: list[Any]

    def plot(self, *, ax: Any = None) -> "TimelineDisplay":
        """Draw areas, segments and silence.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure. What was drawn there before
            by this display is drawn anew.

        Returns
        -------
        TimelineDisplay
            The display itself.
        """
        from matplotlib.transforms import offset_copy

        if ax is not None and ax is getattr(self, "ax_", None):
            for artist in (*self.areas_, *self.bars_, self.silences_, *self.texts_):
                artist.remove()
        ax = create_axes(ax)
        self.ax_, self.figure_ = ax, ax.figure
        self._names, self._columns = self._choose()
        self._draw_areas()
        self._draw_silence()
        self._draw_bars()
        ax.set(
            xlim=(0, self.timeline.duration),
            ylim=(0, sum(_BAR)),
            yticks=(0, 0.5, 1),
            xlabel="Time in seconds",
            ylabel="Probability",
        )
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(
            handles=[*self.areas_, self.silences_],
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            bbox_transform=offset_copy(
                ax.transAxes, self.figure_, y=_BELOW, units="points"
            ),
            ncols=max(int(self.figure_.get_figwidth() / _INCHES), 1),
            frameon=False,
            fontsize="small",
            handlelength=1.2,
            columnspacing=1.0,
        )
        self._name_segments()
        return self

    def _choose(self):
        """Return the names that have a colour, and their columns of probabilities."""
        timeline = self.timeline
        n_classes = len(timeline.classes)
        shown, others = list(range(n_classes)), []
        if n_classes > len(COLOURS):
            weight = timeline.probabilities.sum(axis=0)
            order = np.argsort(-weight, kind="stable")
            n_shown = len(COLOURS) - 1
            shown, others = sorted(order[:n_shown]), sorted(order[n_shown:])
        columns = [[index] for index in shown] + ([others] if len(others) else [])
        names = [str(timeline.classes[index]) for index in shown]
        return names + (["other"] if len(others) else []), columns

    def _colour(self, index):
        is_other = len(self._columns[index]) > 1
        return _OTHER if is_other else COLOURS[index % len(COLOURS)]

    def _draw_areas(self):
        """Draw from middle to middle of windows, with a gap between stretches."""
        timeline = self.timeline
        x: list[float] = []
        shown: list[int] = []
        which = np.searchsorted(timeline.speech[:, 0], timeline.starts, "right") - 1
        for number, (start, end) in enumerate(timeline.speech):
            chosen = np.flatnonzero(which == number)
            centres = (timeline.starts[chosen] + timeline.ends[chosen]) / 2
            x += [start, *centres, end, end]
            shown += [chosen[0], *chosen, chosen[-1], -1]
        rows = np.array(shown, dtype=int)
        values = timeline.probabilities[rows] if len(rows) else np.empty((0, 1))
        lower = np.zeros(len(rows))
        self.areas_ = []
        for index, name in enumerate(self._names):
            upper = lower + (
                values[:, self._columns[index]].sum(axis=1) if len(rows) else 0
            )
            area = self.ax_.fill_between(
                x,
                lower,
                upper,
                where=rows >= 0,
                label=name,
                facecolor=self._colour(index),
                linewidth=0,
            )
            self.areas_.append(area)
            lower = upper

    def _draw_silence(self):
        timeline = self.timeline
        edges = np.concatenate([[0], timeline.speech.ravel(), [timeline.duration]])
        spans = [(start, end - start) for start, end in edges.reshape(-1, 2)]
        self.silences_ = self.ax_.broken_barh(
            [span for span in spans if span[1] > 0],
            (0, 1),
            label="no speech",
            facecolor="0.93",
            edgecolor="0.7",
            hatch="////",
            linewidth=0,
        )

    def _draw_bars(self):
        self.bars_ = []
        for index, name in enumerate(self._names):
            spans = [
                (segment.start, segment.end - segment.start)
                for segment in self.timeline.segments
                if self._shown_as(segment) == name
            ]
            self.bars_.append(
                self.ax_.broken_barh(spans, _BAR, facecolor=self._colour(index))
            )

    def _shown_as(self, segment):
        name = str(segment.emotion)
        return name if name in self._names else self._names[-1]

    def _name_segments(self):
        """Write names above segments, upright where they are too wide else."""
        self.figure_.draw_without_rendering()  # for what the layout leaves of room
        per_second = self.ax_.get_window_extent().width / self.timeline.duration
        texts, rooms = [], []
        for segment in self.timeline.segments:
            text = self.ax_.text(
                (segment.start + segment.end) / 2,
                sum(_BAR) + 0.02,
                str(segment.emotion),
                ha="center",
                va="bottom",
                fontsize="small",
                parse_math=False,
            )
            texts.append(text)
            rooms.append((segment.end - segment.start) * per_second)
        boxes = [text.get_window_extent() for text in texts]
        upright = any(box.width > room for box, room in zip(boxes, rooms, strict=True))
        self.texts_ = []
        for text, box, room in zip(texts, boxes, rooms, strict=True):
            if upright:
                text.set_rotation(90)
            if (box.height if upright else box.width) > room:
                text.remove()
            else:
                self.texts_.append(text)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        recording: Recording,
        *,
        ax: Any = None,
        **parameters: Any,
    ) -> "TimelineDisplay":
        """Tell the emotions in a recording, and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `predict_proba`, which takes recordings.

        recording : str, path-like, file object, tuple, ndarray or callable
            As :func:`skemotion.audio.load_audio` takes it.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        **parameters : dict
            As :func:`skemotion.emotion_timeline` takes them, such as `window`.

        Returns
        -------
        TimelineDisplay

        Raises
        ------
        AudioError
            If the recording cannot be read.
        """
        timeline = emotion_timeline(estimator, recording, **parameters)
        return cls.from_predictions(timeline, ax=ax)

    @classmethod
    def from_predictions(
        cls, timeline: EmotionTimeline, *, ax: Any = None
    ) -> "TimelineDisplay":
        """Draw the emotions that have been told of a recording.

        Parameters
        ----------
        timeline : EmotionTimeline
            What :func:`skemotion.emotion_timeline` returns.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        Returns
        -------
        TimelineDisplay
        """
        return cls(timeline).plot(ax=ax)
