"""BLAS' number of threads, which belongs to the process."""

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skemotion.feature_extraction._blas import one_blas_thread


def blas_threads():
    return {
        lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"
    }


@pytest.fixture
def threads_before():
    before = blas_threads()
    if before == {1}:
        pytest.skip("BLAS has one thread anyway")
    return before


@pytest.mark.parametrize("first_goes_first", [True, False])
def test_threads_that_overlap_leave_the_number_as_it_was(
    threads_before, first_goes_first
):
    inside = [threading.Event(), threading.Event()]
    leave = [threading.Event(), threading.Event()]

    def enter(number):
        with one_blas_thread():
            inside[number].set()
            leave[number].wait(10)

    threads = [threading.Thread(target=enter, args=(number,)) for number in (0, 1)]
    for thread, event in zip(threads, inside, strict=True):
        thread.start()
        event.wait(10)
    assert blas_threads() == {1}
    order = (0, 1) if first_goes_first else (1, 0)
    leave[order[0]].set()
    threads[order[0]].join()
    assert blas_threads() == {1}
    leave[order[1]].set()
    threads[order[1]].join()
    assert blas_threads() == threads_before
    with threadpool_limits(limits=1, user_api="blas"):
        assert blas_threads() == {1}
    assert blas_threads() == threads_before


def test_a_context_within_another_changes_nothing(threads_before):
    with one_blas_thread():
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == threads_before
