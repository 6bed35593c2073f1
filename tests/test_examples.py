"""README and scripts run as they stand, on small data.

Examples of the gallery, plot_*.py, run where the documentation is built.
"""

import re
import runpy
from pathlib import Path

import matplotlib
import pytest
import soundfile
from sklearn import model_selection
from sklearn.model_selection import GridSearchCV

import skemotion
from skemotion import AttentionBLSTMClassifier, datasets

ROOT = Path(__file__).parents[1]


@pytest.fixture
def small(monkeypatch):
    """Three synthetic speakers, and networks that train for one epoch."""
    matplotlib.use("Agg")
    speech = datasets.make_emotional_speech(n_speakers=3, n_texts=4, random_state=0)
    speech.paths = speech.signals
    make_pipeline = skemotion.make_emotion_pipeline

    def make_small(*args, **kwargs):
        pipeline = make_pipeline(*args, **kwargs)
        return pipeline.set_params(
            augment="passthrough",
            classify__units=2,
            classify__epochs=1,
            classify__n_members=1,
        )

    def train_small(**parameters):
        return AttentionBLSTMClassifier(**parameters | {"units": 2, "epochs": 1})

    monkeypatch.setattr(skemotion, "AttentionBLSTMClassifier", train_small)
    for name in ("fetch_emodb", "load_emodb", "make_emotional_speech"):
        monkeypatch.setattr(datasets, name, lambda *args, **kwargs: speech)
    monkeypatch.setattr(skemotion, "make_emotion_pipeline", make_small)
    monkeypatch.setattr(model_selection, "GridSearchCV", search_one_candidate_a_grid)


def make_speech():
    return datasets.make_emotional_speech(1, 1, random_state=0).signals[0]


def search_one_candidate_a_grid(estimator, grids, **options):
    grids = [grids] if isinstance(grids, dict) else grids
    grids = [{name: values[:1] for name, values in grid.items()} for grid in grids]
    return GridSearchCV(estimator, grids, **options)


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.ResamplingWarning")
def test_readme(small, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    soundfile.write("speech.wav", make_speech(), 16000)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    for code in blocks:
        exec(compile(code, "README.md", "exec"), {})
    assert len(blocks) == 2
    assert (tmp_path / "model.joblib").exists()
    assert capsys.readouterr().out.count("[") >= 3


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.ResamplingWarning")
@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("[!p]*.py")), ids=lambda path: path.name
)
def test_examples(path, small, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [path.name])
    runpy.run_path(str(path))
    assert capsys.readouterr().out
