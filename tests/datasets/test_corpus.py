"""Corpora whose paths tell what they are: a known one, and one's own."""

import itertools
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from skemotion.datasets import Archive, Corpus, load_corpus
from skemotion.datasets._known import CORPORA

RAVDESS_EMOTIONS = {
    **{"01": "neutral", "02": "calm", "03": "happiness", "04": "sadness"},
    **{"05": "anger", "06": "fear", "07": "disgust", "08": "surprise"},
}


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def ravdess_names():
    """All 1440 names, as the archive has them."""
    codes = itertools.product(RAVDESS_EMOTIONS, "12", "12", "12", range(1, 25))
    for emotion, intensity, text, repetition, actor in codes:
        if (emotion, intensity) != ("01", "2"):
            name = f"03-01-{emotion}-0{intensity}-0{text}-0{repetition}-{actor:02}.wav"
            yield f"Actor_{actor:02}/{name}"


def test_the_whole_of_ravdess(tmp_path):
    data = load_corpus("ravdess", touch(tmp_path, *ravdess_names()), as_frame=True)
    assert data.frame.columns.tolist() == [
        *("path", "label", "speaker", "sex", "intensity", "text_id", "text"),
        "repetition",
    ]
    counts = data.frame.groupby("label").size().to_dict()
    assert counts == dict.fromkeys(RAVDESS_EMOTIONS.values(), 192) | {"neutral": 96}
    assert data.target_names.tolist() == sorted(RAVDESS_EMOTIONS.values())
    assert set(data.frame.groupby("speaker").size()) == {60}
    assert data.frame.speaker.nunique() == 24
    men = data.frame.speaker.astype(int) % 2 == 1
    assert set(data.sex[men]) == {"male"}
    assert set(data.sex[~men]) == {"female"}
    row = data.frame[data.frame.path.str.endswith("03-01-06-01-02-01-12.wav")].iloc[0]
    assert row.drop("path").to_dict() == {
        **{"label": "fear", "speaker": "12", "sex": "female", "intensity": "normal"},
        **{"text_id": "02", "text": "Dogs are sitting by the door", "repetition": 1},
    }
    assert "CC BY-NC-SA 4.0" in data.DESCR


def test_songs_videos_and_other_files_are_not_the_speech_of_ravdess(tmp_path):
    touch(tmp_path, "03-01-05-02-01-02-23.wav", "03-02-05-02-01-02-23.wav")
    touch(tmp_path, "02-01-05-02-01-02-23.mp4", "01-01-05-02-01-02-23.wav")
    touch(tmp_path, "03-01-09-02-01-02-23.wav", "03-01-05-02-01-02-25.wav", "a.wav")
    with pytest.warns(UserWarning, match="1439 of the 1440 recordings of RAVDESS are"):
        data = load_corpus("ravdess", tmp_path)
    assert data.target.tolist() == ["anger"]
    assert data.intensity.tolist() == ["strong"]
    assert data.speakers.tolist() == ["23"]


def test_a_second_copy_in_the_folder_is_not_taken_for_more(tmp_path):
    names = list(ravdess_names())
    touch(tmp_path, *names, *(f"audio_speech/{name}" for name in names))
    with pytest.raises(ValueError, match=r"2880 recordings .* has 1440: pass"):
        load_corpus("ravdess", tmp_path)
    assert len(load_corpus("ravdess", tmp_path / "audio_speech").paths) == 1440


@pytest.mark.parametrize("name", CORPORA)
def test_known_corpora_are_whole(name):
    corpus = CORPORA[name]
    assert corpus.name == name
    assert corpus.licence
    assert corpus.licence in corpus.description
    assert f".. _{name}_dataset:" in corpus.description
    assert len(set(corpus.labels.values())) == len(corpus.labels)
    assert all(url.startswith("http") for url in corpus.archive.urls)
    assert pickle.loads(pickle.dumps(corpus)) == corpus
    with pytest.raises(FrozenInstanceError):
        corpus.name = "other"


def parse(path):
    speaker, emotion, _ = path.stem.split("_")
    return {"label": emotion, "speaker": speaker}


MINE = Corpus("mine", parse)
NAMES = ["anna_A_1.wav", "b/bert_S_1.flac", "anna_S_1.wav"]


def test_labels_by_another_name_and_more_that_is_known(tmp_path):
    corpus = replace(
        MINE,
        labels={"A": "anger", "S": "sadness"},
        annotate=lambda paths: {"stars": range(len(paths))},
        description="Three recordings.",
    )
    data = load_corpus(corpus, touch(tmp_path, *NAMES, "notes.txt"), as_frame=True)
    assert data.frame.columns.tolist() == ["path", "label", "speaker", "stars"]
    assert data.target.tolist() == ["anger", "sadness", "sadness"]
    assert data.speakers.tolist() == ["anna", "anna", "bert"]
    assert data.stars.tolist() == [0, 1, 2]
    assert data.DESCR == "Three recordings."


def test_speakers_need_not_be_known(tmp_path):
    corpus = Corpus("mine", lambda path: {"label": path.stem[0]})
    data = load_corpus(corpus, touch(tmp_path, *NAMES))
    assert data.speakers is None
    assert load_corpus(corpus, tmp_path, as_frame=True).frame.shape == (3, 2)
    X, y = load_corpus(corpus, tmp_path, return_X_y=True)
    np.testing.assert_array_equal((X, y), (data.paths, data.target))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            lambda path: path.stem,
            r"returns '\w+' for .*: it must be a dict with ",
        ),
        (lambda path: {"speaker": "a"}, "it must be a dict with 'label', or None"),
        (lambda path: {"label": ""}, "label must not be empty"),
        (lambda path: {"label": "a", "speaker": None}, "speaker must not be empty"),
        (lambda path: {"label": "a", "data": 1}, "data is taken"),
        (lambda path: {"label": path.stem[9]}, r"fails for .* \(IndexError: "),
        (
            lambda path: {"label": "a"} | ({"sex": "f"} if "b" in path.stem else {}),
            r"tells label, sex of '.*bert_S_1.flac', but label of",
        ),
    ],
)
def test_parsers_that_cannot_be_right(tmp_path, told, message):
    with pytest.raises(ValueError, match=f"the corpus 'mine' .*{message}"):
        load_corpus(Corpus("mine", told), touch(tmp_path, *NAMES))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": {"A": "anger"}}, r"the label 'S' for .*, but labels has only 'A'"),
        ({"annotate": lambda paths: {"stars": [1]}}, "1 values of stars for 3 record"),
        ({"annotate": lambda paths: {"speaker": paths}}, "'speaker', which it cannot"),
        ({"n_recordings": 2}, "3 recordings of mine .* but the corpus has 2"),
    ],
)
def test_corpora_that_do_not_fit(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        load_corpus(replace(MINE, **changes), touch(tmp_path, *NAMES))


@pytest.mark.parametrize("name", ["", "My corpus", "../up", "a:b", ".hidden"])
def test_names_are_those_of_folders(name):
    with pytest.raises(ValueError, match="name must be of lower-case letters"):
        Corpus(name, parse)


@pytest.mark.parametrize(
    "changes", [{"parse": "stem"}, {"parse": None}, {"annotate": "table.csv"}]
)
def test_what_is_no_function(changes):
    with pytest.raises(TypeError, match=f"{next(iter(changes))} must be a function"):
        replace(MINE, **changes)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"urls": "https://example.org"}, "urls must be a list of addresses"),
        ({"urls": []}, "urls must be a list of addresses"),
        ({"size": 0}, "positive numbers of bytes"),
        ({"largest": -1}, "positive numbers of bytes"),
        ({"checksum": None}, "nothing tells whether what came is the corpus"),
        ({"checksum": "md5:xyz"}, "checksum must be a sum in lower-case hexadecimal"),
    ],
)
def test_archives_that_cannot_be_verified(values, message):
    right = {"urls": ["https://example.org"], "size": 1, "checksum": "md5:" + 32 * "0"}
    with pytest.raises(ValueError, match=message):
        Archive(**{**right, **values})
