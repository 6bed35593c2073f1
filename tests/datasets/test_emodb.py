import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.utils._param_validation import InvalidParameterError

from skemotion.datasets import load_emodb

COUNTS = {
    "anger": 127,
    "boredom": 81,
    "disgust": 46,
    "fear": 69,
    "happiness": 71,
    "neutral": 79,
    "sadness": 62,
}
ARRAYS = [
    "paths",
    "target",
    "speakers",
    "sex",
    "age",
    "text_ids",
    "texts",
    "translations",
    "recognition",
]


@pytest.fixture
def corpus(tmp_path):
    """Three empty recordings in the layout of the archive."""
    (tmp_path / "wav").mkdir()
    for name in ["16b10Wb.wav", "03a01Fa.wav", "09a05N.WAV"]:
        (tmp_path / "wav" / name).touch()
    return tmp_path


def load_silently(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return load_emodb(path, **options)


def test_names_are_spelt_out_in_the_order_of_the_files(corpus):
    data = load_silently(corpus)
    assert data.paths.tolist() == [
        str(corpus / "wav" / name)
        for name in ["03a01Fa.wav", "09a05N.WAV", "16b10Wb.wav"]
    ]
    assert data.target.tolist() == ["happiness", "neutral", "anger"]
    assert data.speakers.tolist() == ["03", "09", "16"]
    assert data.sex.tolist() == ["male", "female", "female"]
    assert data.age.tolist() == [31, 21, 31]
    assert data.text_ids.tolist() == ["a01", "a05", "b10"]
    assert data.texts[0] == "Der Lappen liegt auf dem Eisschrank."
    assert data.translations[0] == "The tablecloth is lying on the fridge."
    assert data.target_names.tolist() == ["anger", "happiness", "neutral"]
    assert "Burkhardt" in data.DESCR


def test_every_array_can_be_sliced_by_row(corpus):
    data = load_silently(corpus)
    for name in ARRAYS:
        assert data[name][np.array([2, 0])].shape == (2,)


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", ["happiness", "neutral", "anger"]),
        ("de", ["freude", "neutral", "wut"]),
        ("it", ["felicità", "neutro", "rabbia"]),
    ],
)
def test_language_of_the_emotions(corpus, language, names):
    data = load_silently(corpus, language=language)
    assert data.target.tolist() == names
    assert data.target_names.tolist() == sorted(names)


def test_unknown_language(corpus):
    with pytest.raises(InvalidParameterError, match="'language' parameter"):
        load_emodb(corpus, language="deutsch")


def test_bare_folder_equals_the_layout_of_the_archive(corpus):
    data, bare = load_silently(corpus), load_silently(str(corpus / "wav"))
    for name in ARRAYS:
        np.testing.assert_array_equal(data[name], bare[name])


def test_foreign_files_are_ignored(corpus):
    for name in ["03a01Xa.wav", "04a01Fa.wav", "._03a01Fb.wav", "03a02Fa.txt", "x.wav"]:
        (corpus / "wav" / name).touch()
    assert len(load_silently(corpus).paths) == 3


def test_partial_corpus_warns_at_the_caller_and_names_ten(corpus):
    with pytest.warns(UserWarning, match="533 of the 535 .* missing") as caught:
        load_emodb(corpus)
    message = str(caught[0].message)
    assert message.count(".wav") == 10
    assert "03a01Nc.wav" in message
    assert "03a01Fa.wav" not in message
    assert "and 523 more" in message
    assert caught[0].filename == __file__


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_recognition_from_the_listening_test(corpus, encoding):
    rows = [
        "Nr.\tSatz\terkannt\tnatuerlich",
        "1\xa0 \xa0 \t03a01Fa.wav\t90,00\xa0 \xa0 \t75,00\xa0 ",
        "2\xa0 \xa0 \t16b10Wb.wav\t82,50\xa0 \xa0 \t100,00\xa0 ",
    ]
    (corpus / "erkennung.txt").write_bytes("\r\n".join(rows).encode(encoding))
    for path in (corpus, corpus / "wav"):
        recognition = load_silently(path).recognition
        np.testing.assert_allclose(recognition, [0.9, np.nan, 0.825])


def test_recognition_is_nan_without_the_listening_test(corpus):
    assert np.isnan(load_silently(corpus).recognition).all()


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        load_emodb(tmp_path / "nowhere")


def test_archive_instead_of_a_folder(tmp_path):
    (tmp_path / "download.zip").touch()
    with pytest.raises(NotADirectoryError, match="unpack the archive"):
        load_emodb(tmp_path / "download.zip")


def test_folder_without_recordings_of_emodb(tmp_path):
    with pytest.raises(FileNotFoundError, match="found nothing"):
        load_emodb(tmp_path)
    (tmp_path / "happy.wav").touch()
    with pytest.raises(FileNotFoundError, match=r"found 'happy.wav'.*load_recordings"):
        load_emodb(tmp_path)


@pytest.mark.emodb
def test_whole_corpus(emodb_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_emodb(emodb_path)
    assert all(data[name].shape == (535,) for name in ARRAYS)
    emotions, counts = np.unique(data.target, return_counts=True)
    assert dict(zip(emotions.tolist(), counts.tolist(), strict=True)) == COUNTS
    assert len(np.unique(data.speakers)) == 10
    assert len(np.unique(data.text_ids)) == 10
    assert len(np.unique(data.texts)) == len(np.unique(data.translations)) == 10
    # As published: at least 80 per cent of the listeners recognised each of them.
    assert data.recognition.min() >= 0.8
    assert data.recognition.mean() == pytest.approx(0.935, abs=5e-4)


def test_forms_of_scikit_learn(corpus):
    data = load_silently(corpus)
    assert data.frame is None
    assert data.data is data.paths
    X, y = load_silently(corpus, return_X_y=True)
    np.testing.assert_array_equal(X, data.paths)
    np.testing.assert_array_equal(y, data.target)


def test_as_frame(corpus):
    plain, data = load_silently(corpus), load_silently(corpus, as_frame=True)
    assert data.frame.columns.tolist() == [
        *("path", "label", "speaker", "sex", "age", "text_id", "text", "translation"),
        "recognition",
    ]
    assert data.data.columns.tolist() == ["path"]
    for name in ARRAYS:
        assert isinstance(data[name], pd.Series)
        np.testing.assert_array_equal(data[name], plain[name])
    X, y = load_silently(corpus, as_frame=True, return_X_y=True)
    pd.testing.assert_frame_equal(X, data.data)
    pd.testing.assert_series_equal(y, data.target)
    assert y.name == "label"
