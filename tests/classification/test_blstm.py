"""The classifiers: the contract of a scikit-learn classifier on three-dimensional X."""

import inspect
import os
import pickle
import random
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from skemotion import AttentionBLSTMClassifier, BLSTMClassifier
from skemotion.networks import import_keras

keras = import_keras()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(42, 8, 3)).astype(np.float32)
LABELS = np.array(["anger", "fear", "sadness"])
CODES = np.arange(42) % 3
X[np.arange(42), :, CODES] += 2
y = LABELS[CODES]

BOTH = pytest.mark.parametrize(
    "Classifier", [AttentionBLSTMClassifier, BLSTMClassifier]
)


def make(Classifier=AttentionBLSTMClassifier, **parameters):
    defaults = {"units": 6, "epochs": 2, "learning_rate": 0.02, "random_state": 0}
    return Classifier(**{**defaults, **parameters})


@pytest.fixture(scope="module")
def fitted():
    return make(epochs=25).fit(X, y)


def test_learns(fitted):
    assert fitted.score(X, y) > 0.9
    assert fitted.history_["loss"][-1] < fitted.history_["loss"][0]


def test_fitted_attributes(fitted):
    np.testing.assert_array_equal(fitted.classes_, LABELS)
    assert fitted.n_features_in_ == 3
    assert fitted.n_frames_in_ == 8
    assert isinstance(fitted.model_, keras.Model)
    assert fitted.estimator_.model_ is fitted.model_
    assert set(fitted.history_) == {"loss", "accuracy"}
    assert len(fitted.history_["loss"]) == 25
    assert is_classifier(fitted)


def test_predictions(fitted):
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (42, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(
        fitted.predict(X), LABELS[probabilities.argmax(axis=1)]
    )


def test_one_row_keeps_two_dimensions(fitted):
    assert fitted.predict_proba(X[:1]).shape == (1, 3)
    assert fitted.predict(X[:1]).shape == (1,)
    assert fitted.attention(X[:1]).shape == (1, 8)


def test_attention_weighs_frames(fitted):
    weights = fitted.attention(X)
    assert weights.shape == (42, 8)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert not hasattr(BLSTMClassifier, "attention")


@BOTH
def test_refits_are_bit_identical(Classifier):
    classifier = make(Classifier, dropout=0.3)
    first = classifier.fit(X, y).predict_proba(X)
    second = clone(classifier).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(first, second)
    other = make(Classifier, dropout=0.3, random_state=1).fit(X, y)
    assert not np.array_equal(first, other.predict_proba(X))


def test_random_state_instance_is_advanced():
    state = np.random.RandomState(0)
    first = make(random_state=state).fit(X, y).predict_proba(X)
    second = make(random_state=state).fit(X, y).predict_proba(X)
    assert not np.array_equal(first, second)


def test_callers_random_streams_are_left_alone():
    import tensorflow as tf

    def draw():
        return (
            random.random(),
            np.random.random(),
            float(tf.random.uniform(())),
        )

    def seed():
        keras.utils.set_random_seed(3)
        draw()

    seed()
    expected = draw()
    seed()
    make(early_stopping=True).fit(X, y).predict(X)
    assert draw() == expected


def test_unseeded_fit_after_a_seeded_one():
    make().fit(X, y)
    first = make(random_state=None).fit(X, y).predict_proba(X)
    second = make(random_state=None).fit(X, y).predict_proba(X)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    "labels",
    [CODES, CODES - 1, CODES == 1, pd.Series(y), y.tolist(), y.astype(object)],
    ids=["int", "negative", "bool", "Series", "list", "object"],
)
def test_kinds_of_labels(labels):
    classifier = make(epochs=1).fit(X, labels)
    predicted = classifier.predict(X)
    assert set(predicted) <= set(np.asarray(labels).tolist())
    np.testing.assert_array_equal(classifier.classes_, np.unique(labels))
    assert classifier.predict_proba(X).shape == (42, len(classifier.classes_))


def test_early_stopping_on_given_rows():
    classifier = make(epochs=30, patience=2)
    classifier.fit(X, y, X_val=RNG.normal(size=(9, 8, 3)), y_val=y[:9])
    loss = classifier.history_["val_loss"]
    assert len(loss) == np.argmin(loss) + 3 < 30
    assert len(classifier.history_["loss"]) == len(loss)


def test_best_weights_are_restored():
    X_val, y_val = RNG.normal(size=(9, 8, 3)).astype("float32"), CODES[:9]
    classifier = make(epochs=30, patience=2).fit(X, CODES, X_val=X_val, y_val=y_val)
    probabilities = classifier.predict_proba(X_val)[np.arange(9), y_val]
    np.testing.assert_allclose(
        -np.log(probabilities).mean(), min(classifier.history_["val_loss"]), rtol=1e-4
    )


def test_early_stopping_by_default_wants_rows():
    assert "val_loss" not in make().fit(X, y).history_
    assert "val_loss" in make(early_stopping=True).fit(X, y).history_
    classifier = make(early_stopping=False).fit(X, y, X_val=X, y_val=y)
    assert "val_loss" not in classifier.history_


@pytest.mark.parametrize(
    ("X_val", "y_val", "message"),
    [
        (X[:3], None, "together"),
        (X[:3], y[:2], "inconsistent numbers"),
        (X[:3], ["joy"] * 3, r"y_val holds labels .*not trained on: \['joy'\]"),
        (X[:3, :5], y[:3], "X_val has 5 frames"),
        (X[:3, :, :2], y[:3], "2 features"),
    ],
)
def test_bad_validation_rows(X_val, y_val, message):
    with pytest.raises(ValueError, match=message):
        make().fit(X, y, X_val=X_val, y_val=y_val)


def test_weights_reach_the_loss():
    zero_fear = np.where(y == "fear", 0.0, 1.0)
    by_sample = make(epochs=15).fit(X, y, sample_weight=zero_fear)
    by_class = make(
        epochs=15, class_weight={"anger": 1.0, "sadness": 1.0, "fear": 0.0}
    ).fit(X, y)
    assert "fear" not in by_sample.predict(X)
    np.testing.assert_array_equal(by_sample.predict_proba(X), by_class.predict_proba(X))
    rare = np.r_[np.flatnonzero(y != "fear"), np.flatnonzero(y == "fear")[:3]]
    balanced = make(class_weight="balanced").fit(X[rare], y[rare])
    assert not np.array_equal(
        balanced.predict_proba(X), make().fit(X[rare], y[rare]).predict_proba(X)
    )


def test_optimizers():
    optimizer = keras.optimizers.SGD(0.5)
    classifier = make(optimizer=optimizer, learning_rate=None)
    classifier.fit(X, y)
    assert isinstance(classifier.model_.optimizer, keras.optimizers.SGD)
    assert float(classifier.model_.optimizer.learning_rate) == 0.5
    assert classifier.optimizer is optimizer
    assert not optimizer.built
    classifier.set_params(optimizer="rmsprop", learning_rate=0.25).fit(X, y)
    assert isinstance(classifier.model_.optimizer, keras.optimizers.RMSprop)
    assert float(classifier.model_.optimizer.learning_rate) == 0.25


def test_warm_start_trains_on():
    classifier = make(epochs=3, warm_start=True).fit(X, y)
    first = classifier.history_["loss"]
    classifier.set_params(epochs=2).fit(X, y)
    assert classifier.history_["loss"][:3] == first
    assert len(classifier.history_["loss"]) == 5
    assert classifier.history_["loss"][3] < first[0]
    assert int(classifier.model_.optimizer.iterations) == 5 * 2  # batches of 32
    with pytest.raises(ValueError, match="not trained on: \\['joy'\\]"):
        classifier.fit(X, np.where(y == "fear", "joy", y))
    anew = make(epochs=3).fit(X, y)
    anew.fit(X, y)
    assert anew.history_["loss"] == first


def test_partial_fit_continues_also_after_a_round_trip(tmp_path):
    classifier = make().partial_fit(X[:20], y[:20], classes=LABELS)
    joblib.dump(classifier, tmp_path / "classifier.joblib")
    loaded = joblib.load(tmp_path / "classifier.joblib")
    for part in (slice(20, 30), slice(30, 42)):
        classifier.partial_fit(X[part], y[part])
        loaded.partial_fit(X[part], y[part])
    assert len(classifier.history_["loss"]) == 3
    assert int(loaded.model_.optimizer.iterations) == 3
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


def test_partial_fit_knows_classes_that_come_later():
    fear_less = y != "fear"
    classifier = make()
    with pytest.raises(ValueError, match="classes must be passed"):
        classifier.partial_fit(X, y)
    with pytest.raises(ValueError, match="needs all labels at once"):
        make(class_weight="balanced").partial_fit(X, y, classes=LABELS)
    classifier.partial_fit(X[fear_less], y[fear_less], classes=LABELS)
    assert classifier.predict_proba(X).shape == (42, 3)
    with pytest.raises(ValueError, match="not trained on: \\['joy'\\]"):
        classifier.partial_fit(X[:1], ["joy"])


def test_callbacks_are_copied_and_not_kept(tmp_path):
    log = tmp_path / "log.csv"
    callback = keras.callbacks.CSVLogger(str(log))
    classifier = make(callbacks=callback).fit(X, y)
    assert len(log.read_text().splitlines()) == 3
    assert callback.model is None
    assert classifier.callbacks is callback
    joblib.dump(classifier.set_params(callbacks=None), tmp_path / "model.joblib")


@BOTH
def test_fitted_classifier_predicts_the_same_in_a_fresh_process(Classifier, tmp_path):
    classifier = make(Classifier, ignore_padding=True, dropout=0.1).fit(X, y)
    path = tmp_path / "classifier.joblib"
    joblib.dump((classifier, X, classifier.predict_proba(X)), path)
    code = (
        "import joblib, sys\n"
        "classifier, X, expected = joblib.load(sys.argv[1])\n"
        "assert (classifier.predict_proba(X) == expected).all()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_after_training_is_refused_and_does_not_hang():
    code = """
import os, sys
import numpy as np
from skemotion import BLSTMClassifier
X, y = np.random.default_rng(0).normal(size=(8, 4, 2)), [0, 1] * 4
classifier = BLSTMClassifier(units=2, epochs=1).fit(X, y)
child = os.fork()
if child == 0:
    try:
        classifier.predict(X)
    except RuntimeError as error:
        os._exit(7 if "forked" in str(error) else 8)
    os._exit(9)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=300, check=False)
    assert done.returncode == 7


def test_nothing_is_printed(capfd):
    make(early_stopping=True).fit(X, y).predict(X)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"units": 0}, "units"),
        ({"dropout": 1.0}, "dropout"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"epochs": 1.5}, "epochs"),
        ({"early_stopping": "yes"}, "early_stopping"),
        ({"class_weight": "equal"}, "class_weight"),
        ({"optimizer": "no such thing"}, "no such thing"),
        *(
            ({name: value}, f"'{name}' parameter")
            for name, values in {
                "batch_size": [0],
                "callbacks": ["x"],
                "frame_step": [0],
                "functionals": ["mean"],
                "functionals_units": [0],
                "label_smoothing": [-0.1, 1.0],
                "n_members": [0],
                "noise": [-0.1, 1.1],
                "patience": [-1],
                "schedule": ["linear"],
                "validation_fraction": [0.0, 1.0],
                "verbose": [-1],
                "warm_start": ["yes"],
            }.items()
            for value in values
        ),
        # Twice as many as the most that are trained.
        ({"units": 8_000}, "units=8000.* weights"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters).fit(X, y)


@pytest.mark.parametrize(
    ("bad_X", "bad_y", "message"),
    [
        (X[..., None], y, "expects X of shape"),
        (np.full_like(X, np.nan), y, "NaN"),
        (X, y[:-1], "inconsistent numbers of samples"),
        (X, ["anger"] * 42, "at least 2 classes"),
        (X, RNG.normal(size=42), "continuous"),
    ],
)
def test_bad_input(bad_X, bad_y, message):
    with pytest.raises(ValueError, match=message):
        make().fit(bad_X, bad_y)


def test_other_shapes_at_predict(fitted):
    with pytest.raises(ValueError, match="7 frames, but .* fitted on 8"):
        fitted.predict(X[:, :7])
    with pytest.raises(ValueError, match="2 features, but .* expecting 3"):
        fitted.predict_proba(X[..., :2])


@BOTH
def test_unfitted(Classifier):
    classifier = Classifier()
    with pytest.raises(NotFittedError):
        classifier.predict(X)
    assert not hasattr(classifier, "model_")


@BOTH
def test_init_only_stores_and_documents_every_parameter(Classifier):
    parameters = inspect.signature(Classifier).parameters
    assert set(parameters) == set(Classifier._parameter_constraints)
    for name, parameter in parameters.items():
        assert f"\n{name} : " in inspect.getdoc(Classifier)
        assert getattr(Classifier(), name) is parameter.default


@BOTH
def test_defaults_are_the_posts(Classifier):
    functionals = [
        "mean",
        "std",
        "p5",
        "p25",
        "p50",
        "p75",
        "p95",
        "slope",
        "mean_abs_diff",
    ]
    assert Classifier().get_params() == {
        "units": 256,
        "dropout": 0.0,
        "ignore_padding": False,
        "frame_step": 1,
        "noise": 0.0,
        "functionals_units": None,
        "functionals": tuple(functionals),
        "n_members": 1,
        "label_smoothing": 0.0,
        "optimizer": "adam",
        "learning_rate": None,
        "schedule": None,
        "batch_size": 32,
        "epochs": 30,
        "early_stopping": "auto",
        "validation_fraction": 0.1,
        "patience": 10,
        "class_weight": None,
        "callbacks": None,
        "checkpoint": None,
        "warm_start": False,
        "random_state": None,
        "verbose": 0,
    }


def test_it_takes_three_dimensions_by_its_tags():
    tags = get_tags(AttentionBLSTMClassifier())
    assert tags.input_tags.three_d_array
    assert tags.estimator_type == "classifier"
    assert not tags.non_deterministic


@pytest.mark.parametrize(
    ("schedule", "epochs", "parts"),
    [
        ("one_cycle", 1, [0.5]),
        ("one_cycle", 2, [0.5, 0.5]),
        ("one_cycle", 10, [0.067, 0.5, 0.933, 0.987, 0.891, 0.717, 0.5, 0.283, 0.109]),
        ("cosine", 1, [0.5]),
        ("cosine", 4, [0.962, 0.691, 0.309, 0.038]),
    ],
)
def test_courses_of_schedules(schedule, epochs, parts):
    """Half a cosine up in 30 % of the epochs, and down in the others."""
    classifier = make(schedule=schedule, epochs=epochs, learning_rate=0.01).fit(X, y)
    rates = np.array(classifier.history_["learning_rate"])[: len(parts)] / 0.01
    np.testing.assert_allclose(rates, parts, atol=1e-3)


@pytest.mark.parametrize(("verbose", "shows_a_bar"), [(1, True), (2, False)])
def test_what_is_printed_on_request(verbose, shows_a_bar, capfd):
    make(verbose=verbose).fit(X, y)
    out = capfd.readouterr().out
    assert "Epoch 2/2" in out
    assert "loss" in out
    assert ("\u2501" in out) == shows_a_bar


def test_the_wrapper_trains_on_codes():
    classifier = make(epochs=1).fit(X, y)
    before = classifier.predict_proba(X)
    classifier.estimator_.fit(X, np.searchsorted(LABELS, y), epochs=2)
    assert not np.array_equal(classifier.predict_proba(X), before)
    assert len(classifier.estimator_.history_["loss"]) == 2


def test_networks_built_alike_share_a_graph(monkeypatch):
    from skemotion.networks import _graphs

    graphs = _graphs.RecentlyUsed(8)
    monkeypatch.setattr(_graphs, "_graphs", graphs)
    for rate in (1e-3, 1e-2):
        BLSTMClassifier(units=2, epochs=1, learning_rate=rate).fit(X, y).predict(X)
    assert len(graphs._items) == 2  # of training and of prediction


@pytest.fixture(scope="module")
def committee():
    return make(
        epochs=30,
        dropout=0.2,
        frame_step=2,
        noise=0.1,
        functionals_units=5,
        n_members=2,
        label_smoothing=0.1,
        schedule="one_cycle",
        class_weight="balanced",
    ).fit(X, y)


def test_members_with_two_views_learn(committee):
    assert committee.score(X, y) > 0.9
    probabilities = committee.predict_proba(X)
    assert probabilities.shape == (42, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert committee.history_["accuracy"][-1] > 0.9
    assert len(committee.history_["loss"]) == 30


def test_attention_of_members_is_averaged(committee):
    weights = committee.attention(X)
    assert weights.shape == (42, 8)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(weights[:, 0::2], weights[:, 1::2], rtol=1e-4)


def test_members_survive_pickling_and_bundling(committee, tmp_path):
    from skemotion.persistence import load_model, save_model

    joblib.dump(committee, tmp_path / "committee.joblib")
    save_model(committee, tmp_path / "committee.skemotion")
    expected = committee.predict_proba(X)
    for loaded in (
        joblib.load(tmp_path / "committee.joblib"),
        load_model(tmp_path / "committee.skemotion"),
    ):
        np.testing.assert_array_equal(loaded.predict_proba(X), expected)
        np.testing.assert_array_equal(loaded.attention(X), committee.attention(X))


def test_size_of_what_only_members_have_is_checked_in_a_bundle(committee, tmp_path):
    from skemotion.persistence import save_model

    changed = joblib.load(_dumped(committee, tmp_path)).set_params(n_members=3)
    with pytest.raises(ValueError, match="n_members was changed after fit"):
        save_model(changed, tmp_path / "changed.skemotion")


def _dumped(classifier, folder):
    path = folder / "classifier.joblib"
    joblib.dump(classifier, path)
    return path


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_step_size_follows_the_schedule(schedule):
    classifier = make(schedule=schedule, epochs=10).fit(X, y)
    rates = np.array(classifier.history_["learning_rate"])
    peak = rates.argmax()
    assert peak == (3 if schedule == "one_cycle" else 0)
    assert (np.diff(rates[:peak]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()
    assert 0 < rates[-1] < 0.02 * 0.05
    assert 0.02 * 0.9 < rates[peak] <= 0.02


def test_two_schedules_are_refused():
    decay = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.5)
    with pytest.raises(ValueError, match="schedule='cosine' sets the step size"):
        make(schedule="cosine", learning_rate=decay).fit(X, y)


def held_out_rows(classifier, X, y):
    """Return the rows that a fit holds out, seen by what it trains on."""
    seen = []
    train = classifier._train

    def note(sequences, codes, weights, validation, *others, **named):
        seen.append(validation[0])
        train(sequences, codes, weights, validation, *others, **named)

    classifier._train = note
    try:
        classifier.fit(X, y)
    finally:
        del classifier._train
    return seen[0]


@pytest.mark.parametrize("random_state", [0, None])
def test_training_on_stops_by_rows_that_were_never_trained_on(random_state):
    classifier = make(warm_start=True, early_stopping=True, random_state=random_state)
    first = held_out_rows(classifier, X, y)
    np.testing.assert_array_equal(held_out_rows(classifier, X, y), first)


def test_a_batch_may_lack_classes_that_weigh_more():
    classifier = make(class_weight={"fear": 2.0})
    for label in LABELS:
        classifier.partial_fit(X[y == label], y[y == label], classes=LABELS)
    with pytest.raises(ValueError, match=r"\['joy'\], which are no classes"):
        make(class_weight={"joy": 1.0}).fit(X, y)
    with pytest.raises(ValueError, match="not negative"):
        make(class_weight={"fear": -1.0}).fit(X, y)


def test_classes_stay_those_of_the_first_call():
    classifier = make().partial_fit(X, y, classes=LABELS)
    classifier.partial_fit(X, y, classes=LABELS[::-1])
    with pytest.raises(ValueError, match="not those of the first call"):
        classifier.partial_fit(X, y, classes=[*LABELS, "joy"])


def test_what_was_fitted_predicts_whatever_parameters_are_set_later():
    classifier = make(n_members=2, dropout=0.1).fit(X, y)
    before = classifier.predict_proba(X), classifier.attention(X)
    classifier.set_params(n_members=5, units=9, ignore_padding=True, batch_size=1)
    for name, value in zip(("predict_proba", "attention"), before, strict=True):
        np.testing.assert_array_equal(getattr(classifier, name)(X), value)


def rates(classifier):
    return float(classifier.model_.optimizer.learning_rate)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_schedule_goes_through_one_fit(schedule):
    classifier = make(schedule=schedule, learning_rate=0.01, epochs=6, warm_start=True)
    course = classifier.fit(X, y).history_["learning_rate"]
    assert course[-1] < 0.002
    assert rates(classifier) == pytest.approx(0.01)
    classifier.partial_fit(X, y)
    assert len(classifier.history_["learning_rate"]) == 6
    assert rates(classifier) == pytest.approx(0.01)
    classifier.fit(X, y)
    assert classifier.history_["learning_rate"][6:] == course
    classifier.set_params(schedule=None).fit(X, y)
    assert rates(classifier) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"units": 10**7}, ValueError, "units=10000000.* weights"),
        ({"functionals_units": 10**9}, ValueError, "functionals_units.* weights"),
        ({"n_members": 10**9}, ValueError, "n_members.* weights"),
        ({"noise": 1e30}, ValueError, "'noise' parameter"),
        ({"learning_rate": 1e38}, ValueError, "diverged.*learning_rate"),
        ({"learning_rate": np.inf}, ValueError, "learning_rate"),
        ({"noise": np.nan}, ValueError, "noise"),
        ({"optimizer": "multioptimizer"}, ValueError, "is no optimizer.*'adam'"),
        ({"class_weight": {"anger": "two"}}, ValueError, "'two'; a weight must be"),
        ({"class_weight": {"anger": None}}, ValueError, "None; a weight must be"),
        ({"class_weight": {"anger": [1, 2]}}, ValueError, "2]; a weight must be"),
        ({"optimizer": "nosuch"}, ValueError, "'nosuch' is no optimizer.*'adam'"),
        ({"optimizer": keras.layers.Dense(1)}, TypeError, "optimizer must be"),
        ({"learning_rate": keras.layers.Dense(1)}, TypeError, "learning_rate must"),
        ({"callbacks": ["x"]}, TypeError, "callbacks must be instances.*'x'"),
        ({"callbacks": [keras.callbacks.History]}, TypeError, "must be instances"),
    ],
)
def test_absurd_parameters(parameters, error, message, capfd):
    classifier = make(**parameters)
    with pytest.raises(error, match=message):
        classifier.fit(1e3 * X, y)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_numbers_of_numpy_are_those_of_python(kind):
    counts = {
        "units": 2,
        "frame_step": 2,
        "functionals_units": 3,
        "n_members": 2,
        "batch_size": 16,
        "epochs": 1,
    }
    amounts = {"learning_rate": 0.5, "dropout": 0.25, "noise": 0.5}
    numbers = counts if kind is np.int64 else amounts
    parameters = counts | amounts | {"schedule": "cosine", "ignore_padding": True}
    expected = make(**parameters).fit(X, y).predict_proba(X)
    parameters |= {name: kind(value) for name, value in numbers.items()}
    parameters["ignore_padding"] = np.True_
    found = make(**parameters).fit(X, y)
    np.testing.assert_array_equal(found.predict_proba(X), expected)
    loaded = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)


@pytest.mark.parametrize(
    "labels",
    [
        pd.Categorical(y),
        pd.array(y, dtype="string"),
        pd.DataFrame({"label": y})["label"].values,
        pd.array(CODES, dtype="Int64"),
        pd.Series(y, dtype="category"),
    ],
    ids=["categorical", "string", "values", "Int64", "Series of categories"],
)
def test_labels_of_pandas(labels):
    classifier = make(epochs=1).fit(X, labels, X_val=X[:9], y_val=labels[:9])
    np.testing.assert_array_equal(classifier.classes_, np.unique(np.asarray(labels)))
    assert set(classifier.predict(X)) <= set(np.asarray(labels).tolist())
    make().partial_fit(X, labels, classes=pd.unique(labels))
    assert 0 <= classifier.score(X, labels) <= 1


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"functionals_units": 3},
        {"n_members": 2, "frame_step": 2},
        {"ignore_padding": True, "functionals_units": 3, "n_members": 2},
    ],
)
@BOTH
def test_the_wrapper_predicts_the_same_by_codes(Classifier, parameters):
    padded = X.copy()
    padded[::2, :3] = 0
    classifier = make(Classifier, **parameters).fit(padded, y)
    estimator = classifier.estimator_
    expected = classifier.predict_proba(padded)
    for rows in (padded, padded.astype(float), padded[:1]):
        probabilities = estimator.predict_proba(rows)
        np.testing.assert_allclose(probabilities, expected[: len(rows)], atol=1e-6)
        codes = estimator.predict(rows)
        np.testing.assert_array_equal(codes, probabilities.argmax(axis=1))
    codes = np.searchsorted(classifier.classes_, y)
    assert estimator.score(padded, codes) == classifier.score(padded, y)
    assert type(estimator).__mro__[1].__name__ == "KerasClassifier"
