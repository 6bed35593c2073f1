"""What models leave behind is looked for before it fills the memory."""

import gc
import subprocess
import sys
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


# Standard error, and the number of threads, by which the last bits go.
TOGETHER = """
import os, threading
from concurrent.futures import ThreadPoolExecutor
from skemotion.networks import import_keras
all_there = threading.Barrier(8)
def load(_):
    all_there.wait()
    import_keras()
before = os.fstat(2)
with ThreadPoolExecutor(8) as pool:
    list(pool.map(load, range(8)))
import tensorflow
assert tensorflow.config.threading.get_intra_op_parallelism_threads() == 1
assert os.path.samestat(before, os.fstat(2))
"""


def test_threads_that_load_keras_together_leave_all_as_it_should_be():
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
