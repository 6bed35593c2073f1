"""``skemotion predict`` on long lists, on one voice, and with doubt."""

import csv
import io
import json

import joblib
import numpy as np
import pytest
import soundfile

from skemotion import EmotionPipeline, NoveltyDetector, adapt, save_model
from skemotion.cli import main
from skemotion.exceptions import AdaptationWarning
from skemotion.preprocessing import speaker_standardize

# The models of these tests are adapted to fewer recordings than are wanted.
few = pytest.mark.filterwarnings("default::skemotion.exceptions.AdaptationWarning")


def read_rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture
def paths(corpus):
    return [str(path) for path in sorted(corpus.glob("*/*.wav"))[:10]]


@pytest.fixture
def listed(paths, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("\n".join(paths) + "\n", encoding="utf-8")
    return path


def predict_list(model, listed, out, *more):
    source = ["--files-from", str(listed), "--out", str(out), "--chunk-size", "3"]
    return main(["predict", "-m", str(model), *source, *more])


def probabilities(rows):
    columns = list(rows[0])
    labels = columns[3 : columns.index("seconds")]
    return np.array([[float(row[label]) for label in labels] for row in rows])


def test_table_equals_predictions_in_python(model, listed, paths, tmp_path, capfd):
    out = tmp_path / "out.csv"
    assert predict_list(model, listed, out) == 0
    rows = read_rows(out)
    assert [row["path"] for row in rows] == paths
    pipeline = joblib.load(model)
    expected = pipeline.predict_proba(paths)
    np.testing.assert_allclose(probabilities(rows), expected, atol=1e-4)
    labels = pipeline.classes_[expected.argmax(axis=1)]
    assert [row["emotion"] for row in rows] == labels.tolist()
    assert {row["error"] for row in rows} == {""}
    captured = capfd.readouterr()
    assert "10 recordings" in captured.out
    assert captured.err == ""


def test_bad_recordings_have_a_row_each_and_stop_nothing(model, paths, tmp_path, capfd):
    paths.insert(4, "gone.wav")
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(paths))
    assert predict_list(model, listed, tmp_path / "out.csv") == 1
    rows = read_rows(tmp_path / "out.csv")
    assert [row["path"] for row in rows] == paths
    assert [bool(row["error"]) for row in rows] == [
        path == "gone.wav" for path in paths
    ]
    assert rows[4]["emotion"] == rows[4]["confidence"] == rows[4]["anger"] == ""
    err = capfd.readouterr().err
    assert err.startswith(
        "skemotion predict: error: 1 recording cannot be read:\n  gone.wav:"
    )


def test_bad_recordings_on_standard_output(model, paths, capfd):
    files = [paths[0], "gone.wav", paths[1]]
    found = {}
    for kind in ("text", "csv", "json"):
        assert main(["predict", "-m", str(model), "--format", kind, *files]) == 1
        captured = capfd.readouterr()
        found[kind] = captured.out
        assert "gone.wav" in captured.err
    assert [line.split("\t")[0] for line in found["text"].splitlines()] == paths[:2]
    rows = list(csv.DictReader(io.StringIO(found["csv"])))
    assert [row["path"] for row in rows] == files
    assert rows[1]["error"]
    objects = json.loads(found["json"])
    assert [item["path"] for item in objects] == files
    assert objects[1] == {"path": "gone.wav", "error": rows[1]["error"]}


def test_resumed_work_repeats_nothing(
    model, listed, paths, tmp_path, monkeypatch, capfd
):
    out, partial = tmp_path / "out.csv", tmp_path / "out.csv.partial"
    predict, calls = EmotionPipeline.predict_proba, []

    def predict_until(self, X):
        calls.append(X)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return predict(self, X)

    monkeypatch.setattr(EmotionPipeline, "predict_proba", predict_until)
    assert predict_list(model, listed, out) == 130
    assert not out.exists()
    with open(partial / "predictions.csv", "a") as file:
        file.write("torn/line.wav,ang")
    calls.clear()
    assert predict_list(model, listed, out, "--chunk-size", "2") == 0
    assert [path for call in calls for path in call] == paths[6:]
    assert "resuming after 6 of 10" in capfd.readouterr().err
    assert [row["path"] for row in read_rows(out)] == paths
    assert not partial.exists()
    assert predict_list(model, listed, out) == 1
    assert "exists: delete it" in capfd.readouterr().err


def test_other_options_are_not_mixed_in(model, listed, tmp_path, monkeypatch, capfd):
    def interrupt(self, X):
        raise KeyboardInterrupt

    out = tmp_path / "out.csv"
    with monkeypatch.context() as patch:
        predict = EmotionPipeline.predict_proba
        chunks = iter([predict, interrupt])
        patch.setattr(
            EmotionPipeline, "predict_proba", lambda self, X: next(chunks)(self, X)
        )
        assert predict_list(model, listed, out) == 130
    assert predict_list(model, listed, out, "--min-confidence", "0.5") == 1
    assert "begun with other recordings, parameters" in capfd.readouterr().err


def test_a_list_from_a_pipe_and_names_that_are_no_utf8(
    model, paths, tmp_path, monkeypatch
):
    odd = b"gone \xe4 \xff.wav"
    lines = b"\r\n".join([odd, paths[1].encode()])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    out = tmp_path / "out.csv"
    assert predict_list(model, "-", out) == 1
    content = out.read_bytes()
    assert content.count(b"\n") == 3
    assert odd + b"," in content
    assert paths[1].encode() + b"," in content


def test_doubt(model, paths, capfd):
    table = ["predict", "-m", str(model), "--format", "csv"]
    assert main([*table, *paths]) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    threshold = sorted(float(row["confidence"]) for row in rows)[4] + 1e-4
    assert main([*table, "--min-confidence", str(threshold), *paths]) == 0
    doubted = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    for row, other in zip(rows, doubted, strict=True):
        sure = float(row["confidence"]) >= threshold
        assert other["emotion"] == (row["emotion"] if sure else "uncertain")
        assert other["confidence"] == row["confidence"]
    assert {row["emotion"] for row in doubted} > {"uncertain"}


def test_a_portable_bundle(model, paths, tmp_path, capfd):
    bundle = tmp_path / "model.skemotion"
    save_model(joblib.load(model), bundle)
    for file in (model, bundle):
        assert main(["predict", "-m", str(file), "--format", "csv", *paths[:3]]) == 0
    out = capfd.readouterr().out
    assert out[: len(out) // 2] == out[len(out) // 2 :]
    save_model(joblib.load(model)["scale"], bundle)
    assert main(["predict", "-m", str(bundle), *paths[:3]]) == 1
    assert "holds no model that predicts" in capfd.readouterr().err


@few
def test_one_speaker(model_by_speaker, corpus, tmp_path, capfd):
    table = read_rows(corpus / "table.csv")
    paths = [row["path"] for row in table if row["speaker"] == table[0]["speaker"]]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join([*paths, "gone.wav"]))
    out = tmp_path / "out.csv"
    assert predict_list(model_by_speaker, listed, out, "--one-speaker") == 1
    assert "1 recording cannot be read" in capfd.readouterr().err
    pipeline = joblib.load(model_by_speaker)
    extract = pipeline["extract"]
    X = speaker_standardize(
        extract.transform(paths),
        np.zeros(len(paths)),
        feature_names=extract.get_feature_names_out(),
    )
    rows = read_rows(out)[:-1]
    np.testing.assert_allclose(
        probabilities(rows), pipeline.sequence_steps.predict_proba(X), atol=1e-4
    )


@few
def test_adapt(model, listed, paths, tmp_path, capfd):
    paths.insert(4, "gone.wav")
    listed.write_text("\n".join(paths))
    out = tmp_path / "out.csv"
    assert predict_list(model, listed, out, "--adapt") == 1
    err = capfd.readouterr().err
    assert "warning: adapted to 10 recordings, where 50 or more" in err
    assert err.endswith(
        "error: 1 recording cannot be read:\n  gone.wav: no such file\n"
    )
    rows = read_rows(out)
    assert [row["path"] for row in rows] == paths
    assert rows.pop(4)["error"]
    del paths[4]
    with pytest.warns(AdaptationWarning):
        adapted = adapt(joblib.load(model), paths)
    expected = adapted.predict_proba(paths)
    np.testing.assert_allclose(probabilities(rows), expected, atol=2e-4)
    assert (
        main(["predict", "-m", str(model), "--adapt", "--format", "csv", *paths]) == 0
    )
    found = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    np.testing.assert_allclose(probabilities(found), expected, atol=2e-4)


def test_adapting_wants_several_recordings(model, model_by_speaker, paths, capfd):
    for options in (
        ["-m", str(model), "--adapt"],
        ["-m", str(model_by_speaker), "--one-speaker"],
    ):
        assert main(["predict", *options, paths[0], "gone.wav"]) == 1
        err = capfd.readouterr().err
        assert "at least 2 recordings" in err
        assert "1 cannot be read: gone.wav" in err
    assert main(["predict", "-m", str(model), "--adapt", "gone.wav", "lost.wav"]) == 1
    assert "2 recordings cannot be read" in capfd.readouterr().err
    with pytest.raises(SystemExit):
        main(["predict", "--adapt", "--one-speaker", *paths])


@few
def test_work_that_was_adapted_is_resumed_adapted(
    model, listed, paths, tmp_path, monkeypatch, capfd
):
    out, predict, calls = tmp_path / "out.csv", EmotionPipeline.predict_proba, []

    def predict_until(self, X):
        calls.append(X)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return predict(self, X)

    monkeypatch.setattr(EmotionPipeline, "predict_proba", predict_until)
    assert predict_list(model, listed, out, "--adapt") == 130
    assert predict_list(model, listed, out) == 1
    assert "begun with other recordings, parameters" in capfd.readouterr().err
    assert predict_list(model, listed, out, "--adapt") == 0
    assert "resuming after 6 of 10" in capfd.readouterr().err
    assert predict_list(model, listed, tmp_path / "again.csv", "--adapt") == 0
    assert (tmp_path / "again.csv").read_text() == out.read_text()


def test_a_target_that_exists_is_refused_before_any_work(
    model, listed, tmp_path, monkeypatch
):
    out = tmp_path / "out.csv"
    out.touch()
    monkeypatch.setattr("skemotion.cli._models.adapt_model", None)
    assert predict_list(model, listed, out, "--adapt") == 1


@few
@pytest.mark.parametrize("suffix", ["joblib", "skemotion"])
def test_an_adapted_model_is_saved(model, corpus, paths, suffix, tmp_path, capfd):
    saved = tmp_path / f"adapted.{suffix}"
    arguments = ["adapt", "-m", str(model), "-o", str(saved), "--chunk-size", "4"]
    assert main([*arguments, *paths, "gone.wav"]) == 1
    captured = capfd.readouterr()
    assert captured.out == f"adapted to 10 recordings, without labels\nsaved {saved}\n"
    assert "gone.wav" in captured.err
    for options in (["-m", str(saved)], ["-m", str(model), "--adapt"]):
        assert main(["predict", *options, "--format", "csv", *paths]) == 0
    tables = capfd.readouterr().out.split("path,")[1:]
    one, other = (
        probabilities(list(csv.DictReader(io.StringIO(f"path,{text}"))))
        for text in tables
    )
    np.testing.assert_allclose(one, other, atol=2e-4)
    assert main(["evaluate", str(corpus), "--model", str(saved)]) == 0
    assert "Adapted, without labels, to 10 recordings: trans" in capfd.readouterr().out


@few
def test_a_model_by_speaker_is_adapted_to_one_voice(
    model, model_by_speaker, paths, tmp_path, capfd
):
    saved = tmp_path / "voice.skemotion"
    arguments = ["adapt", "-o", str(saved), *paths]
    assert main([*arguments, "-m", str(model_by_speaker)]) == 1
    assert "add --one-speaker" in capfd.readouterr().err
    assert main([*arguments, "-m", str(model), "--one-speaker"]) == 1
    assert "there is --adapt" in capfd.readouterr().err
    assert not saved.exists()
    by_voice = ["-m", str(model_by_speaker), "--one-speaker"]
    assert main([*arguments, *by_voice]) == 0
    capfd.readouterr()
    assert main(["predict", "-m", str(saved), *paths]) == 0
    alone = capfd.readouterr().out
    assert main(["predict", *by_voice, *paths]) == 0
    assert capfd.readouterr().out == alone


def test_a_model_by_speaker_refuses_to_guess_who_speaks(
    model_by_speaker, corpus, paths, capfd
):
    assert main(["predict", "-m", str(model_by_speaker), *paths]) == 1
    assert "add --one-speaker" in capfd.readouterr().err
    evaluation = ["evaluate", str(corpus), "--model", str(model_by_speaker)]
    assert main(evaluation) == 1
    assert "was trained with --by-speaker" in capfd.readouterr().err
    with pytest.raises(ValueError, match="features standardised by speaker"):
        joblib.load(model_by_speaker).predict(paths)


def test_evaluate_by_speaker(model, model_by_speaker, corpus, tiny, capfd):
    evaluation = ["evaluate", str(corpus / "table.csv"), "--by-speaker"]
    assert main([*evaluation, "--model", str(model)]) == 1
    assert "was trained without --by-speaker" in capfd.readouterr().err
    assert main([*evaluation, "--model", str(model_by_speaker)]) == 0
    assert "Transductive: " in capfd.readouterr().out
    holdout = ["--protocol", "holdout", "--n-per-class", "2"]
    assert main([*evaluation, *holdout, *tiny]) == 0
    assert "\nTransductive: " in capfd.readouterr().out


@pytest.fixture(scope="module")
def model_with_detector(model, corpus, tmp_path_factory):
    pipeline = joblib.load(model)
    pipeline.set_params(novelty_detector=NoveltyDetector(8, random_state=0))
    pipeline._fit_detector([str(path) for path in corpus.glob("*/*.wav")], None, None)
    path = tmp_path_factory.mktemp("detector") / "model.joblib"
    joblib.dump(pipeline, path)
    return path


@pytest.fixture
def with_noise(paths, tmp_path):
    """A recording that is like the training data, and one that is not."""
    noise, (speech, rate) = tmp_path / "noise.wav", soundfile.read(paths[1])
    spread = np.abs(speech).max() / 20
    speech += spread * np.random.default_rng(0).normal(size=len(speech))
    soundfile.write(noise, speech, rate)
    return [paths[0], str(noise), "gone.wav"]


def test_table_tells_what_is_unlike_the_training_data(
    model_with_detector, with_noise, tmp_path, capsys
):
    command = ["predict", "-m", str(model_with_detector), *with_noise]
    readable = joblib.load(model_with_detector)
    expected = readable.novelty(with_noise[:2])
    assert expected[0] < 1 == expected[1]
    assert main([*command, "--format", "csv"]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(rows[0])[-4:] == ["novelty", "seconds", "speech", "error"]
    assert [row["novelty"] for row in rows] == [f"{expected[0]:.4f}", "1.0000", ""]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(with_noise), encoding="utf-8")
    out = tmp_path / "out.csv"
    assert predict_list(model_with_detector, listed, out) == 1
    assert read_rows(out) == rows


def test_json_and_text_tell_it_too(model_with_detector, with_noise, capsys):
    command = ["predict", "-m", str(model_with_detector), *with_noise]
    main([*command, "--format", "json"])
    usual, noise, gone = json.loads(capsys.readouterr().out)
    assert usual["novelty"] < noise["novelty"] == 1
    assert gone.keys() == {"path", "error"}
    main(command)
    usual, noise = capsys.readouterr().out.splitlines()
    assert noise.endswith("\tunlike the training data")
    assert len(usual.split("\t")) == 3


def test_models_without_a_detector_say_nothing_of_it(model, with_noise, capsys):
    main(["predict", "-m", str(model), *with_noise, "--format", "csv"])
    assert "novelty" not in capsys.readouterr().out
    main(["predict", "-m", str(model), *with_noise])
    assert "unlike" not in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:adapted to")
def test_one_voice_is_compared_as_it_was_trained(
    corpus, tiny, paths, tmp_path, monkeypatch, capsys
):
    from skemotion.cli import _models

    fit = _models.fit_by_speaker

    def fit_with_detector(pipeline, *speech):
        return fit(pipeline.set_params(novelty_detector=NoveltyDetector(4)), *speech)

    monkeypatch.setattr("skemotion.cli._train.fit_by_speaker", fit_with_detector)
    model = str(tmp_path / "model.joblib")
    table = str(corpus / "table.csv")
    assert main(["train", table, "--by-speaker", "-o", model, *tiny]) == 0
    capsys.readouterr()
    command = ["predict", "-m", model, *paths, "--one-speaker", "--format", "csv"]
    assert main(command) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert all(0 <= float(row["novelty"]) <= 1 for row in rows)


@pytest.mark.filterwarnings("ignore:adapted to")
def test_one_voice_is_heard_through_an_encoder(
    corpus, encoder_file, paths, tmp_path, capsys
):
    """By the recommended recipe, of which each part is made small."""
    model = str(tmp_path / "model.joblib")
    settings = [
        *(f"extract__weights={encoder_file}", "augment=passthrough"),
        *("classify__units=2", "classify__epochs=1", "classify__n_members=1"),
    ]
    options = [text for setting in settings for text in ("--set", setting)]
    table = str(corpus / "table.csv")
    assert main(["train", table, "--by-speaker", "-o", model, *options]) == 0
    trained = joblib.load(model)
    assert trained["scale"].feature_names_in_[[0, -1]].tolist() == [
        *("layer2_0", "layer3_63")
    ]
    capsys.readouterr()
    command = ["predict", "-m", model, *paths, "--one-speaker", "--format", "csv"]
    assert main(command) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert all(0 <= float(row["novelty"]) <= 1 for row in rows)
