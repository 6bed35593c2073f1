from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skemotion.model_selection import (
    Holdout,
    balanced_holdout,
    stratified_validation_split,
)

seeds = st.integers(0, 2**32 - 1)


@st.composite
def labelled_groups(draw, max_groups=5):
    """Classes, as strings, ints or bools, and a group for each row."""
    classes = draw(
        st.sampled_from([["fear", "joy", "rage"], [7, -2, 3], [False, True], ["one"]])
    )
    n = draw(st.integers(1, 40))
    codes = draw(st.lists(st.integers(0, len(classes) - 1), min_size=n, max_size=n))
    groups = draw(st.lists(st.integers(1, max_groups), min_size=n, max_size=n))
    return np.array(classes)[codes], np.array(groups)


def subsets_of_groups(groups):
    names = np.unique(groups)
    for size in range(1, len(names) + 1):
        yield from combinations(names, size)


def fits(held_out, y, groups, n_per_class):
    inside = np.isin(groups, held_out)
    return all(
        np.count_nonzero(inside & (y == c)) >= n_per_class
        and np.count_nonzero(~inside & (y == c)) >= 1
        for c in np.unique(y)
    )


def assert_same_split(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


# balanced_holdout


@given(labelled_groups(), st.integers(1, 4), seeds)
@settings(deadline=None)
def test_holdout_partitions_the_rows(data, n_per_class, seed):
    y, _ = data
    classes, counts = np.unique(y, return_counts=True)
    if counts.min() <= n_per_class:
        with pytest.raises(
            ValueError, match=rf"has {counts[counts <= n_per_class][0]}"
        ):
            balanced_holdout(y, n_per_class, random_state=seed)
        return
    split = balanced_holdout(y, n_per_class, random_state=seed)
    assert isinstance(split, Holdout)
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(len(y)))
    assert split.dropped.size == 0
    assert {part.dtype.kind for part in split} == {"i"}
    assert [np.count_nonzero(y[split.test] == c) for c in classes] == (
        [n_per_class] * len(classes)
    )
    assert set(y[split.train]) == set(classes)


@given(labelled_groups(), st.integers(1, 4), seeds)
@settings(deadline=None)
def test_holdout_by_group_is_made_whenever_it_is_possible(data, n_per_class, seed):
    y, groups = data
    classes, counts = np.unique(y, return_counts=True)
    if counts.min() <= n_per_class:
        return
    solutions = [
        chosen
        for chosen in subsets_of_groups(groups)
        if fits(chosen, y, groups, n_per_class)
    ]
    if not solutions:
        with pytest.raises(ValueError, match="No choice of whole groups") as error:
            balanced_holdout(y, n_per_class, groups, random_state=seed)
        assert any(f"class {name} (" in str(error.value) for name in classes)
        return
    split = balanced_holdout(y, n_per_class, groups, random_state=seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(len(y)))
    held_out = np.unique(groups[np.concatenate([split.test, split.dropped])])
    assert not np.isin(groups[split.train], held_out).any()
    assert fits(held_out, y, groups, n_per_class)
    assert [np.count_nonzero(y[split.test] == c) for c in classes] == (
        [n_per_class] * len(classes)
    )
    assert len(held_out) < 2 * len(solutions[0])
    assert not any(
        fits(np.delete(held_out, i), y, groups, n_per_class)
        for i in range(len(held_out))
    )


@given(seeds, st.booleans())
@settings(deadline=None, max_examples=20)
def test_holdout_is_determined_by_the_seed_alone(seed, by_group):
    y = np.tile(["fear", "joy"], 30)
    groups = np.repeat(np.arange(10), 6) if by_group else None
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first = balanced_holdout(y, 5, groups, seed)
    np.testing.assert_array_equal(before, np.random.get_state()[1])
    assert_same_split(first, balanced_holdout(y, 5, groups, seed))
    assert_same_split(
        first, balanced_holdout(y, 5, groups, np.random.RandomState(seed))
    )


def test_holdout_takes_the_first_of_each_class_in_permuted_order():
    y = np.random.RandomState(0).choice(["a", "b", "c"], 60)
    order = np.random.RandomState(42).permutation(60)
    seen, test, train = dict.fromkeys("abc", 0), [], []
    for row in order:
        (test if seen[y[row]] < 4 else train).append(row)
        seen[y[row]] += 1
    split = balanced_holdout(y, n_per_class=4, random_state=42)
    assert split.test.tolist() == test
    assert split.train.tolist() == train


def test_seed_chooses_other_groups():
    y = np.tile(["fear", "joy"], 30)
    groups = np.repeat(np.arange(10), 6)
    held_out = {
        tuple(np.unique(groups[balanced_holdout(y, 5, groups, seed).test]))
        for seed in range(10)
    }
    assert len(held_out) > 5
    assert {len(chosen) for chosen in held_out} == {2}


def test_rows_of_held_out_groups_beyond_the_test_set_are_dropped():
    y = ["fear", "joy", "joy"] * 4
    groups = np.repeat(["f", "m"], 6)
    split = balanced_holdout(y, n_per_class=2, groups=groups, random_state=0)
    assert len(split.test) == 4
    assert [y[i] for i in split.dropped] == ["joy", "joy"]
    assert set(groups[split.dropped]) == set(groups[split.test])


def test_many_groups_are_held_out_in_useful_time():
    rng = np.random.RandomState(0)
    y, groups = rng.randint(7, size=20000), rng.randint(1000, size=20000)
    split = balanced_holdout(y, 200, groups, random_state=0)
    assert np.bincount(y[split.test]).tolist() == [200] * 7
    assert not set(groups[split.test]) & set(groups[split.train])


def test_class_that_is_too_small_is_named():
    with pytest.raises(ValueError, match=r"Class joy has 2 recordings.*at least 3"):
        balanced_holdout(["fear"] * 5 + ["joy"] * 2, n_per_class=2)


def test_class_that_groups_cannot_share_is_named():
    y = ["fear", "joy"] * 6
    groups = [1 if emotion == "joy" else i % 4 for i, emotion in enumerate(y)]
    with pytest.raises(ValueError, match=r"class joy \(6 recordings in 1 groups\)"):
        balanced_holdout(y, n_per_class=2, groups=groups)


@pytest.mark.parametrize("split", [balanced_holdout, stratified_validation_split])
def test_malformed_labels_and_groups_are_refused(split):
    size = 1 if split is balanced_holdout else 0.5
    with pytest.raises(ValueError, match=r"y must be one-dimensional.*\(4, 1\)"):
        split([[0], [0], [1], [1]], size)
    with pytest.raises(ValueError, match=r"y must be one-dimensional.*\(0,\)"):
        split([], size)
    with pytest.raises(ValueError, match="groups must be one-dimensional"):
        split([0, 0, 1, 1], size, groups=[[0], [1], [0], [1]])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        split([0, 0, 1, 1], size, groups=[0, 1])


@pytest.mark.parametrize("split", [balanced_holdout, stratified_validation_split])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (["a", None, "b", "b"], "holds None at row 1"),
        (["a", np.nan, "b", "b"], "holds nan at row 1"),
        ([0.0, np.nan, 1.0, 1.0], "holds nan at row 1"),
        (pd.array(["a", None, "b", "b"], dtype="string"), "holds <NA> at row 1"),
        (["a", 1, "b", "b"], "mixes labels of the types int, str"),
        ([0.5, 0.1, 0.2, 0.3], "is continuous, such as 0.5"),
        ([(0, 1)] * 4, r"must be one-dimensional.*\(4, 2\).*argmax"),
        (np.ma.array([1, 2, 1, 2], mask=[0, 0, 1, 0]), "holds None at row 2"),
    ],
)
def test_labels_and_groups_that_are_none(split, bad, message):
    size = 1 if split is balanced_holdout else 0.5
    with pytest.raises(ValueError, match=f"y {message}"):
        split(bad, size)
    with pytest.raises(ValueError, match=f"groups {message}"):
        split([0, 0, 1, 1], size, groups=bad)


@pytest.mark.parametrize("split", [balanced_holdout, stratified_validation_split])
@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        np.array,
        pd.Series,
        pd.Categorical,
        lambda y: np.array(y, dtype=object),
        lambda y: pd.array(y, dtype="string"),
        lambda y: pd.DataFrame({"label": y})["label"].values,
        lambda y: pd.array([len(label) for label in y], dtype="Int64"),
    ],
)
def test_kinds_of_labels_and_groups(split, kind):
    y, groups = ["joy", "fear"] * 10, ["a"] * 6 + ["bb"] * 6 + ["ccc"] * 8
    size = 2 if split is balanced_holdout else 0.2
    for by in (None, groups):
        expected = split(y, size, groups=by, random_state=0)
        found = split(kind(y), size, groups=by and kind(by), random_state=0)
        if kind([y[0]])[0] == y[0]:  # numbers are sorted otherwise
            assert_same_split(found, expected)


@pytest.mark.emodb
def test_holdout_of_emodb_is_the_published_one(emodb_path):
    names = sorted(path.name for path in emodb_path.rglob("*.wav"))
    y = np.array([name[5] for name in names])
    train, test, dropped = balanced_holdout(y, random_state=42)
    assert (len(train), len(test), len(dropped)) == (395, 140, 0)
    assert np.unique(y[train], return_counts=True)[1].max() * 7 == 749


@pytest.mark.emodb
@pytest.mark.parametrize("columns", [slice(0, 2), slice(2, 5)], ids=["speaker", "text"])
def test_emodb_is_held_out_by_speaker_and_by_text(emodb_path, columns):
    names = sorted(path.name for path in emodb_path.rglob("*.wav"))
    groups = np.array([name[columns] for name in names])
    split = balanced_holdout([name[5] for name in names], 20, groups, random_state=0)
    assert len(split.test) == 140
    assert len(split.train) > 300
    assert not set(groups[split.train]) & set(groups[split.test])


# stratified_validation_split


@given(labelled_groups(), st.floats(0.01, 0.99), seeds)
@settings(deadline=None)
def test_validation_rows_are_proportional_and_leave_every_class(data, fraction, seed):
    y, _ = data
    classes, counts = np.unique(y, return_counts=True)
    if counts.max() == 1:
        with pytest.raises(ValueError, match="Every class has one recording only"):
            stratified_validation_split(y, fraction, random_state=seed)
        return
    train, validation = stratified_validation_split(y, fraction, random_state=seed)
    assert sorted([*train, *validation]) == list(range(len(y)))
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()
    assert len(validation) >= 1
    assert set(y[train]) == set(classes)
    taken = np.array([np.count_nonzero(y[validation] == c) for c in classes])
    assert (np.abs(taken - fraction * counts) <= 1 + 1e-9).all()
    largest = max(1, round(fraction * len(y)))
    assert largest - len(classes) <= len(validation) <= largest


@given(labelled_groups(), st.floats(0.01, 0.99), seeds)
@settings(deadline=None)
def test_validation_by_group_is_made_whenever_it_is_possible(data, fraction, seed):
    y, groups = data
    classes, counts = np.unique(y, return_counts=True)
    possible = any(
        set(y[groups != group]) == set(classes) for group in np.unique(groups)
    )
    split = {"groups": groups, "random_state": seed}
    if not possible:
        with pytest.raises(ValueError, match=r"one recording|two groups|Every group"):
            stratified_validation_split(y, fraction, **split)
        return
    assert counts.max() > 1
    train, validation = stratified_validation_split(y, fraction, **split)
    assert sorted([*train, *validation]) == list(range(len(y)))
    assert len(validation) >= 1
    assert set(y[train]) == set(classes)
    assert not set(groups[train]) & set(groups[validation])


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.34])
def test_exact_fraction_of_even_classes_is_held_out(fraction):
    y = np.repeat(["fear", "joy"], 50)
    _, validation = stratified_validation_split(y, fraction, random_state=0)
    expected = round(50 * fraction)
    assert np.unique(y[validation], return_counts=True)[1].tolist() == [expected] * 2


def test_held_out_groups_hold_every_class_and_nearly_the_fraction():
    rng = np.random.RandomState(0)
    y, groups = rng.randint(4, size=400), rng.randint(10, size=400)
    for seed in range(5):
        _, validation = stratified_validation_split(
            y, 0.2, groups=groups, random_state=seed
        )
        assert set(y[validation]) == set(y)
        assert len(validation) == pytest.approx(80, abs=30)


def test_fold_that_lacks_a_class_is_avoided():
    y = np.array([0, 0, 0, 0] + [0, 1, 0, 1] * 3)
    groups = np.repeat(np.arange(4), 4)
    for seed in range(10):
        _, validation = stratified_validation_split(
            y, 0.25, groups=groups, random_state=seed
        )
        assert groups[validation].min() > 0


@pytest.mark.parametrize("by_group", [False, True])
def test_validation_is_determined_by_the_seed_alone(by_group):
    y = np.tile(["fear", "joy"], 30)
    groups = np.repeat(np.arange(10), 6) if by_group else None
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    splits = [
        stratified_validation_split(y, 0.1, groups=groups, random_state=seed)
        for seed in [3, 3, *range(4, 12)]
    ]
    np.testing.assert_array_equal(before, np.random.get_state()[1])
    assert_same_split(splits[0], splits[1])
    assert len({tuple(validation) for _, validation in splits}) > 3


def test_scarce_classes_split_by_group_without_a_warning(recwarn):
    y = ["fear"] * 10 + ["joy"] * 2
    groups = list(range(10)) + [0, 1]
    stratified_validation_split(y, 0.1, groups=groups, random_state=0)
    assert not recwarn.list


def test_group_that_alone_has_a_class_is_not_held_out():
    y = ["fear", "joy", "fear", "fear", "fear", "joy"]
    groups = [1, 1, 2, 2, 3, 1]
    for seed in range(10):
        train, _ = stratified_validation_split(y, 0.3, groups=groups, random_state=seed)
        assert {0, 1, 5} <= set(train)


def test_impossible_validation_by_group_says_why():
    with pytest.raises(ValueError, match="at least two groups, got 1"):
        stratified_validation_split([0, 0, 1, 1], 0.5, groups=["a"] * 4)
    with pytest.raises(ValueError, match=r"holds all recordings.*: fear, joy\."):
        stratified_validation_split(
            ["fear", "fear", "joy", "joy"], 0.5, groups=[1, 1, 2, 2]
        )


@pytest.mark.parametrize("fraction", [0, 1, 1.5])
def test_fraction_outside_the_unit_interval_is_refused(fraction):
    with pytest.raises(ValueError, match="validation_fraction"):
        stratified_validation_split([0, 0, 1, 1], fraction)
