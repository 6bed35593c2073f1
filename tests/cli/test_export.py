"""``skemotion export``, and predictions without TensorFlow."""

import csv
import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from skemotion import load_pretrained
from skemotion.cli import main
from skemotion.pretrained._files import BUNDLES, graph_of
from skemotion.runtime import load_exported
from skemotion.runtime._model import load_beside, load_linked

pytest.importorskip("onnx", reason="exporting needs onnx")
pytest.importorskip("onnxruntime", reason="onnxruntime runs what is exported")

HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "joblib", "librosa", "tqdm")


@pytest.fixture(scope="module")
def exported(model, corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    assert main(["export", str(model), "-o", str(path), "--compare", str(corpus)]) == 0
    return path


@pytest.fixture
def recordings(corpus):
    return [str(path) for path in sorted(corpus.glob("*/*.wav"))[:3]]


def predict(capsys, *arguments):
    assert main(["predict", "--format", "csv", *map(str, arguments)]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def numbers(rows):
    names = [name for name in rows[0] if name not in ("path", "emotion", "error")]
    return np.array([[float(row[name] or "nan") for name in names] for row in rows])


def test_exported_model_predicts_as_the_model(exported, model, recordings, capsys):
    expected = predict(capsys, "-m", model, *recordings)
    found = predict(capsys, "-m", exported, *recordings)
    assert [row["emotion"] for row in found] == [row["emotion"] for row in expected]
    np.testing.assert_allclose(numbers(found), numbers(expected), atol=2e-4)


def test_what_is_said(model, corpus, tmp_path, capsys):
    arguments = ["export", str(model), "-o", str(tmp_path / "folder"), "--int8"]
    assert main([*arguments, "--compare", str(corpus)]) == 0
    out = capsys.readouterr().out
    assert "differ by" in out
    assert "unweighted average recall" in out
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["model.onnx"]
    assert main(arguments) == 1
    assert "model.onnx" in capsys.readouterr().err


def test_timeline_of_an_exported_model(exported, model, recordings, capsys):
    assert main(["timeline", "-m", str(exported), recordings[0]]) == 0
    found = capsys.readouterr().out
    assert main(["timeline", "-m", str(model), recordings[0]]) == 0
    assert (
        found.splitlines()[1].split(",")[:4]
        == (capsys.readouterr().out.splitlines()[1].split(",")[:4])
    )


def test_exported_model_is_not_adapted(exported, recordings, capsys):
    assert main(["predict", "--adapt", "-m", str(exported), *recordings]) == 1
    assert "cannot be adapted" in capsys.readouterr().err


def test_what_cannot_be_exported_is_named(model_by_speaker, tmp_path, capsys):
    path = tmp_path / "m.onnx"
    assert main(["export", str(model_by_speaker), "-o", str(path)]) == 1
    assert "SpeakerStandardized, which cannot be exported" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize("name", BUNDLES)
def test_models_of_the_package_answer_the_same_without_tensorflow(
    name, recordings, monkeypatch
):
    pipeline, small = load_pretrained(name), load_linked(BUNDLES[name])
    expected = pipeline.predict_proba(recordings)
    np.testing.assert_allclose(small.predict_proba(recordings), expected, atol=1e-5)
    assert graph_of(BUNDLES[name]).stat().st_size < 2_100_000
    monkeypatch.setattr("skemotion.runtime._model.find_spec", lambda name: None)
    plain = load_linked(BUNDLES[name])
    found, novelty = plain.predict_with_novelty(recordings)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(novelty, small.novelty(recordings), atol=1e-2)
    np.testing.assert_allclose(
        plain.attention(recordings), small.attention(recordings), atol=1e-5
    )
    np.testing.assert_array_equal(plain.predict_proba(recordings[:1]), found[:1])


def test_what_stands_beside_a_model_answers_for_it(
    exported, model, recordings, tmp_path, capsys
):
    copy = shutil.copy(model, tmp_path / "mine.joblib")
    expected = predict(capsys, "-m", copy, *recordings)
    shutil.copy(exported, tmp_path / "mine.onnx")
    code = (
        "import sys; from skemotion.cli import main; "
        f"assert main(['predict', '--format', 'csv', '-m', {str(copy)!r}, "
        f"*{recordings}]) == 0; "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert set(json.loads(done.stderr.replace("'", '"'))) <= {"scipy"}
    found = list(csv.DictReader(io.StringIO(done.stdout)))
    np.testing.assert_allclose(numbers(found), numbers(expected), atol=2e-4)


def test_a_model_is_exported_to_where_it_is(model, tmp_path, monkeypatch, capsys):
    copy = shutil.copy(model, tmp_path / "mine.joblib")
    assert main(["export", str(copy)]) == 0
    assert (tmp_path / "mine.onnx").exists()
    assert load_beside(copy) is not None
    assert main(["export", str(copy), "-o", str(tmp_path / "int8"), "--int8"]) == 0
    shutil.copy(copy, tmp_path / "int8")
    with pytest.warns(UserWarning, match="not exported from"):  # it answers otherwise
        assert load_beside(tmp_path / "int8" / "mine.joblib") is None


def test_what_was_exported_from_another_file_does_not_answer(exported, tmp_path):
    other = tmp_path / "model.skemotion"
    other.write_bytes(b"another one")
    assert load_beside(other) is None
    shutil.copy(exported, tmp_path / "model.onnx")
    with pytest.warns(UserWarning, match="not exported from .* as it is now"):
        assert load_beside(other) is None
    (tmp_path / "model.onnx").write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="is no model of ONNX .* is loaded instead"):
        assert load_beside(other) is None


@pytest.mark.parametrize(
    ("hidden", "needed"), [("nothing", []), ("onnxruntime", ["scipy"])]
)
def test_model_of_the_package_is_small_where_it_can_be(
    hidden, needed, recordings, tmp_path
):
    """In a process of its own, which must not have imported anything before."""
    code = (
        "import sys, importlib.util; found = importlib.util.find_spec; "
        f"importlib.util.find_spec = lambda *a: None if {hidden!r} in a else found(*a);"
        "from skemotion.cli import main; "
        f"assert main(['predict', '--format', 'json', {recordings[0]!r}]) == 0; "
        f"assert main(['timeline', '-o', 'a.csv', {recordings[0]!r}]) == 0; "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stderr.strip() == str(needed)
    (found,) = json.loads(done.stdout[: done.stdout.index("\n]") + 2])
    assert found["path"] == recordings[0]


@pytest.mark.parametrize(
    "more",
    [["--cache", "features"], ["--adapt"]],
    ids=["cache", "adapt"],
)
@pytest.mark.filterwarnings("default::skemotion.exceptions.AdaptationWarning")
def test_pipeline_predicts_where_it_must(more, recordings, monkeypatch, tmp_path):
    opened = []

    def note(options):
        opened.append(options.model)
        raise ValueError("enough is seen")

    monkeypatch.setattr("skemotion.cli._models.open_pipeline", note)
    monkeypatch.chdir(tmp_path)
    assert main(["predict", *more, *recordings]) == 1
    assert opened == [BUNDLES["emodb"]]


def test_threads_are_those_asked_for(exported, recordings, capsys):
    (one,) = predict(capsys, "-m", exported, "--n-jobs", "1", recordings[0])
    (two,) = predict(capsys, "-m", exported, "--n-jobs", "2", recordings[0])
    assert one == two
    assert load_exported(exported, n_threads=1).classes_.tolist()


def test_missing_library_is_named(monkeypatch, capsys):
    def need(options):
        raise ModuleNotFoundError("No module named 'sklearn.base'", name="sklearn.base")

    monkeypatch.setattr("skemotion.cli._quickstart.run", need)
    assert main(["quickstart"]) == 1
    assert "this needs sklearn, which is not installed" in capsys.readouterr().err
