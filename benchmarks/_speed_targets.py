"""What was aimed at in time and memory, beside what was reached."""

from collections.abc import Callable
from functools import partial, reduce
from operator import getitem
from typing import NamedTuple

from _results import RESULTS, read
from _revisions import find_outdated_parts, footnote, mark
from _runs import table

_HEADER = ("what", "target, at most", "reached", "", "made by")


class SpeedTarget(NamedTuple):
    """A figure, got by `find` from the result that ``bench_RESULT.py`` makes.

    What the result lacks is None.
    """

    what: str
    value: float
    unit: str
    result: str
    find: Callable[[dict], float | None]

    @property
    def script(self):
        return f"bench_{self.result}.py"


def _at(*keys):
    def find(result):
        try:
            return reduce(getitem, keys, result)
        except KeyError:
            return None

    return find


def _command(task, way, figure):
    def find(result):
        for row in result["commands"]:
            if (row["task"], row["way"]) == (task, way):
                return row[figure]
        return None

    return find


def _hundred(result):
    onnx, tensorflow = (
        _command("predict a hundred", way, "seconds")(result)
        for way in ("ONNX Runtime", "TensorFlow")
    )
    return onnx / tensorflow if onnx and tensorflow else None


_first = partial(_command, "predict one")

TARGETS = (
    SpeedTarget(
        "first answer of `skemotion predict FILE`, processor time",
        *(1.5, "s", "runtime", _first("ONNX Runtime", "cpu_seconds")),
    ),
    SpeedTarget(
        "the same, memory",
        *(300, "MB", "runtime", _first("ONNX Runtime", "megabytes")),
    ),
    SpeedTarget(
        "the same without ONNX Runtime, processor time",
        *(5, "s", "runtime", _first("NumPy", "cpu_seconds")),
    ),
    SpeedTarget("a hundred files, beside TensorFlow", 1, "times", "runtime", _hundred),
    SpeedTarget(
        "the encoder to layer 3, beside the faster of ONNX Runtime and PyTorch",
        *(1.3, "times", "encoder", _at("cuts", "base 3", "processor_ratio_to_it")),
    ),
    SpeedTarget(
        "the 46 descriptors, beside decoding and one Fourier transform per frame",
        *(1.7, "times", "extraction", _at("ratios", "n_jobs=1 / floor")),
    ),
    SpeedTarget(
        "the extended descriptors of a recording, processor time",
        *(8, "ms", "extraction"),
        _at("median_processor_ms_per_recording", "extended"),
    ),
    SpeedTarget(
        "recordings from which two processes are faster, 46 descriptors",
        *(200, "", "extraction", _at("two_processes", "post", "earned_back_from")),
    ),
    SpeedTarget(
        "the same, extended descriptors",
        *(200, "", "extraction", _at("two_processes", "extended", "earned_back_from")),
    ),
    SpeedTarget(
        "training, beside Keras, processor time",
        *(0.6, "times", "training"),
        _at("ways", "skemotion", "processor_ratio_to_keras"),
    ),
    SpeedTarget(
        "the same, where padding is ignored",
        *(0.6, "times", "training"),
        _at("ways", "skemotion-masked", "processor_ratio_to_keras-masked"),
    ),
    SpeedTarget(
        "a fold of the recommended recipe, beside an earlier version, processor time",
        *(0.5, "times", "fold", _at("processor_ratio")),
    ),
    SpeedTarget(
        "four short folds in two processes, beside one process, elapsed",
        *(1, "times", "folds", _at("corpora", "emodb", "2", "elapsed_ratio")),
    ),
)


def markdown_table():
    """Return a table of all targets whose results there are, or None."""
    rows, notes = [], {}
    for target in TARGETS:
        result = read(RESULTS / f"{target.result}.json")
        if result is None:
            continue
        outdated = find_outdated_parts(result)
        notes[target.script] = footnote(outdated, target.script)
        rows.append(_make_row(target, target.find(result), outdated))
    return table(_HEADER, rows) + "".join(notes.values()) if rows else None


def _make_row(target, found, outdated):
    what, limit = mark(target.what, outdated), _in_unit(target, target.value)
    made_by = f"`{target.script}`"
    if found is None:
        return what, limit, "not measured", "", made_by
    verdict = "reached" if found <= target.value else "missed"
    return what, limit, _in_unit(target, found), verdict, made_by


def _in_unit(target, value):
    return f"{value:.3g} {target.unit}".strip()
