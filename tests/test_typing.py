"""What a type checker sees of the public functions, behind their decorators."""

import importlib
import inspect
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


def test_code_of_users_is_accepted_by_strict_checks(tmp_path):
    """With their own settings, not those of this project."""
    code = Path(__file__).parent / "typing" / "user_code.py"
    cache = ["--cache-dir", str(tmp_path / "cache")]
    out, err, _ = api.run(["--config-file=", "--strict", *cache, str(code)])
    assert err == ""
    found = [
        line for line in out.splitlines() if code.name in line and ": error: " in line
    ]
    assert found == []


def test_all_that_is_public_is_annotated():
    """Each parameter, and each result, of what the reference lists."""
    reference = ROOT / "docs" / "api.rst"
    if not reference.exists():
        pytest.skip("no repository")
    text = reference.read_text(encoding="utf-8")
    names = re.findall(r"^    (\w+(?:\.\w+)*)$", text, re.MULTILINE)
    assert len(names) > 60
    assert [bare for name in names for bare in _bare_functions(_find(name), name)] == []


def _find(name):
    found = importlib.import_module("skemotion")
    for part in name.split("."):
        if not hasattr(found, part):
            importlib.import_module(f"{found.__name__}.{part}")
        found = getattr(found, part)
    return found


def _bare_functions(thing, name):
    """Return what lacks annotations of a function, or of the methods of a class."""
    if not inspect.isclass(thing):
        return [name] if callable(thing) and _is_bare(thing) else []
    bare = []
    for kind in thing.__mro__:
        if not kind.__module__.startswith("skemotion"):
            continue
        for key, value in vars(kind).items():
            value = getattr(value, "fget", None) or getattr(value, "__func__", value)
            is_public = not key.startswith("_") or key == "__init__"
            if is_public and inspect.isfunction(value) and _is_bare(value):
                bare.append(f"{name}.{key}")
    return bare


def _is_bare(function):
    signature = inspect.signature(inspect.unwrap(function))
    parameters = [
        each for key, each in signature.parameters.items() if key not in ("self", "cls")
    ]
    makes = function.__name__ == "__init__"
    return any(each.annotation is each.empty for each in parameters) or (
        signature.return_annotation is signature.empty and not makes
    )
