import pytest
from matplotlib import pyplot as plt
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skemotion.inspection import TrainingHistoryDisplay

HISTORY = {
    "loss": [1.9, 1.2, 0.9, 0.7],
    "accuracy": [0.3, 0.5, 0.7, 0.8],
    "val_loss": [1.8, 1.3, 1.2, 1.4],
    "val_accuracy": [0.3, 0.5, 0.6, 0.7],
    "learning_rate": [0.1, 0.1, 0.05, 0.05],
}


class FakeNetwork(BaseEstimator):
    def fit(self, X, y=None):
        self.history_ = HISTORY
        return self


def marked_epoch(ax):
    (line,) = [line for line in ax.lines if line.get_label().startswith("kept")]
    return line.get_xdata()[0]


def test_loss_and_accuracy_are_drawn_side_by_side():
    display = TrainingHistoryDisplay(HISTORY).plot()
    assert [ax.get_ylabel() for ax in display.ax_] == ["Loss", "Accuracy"]
    assert [list(line.get_ydata()) for line in display.lines_] == [
        HISTORY[key] for key in ("loss", "val_loss", "accuracy", "val_accuracy")
    ]
    assert list(display.lines_[0].get_xdata()) == [1, 2, 3, 4]
    assert [marked_epoch(ax) for ax in display.ax_] == [3, 3]
    assert display.figure_ is display.ax_[0].figure


def test_one_metric_takes_one_axes():
    figure, ax = plt.subplots()
    display = TrainingHistoryDisplay(HISTORY).plot("accuracy", ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert [line.get_label() for line in display.lines_] == ["training", "validation"]


def test_metrics_share_given_axes_in_order():
    _, axes = plt.subplots(2, 1)
    display = TrainingHistoryDisplay(HISTORY).plot(ax=axes, line_kw={"marker": ""})
    assert list(display.ax_) == list(axes)
    assert display.lines_[0].get_marker() == ""
    with pytest.raises(ValueError, match=r"1 axes for 2 metrics \(loss, accuracy\)"):
        TrainingHistoryDisplay(HISTORY).plot(ax=axes[0])


def test_run_without_validation_has_one_line_and_no_mark():
    display = TrainingHistoryDisplay({"loss": [1.0, 0.5]}).plot()
    assert [line.get_label() for line in display.ax_.lines] == ["training"]


def test_given_kept_epoch_is_marked():
    display = TrainingHistoryDisplay(HISTORY, kept_epoch=2).plot("loss")
    assert marked_epoch(display.ax_) == 2


def test_other_metrics_of_the_history_can_be_drawn():
    display = TrainingHistoryDisplay(HISTORY).plot("learning_rate")
    assert display.ax_.get_ylabel() == "Learning rate"


def test_unknown_metric_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no 'f1'; it has 'loss', 'accuracy'"):
        TrainingHistoryDisplay(HISTORY).plot("f1")
    with pytest.raises(ValueError, match="it has nothing"):
        TrainingHistoryDisplay({}).plot()


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_fitted_classifier_or_pipeline_is_read(in_pipeline):
    estimator = FakeNetwork()
    if in_pipeline:
        estimator = make_pipeline(FunctionTransformer(), estimator)
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_estimator(estimator)
    estimator.fit([[0.0]], [0])
    display = TrainingHistoryDisplay.from_estimator(estimator, metric="loss")
    assert display.history == HISTORY
    assert display.ax_.get_ylabel() == "Loss"
