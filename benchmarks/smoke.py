"""Run every benchmark for seconds, so that none rots.

    python benchmarks/smoke.py
    python benchmarks/smoke.py emodb bench_start

runs each with ``--smoke`` (``_smoke.py``), says how many seconds of the processor it
took, and ends with status 1 if one has failed. All share one process, so that
TensorFlow starts once, and one folder of results, which is gone at the end: what some
write, others read.
"""

import contextlib
import io
import os
import runpy
import sys
import traceback
import warnings
from pathlib import Path

HERE = Path(__file__).parent
# Before those that read what they write, with what they need to be told.
FIRST = {
    "emodb": (["--models", "svm", "vote"], ["--protocol", "loso-pairs"]),
    "encoder_frames": ([],),
}
LAST = ("ablations", "nested", "calibration", "figure_emodb", "reliability", "report")
NOT_HERE = {
    "reliability_audio": "it counts tests, which are run anyway",
    "reliability_faults": "tests/test_faults.py runs a slice of it",
}
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
# Not everyone has these.
NOT_INSTALLED = {"cosmic_ray", "hypothesis", "onnx", "opensmile", "playwright"}


def main():
    asked = sys.argv[1:]
    os.chdir(HERE.parent)
    sys.path.insert(0, str(HERE))
    # As the scripts see it when they are imported.
    sys.argv[1:] = ["--smoke"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for name in THREADS:  # which would wait for each other longer than they work
        os.environ.setdefault(name, "1")
    start = _processor_time()
    failed = [name for name in asked or list_benchmarks() if not run_all(name)]
    print(f"{'all':24} {_processor_time() - start:5.1f} s")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def list_benchmarks():
    """Return the names of all benchmarks, in the order in which they are run."""
    names = {path.stem for path in HERE.glob("[a-z]*.py")} - {Path(__file__).stem}
    return [
        *FIRST,
        *sorted(names - {*FIRST, *LAST}),
        *LAST,
    ]


def run_all(name):
    """Run a benchmark in all its ways, and tell whether none has failed."""
    outcomes = [run(name, arguments) for arguments in FIRST.get(name, ([],))]
    return all(outcomes)


def run(name, arguments):
    """Run a benchmark, say how it went, and tell whether it has not failed."""
    if name in NOT_HERE:
        print(f"{name:24} skipped: {NOT_HERE[name]}", flush=True)
        return True
    said, start, cores = io.StringIO(), _processor_time(), _cores()
    code = 1
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = _run(name, arguments)
    except ModuleNotFoundError as error:
        if error.name in NOT_INSTALLED:
            said.write(f"skipped: it needs {error.name}\n")
            code = _skipped()
        else:
            said.write(traceback.format_exc())
    except Exception:
        said.write(traceback.format_exc())
    finally:
        if cores is not None:  # which a benchmark of one core has changed
            os.sched_setaffinity(0, cores)
    lines = said.getvalue().splitlines()
    outcome = {0: "runs", _skipped(): lines[-1] if lines else ""}.get(code, "FAILS")
    seconds = _processor_time() - start
    print(f"{name:24} {seconds:5.1f} s  {outcome}", flush=True)
    if outcome == "FAILS":
        print(*lines[-40:], sep="\n    ", flush=True)
    return outcome != "FAILS"


def _run(name, arguments):
    """Return the status with which a script ends."""
    sys.argv = [str(HERE / f"{name}.py"), "--smoke", *arguments]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code)
            return 1
        return end.code or 0
    return 0


def _skipped():
    from _smoke import SKIPPED  # once its folder is known

    return SKIPPED


def _processor_time():
    """Return the seconds of this process and of those it has waited for."""
    return sum(os.times()[:4])


def _cores():
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None


if __name__ == "__main__":
    main()
