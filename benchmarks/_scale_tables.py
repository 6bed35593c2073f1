"""Tables of what a million recordings cost, and of where a cold start goes."""

import json

from _rst import rst_table
from _runs import RESULTS

MILLION = 1e6
_WAYS = {
    "extract": "``skemotion extract``",
    "transform": "``SpeechFeatureExtractor.transform``",
    "encode": "``SpeechEncoder.transform``, by chunks",
    "predict": "``skemotion predict``, by ONNX Runtime",
    "predict by TensorFlow": "``skemotion predict -m``, by TensorFlow",
}


def make_scale(folder=RESULTS):
    """Put beside each other what the largest numbers of recordings have cost."""
    result = _load(folder / "scale.json")
    if result is None:
        return None
    found = {name.rpartition(" ")[0]: name for name in result["summary"]}
    rows = []
    for way, title in _WAYS.items():
        if way in found:  # the last, of the most recordings
            figures, name = result["summary"][found[way]], found[way]
            cost = figures["cpu_ms_per_recording"]
            peak = result["rows"][name]["peak_mb"]
            before = peak - figures["more_peak_mb"]
            rows.append(
                (
                    f"{title}, {int(name.rpartition(' ')[2]):,}",
                    f"{cost:.1f} ms",
                    f"{cost / 1e3 * MILLION:,.0f} s",
                    f"{before:.0f} to {peak:.0f} MB",
                )
            )
    header = (
        "",
        "processor time of a recording",
        "of a million",
        "memory from 512 recordings to all",
    )
    return f"{rst_table(header, rows)}\n\nMeasured on {result['date']}."


def make_start(folder=RESULTS):
    """List the stages of a cold start."""
    result = _load(folder / "start.json")
    if result is None:
        return None
    rows = [
        (
            f"``{stage}``" if "skemotion p" in stage else stage,
            f"{row['cpu_seconds']:.1f} s",
        )
        for stage, row in result["stages"].items()
    ]
    return rst_table(("", "processor time"), rows)


def _load(path):
    return json.loads(path.read_text()) if path.exists() else None
