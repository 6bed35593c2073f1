"""From the probabilities of windows to smooth ones, and to segments."""

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.timeline._listener import Stretch, Window
from skemotion.timeline._result import EmotionTimeline, Segment


class Merger:
    """Smooths the probabilities of windows, and merges windows of one emotion.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Of the columns of probabilities.
    sampling_rate : float
        In Hz.
    smoothing : float
        As :func:`skemotion.timeline.emotion_timeline` takes it, in seconds.
    """

    def __init__(self, classes: NDArray[Any], sampling_rate: float, smoothing: float):
        self._classes = classes
        self._rate = sampling_rate
        self._reach = smoothing * sampling_rate / 2
        self._stretch: _StretchMerger | None = None

    def add(
        self, windows: list[Window], probabilities: NDArray[Any], n_samples: int
    ) -> EmotionTimeline:
        """Take the next windows, and return what is certain by them.

        Parameters
        ----------
        windows : list of length n_windows
            In order of time.
        probabilities : ndarray of shape (n_windows, n_classes)
            Of each window.
        n_samples : int
            How many have been heard.

        Returns
        -------
        EmotionTimeline
        """
        spans, smooth, stretches, segments = [], [], [], []
        for window, row in zip(windows, np.asarray(probabilities), strict=True):
            if self._stretch is None:
                self._stretch = _StretchMerger(window.stretch, self._reach)
            for start, end, values in self._stretch.add(window, row.astype(float)):
                spans.append((start, end))
                smooth.append(values)
            segments += self._stretch.segments()
            if window.is_last:
                stretches.append((window.stretch.start, window.stretch.end))
                self._stretch = None
        starts, ends = np.reshape(spans, (-1, 2)).T / self._rate
        return EmotionTimeline(
            self._classes,
            starts,
            ends,
            np.reshape(smooth, (-1, len(self._classes))),
            np.reshape(stretches, (-1, 2)) / self._rate,
            [self._in_seconds(*segment) for segment in segments],
            n_samples / self._rate,
        )

    def _in_seconds(self, start, end, label, confidence):
        emotion = self._classes[label : label + 1].tolist()[0]
        return Segment(start / self._rate, end / self._rate, emotion, confidence)


class _StretchMerger:
    """Smooths and merges within one stretch of speech."""

    def __init__(self, stretch: Stretch, reach: float):
        self._speech = stretch
        self._reach = reach
        self._spans: list[tuple[int, int]] = []
        self._centres: list[float] = []
        self._raw: list[NDArray[np.float64]] = []
        self._smooth: list[NDArray[np.float64]] = []
        self._is_whole = False
        self._n_merged = 0
        self._start = float(stretch.start)  # of the segment that goes on
        self._lengths: list[float] = []  # of its parts
        self._values: list[float] = []

    def add(self, window, row):
        """Take a window, and yield start, end and mean of those that are certain."""
        self._spans.append((window.start, window.end))
        self._centres.append(window.centre)
        self._raw.append(row)
        self._is_whole = window.is_last
        while len(self._smooth) < len(self._raw):
            index = len(self._smooth)
            last = self._centres[index] + self._reach
            if self._centres[-1] <= last and not self._is_whole:
                return
            first = bisect_left(self._centres, self._centres[index] - self._reach)
            members = self._raw[first : bisect_right(self._centres, last)]
            self._smooth.append(np.mean(members, axis=0))
            yield *self._spans[index], self._smooth[-1]

    def segments(self):
        """Yield start, end, label and confidence of segments that are certain."""
        while self._n_merged < len(self._smooth):
            index = self._n_merged
            is_last = self._is_whole and index + 1 == len(self._raw)
            if not is_last and index + 1 == len(self._smooth):
                return
            start = self._border(index - 1) if index else self._speech.start
            end = self._speech.end if is_last else self._border(index)
            label = int(self._smooth[index].argmax())
            self._lengths.append(end - start)
            self._values.append(self._smooth[index][label])
            self._n_merged += 1
            if is_last:
                yield from self._end_segment(end, end, label)
            elif label != self._smooth[index + 1].argmax():
                end, next_start = self._near_pause(index)
                yield from self._end_segment(end, next_start, label)

    def _border(self, index):
        """Return what is as near to the middle of a window as to that of the next."""
        return (self._centres[index] + self._centres[index + 1]) / 2

    def _near_pause(self, index):
        """Return where speech ends, and begins again, near a border of windows."""
        border = self._border(index)
        width = self._spans[index][1] - self._spans[index][0]
        first, last = max(border - width / 2, self._start), border + width / 2
        gaps = [
            (before[1], after[0])
            for before, after in pairwise(self._speech.runs)
            if first < before[1] and after[0] < last
        ]
        if not gaps:
            return max(border, self._start), max(border, self._start)
        return max(gaps, key=lambda gap: (gap[1] - gap[0], -abs(sum(gap) / 2 - border)))

    def _end_segment(self, end, next_start, label):
        confidence = np.average(self._values, weights=self._lengths)
        if end > self._start:
            yield self._start, end, label, float(confidence)
        self._start, self._lengths, self._values = float(next_start), [], []
