"""The whole way: what is held out, what reaches which step, what persists."""

import subprocess
import sys
from typing import get_args

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.pipeline import Pipeline as ImbalancedPipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_validate,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    EmotionPipeline,
    NoveltyDetector,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    SequenceUnion,
    SpeechEncoder,
    SpeechFeatureExtractor,
    make_emotion_pipeline,
)
from skemotion.datasets import make_emotional_speech
from skemotion.metrics import uar_scorer
from skemotion.pipeline import RECIPES
from skemotion.pipeline._recipe_table import RecipeName
from skemotion.preprocessing import padding_mask

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6, 6)).astype(np.float32)
y = np.array(["anger"] * 30 + ["fear"] * 18 + ["sadness"] * 12)
SPEAKERS = np.arange(60) % 5


def make(**parameters):
    small = {
        "augment": "passthrough",
        "extract": "passthrough",
        "balance": SequenceSampler(random_state=0),
        "classify": AttentionBLSTMClassifier(
            units=4, epochs=2, dropout=0.5, ignore_padding=True, random_state=0
        ),
    }
    pipeline = make_emotion_pipeline(
        "descriptors", validation_fraction=0.1, random_state=0
    )
    return pipeline.set_params(**{**small, **parameters})


class Witness(BLSTMClassifier):
    """Keeps what `fit` was given instead of training on it."""

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        self.classes_ = np.unique(y)
        self.seen_ = X, y, sample_weight, X_val, y_val
        return self


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(n_speakers=3, n_texts=2, random_state=0)


def test_steps_and_recipes():
    recommended, post = make_emotion_pipeline(), make_emotion_pipeline("post")
    descriptors = make_emotion_pipeline("descriptors")
    for pipeline in (recommended, descriptors, post):
        steps = ["augment", "extract", "scale", "balance", "classify"]
        assert list(pipeline.named_steps) == steps
    assert recommended["augment"].n_copies == 4
    assert "speed" in recommended["augment"].effects
    assert descriptors["augment"].n_copies == 2
    assert "speed" not in descriptors["augment"].effects
    assert post["augment"] == "passthrough"
    assert isinstance(recommended["extract"], SpeechEncoder)
    assert recommended["extract"].layer == (2, 3)
    assert recommended["extract"].frame_step == 4
    assert recommended["extract"].frame_seconds == 0.08
    assert descriptors["extract"].descriptors == "extended"
    assert descriptors["extract"].frame_seconds == 0.032
    assert isinstance(recommended.novelty_detector, NoveltyDetector)
    assert descriptors.novelty_detector is post.novelty_detector is None
    for pipeline in (recommended, descriptors):
        assert pipeline["scale"].ignore_padding
        assert pipeline["classify"].ignore_padding
        assert pipeline["balance"] == "passthrough"
        assert pipeline["classify"].class_weight == "balanced"
        assert pipeline.hop_duration == 2.5
        assert pipeline.detect_speech
    assert post.hop_duration is None
    assert not post.detect_speech
    assert post["scale"].scope == "cell"
    assert post["classify"].units == 256
    assert not post["classify"].ignore_padding
    assert post["extract"].descriptors == "post"
    assert isinstance(post["balance"], SequenceSampler)
    assert post["classify"].get_params() == AttentionBLSTMClassifier().get_params()
    assert recommended.validation_fraction is descriptors.validation_fraction is None
    assert post.validation_fraction == 0.1
    assert make_emotion_pipeline(validation_fraction=0.2).validation_fraction == 0.2
    with pytest.raises(ValueError, match="recipe"):
        make_emotion_pipeline("mine")


def test_one_random_state_reaches_everything():
    pipeline = make_emotion_pipeline("post", random_state=7)
    assert pipeline.random_state == 7
    assert pipeline["balance"].random_state == 7
    assert pipeline["classify"].random_state == 7
    state = np.random.RandomState(7)
    first = make_emotion_pipeline(random_state=state)
    second = make_emotion_pipeline(random_state=state)
    assert first["classify"].random_state != second["classify"].random_state


def test_validation_rows_are_real_and_seen_by_no_other_step():
    pipeline = make(classify=Witness(), validation_fraction=0.2).fit(X, y)
    X_train, y_train, _, X_val, y_val = pipeline["classify"].seen_
    assert len(X_val) == len(y_val) == 12
    # Undo the scaling to find the rows in X.
    scaler = pipeline["scale"]
    originals = X_val * scaler.scale_ + scaler.mean_
    distances = np.abs(originals[:, None] - X[None]).max(axis=(2, 3))
    rows = distances.argmin(axis=1)
    assert distances.min(axis=1).max() < 1e-4
    np.testing.assert_array_equal(y[rows], y_val)
    rest = np.setdiff1d(np.arange(60), rows)
    np.testing.assert_allclose(
        scaler.mean_, SequenceScaler(ignore_padding=True).fit(X[rest]).mean_
    )
    np.testing.assert_allclose(X_train[:48], scaler.transform(X[rest]))
    _, counts = np.unique(y_train, return_counts=True)
    assert (counts == counts[0]).all()
    assert len(X_train) > 48


def test_speakers_are_either_trained_on_or_held_out():
    tagged = X.copy()
    tagged[:, 0, 0] = 100 * SPEAKERS  # a trace that scaling does not hide
    pipeline = make(classify=Witness(), balance="passthrough", scale="passthrough")
    pipeline.fit(tagged, y, groups=SPEAKERS)
    X_train, *_, X_val, _ = pipeline["classify"].seen_
    trained, held_out = set(X_train[:, 0, 0]), set(X_val[:, 0, 0])
    assert trained
    assert held_out
    assert not trained & held_out


@pytest.mark.parametrize(
    "parameters",
    [
        {"validation_fraction": None, "classify": Witness()},
        {"classify": Witness(early_stopping=False)},
    ],
)
def test_nothing_is_held_out_where_nothing_stops_early(parameters):
    pipeline = make(**parameters, balance="passthrough").fit(X, y)
    X_train, _, _, X_val, _ = pipeline["classify"].seen_
    assert len(X_train) == 60
    assert X_val is None


def test_other_classifiers_need_no_validation_rows():
    pipeline = make_emotion_pipeline().set_params(
        augment="passthrough",
        extract=FunctionTransformer(lambda X: X.reshape(len(X), -1)),
        scale="passthrough",
        balance="passthrough",
        classify=SVC(),
    )
    assert pipeline.fit(X, y).predict(X).shape == (60,)


def test_parameters_of_fit_follow_their_rows():
    weights = np.arange(60.0)
    X_row = np.broadcast_to(weights[:, None, None], (60, 2, 1))
    pipeline = make(classify=Witness(), balance="passthrough", scale="passthrough").fit(
        X_row, y, classify__sample_weight=weights
    )
    X_train, _, weights_train, _, _ = pipeline["classify"].seen_
    np.testing.assert_array_equal(X_train[:, 0, 0], weights_train)


def test_weights_reach_the_classifier_where_they_are_requested():
    weights = np.arange(60.0)
    X_row = np.broadcast_to(weights[:, None, None], (60, 2, 1))
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = Witness().set_fit_request(sample_weight=True)
        pipeline = make(classify=classifier, balance="passthrough", scale="passthrough")
        pipeline.fit(X_row, y, sample_weight=weights, groups=SPEAKERS)
    X_train, _, weights_train, X_val, _ = pipeline["classify"].seen_
    np.testing.assert_array_equal(X_train[:, 0, 0], weights_train)
    assert len(X_val) == 12


@pytest.mark.parametrize("validation_fraction", [0.1, None])
@pytest.mark.parametrize("routing", [False, True])
def test_weights_of_rows_do_not_pass_a_sampler(validation_fraction, routing):
    pipeline = make(classify=Witness(), validation_fraction=validation_fraction)
    message = (
        "sample_weight has a value for each of the 60 rows of X, but sampler "
        r"'balance' changes the number of rows.*before 'classify' is fitted: drop "
        r"the sampler \(balance='passthrough'\) or use class_weight"
    )
    weights = {"classify__sample_weight": np.ones(60)}
    with sklearn.config_context(enable_metadata_routing=routing):
        if routing:
            weights = {"sample_weight": np.ones(60)}
            pipeline["classify"].set_fit_request(sample_weight=True)
        with pytest.raises(ValueError, match=message):
            pipeline.fit(X, y, **weights)


def test_weights_do_not_pass_a_sampler_that_only_reorders():
    balanced = np.tile(["anger", "fear"], 30)
    sampler = SequenceSampler(RandomUnderSampler(), random_state=0)
    assert (sampler.fit_resample(X, balanced)[0] != X).any()
    pipeline = make(classify=Witness(), balance=sampler)
    with pytest.raises(ValueError, match="sampler 'balance' changes"):
        pipeline.fit(X, balanced, classify__sample_weight=np.ones(60))


def test_other_parameters_of_fit_pass_a_sampler():
    pipeline = make(classify=Witness(), validation_fraction=None)
    params = {"X_val": X + 1, "y_val": y}
    pipeline.fit(X, y, **{f"classify__{name}": params[name] for name in params})
    _, _, _, X_val, _ = pipeline["classify"].seen_
    assert X_val is params["X_val"]


def test_given_validation_rows_are_used_and_none_held_out():
    pipeline = make(classify=Witness(), balance="passthrough", scale="passthrough")
    pipeline.fit(X, y, classify__X_val=X[:5] + 1, classify__y_val=y[:5])
    X_train, _, _, X_val, y_val = pipeline["classify"].seen_
    assert len(X_train) == 60
    np.testing.assert_array_equal(X_val, X[:5] + 1)
    assert y_val.tolist() == y[:5].tolist()


def test_given_validation_rows_are_transformed_on_request():
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = Witness().set_fit_request(X_val=True, y_val=True)
        pipeline = make(classify=classifier, balance="passthrough")
        pipeline.set_params(transform_input=["X_val"])
        pipeline.fit(X, y, X_val=X[:5], y_val=y[:5])
    X_train, _, _, X_val, _ = pipeline["classify"].seen_
    np.testing.assert_array_equal(X_val, X_train[:5])


@pytest.mark.parametrize("validation_fraction", [0.1, None])
def test_every_step_says_how_long_it_took(validation_fraction, capsys):
    pipeline = make(classify=Witness(), validation_fraction=validation_fraction)
    pipeline.set_params(verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert "(step 5 of 5) Processing classify, total=" in lines[-1]


def test_groups_are_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_validate(
            make(classify=Witness()),
            X,
            y,
            params={"groups": SPEAKERS},
            cv=LeaveOneGroupOut(),
            scoring=lambda pipeline, X, y: len(pipeline["classify"].seen_[3]),
        )
    # One of the four other speakers, whole, and not a tenth of the rows.
    np.testing.assert_array_equal(scores["test_score"], 12)


def test_slices_keep_the_hold_out():
    pipeline = make(validation_fraction=0.3)
    part = pipeline[1:]
    assert isinstance(part, EmotionPipeline)
    assert part.validation_fraction == 0.3
    assert part.random_state == 0
    assert pipeline["classify"] is pipeline[-1]


def test_sequence_steps():
    pipeline = make_emotion_pipeline("descriptors", random_state=0)
    part = pipeline.sequence_steps
    assert list(part.named_steps) == ["scale", "balance", "classify"]
    assert part["scale"] is pipeline["scale"]
    names = pipeline["extract"].get_feature_names_out()
    assert part.feature_names == names.tolist()
    assert clone(part).feature_names == names.tolist()
    assert part.sequence_steps.feature_names == names.tolist()
    union = SequenceUnion([("a", make_pipeline(SpeechFeatureExtractor()))])
    other = EmotionPipeline([("front", union), ("scale", SequenceScaler())])
    assert other.sequence_steps.feature_names[5] == "a__rms"
    assert list(other.sequence_steps.named_steps) == ["scale"]
    assert list(make().sequence_steps.named_steps) == list(part.named_steps)
    assert make().sequence_steps.feature_names is None
    plain = EmotionPipeline([("scale", SequenceScaler()), ("classify", Witness())])
    assert list(plain.sequence_steps.named_steps) == ["scale", "classify"]


def test_sequence_steps_of_an_encoder_know_names_when_it_is_fitted(encoder_file):
    pipeline = make_emotion_pipeline()
    pipeline.set_params(extract__weights=encoder_file)
    assert list(pipeline.sequence_steps.named_steps) == ["scale", "balance", "classify"]
    assert pipeline.sequence_steps.feature_names is None
    pipeline["extract"].fit(["a.wav"])
    names = pipeline.sequence_steps.feature_names
    assert (names[0], names[64], len(names)) == ("layer2_0", "layer3_0", 128)


def recordings_with_silence(speech):
    """Make a list of recordings with zeros in front, behind, and on both sides."""
    rng = np.random.default_rng(0)
    edges = [(9000, 0), (0, 9000), (6000, 12000)]
    return [
        np.pad(rng.normal(size=30000), edges[number % 3])
        for number in range(len(speech.target))
    ]


def without_training(**parameters):
    pipeline = make_emotion_pipeline("descriptors", random_state=0)
    pipeline.set_params(augment="passthrough", extract__descriptors="post")
    return pipeline.set_params(classify="passthrough", **parameters)


def make_flat(extractor, functionals):
    return EmotionPipeline(
        [("extract", extractor), ("functionals", functionals), ("classify", SVC())]
    )


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_found_by_name_on_either_side(speech, side, routing):
    recordings = recordings_with_silence(speech)
    with sklearn.config_context(enable_metadata_routing=routing):
        pipeline = without_training(extract__padding_side=side)
        scaled = pipeline.fit_transform(recordings, speech.target)
    assert pipeline["scale"].loudness_ == 5
    assert pipeline["scale"].feature_names_in_[5] == "rms"
    extracted = pipeline["extract"].transform(recordings)
    expected = padding_mask(extracted, loudness=5)
    assert expected.any(axis=1).all()
    assert expected[:, 0].any()
    assert expected[:, -1].any()
    np.testing.assert_array_equal((scaled == 0).all(axis=2), expected)


@pytest.mark.parametrize("routing", [False, True])
def test_names_get_through_unions_and_nested_pipelines(speech, routing):
    recordings = recordings_with_silence(speech)
    extractors = [
        ("few", FunctionTransformer(lambda X: np.ones((len(X), 157, 2)))),
        ("post", SpeechFeatureExtractor()),
    ]
    extractors[0][1].set_params(
        feature_names_out=lambda transformer, names: ["one", "two"]
    )
    with sklearn.config_context(enable_metadata_routing=routing):
        functionals = SequenceFunctionals(["mean"])
        flat = make_flat(SequenceUnion(extractors), functionals)
        flat.fit(recordings, speech.target)
        assert functionals.loudness_ == 7

        inner = make_pipeline(SequenceFunctionals(["mean"]), SVC())
        nested = EmotionPipeline([("e", SpeechFeatureExtractor()), ("c", inner)])
        nested.fit(recordings, speech.target)
        assert inner[0].loudness_ == 5

        flat = FeatureUnion(
            [
                ("mean", SequenceFunctionals(["mean"])),
                ("deviation", SequenceFunctionals(["std"])),
            ]
        )
        make_flat(SpeechFeatureExtractor(), flat).fit(recordings, speech.target)
        assert [part.loudness_ for _, part in flat.transformer_list] == [5, 5]

        both = SequenceUnion(
            [("raw", "passthrough"), ("scaled", SequenceScaler(ignore_padding=True))]
        )
        joined = EmotionPipeline([("e", SpeechFeatureExtractor()), ("u", both)])
        joined.fit(recordings, speech.target)
        assert both["scaled"].loudness_ == 5
        assert both.get_feature_names_out()[5] == "raw__rms"


@pytest.mark.parametrize("descriptors", ["post", "extended"])
@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_plain_pipelines_find_padding_by_itself(speech, descriptors, padding_side):
    recordings = recordings_with_silence(speech)
    extractor = SpeechFeatureExtractor(
        descriptors=descriptors, padding_side=padding_side
    )
    plain = make_pipeline(extractor, SequenceFunctionals(), SVC())
    plain.fit(recordings, speech.target)
    X = extractor.transform(recordings)
    known = SequenceFunctionals(loudness="rms").fit(
        X, feature_names=extractor.get_feature_names_out()
    )
    found = plain["sequencefunctionals"]
    np.testing.assert_array_equal(found.transform(X), known.transform(X))
    scaled = SequenceScaler(ignore_padding=True).fit_transform(X)
    np.testing.assert_array_equal((scaled == 0).all(axis=2), padding_mask(X, 5))


def test_plain_pipelines_hand_no_names_on(speech):
    plain = make_pipeline(
        SpeechFeatureExtractor(), SequenceFunctionals(loudness="rms"), SVC()
    )
    with pytest.raises(ValueError, match="'rms' is a name, but"):
        plain.fit(recordings_with_silence(speech), speech.target)


def test_as_many_names_as_rows_are_still_names():
    few = X[:60, :, :]
    wide = np.repeat(few, 10, axis=2)
    names = [f"n{i}" for i in range(60)]
    pipeline = make(classify=Witness(), scale=SequenceScaler())
    pipeline.fit(wide, y, scale__feature_names=names)
    assert pipeline["scale"].feature_names_in_.tolist() == names


class Unopened:
    """A list of recordings none of which may be looked at."""

    def __len__(self):
        return 60

    def __getitem__(self, index):
        raise AssertionError("a recording was opened")


SHIFTED = "X has 60 rows, but {} has 59.*one entry for each"
ONE_HOT = "must be one-dimensional.*argmax"


@pytest.mark.parametrize("recipe", ["post", "recommended"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"y": y[1:]}, SHIFTED.format("y")),
        ({"y": [*y, "fear"]}, "X has 60 rows, but y has 61"),
        ({"y": np.eye(3)[np.unique(y, return_inverse=True)[1]]}, "y " + ONE_HOT),
        ({"y": y[:, None]}, "y must be one-dimensional.*ravel"),
        ({"y": [None, *y[1:]]}, "y holds None at row 0, and 1 such"),
        ({"y": [*y[1:], np.nan]}, "y holds nan at row 59"),
        ({"y": [float("inf")] + [0.0] * 59}, "y holds inf at row 0"),
        ({"y": pd.array([None, *y[1:]], dtype="string")}, "y holds <NA> at row 0"),
        ({"y": ["fear"] * 60}, "y holds the one class 'fear'"),
        ({"y": np.linspace(0, 1, 60)}, "y is continuous, such as 0.01"),
        ({"y": [*y[1:], 3]}, "y mixes labels of the types int, str"),
        ({"y": [*y[1:], b"x"]}, "y mixes labels of the types bytes, str"),
        ({"y": [object()] * 60}, "y holds labels of type object"),
        ({"y": None}, "requires y to be passed"),
        ({"groups": SPEAKERS[1:]}, SHIFTED.format("groups")),
        ({"groups": [None, *SPEAKERS[1:]]}, "groups holds None at row 0"),
        ({"groups": [*map(str, SPEAKERS[1:]), 7]}, "groups mixes labels"),
        ({"groups": SPEAKERS[:, None]}, "groups must be one-dimensional"),
        ({"groups": np.linspace(0, 1, 60)}, "groups is continuous"),
        ({"classify__sample_weight": np.ones(59)}, SHIFTED.format("sample_weight")),
        ({"classify__sample_weight": [np.nan] * 60}, "sample_weight contains NaN"),
    ],
)
def test_rows_are_checked_together_before_any_work(recipe, bad, message):
    pipeline = make_emotion_pipeline(recipe, random_state=0)
    pipeline.set_params(augment="passthrough", balance="passthrough")
    given = {"y": y, **bad}
    with pytest.raises(ValueError, match=message):
        pipeline.fit(Unopened(), given.pop("y"), **given)


def test_rows_are_checked_together_in_other_ways_to_fit():
    pipeline = make(classify="passthrough", scale="passthrough")
    with pytest.raises(ValueError, match=SHIFTED.format("y")):
        pipeline.fit_transform(X, y[1:])
    pipeline = make(classify="passthrough", balance="passthrough")
    assert pipeline.fit_transform(X).shape == X.shape


def test_numbers_are_no_labels_for_regression():
    flat = make_pipeline(SequenceFunctionals(["mean"]), LinearRegression())
    pipeline = make(balance="passthrough", classify=flat)
    assert pipeline.fit(X, np.linspace(0, 1, 60)).predict(X).shape == (60,)
    with pytest.raises(ValueError, match=SHIFTED.format("y")):
        pipeline.fit(X, np.linspace(0, 1, 59))


def test_labels_in_columns_for_classifiers_that_take_them():
    columns = np.stack([y == "fear", SPEAKERS % 2 == 0], axis=1)
    several = MultiOutputClassifier(SVC())
    flat = make_pipeline(SequenceFunctionals(["mean"]), several)
    pipeline = make(balance="passthrough", classify=flat)
    assert pipeline.fit(X, columns).predict(X).shape == (60, 2)
    with pytest.raises(ValueError, match=SHIFTED.format("y")):
        pipeline.fit(X, columns[1:])


def test_one_recording_is_no_list():
    with pytest.raises(TypeError, match=r"pass the list \['a.wav'\]"):
        make_emotion_pipeline().fit("a.wav", ["fear"])


@pytest.mark.parametrize(
    "labels",
    [
        pd.DataFrame({"label": y})["label"].values,
        pd.Series(y, index=np.arange(60)[::-1]),
        pd.array(y, dtype="string"),
        pd.Categorical(y),
        pd.array(np.unique(y, return_inverse=True)[1], dtype="Int64"),
        pd.array(y == "fear", dtype="boolean"),
        np.unique(y, return_inverse=True)[1].astype(object),
        tuple(y.tolist()),
    ],
    ids=lambda labels: type(labels).__name__,
)
@pytest.mark.parametrize("validation_fraction", [0.1, None])
def test_kinds_of_labels(labels, validation_fraction):
    pipeline = make(classify=Witness(), validation_fraction=validation_fraction)
    groups = pd.array([f"s{i}" for i in SPEAKERS], dtype="string")
    pipeline.fit(X, labels, groups=groups)
    assert set(pipeline.classes_.tolist()) == set(labels)


def test_recordings_and_weights_in_arrays_of_pandas():
    weights = pd.array(np.arange(60.0), dtype="Float64")
    paths = pd.array([f"{row}.wav" for row in range(60)], dtype="string")
    opened = FunctionTransformer(
        lambda X: np.array([[[float(path[:-4])]] for path in X])
    )
    pipeline = make(
        extract=opened, scale="passthrough", balance="passthrough", classify=Witness()
    )
    pipeline.fit(paths, y, classify__sample_weight=weights)
    X_train, _, weights_train, _, _ = pipeline["classify"].seen_
    np.testing.assert_array_equal(X_train[:, 0, 0], weights_train)
    assert len(X_train) < 60


def test_weights_of_nested_steps_are_checked():
    flat = make_pipeline(SequenceFunctionals(["mean"]), SVC())
    pipeline = make(balance="passthrough", classify=flat)
    with pytest.raises(ValueError, match=SHIFTED.format("sample_weight")):
        pipeline.fit(Unopened(), y, classify__svc__sample_weight=np.ones(59))


def test_parts_of_a_pipeline_that_is_not_valid():
    pipeline = make_emotion_pipeline("descriptors")
    pipeline.set_params(extract__descriptors="mine")
    assert pipeline.sequence_steps.feature_names is None


def test_labels_that_arrow_holds():
    pytest.importorskip("pyarrow")
    labels = pd.array(y, dtype="string[pyarrow]")
    speakers = pd.array([f"s{i}" for i in SPEAKERS], dtype="string[pyarrow]")
    pipeline = make(classify=Witness()).fit(X, labels, groups=speakers)
    assert pipeline.classes_.tolist() == ["anger", "fear", "sadness"]


def test_validation_of_parameters_can_be_skipped():
    pipeline = make(classify=Witness(), random_state="no seed")
    pipeline.set_params(validation_fraction=None)
    with pytest.raises(ValueError, match="'random_state' parameter"):
        pipeline.fit(X, y)
    with sklearn.config_context(skip_parameter_validation=True):
        pipeline.fit(X, y)


def test_clone_and_set_params():
    pipeline = make(validation_fraction=0.25, balance__random_state=3)
    copy = clone(pipeline)
    assert copy.get_params(deep=False).keys() == pipeline.get_params(deep=False).keys()
    assert copy.validation_fraction == 0.25
    assert copy["balance"].random_state == 3


def test_bad_parameters():
    with pytest.raises(ValueError, match="validation_fraction"):
        make(validation_fraction=1.5).fit(X, y)
    with pytest.raises(ValueError, match="one group only|at least two groups"):
        make().fit(X, y, groups=np.zeros(60))


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.ResamplingWarning")
def test_grid_over_parameters_and_steps():
    search = GridSearchCV(
        make(classify=BLSTMClassifier(units=3, epochs=1, random_state=0)),
        {
            "scale__scope": ["feature"],
            "balance": ["passthrough", SequenceSampler(random_state=0)],
        },
        scoring=uar_scorer,
        cv=2,
        error_score="raise",
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert search.predict(X).shape == (60,)
    assert "val_loss" in search.best_estimator_["classify"].history_


def test_same_steps_in_the_standard_pipelines():
    classifier = BLSTMClassifier(units=3, epochs=1, random_state=0)
    plain = Pipeline([("scale", SequenceScaler()), ("classify", classifier)])
    assert plain.fit(X, y).predict_proba(X).shape == (60, 3)
    balanced = ImbalancedPipeline(
        [
            ("scale", SequenceScaler()),
            ("balance", SequenceSampler(random_state=0)),
            ("classify", clone(classifier)),
        ]
    )
    probabilities = cross_val_predict(balanced, X, y, cv=2, method="predict_proba")
    assert probabilities.shape == (60, 3)


def test_from_signals_to_emotions_and_into_a_fresh_process(speech, tmp_path):
    pipeline = make_emotion_pipeline(random_state=0)
    pipeline.set_params(
        augment__n_copies=1,
        classify__units=4,
        classify__epochs=1,
        classify__n_members=1,
    )
    pipeline.fit(speech.signals, speech.target, groups=speech.speakers)
    assert pipeline.predict(speech.signals[:2]).shape == (2,)
    path = tmp_path / "pipeline.joblib"
    expected = pipeline.predict_proba(speech.signals)
    joblib.dump((pipeline, speech.signals, expected), path, compress=3)
    code = (
        "import joblib, sys\n"
        "pipeline, signals, expected = joblib.load(sys.argv[1])\n"
        "assert (pipeline.predict_proba(signals) == expected).all()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.ResamplingWarning")
@pytest.mark.emodb
def test_speakers_of_emodb_are_cross_validated_and_searched(emodb, emodb_sequences):
    rows = np.flatnonzero(np.isin(emodb.speakers, ["14", "16"]))
    X_real, y_real = emodb_sequences[rows], emodb.target[rows]
    speakers = emodb.speakers[rows]
    names = SpeechFeatureExtractor().get_feature_names_out().tolist()
    pipeline = make(feature_names=names)
    scores = cross_validate(
        pipeline,
        X_real,
        y_real,
        groups=speakers,
        cv=LeaveOneGroupOut(),
        scoring={"uar": uar_scorer, "accuracy": "accuracy"},
        error_score="raise",
    )
    assert scores["test_uar"].shape == (2,)
    search = GridSearchCV(
        pipeline,
        {"classify__units": [2, 3]},
        cv=LeaveOneGroupOut(),
        scoring=uar_scorer,
        error_score="raise",
    ).fit(X_real, y_real, groups=speakers)
    assert search.best_params_["classify__units"] in (2, 3)
    assert set(search.classes_) == set(y_real)


@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize(
    ("recipe", "shape"),
    [("recommended", (3, 63, 1024)), ("descriptors", (3, 157, 127))],
)
def test_sequences_stay_arrays_under_any_output(speech, recipe, shape, output):
    with sklearn.config_context(transform_output=output):
        pipeline = make_emotion_pipeline(recipe).set_params(
            augment="passthrough", classify="passthrough", novelty_detector=None
        )
        sequences = pipeline.fit_transform(speech.signals[:3])
    assert isinstance(sequences, np.ndarray)
    assert sequences.shape == shape
    assert pipeline.set_output(transform="pandas") is pipeline


def test_functionals_for_classifiers_of_flat_vectors():
    pipeline = make(
        balance=SequenceSampler(random_state=0),
        classify=make_pipeline(SequenceFunctionals(), StandardScaler(), SVC()),
    )
    search = GridSearchCV(
        pipeline, {"classify__svc__C": [0.1, 1]}, cv=2, error_score="raise"
    )
    assert search.fit(X, y).predict(X).shape == (60,)


def test_names_of_recipes_are_those_of_the_table():
    assert get_args(RecipeName) == tuple(RECIPES)
