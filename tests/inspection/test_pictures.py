"""How the displays look: baseline images, and what holds of all of them.

Images are compared by pytest-mpl, without titles and ticks, whose letters differ from
one version of FreeType to the next. Look at the pictures before you make new ones:

    cd tests/inspection; pytest test_pictures.py --mpl-generate-path=baseline
"""

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from skemotion.inspection import (
    AttentionDisplay,
    ClassBalanceDisplay,
    RecordingDisplay,
    RiskCoverageDisplay,
    SpeakerScoreDisplay,
    TrainingHistoryDisplay,
)

EMOTIONS = ["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]
LONG = [f"surprise, of the {'very ' * (i % 4)}pleasant kind {i}" for i in range(27)]


def make_signal():
    times = np.arange(32000) / 16000
    return (np.sin(2 * np.pi * (300 + 400 * times) * times) * times).astype(np.float32)


def make_recording(names=EMOTIONS, **kwargs):
    edges = np.linspace(0, 2, 21)
    weights = np.hanning(22)[1:-1]
    probabilities = np.arange(1, len(names) + 1) / np.arange(1, len(names) + 1).sum()
    return RecordingDisplay(
        make_signal(),
        16000,
        probabilities,
        names,
        attention=(edges, weights / weights.sum()),
        name="03a01Fa_with_a_name_that_is_as_long_as_names_of_files_are.wav",
        **kwargs,
    )


def make_occluded():
    falls = np.array([-0.1, 0.0, 0.2, 0.5, 0.3, 0.1, 0.0, 0.05])
    return make_recording(occlusion=(np.linspace(0, 2, 9), falls), y_true="fear")


def make_attention(**kwargs):
    heatmap = np.random.default_rng(0).dirichlet(np.ones(10), len(EMOTIONS))
    heatmap[2] = np.nan
    counts = [127, 81, 0, 69, 71, 79, 62]
    return AttentionDisplay(heatmap, EMOTIONS, counts=counts, **kwargs)


def make_speakers():
    names = [f"{i:02}" for i in range(3, 13)]
    scores = np.linspace(0.7, 0.95, 10)
    intervals = np.stack([scores - 0.1, np.minimum(scores + 0.08, 1)], axis=1)
    return SpeakerScoreDisplay(
        names,
        scores,
        intervals,
        n_recordings=np.arange(40, 50),
        pooled=0.84,
        pooled_interval=(0.81, 0.87),
    )


def make_history():
    history = {
        "loss": [1.9, 1.2, 0.9, 0.7],
        "val_loss": [1.8, 1.3, 1.2, 1.4],
        "accuracy": [0.3, 0.5, 0.7, 0.8],
        "val_accuracy": [0.3, 0.5, 0.6, 0.7],
    }
    return TrainingHistoryDisplay(history)


def make_risk():
    coverage = np.linspace(0.1, 1, 10)
    return RiskCoverageDisplay(coverage, 0.2 * coverage**2, name="recommended")


def make_balance(names=EMOTIONS):
    n = len(names)
    before, after = np.arange(100, 100 + 10 * n, 10), np.full(n, 100 + 10 * n)
    return ClassBalanceDisplay(names, {"before": before, "after": after})


DISPLAYS = {
    "recording": make_recording,
    "recording_of_long_names": lambda: make_recording(LONG[:9]),
    "recording_without_speech": lambda: make_recording(silent=True),
    "recording_occluded": make_occluded,
    "attention": lambda: make_attention(bin_seconds=0.48, start_seconds=0.224),
    "attention_to_speech": lambda: make_attention(time="speech"),
    "class_balance": make_balance,
    "class_balance_of_27": lambda: make_balance(LONG),
    "training_history": make_history,
    "speakers": make_speakers,
    "risk_coverage": make_risk,
}


@pytest.fixture(params=DISPLAYS)
def display(request):
    return DISPLAYS[request.param]()


@pytest.fixture(params=[(3.5, 2.6), (6.4, 4.8)], ids=["3.5 inch", "6.4 inch"])
def figsize(request):
    with plt.rc_context({"figure.figsize": request.param}):
        yield request.param


@pytest.mark.skipif(
    matplotlib.__version_info__ < (3, 10),
    reason="matplotlib lays figures out in another way than for the baseline",
)
@pytest.mark.mpl_image_compare(
    baseline_dir="baseline",
    style="default",
    remove_text=True,
    tolerance=12,
    savefig_kwargs={"dpi": 60},
)
@pytest.mark.parametrize("name", DISPLAYS)
def test_picture(name):
    with plt.rc_context({"figure.figsize": (3.5, 2.6)}):
        return DISPLAYS[name]().plot().figure_


def list_drawn(figure):
    """Count what a figure holds, by its kind."""
    return sorted(type(artist).__name__ for artist in figure.findobj())


def test_nothing_is_clipped(display, figsize):
    figure = display.plot().figure_
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 > -0.01
    assert box.y0 > -0.01
    assert box.x1 < width + 0.01
    assert box.y1 < height + 0.01


def test_nothing_collapses_and_texts_do_not_overlap(display, figsize):
    figure = display.plot().figure_
    figure.draw_without_rendering()
    for ax in figure.axes:
        box = ax.get_window_extent()
        if ax.axison:
            assert min(box.width, box.height) / figure.dpi > 0.03
            assert_apart(ax.xaxis)
            assert_apart(ax.yaxis)


def assert_apart(axis):
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    texts = [tick.label1 for tick in ticks if tick.label1.get_visible()]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    for number, box in enumerate(boxes):
        for other in boxes[number + 1 :]:
            width = min(box.x1, other.x1) - max(box.x0, other.x0)
            height = min(box.y1, other.y1) - max(box.y0, other.y0)
            # Boxes are as high as lines, which is more than letters are.
            assert width < 1 or height < 0.3 * min(box.height, other.height)


def test_drawn_twice_is_drawn_once(display):
    figure = display.plot().figure_
    figure.draw_without_rendering()
    before = list_drawn(figure)
    display.plot(ax=display.ax_)
    figure.draw_without_rendering()
    assert list_drawn(figure) == before


@pytest.mark.parametrize("name", DISPLAYS)
def test_another_display_of_the_kind_takes_the_place(name):
    if name == "risk_coverage":
        pytest.skip("curves are compared on the same axes")
    display = DISPLAYS[name]().plot()
    figure = display.figure_
    figure.draw_without_rendering()
    before = list_drawn(figure)
    DISPLAYS[name]().plot(ax=display.ax_)
    figure.draw_without_rendering()
    assert list_drawn(figure) == before


def test_axes_that_were_cleared_are_drawn_on(display):
    axes = np.ravel(np.asarray(display.plot().ax_, dtype=object))
    for ax in axes:
        ax.clear()
    display.plot(ax=display.ax_).figure_.draw_without_rendering()


def test_pyplot_is_not_needed(display):
    figure = Figure((3.5, 2.6), layout="constrained")
    n_axes = 2 if isinstance(display, TrainingHistoryDisplay) else 1
    display.plot(ax=figure.subplots(1, n_axes))
    assert display.figure_ is figure
    assert not plt.get_fignums()
    figure.draw_without_rendering()


def test_subfigures_are_drawn_on(display):
    figure = plt.figure(figsize=(7, 5), layout="constrained")
    part, _ = figure.subfigures(1, 2)
    n_axes = 2 if isinstance(display, TrainingHistoryDisplay) else 1
    display.plot(ax=part.subplots(1, n_axes))
    figure.draw_without_rendering()


def test_own_titles_stay():
    _, ax = plt.subplots()
    ax.set_title("Mine")
    make_balance().plot(ax=ax)
    assert ax.get_title() == "Mine"


@pytest.mark.parametrize(
    "empty",
    [
        AttentionDisplay(np.zeros((0, 10)), []),
        ClassBalanceDisplay([], {"before": []}),
        ClassBalanceDisplay(["anger"], {}),
        TrainingHistoryDisplay({"loss": []}),
        TrainingHistoryDisplay({}),
    ],
)
def test_nothing_to_draw_is_an_error(empty):
    with pytest.raises(ValueError, match="at least one|it has"):
        empty.plot()
    assert not plt.get_fignums()


def test_no_labels_is_an_error():
    with pytest.raises(ValueError, match=r"^y must be .* shape \(0,\)"):
        ClassBalanceDisplay.from_arrays([])
    with pytest.raises(ValueError, match=r"^y_true must be .* shape \(0,\)"):
        ClassBalanceDisplay.from_predictions([], [])
