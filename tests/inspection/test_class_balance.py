import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from matplotlib import pyplot as plt
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from skemotion.inspection import ClassBalanceDisplay

Y = ["fear"] * 6 + ["anger"] * 9 + ["joy"] * 3


def widths(bars):
    return [bar.get_width() for bar in bars]


def test_counts_are_drawn_as_bars():
    display = ClassBalanceDisplay.from_arrays(Y, [*Y, "joy", "joy"])
    assert display.class_names == ["anger", "fear", "joy"]
    assert [bars.get_label() for bars in display.bars_] == ["before", "after"]
    assert [widths(bars) for bars in display.bars_] == [[9, 6, 3], [9, 6, 5]]
    ticks = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert ticks == ["anger", "fear", "joy"]
    assert {text.get_text() for text in display.ax_.texts} == {"9", "6", "5", "3"}
    legend = display.ax_.get_legend().get_texts()
    assert [text.get_text() for text in legend] == ["before", "after"]


def test_bars_of_a_class_lie_side_by_side_and_classes_run_downwards():
    display = ClassBalanceDisplay.from_arrays(Y, Y)
    before, after = ([bar.get_y() for bar in bars] for bars in display.bars_)
    height = display.bars_[0][0].get_height()
    np.testing.assert_allclose(np.subtract(after, before), height)
    assert max(after) + height - min(before) < 3
    assert display.ax_.yaxis_inverted()


def test_single_set_has_no_legend():
    display = ClassBalanceDisplay.from_arrays(Y)
    assert len(display.bars_) == 1
    assert display.ax_.get_legend() is None


def test_labels_select_and_order_and_names_rename():
    display = ClassBalanceDisplay.from_arrays(
        [0, 0, 1, 2], labels=[2, 0, 5], class_names=["joy", "anger", "fear"]
    )
    assert display.class_names == ["joy", "anger", "fear"]
    assert widths(display.bars_[0]) == [1, 2, 0]


def test_wrong_number_of_names_is_refused():
    with pytest.raises(ValueError, match="2 names for 3 classes: anger, fear, joy"):
        ClassBalanceDisplay.from_arrays(Y, class_names=["a", "b"])


def test_given_axes_and_style_are_used():
    figure, ax = plt.subplots()
    display = ClassBalanceDisplay.from_arrays(Y, ax=ax, bar_kw={"color": "black"})
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.bars_[0][0].get_facecolor() == (0, 0, 0, 1)


@pytest.mark.parametrize("wrap", [lambda step: step, lambda step: in_pipeline(step)])
def test_sampler_balances_a_clone(wrap):
    X = np.random.RandomState(0).normal(size=(18, 2))
    sampler = SMOTE(k_neighbors=2, random_state=0)
    display = ClassBalanceDisplay.from_estimator(wrap(sampler), X, Y)
    assert display.counts["before"].tolist() == [9, 6, 3]
    assert display.counts["after"].tolist() == [9, 9, 9]
    assert not hasattr(sampler, "sampling_strategy_")


def in_pipeline(sampler):
    steps = [StandardScaler(), sampler, "passthrough", GaussianNB()]
    return Pipeline([(f"step{i}", step) for i, step in enumerate(steps)])


def test_two_samplers_both_act():
    X = np.zeros((18, 2))
    first = RandomOverSampler(sampling_strategy={"joy": 5})
    second = RandomOverSampler(sampling_strategy={"fear": 8})
    pipeline = Pipeline([("a", first), ("b", second), ("c", GaussianNB())])
    display = ClassBalanceDisplay.from_estimator(pipeline, X, Y)
    assert display.counts["after"].tolist() == [9, 8, 5]


@pytest.mark.parametrize(
    "estimator", [GaussianNB(), Pipeline([("scale", StandardScaler())])]
)
def test_estimator_without_sampler_is_refused(estimator):
    with pytest.raises(TypeError, match="is no sampler and has none"):
        ClassBalanceDisplay.from_estimator(estimator, np.zeros((18, 2)), Y)
