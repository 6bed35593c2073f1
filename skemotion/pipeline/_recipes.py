"""From a recipe to a pipeline."""

from numbers import Integral, Real
from typing import Literal

from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from skemotion._typing import Memory, RandomState
from skemotion._validation._parameters import validate_params
from skemotion.augmentation import SpeechAugmenter
from skemotion.classification import AttentionBLSTMClassifier
from skemotion.feature_extraction import SpeechEncoder, SpeechFeatureExtractor
from skemotion.novelty import NoveltyDetector
from skemotion.over_sampling import SequenceSampler
from skemotion.pipeline._emotion import EmotionPipeline
from skemotion.pipeline._recipe_table import DEFAULT_RECIPE, RECIPES, Recipe, RecipeName
from skemotion.preprocessing import SequenceScaler


@validate_params(
    {
        "recipe": [StrOptions(set(RECIPES)), Recipe],
        "validation_fraction": [
            Interval(Real, 0, 1, closed="neither"),
            StrOptions({"recipe"}),
            None,
        ],
        "random_state": ["random_state"],
    }
)
def make_emotion_pipeline(
    recipe: RecipeName | Recipe = DEFAULT_RECIPE,
    *,
    validation_fraction: float | Literal["recipe"] | None = "recipe",
    n_jobs: int | None = None,
    memory: Memory | None = None,
    random_state: RandomState = None,
    verbose: int = 0,
) -> EmotionPipeline:
    """Build the pipeline from recordings to emotions.

    Its steps are `augment` (:class:`SpeechAugmenter`, or "passthrough"),
    `extract` (:class:`SpeechEncoder` or :class:`SpeechFeatureExtractor`), `scale`
    (:class:`SequenceScaler`), `balance` (:class:`SequenceSampler` with SMOTE, or
    "passthrough") and `classify` (:class:`AttentionBLSTMClassifier`). Each is
    reached by `set_params` and in a grid as `scale__scope`, `classify__units`,
    and so on. What stands behind the extractor,
    :attr:`EmotionPipeline.sequence_steps`, takes sequences.

    Parameters
    ----------
    recipe : {"recommended", "descriptors", "post"} or Recipe, default="recommended"
        "recommended" is what does best on speakers left out of training, and
        on recordings from outside a studio. It listens through the second and
        third layer of a pretrained speech encoder, 12.5 frames a second, to
        recordings scaled to the same peak, and to four copies of every one: played
        faster or slower, with noise, babble, a room or a narrow band. Frames are
        standardised, padding aside. Small networks that do not see padding read
        them, beside their mean and deviation over time, and are averaged; rare
        classes weigh more, and all recordings are trained on for all epochs. It
        predicts by windows of 5 s, one every 2.5 s, as far as there is speech in
        them, and is less sure of what is unlike its training data.

        "descriptors" does the same with 127 acoustic descriptors in place of the
        encoder, copies at the same speed, and no look at what is unlike. It needs
        no pretrained weights.

        "post" is what Cantini's post [1]_ describes: 46 descriptors, SMOTE, 256
        units, each cell of frame and feature scaled, and padding seen, stopped
        early; but scaler and epochs are chosen without the test set.

        A :class:`~skemotion.pipeline.Recipe` of your own says the same for all steps.

    validation_fraction : float, "recipe" or None, default="recipe"
        Part of the training recordings that are held out for early stopping,
        before scaling and resampling. None trains on all, for all epochs.
        "recipe" is 0.1 in "post", and None in the others: with ten speakers,
        one that is not trained on costs more than stopping early gives.

    n_jobs : int, default=None
        Number of recordings extracted at the same time.

    memory : str or object with the joblib.Memory interface, default=None
        Cache of the extracted features, so that cross-validation and searches
        extract every recording once. So they do with copies, but for those
        with babble, if `random_state` is not None.

    random_state : int, RandomState instance or None, default=None
        Seed of the held-out part, the copies, the sampler and the classifier.

    verbose : int, default=0
        Whether to show the progress of extraction, and of training if above 1.

    Returns
    -------
    EmotionPipeline

    References
    ----------
    .. [1] R. Cantini, "Emotion detection from speech using Bi-directional LSTM
       networks and attention mechanism in Keras", 2020.

    Examples
    --------
    >>> from skemotion import make_emotion_pipeline
    >>> pipeline = make_emotion_pipeline(random_state=0)
    >>> list(pipeline.named_steps)
    ['augment', 'extract', 'scale', 'balance', 'classify']
    >>> pipeline = make_emotion_pipeline("post", random_state=0)
    >>> pipeline.set_params(classify__epochs=5, balance="passthrough")["classify"]
    AttentionBLSTMClassifier(epochs=5, random_state=0)
    """
    split_seed, sampler_seed, classifier_seed, copies_seed = _seeds(random_state, 4)
    settings = recipe if isinstance(recipe, Recipe) else RECIPES[recipe]
    how = {"n_jobs": n_jobs, "memory": memory, "verbose": verbose}
    augment = balance = "passthrough"
    if settings.augment is not None:
        augment = SpeechAugmenter(**settings.augment, random_state=copies_seed)
    if settings.balance:
        balance = SequenceSampler(random_state=sampler_seed)
    classify = AttentionBLSTMClassifier(
        **settings.classify or {},
        random_state=classifier_seed,
        verbose=2 if verbose > 1 else 0,
    )
    return EmotionPipeline(
        [
            ("augment", augment),
            ("extract", _make_front(settings, how)),
            ("scale", SequenceScaler(**settings.scale or {})),
            ("balance", balance),
            ("classify", classify),
        ],
        validation_fraction=(
            settings.validation_fraction
            if validation_fraction == "recipe"
            else validation_fraction
        ),
        random_state=split_seed,
        hop_duration=settings.hop_duration,
        detect_speech=settings.detect_speech,
        novelty_detector=NoveltyDetector() if settings.detect_novelty else None,
    )


def _make_front(settings, how):
    """Make the step that takes recordings."""
    if settings.encode is not None:
        return SpeechEncoder(**settings.encode, **how)
    return SpeechFeatureExtractor(**settings.extract or {}, **how)


def _seeds(random_state, n_seeds):
    """Repeat an int or None; draw from an instance, so that no step shares it."""
    if random_state is None or isinstance(random_state, Integral):
        return [random_state] * n_seeds
    return check_random_state(random_state).randint(2**31 - 1, size=n_seeds).tolist()
