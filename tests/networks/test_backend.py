"""What models leave behind is looked for before it fills the memory."""

import gc
from types import SimpleNamespace

import numpy as np
import pytest

from skemotion.networks._backend import _Garbage


def a_model(n_numbers):
    variables = [np.empty((n_numbers // 4, 3)), np.empty(n_numbers // 4)]
    optimizer = SimpleNamespace(variables=[np.empty(n_numbers)])
    return SimpleNamespace(variables=variables, optimizer=optimizer)


@pytest.fixture
def n_collected(monkeypatch):
    calls = []
    monkeypatch.setattr(gc, "collect", lambda: calls.append(1))
    return lambda: len(calls)


def test_garbage_is_looked_for_by_the_size_of_models(n_collected):
    garbage = _Garbage()
    garbage.limit = 4000  # bytes: models of 100 numbers take 800, with the optimizer
    for n_models in range(1, 19):
        garbage.add(a_model(100))
        assert n_collected() == n_models // 6


def test_a_large_model_is_reason_enough(n_collected):
    garbage = _Garbage()
    garbage.add(a_model(2**23))
    assert n_collected() == 0
    garbage.add(a_model(2**23))
    assert n_collected() == 0
    garbage.add(a_model(2**24))
    assert n_collected() == 1
