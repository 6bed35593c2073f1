import os

import numpy as np
import pandas as pd
import pytest

from skemotion.datasets import load_recordings


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_folder_per_class(tmp_path):
    touch(
        tmp_path,
        "neutral/b.FLAC",
        "neutral/a.wav",
        "anger/session 2/x.mp3",
        "anger/notes.txt",
        "anger/.hidden.wav",
        "anger/.trash/y.wav",
        ".cache/z.wav",
        "stray.wav",
    )
    with pytest.warns(UserWarning, match="1 wav file, beside the folders of the"):
        data = load_recordings(str(tmp_path))
    assert data.paths.tolist() == [
        str(tmp_path / "anger" / "session 2" / "x.mp3"),
        str(tmp_path / "neutral" / "a.wav"),
        str(tmp_path / "neutral" / "b.FLAC"),
    ]
    assert data.target.tolist() == ["anger", "neutral", "neutral"]
    assert data.speakers is None
    assert data.target_names.tolist() == ["anger", "neutral"]


def test_hidden_parent_does_not_hide_the_corpus(tmp_path):
    touch(tmp_path, ".data/anger/a.wav", ".data/fear/a.wav")
    assert len(load_recordings(tmp_path / ".data").paths) == 2


def test_folder_without_recordings_is_left_out_with_a_warning(tmp_path):
    touch(tmp_path, "anger/a.wav", "fear/a.wav", "sadness/a.m4a")
    with pytest.warns(UserWarning, match=r"no recordings: 'sadness'") as caught:
        data = load_recordings(tmp_path)
    assert data.target_names.tolist() == ["anger", "fear"]
    assert caught[0].filename == __file__


def test_table(tmp_path):
    elsewhere = tmp_path / "elsewhere" / "c.wav"
    touch(tmp_path, "corpus/audio/a.wav", "corpus/b.ogg", elsewhere)
    table = tmp_path / "corpus" / "table.csv"
    table.write_text(
        "speaker, label,note,path\n"
        "anna,Ärger,,audio/a.wav\n"
        "\n"
        'bert,"joy, loud",x,b.ogg\n'
        f"anna,joy,,{elsewhere}\n",
        encoding="utf-8-sig",
    )
    data = load_recordings(table)
    assert all(os.path.isfile(path) for path in data.paths)
    assert [os.path.basename(path) for path in data.paths] == [
        "a.wav",
        "b.ogg",
        "c.wav",
    ]
    assert data.target.tolist() == ["Ärger", "joy, loud", "joy"]
    assert data.speakers.tolist() == ["anna", "bert", "anna"]
    np.testing.assert_array_equal(data.target_names, np.unique(data.target))


def test_table_without_speakers(tmp_path):
    touch(tmp_path, "a.wav", "b.wav")
    table = tmp_path / "table.csv"
    table.write_text("path,label\na.wav,joy\nb.wav,fear\n")
    assert load_recordings(table).speakers is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,label\na.wav,joy\n", "lacks the column path; .*'file,label'"),
        ("path;label\na.wav;joy\n", "lacks the column path and label"),
        ("", "lacks the column path and label"),
        ("path,label\n", "has no rows"),
        ("path,label\na.wav,joy\n", "class 'joy'; at least two"),
        (b"path,label\na.wav,\xc4rger\n", "neither a folder nor a CSV table in UTF-8"),
        ('path,label\na.wav,"joy\n', "neither a folder nor a CSV table"),
    ],
)
def test_unusable_table(tmp_path, content, message):
    touch(tmp_path, "a.wav")
    table = tmp_path / "table.csv"
    table.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        load_recordings(table)


def test_all_faults_of_a_table_are_named_with_their_lines(tmp_path):
    touch(tmp_path, "a.wav")
    table = tmp_path / "table.csv"
    table.write_text(
        "path,label,speaker\na.wav,joy,anna\nb.wav,joy,anna\na.wav, ,anna\na.wav,joy\n"
        ",,anna\n"
    )
    with pytest.raises(ValueError, match="4 of 5 rows") as caught:
        load_recordings(table)
    assert str(caught.value).splitlines()[1:] == [
        "  line 3: no such file as 'b.wav'",
        "  line 4: no label",
        "  line 5: no speaker",
        "  line 6: no path and no label",
    ]


def test_ten_faults_of_a_table_are_shown_and_the_rest_counted(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("path,label\n" + "".join(f"{i}.wav,joy\n" for i in range(13)))
    with pytest.raises(ValueError, match="13 of 13 rows") as caught:
        load_recordings(table)
    assert str(caught.value).count("no such file") == 10
    assert str(caught.value).endswith("and 3 more")


def test_nothing_at_the_path(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing at .*Known layouts"):
        load_recordings(tmp_path / "nowhere")


@pytest.mark.parametrize("names", [[], ["a.wav", "b.wav"], ["anger/a.txt"]])
def test_unknown_layout(tmp_path, names):
    touch(tmp_path, *names)
    with pytest.raises(ValueError, match=r"holds recordings.*Known layouts"):
        load_recordings(tmp_path)


def test_one_class(tmp_path):
    touch(tmp_path, "anger/a.wav", "anger/b.wav")
    with pytest.raises(ValueError, match=r"class 'anger'; at least two"):
        load_recordings(tmp_path)


def test_one_recording_instead_of_a_corpus(tmp_path):
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"RIFF\xff\xff\x00\x00WAVE")
    with pytest.raises(ValueError, match="neither a folder nor a CSV table"):
        load_recordings(recording)


@pytest.mark.parametrize("folder", ["", "wav"])
def test_emodb_is_left_to_load_emodb(tmp_path, folder):
    touch(tmp_path, "wav/03a01Fa.wav", "wav/03a01Wa.wav")
    with pytest.raises(ValueError, match=r"use load_corpus\('emodb'\)"):
        load_recordings(tmp_path / folder)


def test_what_is_skipped_is_counted_by_suffix_once(tmp_path):
    touch(
        tmp_path,
        *(f"anger/{i}.wav" for i in range(5)),
        *(f"anger/session/{i}.M4A" for i in range(5)),
        *("fear/a.flac", "fear/b.wma", "fear/c.xyz", "fear/notes.txt"),
        *("fear/.hidden.m4a", "fear/.trash/y.m4a", ".z.m4a", "voice.mp4", "README"),
    )
    with pytest.warns(UserWarning, match="Left out") as caught:
        data = load_recordings(tmp_path)
    assert len(data.paths) == 6
    assert [str(warning.message) for warning in caught] == [
        f"Left out in {str(tmp_path)!r}: 5 m4a files, 1 mp4 file, 1 wma file, of a "
        "format that is not read (convert to WAV or FLAC); 1 file without suffix, 1 "
        "txt file, 1 xyz file, by the suffix no audio."
    ]
    assert caught[0].filename == __file__


def test_texts_and_tables_alone_are_not_worth_a_word(tmp_path):
    touch(tmp_path, "anger/a.wav", "fear/a.wav", "fear/a.txt", "table.csv", "LICENSE")
    assert len(load_recordings(tmp_path).paths) == 2


@pytest.fixture
def files(tmp_path):
    touch(tmp_path, "a.wav", "b.wav", "c.wav")
    return [str(tmp_path / name) for name in ("a.wav", "b.wav", "c.wav")]


def segmented(files, starts, ends):
    times = [pd.to_timedelta(column, unit="s") for column in (starts, ends)]
    return pd.MultiIndex.from_arrays([files, *times], names=["file", "start", "end"])


def test_data_frame(files):
    frame = pd.DataFrame(
        {
            "speaker": [1, 2, 1],
            "label": pd.Categorical(["joy", "anger", "joy"]),
            "path": files,
        },
        index=[5, 3, 9],
    )
    data = load_recordings(frame)
    assert data.paths.tolist() == files
    assert data.target.tolist() == ["joy", "anger", "joy"]
    assert data.speakers.tolist() == ["1", "2", "1"]
    assert load_recordings(frame.drop(columns="speaker")).speakers is None


def test_segments_of_audformat(files):
    index = segmented(files, [0, 1.5, 0], [0.5, np.nan, np.nan])
    frame = pd.DataFrame({"emotion": ["joy", "fear", "joy"]}, index=index)
    expected = [(files[0], 0.0, 0.5), (files[1], 1.5, None), files[2]]
    for table in (frame, frame["emotion"]):
        data = load_recordings(table)
        assert data.paths.tolist() == expected
        assert data.paths[np.array([True, False, True])].tolist() == expected[::2]
        assert data.target.tolist() == ["joy", "fear", "joy"]
    whole = pd.Series(["joy", "fear", "joy"], index=pd.Index(files, name="file"))
    assert load_recordings(whole).paths.dtype.kind == "U"


def test_tables_of_audformat(files):
    audformat = pytest.importorskip("audformat")
    index = audformat.segmented_index(files, ["0s", "1s", "0s"], ["1s", None, None])
    frame = pd.DataFrame({"emotion": ["joy", "fear", "joy"]}, index=index)
    expected = [(files[0], 0.0, 1.0), (files[1], 1.0, None), files[2]]
    assert load_recordings(frame).paths.tolist() == expected
    labels = pd.Series(["joy", "fear", "joy"], index=audformat.filewise_index(files))
    assert load_recordings(labels).paths.tolist() == files


def test_all_faults_of_a_data_frame_are_named(files):
    frame = pd.DataFrame(
        {
            "path": [files[0], "gone.wav", None, files[1]],
            "label": ["joy", "fear", "joy", pd.NA],
            "speaker": ["a", " ", "b", "c"],
        }
    )
    with pytest.raises(ValueError, match="3 of 4 rows of the data frame") as caught:
        load_recordings(frame.drop(columns="speaker"))
    assert str(caught.value).splitlines()[1:] == [
        "  row 1: no such file as 'gone.wav'",
        "  row 2: no path",
        "  row 3: no label",
    ]
    with pytest.raises(ValueError, match="row 1: no speaker"):
        load_recordings(frame)


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (pd.DataFrame({"file": ["a"], "label": ["b"]}), TypeError, "columns file, lab"),
        (pd.DataFrame({"path": ["a.wav"]}), ValueError, "no column label.* are path"),
        (pd.Series(["a"]), TypeError, "an index|the index"),
        (pd.Index(["a"], name="file"), TypeError, "Index has no labels"),
        (None, ValueError, "'path' parameter"),
        (3, ValueError, "'path' parameter"),
    ],
)
def test_tables_that_are_no_corpus(frame, error, message):
    with pytest.raises(error, match=message):
        load_recordings(frame)


def test_forms_of_scikit_learn(files):
    frame = pd.DataFrame({"path": files, "label": ["joy", "fear", "joy"]})
    X, y = load_recordings(frame, return_X_y=True)
    assert (X.tolist(), y.tolist()) == (files, ["joy", "fear", "joy"])
    data = load_recordings(frame, as_frame=True)
    pd.testing.assert_frame_equal(data.frame, frame, check_dtype=False)
    assert load_recordings(data.frame).paths.tolist() == files


# Python 3.10 reads no table with a NUL.
_NOT_THERE = r"2 of 2 rows of .*\n.*no such file|line contains NUL"


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5000, "a\0b", "~nobody-here/a.wav"])
def test_names_that_no_file_can_have(name, tmp_path):
    """Rows are named, whatever the system says of such names."""
    table = tmp_path / "table.csv"
    table.write_text(f"path,label\n{name},joy\n{name},fear\n")
    frame = pd.DataFrame({"path": [name, name], "label": ["joy", "fear"]})
    for source in (table, frame):
        with pytest.raises(ValueError, match=_NOT_THERE):
            load_recordings(source)
    if "\0" not in name:
        with pytest.raises(FileNotFoundError, match="There is nothing at"):
            load_recordings(name)
