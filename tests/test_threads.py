"""Threads of the linear algebra library."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skemotion import SpeechFeatureExtractor
from skemotion._threads import single_threaded_blas


def n_blas_threads():
    libraries = threadpool_info()
    return {lib["num_threads"] for lib in libraries if lib["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(limits=2, user_api="blas"):
        if n_blas_threads() != {2}:
            pytest.skip("this BLAS does not take two threads")
        yield


def test_the_last_of_several_threads_restores_blas():
    inside, leave = threading.Barrier(3), threading.Event()
    left = threading.Event()

    def work(wait_for, then):
        with single_threaded_blas:
            inside.wait()
            wait_for.wait()
        then.set()

    first = threading.Thread(target=work, args=(leave, left))
    last = threading.Thread(target=work, args=(left, threading.Event()))
    first.start()
    last.start()
    inside.wait()
    assert n_blas_threads() == {1}
    leave.set()
    first.join()
    last.join()
    assert n_blas_threads() == {2}


def test_an_error_restores_blas():
    with pytest.raises(ZeroDivisionError), single_threaded_blas:
        _ = 1 / 0
    assert n_blas_threads() == {2}


def test_extraction_restores_blas():
    signals = [np.sin(np.arange(8000.0)), [np.nan]]
    with pytest.raises(ValueError, match="NaN"):
        SpeechFeatureExtractor(n_jobs=2).transform(signals)
    assert n_blas_threads() == {2}
