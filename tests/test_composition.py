"""The package's estimators inside scikit-learn's, and scikit-learn's inside them."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import sklearn
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
)
from imblearn.over_sampling import SMOTE
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import RFE, SelectKBest, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    DetCurveDisplay,
    PrecisionRecallDisplay,
    RocCurveDisplay,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    LearningCurveDisplay,
    LeaveOneGroupOut,
    TunedThresholdClassifierCV,
    cross_val_score,
)
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC

from skemotion import (
    BLSTMClassifier,
    EmotionPipeline,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    SequenceUnion,
    SpeechFeatureExtractor,
    make_emotion_pipeline,
)
from skemotion.inspection import sequence_permutation_importance
from skemotion.metrics import uar_scorer, unweighted_average_recall

RNG = np.random.default_rng(0)
y = RNG.permutation(["anger"] * 20 + ["fear"] * 16)
SPEAKERS = np.arange(36) % 4
X = RNG.normal(size=(36, 10, 3)).astype(np.float32)
X[y == "fear", :, 1] += 1.0

# One setting for all networks, since equal networks share a traced graph.
NETWORK = BLSTMClassifier(units=3, epochs=1, random_state=0)
FUNCTIONALS = SequenceFunctionals(["mean", "std"], ignore_padding=False)
BAYES = GaussianNB()


def make(classify=NETWORK, **parameters):
    """Build a pipeline of scaler, sampler and classifier."""
    return EmotionPipeline(
        [
            ("scale", SequenceScaler()),
            ("balance", SequenceSampler(random_state=0)),
            ("classify", clone(classify)),
        ],
        random_state=0,
        **({"validation_fraction": None} | parameters),
    )


def make_flat(classifier=BAYES):
    """Build a classifier of sequences that is no network."""
    return make_pipeline(clone(FUNCTIONALS), clone(classifier))


@pytest.fixture(scope="module")
def fitted():
    return make(validation_fraction=0.2).fit(X, y)


@pytest.fixture(scope="module")
def signals():
    rng = np.random.default_rng(1)
    time = np.arange(4800) / 16_000
    return [
        0.5 * np.sin(2 * np.pi * pitch * time) + 0.05 * rng.normal(size=time.size)
        for pitch in np.where(y == "fear", 400, 900)
    ]


def make_extractor():
    return SpeechFeatureExtractor(duration=0.3, n_mfcc=3, n_mels=16)


# Networks in meta-estimators


def assert_probabilities(probabilities, n_classes=2):
    assert probabilities.shape == (36, n_classes)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_calibrated_network():
    calibrated = CalibratedClassifierCV(make(), cv=2).fit(X, y)
    probabilities = calibrated.predict_proba(X)
    assert_probabilities(probabilities)
    assert calibrated.classes_.tolist() == ["anger", "fear"]
    members = [member.predict_proba(X) for member in calibrated.calibrated_classifiers_]
    np.testing.assert_allclose(probabilities, np.mean(members, axis=0), rtol=1e-6)


def test_frozen_network_is_not_trained_again(fitted):
    expected = fitted.predict_proba(X)
    frozen = clone(FrozenEstimator(fitted)).fit(X[:4], ["joy"] * 4)
    np.testing.assert_array_equal(frozen.predict_proba(X), expected)
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted)).fit(X, y)
    assert_probabilities(calibrated.predict_proba(X))
    np.testing.assert_array_equal(fitted.predict_proba(X), expected)


def test_network_votes_with_others():
    voting = VotingClassifier(
        [("network", make(validation_fraction=0.2)), ("flat", make(make_flat()))],
        voting="soft",
    ).fit(X, y)
    members = [member.predict_proba(X) for member in voting.estimators_]
    np.testing.assert_allclose(voting.predict_proba(X), np.mean(members, axis=0))
    assert set(voting.predict(X)) <= {"anger", "fear"}
    assert "val_loss" in voting.named_estimators_["network"]["classify"].history_
    voting.set_params(network="drop", flat__scale__scope="cell").fit(X, y)
    assert voting.score(X, y) > 0.8


def test_network_stacked_with_others():
    stacking = StackingClassifier(
        [("network", make()), ("flat", make(make_flat()))], cv=2
    ).fit(X, y)
    assert stacking.transform(X).shape == (36, 2)
    assert_probabilities(stacking.predict_proba(X))
    assert stacking.score(X, y) > 0.8


def test_one_network_for_each_class():
    classes = np.resize(["anger", "fear", "joy"], 36)
    one_vs_rest = OneVsRestClassifier(make()).fit(X, classes)
    assert len(one_vs_rest.estimators_) == 3
    assert_probabilities(one_vs_rest.predict_proba(X), 3)
    assert set(one_vs_rest.predict(X)) <= {"anger", "fear", "joy"}


def test_threshold_tuned_for_a_network():
    tuned = TunedThresholdClassifierCV(make(), scoring=uar_scorer, cv=0.5).fit(X, y)
    fear = tuned.predict_proba(X)[:, 1]
    expected = np.where(fear >= tuned.best_threshold_, "fear", "anger")
    np.testing.assert_array_equal(tuned.predict(X), expected)


def test_threshold_chosen_for_a_fitted_network(fitted):
    frozen = FrozenEstimator(fitted)
    fear = fitted.predict_proba(X)[:, 1]
    tuned = TunedThresholdClassifierCV(
        frozen, scoring=uar_scorer, cv="prefit", refit=False
    ).fit(X, y)
    best = max(
        unweighted_average_recall(y, np.where(fear >= threshold, "fear", "anger"))
        for threshold in fear
    )
    assert tuned.best_score_ == pytest.approx(best)
    fixed = FixedThresholdClassifier(frozen, threshold=float(np.median(fear)))
    assert (fixed.fit(X, y).predict(X) == "fear").sum() == 18


def test_features_of_a_network_are_permuted(fitted):
    result = sequence_permutation_importance(
        fitted, X, y, scoring="neg_log_loss", n_repeats=2, random_state=0
    )
    assert result.importances.shape == (3, 2)
    assert (result.importances != 0).all()


class Witness(ClassifierMixin, BaseEstimator):
    """Is given early stopping like a network, and notes who takes part."""

    fits: list[tuple[set, set]] = []

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        self.classes_ = np.unique(y)
        held_out = [] if X_val is None else X_val[:, 0, 0]
        self.fits.append((set(X[:, 0, 0].tolist()), set(held_out)))
        return self

    def predict_proba(self, X):
        fear = 1 / (1 + np.exp(-X[:, :, 1].mean(axis=1)))
        return np.column_stack([1 - fear, fear])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


WITNESS = make(Witness(), validation_fraction=0.2).set_params(
    scale="passthrough", balance="passthrough"
)


LOSO = LeaveOneGroupOut()
# Stacking hands groups to the final estimator as well, which has to take them.
FINAL = EmotionPipeline([("classify", GaussianNB())])


@pytest.mark.parametrize(
    ("estimator", "n_speakers"),
    [
        (CalibratedClassifierCV(WITNESS, cv=LOSO), [3, 3, 3, 3]),
        (TunedThresholdClassifierCV(WITNESS, cv=LOSO), [3, 3, 3, 3, 4]),
        (
            StackingClassifier([("a", WITNESS)], final_estimator=FINAL, cv=LOSO),
            [3, 3, 3, 3, 4],
        ),
        (VotingClassifier([("a", WITNESS), ("b", WITNESS)]), [4, 4]),
        (OneVsRestClassifier(WITNESS), [4]),
    ],
    ids=["calibrated", "tuned", "stacking", "voting", "one-vs-rest"],
)
def test_speakers_are_kept_apart_in_meta_estimators(estimator, n_speakers, monkeypatch):
    monkeypatch.setattr(Witness, "fits", [])
    tagged = X.copy()
    tagged[:, 0, 0] = SPEAKERS
    with sklearn.config_context(enable_metadata_routing=True):
        estimator.fit(tagged, y, groups=SPEAKERS)
    assert sorted(len(trained | held_out) for trained, held_out in Witness.fits) == (
        n_speakers
    )
    for trained, held_out in Witness.fits:
        assert trained
        assert held_out
        assert not trained & held_out
    assert estimator.predict(X).shape == y.shape


def test_stacking_hands_groups_to_the_final_estimator():
    """If this fails, any final estimator will do: correct the docs."""
    stacking = StackingClassifier([("a", WITNESS)], cv=2)
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(TypeError, match="unexpected keyword argument 'groups'"),
    ):
        stacking.fit(X, y, groups=SPEAKERS)


def test_boosting_takes_classifiers_but_no_pipelines():
    """If this fails at the end, boosting takes pipelines: correct the docs."""
    boosted = AdaBoostClassifier(Witness(), n_estimators=2, random_state=0).fit(X, y)
    assert boosted.predict(X).shape == y.shape
    with pytest.raises(ValueError, match="doesn't support sample_weight"):
        AdaBoostClassifier(make(Witness())).fit(X, y)


# Pipelines


def test_pipelines_are_classifiers():
    assert is_classifier(make_emotion_pipeline())
    assert is_classifier(make(make_flat()))
    assert DummyClassifier().fit(X, y).predict(X).shape == y.shape


def test_functions_as_steps(signals):
    squash = FunctionTransformer(np.tanh)
    inside = EmotionPipeline([("squash", squash), *make(make_flat()).steps])
    np.testing.assert_array_equal(
        inside.fit(X, y).predict_proba(X),
        make(make_flat()).fit(np.tanh(X), y).predict_proba(np.tanh(X)),
    )
    louder = FunctionTransformer(lambda recordings: [2 * x for x in recordings])
    np.testing.assert_array_equal(
        make_pipeline(louder, make_extractor()).fit_transform(signals),
        make_extractor().transform([2 * signal for signal in signals]),
    )


def test_memory_keeps_what_was_extracted(signals, tmp_path):
    import soundfile

    paths = [str(tmp_path / f"{row}.wav") for row in range(len(signals))]
    for path, signal in zip(paths, signals, strict=True):
        soundfile.write(path, signal, 16_000, subtype="FLOAT")

    def build(memory):
        steps = [("extract", make_extractor()), *make().steps]
        pipeline = EmotionPipeline(steps, validation_fraction=0.2, memory=memory)
        return pipeline.set_params(random_state=0)

    plain = build(None).fit(paths, y)
    cached = build(str(tmp_path / "cache")).fit(paths, y)
    recordings = signals[:5]
    expected = plain.predict_proba(recordings)
    np.testing.assert_array_equal(cached.predict_proba(recordings), expected)
    for step, attribute in [("scale", "mean_"), ("balance", "sampler_")]:
        assert hasattr(cached[step], attribute)

    # Other classifiers behind the same steps need the recordings no more.
    unheld = build(str(tmp_path / "cache")).set_params(
        validation_fraction=None, classify=make_flat()
    )
    unheld.fit(paths, y)
    for path in paths:
        Path(path).unlink()
    unheld.set_params(classify=make_flat(SVC())).fit(paths, y)
    assert unheld.score(signals, y) > 0.9


@pytest.mark.parametrize(
    "classifier",
    [
        SVC(),
        HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=3),
        RandomForestClassifier(n_estimators=10, random_state=0),
        BalancedRandomForestClassifier(n_estimators=10, random_state=0),
        KNeighborsClassifier(),
        LinearDiscriminantAnalysis(),
        BaggingClassifier(GaussianNB(), n_estimators=3, random_state=0),
        OneVsOneClassifier(GaussianNB()),
        AdaBoostClassifier(n_estimators=3, random_state=0),
        RFE(RandomForestClassifier(n_estimators=5, random_state=0)),
        make_pipeline(SelectKBest(k=2), GaussianNB()),
        make_pipeline(PCA(2), GaussianNB()),
        make_pipeline(ColumnTransformer([("mean", "passthrough", [2])]), GaussianNB()),
        make_pipeline(StandardScaler(), GaussianNB()),
    ],
    ids=lambda classifier: str(classifier).partition("(")[0],
)
def test_classifiers_of_flat_vectors_behind_the_same_steps(classifier):
    scores = cross_val_score(
        make(make_flat(classifier)), X, y, scoring=uar_scorer, error_score="raise"
    )
    assert scores.mean() > 0.75


def test_weights_reach_a_classifier_of_flat_vectors():
    weights = (np.arange(36) % 3 > 0).astype(float)
    pipeline = make(make_flat()).set_params(scale="passthrough", balance="passthrough")
    weighted = clone(pipeline).fit(X, y, classify__gaussiannb__sample_weight=weights)
    kept = weights > 0
    subset = clone(pipeline).fit(X[kept], y[kept])
    np.testing.assert_allclose(
        weighted.predict_proba(X), subset.predict_proba(X), rtol=1e-4
    )


# What is limited to two dimensions, and what serves instead


TWO_LABELS = np.column_stack([y == "fear", SPEAKERS > 1]).astype(int)
REFUSED = {
    "SVC": SVC(),
    "StandardScaler": StandardScaler(),
    "SimpleImputer": SimpleImputer(),
    "SelectKBest": SelectKBest(),
    "RFE": RFE(make_flat()),
    "SequentialFeatureSelector": SequentialFeatureSelector(make_flat(), cv=2),
    "ColumnTransformer": ColumnTransformer([("first", "passthrough", [0])]),
    "BaggingClassifier": BaggingClassifier(make_flat()),
    "BalancedBaggingClassifier": BalancedBaggingClassifier(make_flat()),
    "EasyEnsembleClassifier": EasyEnsembleClassifier(estimator=make_flat()),
    "OneVsOneClassifier": OneVsOneClassifier(make_flat()),
    "SelfTrainingClassifier": SelfTrainingClassifier(make_flat()),
    "ClassifierChain": ClassifierChain(make_flat()),
}


@pytest.mark.parametrize("name", REFUSED)
def test_only_two_dimensions(name):
    """If one of these fails, what it names takes sequences: correct the docs."""
    labels = TWO_LABELS if name == "ClassifierChain" else y
    with pytest.raises(ValueError, match="dim 3|3 dimension"):
        REFUSED[name].fit(X, labels)


def test_only_two_dimensions_in_options_and_functions():
    """As above: correct the docs if this fails."""
    flat = make_flat().fit(X, y)
    with pytest.raises(ValueError, match="dim 3"):
        permutation_importance(flat, X, y)
    with pytest.raises(ValueError, match="3 dimension"):
        partial_dependence(flat, X, [0])
    with pytest.raises(ValueError, match="dim 3"):
        SMOTE().fit_resample(X, y)
    with pytest.raises(ValueError, match="dim 3"):
        FunctionTransformer(validate=True).fit(X)
    with pytest.raises(ValueError, match="dim 3"):  # a bit that is the same for both
        OutputCodeClassifier(make_flat(), random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="dimension"):
        StackingClassifier([("a", make_flat())], cv=2, passthrough=True).fit(X, y)


def test_features_are_joined_by_sequence_union_only():
    """If this fails at first, FeatureUnion joins sequences: correct the docs."""
    raw_and_scaled = [("raw", FunctionTransformer()), ("scaled", SequenceScaler())]
    shape = None
    with contextlib.suppress(ValueError):
        shape = FeatureUnion(raw_and_scaled).fit_transform(X).shape
    # Refused, or before scikit-learn 1.7.2 frame behind frame.
    assert shape in (None, (36, 20, 3))
    union = SequenceUnion([("raw", "passthrough"), ("scaled", SequenceScaler())])
    pipeline = EmotionPipeline([("union", union), *make(make_flat()).steps])
    assert pipeline.fit(X, y)["balance"].n_features_in_ == 6
    flat = FeatureUnion([("all", FUNCTIONALS), ("slope", clone(FUNCTIONALS))])
    flat.set_params(slope__functionals=["slope"])
    assert make_pipeline(flat, GaussianNB()).fit(X, y).score(X, y) > 0.8


def test_several_labels_at_once():
    multi = MultiOutputClassifier(make(make_flat())).fit(X, TWO_LABELS)
    assert multi.predict(X).shape == (36, 2)


@pytest.mark.parametrize("name", ["one-to-one", lambda function, names: names])
def test_names_end_at_functions(name):
    """If this fails, functions of sequences have names: correct the docs."""
    function = FunctionTransformer(feature_names_out=name)
    pipeline = make_pipeline(SequenceScaler(), function).fit(X)
    with pytest.raises(ValueError, match=r"number of features \(10\), got 3"):
        pipeline.get_feature_names_out(["a", "b", "c"])


def test_limits_are_documented():
    page = Path(__file__).parents[1] / "docs" / "compatibility.rst"
    text = page.read_text(encoding="utf-8")
    others = [
        "AdaBoostClassifier",
        "FeatureUnion",
        "FunctionTransformer",
        "OutputCodeClassifier",
        "SMOTE",
        "StackingClassifier",
        "partial_dependence",
        "permutation_importance",
    ]
    assert [name for name in [*REFUSED, *others] if f"``{name}" not in text] == []


# Display


@pytest.mark.parametrize(
    "display",
    [
        CalibrationDisplay,
        ConfusionMatrixDisplay,
        DetCurveDisplay,
        PrecisionRecallDisplay,
        RocCurveDisplay,
    ],
)
def test_displays_of_scikit_learn(display):
    import matplotlib.pyplot

    matplotlib.use("Agg")
    pipeline = make(make_flat()).fit(X, y)
    drawn = display.from_estimator(pipeline, X, y)
    assert drawn.figure_.axes
    matplotlib.pyplot.close("all")


def test_learning_curve_display():
    import matplotlib.pyplot

    matplotlib.use("Agg")
    drawn = LearningCurveDisplay.from_estimator(
        make_flat(),
        X,
        y,
        cv=2,
        train_sizes=[0.5, 1.0],
        scoring=uar_scorer,
        score_name="UAR",
    )
    assert drawn.ax_.get_ylabel() == "UAR"
    assert drawn.test_scores.shape == (2, 2)
    matplotlib.pyplot.close("all")


def test_diagram_names_every_step(fitted):
    steps = ["SpeechFeatureExtractor", "SequenceScaler", "SequenceSampler"]
    html = make_emotion_pipeline("post")._repr_html_()
    for name in ["EmotionPipeline", *steps, "AttentionBLSTMClassifier"]:
        assert f">{name}<" in html
    assert "Not fitted" in html
    assert "Not fitted" not in fitted._repr_html_()
    assert "passthrough" in make_emotion_pipeline()._repr_html_()


def test_representation_tells_what_was_changed(fitted):
    assert repr(fitted) == (
        "EmotionPipeline(random_state=0,\n"
        "                steps=[('scale', SequenceScaler()),\n"
        "                       ('balance', SequenceSampler(random_state=0)),\n"
        "                       ('classify',\n"
        "                        BLSTMClassifier(epochs=1, random_state=0, "
        "units=3))],\n"
        "                validation_fraction=0.2)"
    )


def test_names_of_features_through_the_chain(signals):
    steps = [("extract", make_extractor()), *make(make_flat()).steps]
    pipeline = EmotionPipeline(steps).fit(signals, y)
    extracted = pipeline["extract"].get_feature_names_out()
    assert len(extracted) == 12
    for part in (pipeline[:-1], pipeline[:-2], pipeline[:1]):
        np.testing.assert_array_equal(part.get_feature_names_out(), extracted)
    names = pipeline["classify"][:-1].get_feature_names_out(extracted)
    assert names[:2].tolist() == ["spectral_centroid_mean", "spectral_centroid_std"]
    post = make_emotion_pipeline("post").set_params(classify="passthrough")
    post["balance"].sampler = SMOTE(k_neighbors=2)
    post.fit(signals[:8], np.resize(["anger", "fear"], 8))
    assert len(post[:-2].get_feature_names_out()) == 46
