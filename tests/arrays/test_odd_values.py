"""Whatever is given, the answer is right, or an error for users that names it.

``benchmarks/reliability_arrays.py`` tries the same with many more values.
"""

import zlib

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from messages import FORBIDDEN, find_fault
from public import (
    Place,
    find_unknown,
    make_estimators,
    parameters_of_estimators,
    parameters_of_functions,
    places,
    right_value,
)
from trying import REFUSED, Defect, try_value

N_EXAMPLES = 4
_SETTINGS = settings(
    max_examples=N_EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def try_some(place):
    """Give odd values, others at each place, but the same in each run."""

    @seed(zlib.crc32(str(place).encode()))
    @_SETTINGS
    @given(place.odd)
    def check(odd):
        try_value(place, odd.value)

    check()


def test_all_that_is_public_is_known():
    assert find_unknown() == []


@pytest.mark.parametrize("place", places(), ids=str)
def test_arrays(place):
    try_some(place)


@pytest.mark.parametrize("place", parameters_of_functions(), ids=str)
def test_parameters_of_functions(place):
    try_some(place)


@pytest.mark.parametrize("place", parameters_of_estimators(), ids=str)
def test_parameters_of_estimators(place):
    try_some(place)


@pytest.mark.parametrize("name", make_estimators())
def test_parameters_of_other_names(name):
    with pytest.raises(ValueError, match="no_such_parameter"):
        make_estimators()[name].set_params(no_such_parameter=1)


@pytest.mark.parametrize("phrase", FORBIDDEN)
def test_words_of_what_is_inside_are_found(phrase):
    assert find_fault(ValueError(f"X: {phrase} (3,)"), ["X"]) == f"says {phrase!r}"


def test_errors_must_name_the_argument_and_be_for_users():
    assert find_fault(ValueError("X holds NaN"), ["X"]) is None
    assert find_fault(TypeError("XY is none"), ["X"]) == "names none of X"
    assert "KeyError" in find_fault(KeyError("X"), ["X"])


def test_what_is_not_for_users_is_a_defect():
    def call(value):
        raise IndexError("X")

    with pytest.raises(Defect, match="IndexError"):
        try_value(Place("f", "X", call, None), 0)


@pytest.mark.parametrize("name", make_estimators())
def test_right_values_are_taken(name):
    found = [place for place in places() if place.owner == f"{name}.fit"]
    for place in found:
        if place.argument in ("X", "X_val"):
            value = right_value(make_estimators()[name], place.argument)
            assert try_value(place, value) != REFUSED
