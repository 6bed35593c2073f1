"""What a type checker sees of the public functions, behind their decorators."""

import re
from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api")

ROOT = Path(__file__).parents[1]
FLOATS = r"ndarray\[.*float32.*\]|ndarray\[.*_32Bit.*\]"
LABELLED = r"skemotion\.datasets\._labelled\.LabelledSpeech"
SEEN = {
    "skemotion.make_emotion_pipeline()": "skemotion.pipeline._emotion.EmotionPipeline",
    "skemotion.make_emotion_pipeline('post').sequence_steps": (
        "skemotion.pipeline._emotion.EmotionPipeline"
    ),
    "skemotion.make_emotion_pipeline().fit([], [])": (
        "skemotion.pipeline._emotion.EmotionPipeline"
    ),
    "skemotion.load_pretrained()": "skemotion.pipeline._emotion.EmotionPipeline",
    "datasets.load_emodb('folder')": LABELLED,
    "datasets.fetch_emodb()": LABELLED,
    "datasets.load_emodb('folder').target": r"ndarray\[.*str_.*\]",
    "datasets.load_emodb('folder', return_X_y=True)": r"tuple\[Any, Any\]",
    "datasets.load_corpus('ravdess', 'folder')": LABELLED,
    "datasets.fetch_corpus('ravdess', return_X_y=True)": r"tuple\[Any, Any\]",
    "datasets.load_recordings('folder', return_X_y=True)": r"tuple\[Any, Any\]",
    "datasets.load_recordings('folder')": LABELLED,
    "datasets.make_emotional_speech()": LABELLED,
    "datasets.get_data_home()": "str",
    "skemotion.SequenceScaler().fit([])": "skemotion.preprocessing.SequenceScaler",
    "skemotion.SequenceScaler().transform([])": FLOATS,
    "skemotion.SequenceScaler().fit_transform([])": FLOATS,
    "skemotion.SpeechFeatureExtractor().transform([])": FLOATS,
    "skemotion.SequenceFunctionals().fit([]).transform([])": FLOATS,
    "skemotion.BLSTMClassifier().predict_proba([])": FLOATS,
    "preprocessing.speaker_standardize([], [])": FLOATS,
    "preprocessing.padding_mask(np.zeros((1, 1, 1)))": r"ndarray\[.*bool.*\]",
    "model_selection.balanced_holdout([])": "Holdout",
    "model_selection.stratified_validation_split([], 0.1)": r"tuple\[.*ndarray.*\]",
    "metrics.unweighted_average_recall([], [])": "float",
    "inspection.attention_heatmap": "def ",
}
WRONG = "skemotion.make_emotion_pipeline('mine')"


def test_types_are_seen(tmp_path):
    lines = ["import numpy as np", "import skemotion"]
    lines += ["from skemotion import datasets, inspection, metrics"]
    lines += ["from skemotion import model_selection, preprocessing"]
    lines += [f"reveal_type({expression})" for expression in SEEN]
    snippet = tmp_path / "snippet.py"
    snippet.write_text("\n".join([*lines, WRONG, ""]))
    options = ["--config-file", str(ROOT / "pyproject.toml")]
    cache = ["--cache-dir", str(tmp_path / "cache")]
    out, err, _ = api.run([*options, *cache, "--show-column-numbers", str(snippet)])
    assert err == ""
    revealed = re.findall(r'Revealed type is "(.*)"', out)
    assert len(revealed) == len(SEEN), out
    for (expression, expected), found in zip(SEEN.items(), revealed, strict=True):
        assert re.search(expected, found), f"{expression} is {found}"
    errors = [line for line in out.splitlines() if " error: " in line]
    assert len(errors) == 1, errors
    assert "make_emotion_pipeline" in errors[0]
    assert "Literal" in errors[0]
