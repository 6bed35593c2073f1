"""What users write, which ``mypy --strict`` accepts: see ``tests/test_typing.py``."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import skemotion
from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    EmotionPipeline,
    EmotionTimeline,
    NoveltyDetector,
    SequenceClassifier,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    SequenceUnion,
    SpeechAugmenter,
    SpeechEncoder,
    SpeechFeatureExtractor,
    adapt,
    emotion_timeline,
    load_model,
    load_pretrained,
    make_emotion_pipeline,
    save_model,
)
from skemotion.audio import load_audio
from skemotion.datasets import check_corpus, load_emodb, load_recordings
from skemotion.exceptions import AudioError
from skemotion.export import export_onnx
from skemotion.inspection import AttentionDisplay, ClassBalanceDisplay
from skemotion.metrics import (
    bootstrap_interval,
    speaker_report,
    unweighted_average_recall,
)
from skemotion.model_selection import balanced_holdout, stratified_validation_split
from skemotion.persistence import skops_types
from skemotion.preprocessing import padding_mask, speaker_standardize
from skemotion.report import Evaluation, write_report
from skemotion.runtime import load_exported
from skemotion.voice_activity import speech_mask


def train(folder: Path) -> EmotionPipeline:
    corpus = load_recordings(folder)
    pipeline = make_emotion_pipeline("post", memory=folder / "cache", random_state=0)
    pipeline.fit(corpus.paths, corpus.target, groups=corpus.speakers)
    save_model(pipeline, folder / "model.skemotion")
    return pipeline


def predict(paths: list[str]) -> dict[str, float]:
    model = load_pretrained()
    try:
        probabilities = model.predict_proba(paths)
    except AudioError as error:
        print(error)
        return {}
    return dict(zip(model.classes_.tolist(), probabilities[0].tolist(), strict=True))


def steps() -> EmotionPipeline:
    union = SequenceUnion(
        [
            ("descriptors", SpeechFeatureExtractor(n_mfcc=13, normalize="peak")),
            ("encoder", SpeechEncoder(layer=2, on_error="warn")),
        ]
    )
    return EmotionPipeline(
        [
            ("augment", SpeechAugmenter(2, snr=(5.0, 30.0), random_state=0)),
            ("extract", union),
            ("scale", SequenceScaler(scope="cell", ignore_padding=True)),
            ("balance", SequenceSampler(random_state=np.random.RandomState(0))),
            ("classify", AttentionBLSTMClassifier(32, schedule="one_cycle")),
        ],
        novelty_detector=NoveltyDetector(30),
        random_state=0,
    )


def build(n_frames: int, n_features: int, n_classes: int) -> object:
    return object()


def classify(X: NDArray[np.float32], y: NDArray[np.str_]) -> NDArray[np.float32]:
    scaled = SequenceScaler().fit(X).transform(X)
    balanced, labels = SequenceSampler().fit_resample(scaled, y)
    classifier = BLSTMClassifier(16, class_weight="balanced").fit(balanced, labels)
    classifier.partial_fit(scaled, y)
    SequenceClassifier(build, epochs=3, early_stopping=False)
    attention = AttentionBLSTMClassifier(16).fit(X, y).attention(X)
    functionals = SequenceFunctionals(["mean", "std"]).fit(X).transform(X)
    print(attention.shape, functionals.shape, classifier.history_["loss"])
    return classifier.predict_proba(scaled)


def evaluate(y: NDArray[np.str_], found: NDArray[np.str_], who: list[str]) -> float:
    train_rows, test_rows = stratified_validation_split(y, 0.1, random_state=0)
    holdout = balanced_holdout(y, random_state=0)
    print(len(train_rows), len(test_rows), holdout.test)
    print(speaker_report(y, found, speakers=who))
    print(bootstrap_interval(y, found, groups=who))
    return unweighted_average_recall(y, found)


def listen(path: str) -> EmotionTimeline:
    signal = load_audio(path, sampling_rate=16000, duration=3.0)
    print(speech_mask([path, signal]).sum(), speech_mask(load_emodb("emodb").paths))
    return emotion_timeline(load_pretrained(), path)


def look(model: EmotionPipeline, X: NDArray[np.float32], y: NDArray[np.str_]) -> None:
    AttentionDisplay.from_estimator(model, X, time="speech").plot()
    ClassBalanceDisplay.from_arrays(y).plot()
    print(padding_mask(X).mean(), speaker_standardize(X, y).shape)


def carry(model: EmotionPipeline, paths: list[str]) -> None:
    adapted = adapt(model, paths)
    report = export_onnx(adapted, "model.onnx", recordings=paths[:2])
    print(report, skops_types(), load_exported("model.onnx").predict(paths))
    print(load_model("model.skemotion"), check_corpus(load_emodb("emodb")))
    skemotion.show_versions()


def tell(model: EmotionPipeline, paths: NDArray[np.str_], y: NDArray[np.str_]) -> None:
    probabilities = model.predict_proba(paths)
    evaluation = Evaluation(paths, y, probabilities, model.classes_, "held out")
    write_report(evaluation, "page.html")
