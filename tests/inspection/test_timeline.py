from itertools import pairwise

import numpy as np
import pytest
from matplotlib import pyplot as plt

from skemotion.inspection import TimelineDisplay
from skemotion.timeline import EmotionTimeline, Segment

CLASSES = ["anger", "boredom", "calm"]


def make_timeline(classes=CLASSES):
    """Two stretches of speech: one window, and four of which two are calm."""
    n_classes = len(classes)
    starts = np.array([1.0, 5.0, 6.0, 7.0, 8.0])
    probabilities = np.full((5, n_classes), 0.3 / (n_classes - 1))
    probabilities[np.arange(5), [0, 1, 1, 2, 2]] = 0.7
    return EmotionTimeline(
        np.array(classes),
        starts,
        starts + 2,
        probabilities,
        np.array([[1.0, 3.0], [5.0, 10.0]]),
        [
            Segment(1.0, 3.0, classes[0], 0.7),
            Segment(5.0, 7.5, classes[1], 0.7),
            Segment(7.5, 10.0, classes[2], 0.7),
        ],
        12.0,
    )


def heights_at(display, time):
    """Return how high each area is at a time; 0 where there is none."""
    found = []
    for area in display.areas_:
        inside = [path for path in area.get_paths() if np.ptp(path.vertices[:, 1]) > 0]
        ys = [
            path.vertices[np.isclose(path.vertices[:, 0], time), 1] for path in inside
        ]
        found.append(sum(np.ptp(y) for y in ys if y.size))
    return found


def test_areas_are_the_probabilities_upon_each_other():
    timeline = make_timeline()
    display = TimelineDisplay.from_predictions(timeline)
    assert [area.get_label() for area in display.areas_] == CLASSES
    for row, start in enumerate(timeline.starts):
        heights = heights_at(display, start + 1)
        np.testing.assert_allclose(heights, timeline.probabilities[row], atol=1e-9)
    assert len(display.areas_[0].get_paths()) == 2  # between them is silence


def spans(bars):
    return [
        (path.vertices[:, 0].min(), path.vertices[:, 0].max())
        for path in bars.get_paths()
    ]


def test_segments_silence_and_names():
    display = TimelineDisplay(make_timeline()).plot()
    assert [spans(bars) for bars in display.bars_] == [
        [(1, 3)],
        [(5, 7.5)],
        [(7.5, 10)],
    ]
    assert spans(display.silences_) == [(0, 1), (3, 5), (10, 12)]
    assert [text.get_text() for text in display.texts_] == CLASSES
    assert display.ax_.get_xlim() == (0, 12)
    assert display.ax_.get_xlabel() == "Time in seconds"
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [*CLASSES, "no speech"]


@pytest.mark.parametrize("width", [3.5, 6.4, 12])
def test_nothing_is_clipped_and_no_names_overlap(width):
    figure, ax = plt.subplots(figsize=(width, 2.8), layout="constrained")
    display = TimelineDisplay(make_timeline()).plot(ax=ax)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in display.texts_]
    legend = ax.get_legend().get_window_extent()
    label = ax.xaxis.label.get_window_extent()
    for box in [*boxes, legend, label, ax.yaxis.label.get_window_extent()]:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y1 <= figure.bbox.height
    for one, other in pairwise(boxes):
        assert one.x1 <= other.x0
    assert legend.y1 <= label.y0


def test_names_without_room_are_left_to_the_legend():
    _, ax = plt.subplots(figsize=(3.5, 2.8), layout="constrained")
    timeline = make_timeline()
    crowded = [Segment(1 + i / 50, 1.02 + i / 50, "calm", 0.7) for i in range(90)]
    timeline.segments[:1] = crowded
    display = TimelineDisplay(timeline).plot(ax=ax)
    assert len(display.texts_) == 2


def test_plotting_twice_draws_once():
    display = TimelineDisplay(make_timeline()).plot()
    ax = display.ax_
    count = len(ax.collections), len(ax.texts)
    assert display.plot(ax=ax).ax_ is ax
    assert (len(ax.collections), len(ax.texts)) == count


def test_colours_are_all_different_and_rare_emotions_share_one():
    classes = [f"emotion {number:02}" for number in range(27)]
    display = TimelineDisplay.from_predictions(make_timeline(classes))
    colours = {tuple(area.get_facecolor()[0]) for area in display.areas_}
    assert len(colours) == len(display.areas_) == 8
    labels = [area.get_label() for area in display.areas_]
    assert labels[:3] == classes[:3]
    assert labels[-1] == "other"
    np.testing.assert_allclose(sum(heights_at(display, 2.0)), 1)


def test_labels_are_no_formulas():
    timeline = make_timeline(["$a_1", "b$", "<c>"])
    display = TimelineDisplay.from_predictions(timeline)
    display.figure_.draw_without_rendering()
    assert [text.get_text() for text in display.texts_] == ["$a_1", "b$", "<c>"]


def test_recording_without_speech():
    empty = np.empty(0)
    timeline = EmotionTimeline(
        np.array(CLASSES), empty, empty, np.empty((0, 3)), np.empty((0, 2)), [], 4.0
    )
    display = TimelineDisplay.from_predictions(timeline)
    assert spans(display.silences_) == [(0, 4)]
    assert display.texts_ == []


def test_from_estimator_passes_parameters_on(monkeypatch):
    from skemotion.inspection import _timeline

    asked = []

    def tell(*args, **kwargs):
        asked.append((args, kwargs))
        return make_timeline()

    monkeypatch.setattr(_timeline, "emotion_timeline", tell)
    figure, ax = plt.subplots()
    display = TimelineDisplay.from_estimator("pipeline", "a.wav", ax=ax, window=2)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert asked == [(("pipeline", "a.wav"), {"window": 2})]
