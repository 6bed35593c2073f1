"""Kept folds are taken whole, or not at all."""

import io
import os
import shutil
import warnings
import zipfile

import numpy as np
import pytest

from skemotion.cli._folds import Fold, KeptFolds

FOLD = Fold(np.arange(4), np.eye(4, 2), np.zeros(4, bool), {"loss": [1.0, 0.5]}, 2.0)


@pytest.fixture
def kept(tmp_path):
    KeptFolds(tmp_path).save(0, FOLD)
    (path,) = tmp_path.iterdir()
    return path


def test_a_fold_comes_back(kept):
    found = KeptFolds(kept.parent).load(0)
    for name, value in vars(FOLD).items():
        np.testing.assert_equal(getattr(found, name), value)


def rewritten(content, name, change):
    """Change a member of the archive, and give it the right checksum again."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content[content.index(b"PK") :])) as old,
        zipfile.ZipFile(file, "w") as new,
    ):
        for each in old.namelist():
            member = old.read(each)
            new.writestr(each, change(member) if each == name else member)
    return content[: content.index(b"PK")] + file.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"",
        lambda content: content[:-60],
        lambda content: b"x" * len(content),
        lambda content: content + b"x",
        # A header that NumPy cannot read, values that are others, and an escape.
        lambda content: rewritten(
            content, "rows.npy", lambda each: each.replace(b"False", b"Fal(e")
        ),
        lambda content: rewritten(
            content, "rows.npy", lambda each: each[:-8] + b"\x07" + bytes(7)
        ),
        lambda content: rewritten(
            content, "rows.npy", lambda each: each.replace(b"descr", b"de\\cr")
        ),
    ],
)
def test_a_damaged_fold_is_not_there(kept, change):
    kept.write_bytes(change(kept.read_bytes()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert KeptFolds(kept.parent).load(0) is None


def test_a_fold_in_the_place_of_another_is_not_there(kept):
    KeptFolds(kept.parent).save(1, FOLD)
    (other,) = set(kept.parent.iterdir()) - {kept}
    shutil.copy(kept, other)
    assert KeptFolds(kept.parent).load(1) is None
    os.unlink(other)
    assert KeptFolds(kept.parent).load(1) is None
