"""Worker processes that die at bad moments."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")

# The first task sends a signal to its process while the result, larger than what a pipe
# holds, is on its way; other workers wait until they may send their own.
SIGNALLED = """
import os, signal, sys, threading, time
from joblib import Parallel, delayed
from skemotion._workers import end_with_parent, results_of
from skemotion.exceptions import WorkerError

def signal_once_sending(number):
    main = threading.main_thread().ident
    while sys._current_frames()[main].f_code.co_name != "_send":
        time.sleep(0.0005)
    os.kill(os.getpid(), number)

def task(number, argument, sent):
    end_with_parent()
    if number == 0:
        threading.Thread(target=signal_once_sending, args=[sent]).start()
    return bytes(200_000_000 if number == 0 else 100_000)

n_jobs, size, sent = map(int, sys.argv[1:])
if __name__ == "__main__":
    workers = Parallel(n_jobs, return_as="generator")
    tasks = (delayed(task)(number, bytes(size), sent) for number in range(20))
    try:
        with results_of(workers, tasks) as results:
            print(len(list(results)))
    except WorkerError as error:
        print(error)
"""


@pytest.mark.parametrize("size", [0, 10_000_000], ids=["small", "large"])
@pytest.mark.parametrize("n_jobs", [2, 3])
def test_a_worker_that_dies_while_it_sends(n_jobs, size):
    done = run_signalled(n_jobs, size, signal.SIGKILL)
    assert done.stdout.startswith("a worker process has died"), done.stderr
    assert done.returncode == 0
    assert done.stderr == ""


def test_workers_leave_interrupts_to_their_parent():
    done = run_signalled(2, 0, signal.SIGINT)
    assert done.stdout == "20\n", done.stderr
    assert done.stderr == ""


def run_signalled(*arguments):
    return subprocess.run(
        [sys.executable, "-c", SIGNALLED, *(str(int(each)) for each in arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )


ALONE = """
import sys
from joblib import Parallel, delayed
from skemotion._workers import results_of

with results_of(Parallel(1, return_as="generator"), [delayed(abs)(-1)]) as results:
    assert list(results) == [1]
names = [name for name in sys.modules if name.endswith("backend.resource_tracker")]
print([sys.modules[name]._resource_tracker._pid for name in names])
"""


def test_one_worker_starts_no_process():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True)
    assert done.stdout in ("[]\n", "[None]\n"), done.stderr


UNPICKLABLE = """
from joblib import Parallel, delayed
from skemotion._workers import deaths_in_words

class Odd:
    def __reduce__(self):
        return int, ("no number",)

def odd(number):
    return Odd()

if __name__ == "__main__":
    try:
        with deaths_in_words(2):
            Parallel(2)(delayed(odd)(number) for number in range(4))
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_results_that_cannot_be_read_are_not_taken_for_deaths():
    done = subprocess.run(
        [sys.executable, "-c", UNPICKLABLE], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("BrokenProcessPool A result has failed"), done.stderr


GROWS = """
import os, sys, time
import numpy as np
from skemotion.cli._folds import Fold
from skemotion.cli._side_by_side import run_folds

class Trial:
    def for_worker(self):
        return self

    def extract(self, number, features, part, n_parts):
        pass

    def run(self, number, features):
        sys.held = np.ones(50_000_000)  # 400 MB
        time.sleep(1.5)  # joblib looks once a second
        return Fold(np.array([os.getpid()]), np.ones((1, 1)), np.zeros(1, bool))

class Kept:
    def save(self, number, fold):
        pass

if __name__ == "__main__":
    folds = run_folds(Trial(), range(4), None, Kept(), 2)
    print(len({int(fold.rows[0]) for fold in folds}))
"""


def test_workers_may_hold_more_than_after_their_first_task():
    pytest.importorskip("psutil")  # without it, joblib cannot tell
    done = subprocess.run(
        [sys.executable, "-c", GROWS], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "2\n", done.stderr
    assert done.stderr == ""
