"""What the docs say in sentences and small tables of figures, from results."""

import textwrap

from _results import RESULTS, read
from _revisions import find_outdated_parts, footnote
from _rst import rst_table

_WIDTH = 90
_WAYS = {
    "extract": "``skemotion extract``",
    "transform": "``SpeechFeatureExtractor.transform``",
    "encode": "``SpeechEncoder.transform``, by chunks",
    "predict": "``skemotion predict``, by ONNX Runtime",
    "predict by TensorFlow": "``skemotion predict -m``, by TensorFlow",
}


def encoder_speed():
    """Say what the encoder takes beside others."""
    found = read(RESULTS / "encoder.json")
    if found is None:
        return None
    cuts = found["cuts"]
    whole, mel = (
        {name: cut["median_processor_ms"][way] for name, cut in cuts.items()}
        for way in ("transform", "log-mel")
    )
    cut = cuts["base 2"]["median_processor_ms"]
    beside = [
        f"{cut['skemotion'] / cut[other]:.2f} times what {other} takes"
        for other in ("ONNX Runtime", "PyTorch")
        if other in cut
    ]
    text = (
        f"Five seconds of speech take {whole['base 2']:.0f} ms on one core up to the "
        f"second layer of Whisper base, {whole['base 3']:.0f} ms up to the third, and "
        f"{whole['tiny.en 2']:.0f} ms up to the second of tiny.en; the log-mel "
        f"spectrogram is {mel['base 2']:.0f} ms of that. "
    )
    if beside:
        text += f"The network takes {', and '.join(beside)}, for the same. "
    return _fill(text + "This is processor time.") + _note(found, "bench_encoder.py")


def extraction_speed():
    """Return a table of what the descriptors of a recording take."""
    found = read(RESULTS / "extraction.json")
    if found is None:
        return None
    names = {
        "n_jobs=1": "one worker",
        "extended": "one worker, extended descriptors",
        "cached": 'seen before, with ``memory="folder"``',
        "floor": "decoding and one Fourier transform per frame alone",
        "post": "one call of librosa per descriptor",
    }
    times = found["median_processor_ms_per_recording"]
    rows = [
        (name, f"{times[way]:.1f} ms") for way, name in names.items() if way in times
    ]
    header = ("Descriptors of a recording of EMO-DB", "Processor time")
    return rst_table(header, rows) + _note(found, "bench_extraction.py")


def training_speed():
    """Say what training takes beside Keras."""
    found = read(RESULTS / "training.json")
    if found is None:
        return None
    plain, masked = (found["ways"].get(w) for w in ("skemotion", "skemotion-masked"))
    if plain is None or masked is None or "processor_ratio_to_keras" not in plain:
        return None
    text = (
        f"With {found['units']} units on 157 frames, training takes "
        f"{plain['ms_per_recording_and_epoch']:.1f} ms per recording and epoch, "
        f"{plain['ratio_to_keras']:.2f} of what the same graph takes under Keras' own "
        f"`fit` and TensorFlow's own thread settings, and "
        f"{plain['processor_ratio_to_keras']:.2f} of its processor time; where padding "
        f"is ignored, {masked['ms_per_recording_and_epoch']:.1f} ms, "
        f"{masked['ratio_to_keras-masked']:.2f} and "
        f"{masked['processor_ratio_to_keras-masked']:.2f} of bare Keras."
    )
    return _fill(text) + _note(found, "bench_training.py")


def prediction_speed():
    """Say what one recording takes from the file on."""
    found = read(RESULTS / "prediction.json")
    if found is None:
        return None
    times = found["one_recording_ms"]
    text = (
        "From the file to the probabilities, one recording takes "
        f"{times['pipeline 256']:.0f} ms with the post's network, and "
        f"{times['pipeline 256-masked']:.0f} ms where it ignores padding."
    )
    return _fill(text) + _note(found, "bench_prediction.py")


def scale():
    """Return a table of what the largest numbers of recordings took."""
    found = read(RESULTS / "scale.json")
    if found is None:
        return None
    largest = {name.rpartition(" ")[0]: name for name in found["summary"]}
    rows = [
        _scale_row(title, found, largest[way])
        for way, title in _WAYS.items()
        if way in largest
    ]
    header = ("Way", "processor time of a recording", "of a million")
    table = rst_table((*header, "memory from 512 recordings to all"), rows)
    floor = min(row["peak_mb"] for row in found["rows"].values())
    text = (
        f"Memory below {floor:.0f} MB does not show: the script that measures has "
        "taken that much itself."
    )
    return f"{table}\n\n{_fill(text)}" + _note(found, "bench_scale.py")


def _scale_row(title, found, name):
    figures, peak = found["summary"][name], found["rows"][name]["peak_mb"]
    cost = figures["cpu_ms_per_recording"]
    return (
        f"{title}, {int(name.rpartition(' ')[2]):,}",
        f"{cost:.1f} ms",
        f"{1000 * cost:,.0f} s",
        f"{peak - figures['more_peak_mb']:.0f} to {peak:.0f} MB",
    )


def runtime():
    """Return a table of what predictions cost with and without TensorFlow."""
    found = read(RESULTS / "runtime.json")
    if found is None:
        return None
    rows = [
        (
            row["task"],
            row["way"],
            f"{row['cpu_seconds']:.1f} s",
            f"{row['megabytes']} MB",
        )
        for row in found["commands"]
    ]
    header = ("Command, with its start", "By", "Processor time", "Memory")
    return rst_table(header, rows) + _note(found, "bench_runtime.py")


def start():
    """Say what a new process takes until its first prediction."""
    found = read(RESULTS / "start.json")
    if found is None:
        return None
    rows = [
        (
            f"``{stage}``" if "skemotion p" in stage else stage,
            f"{row['cpu_seconds']:.1f} s",
        )
        for stage, row in found["stages"].items()
    ]
    table = rst_table(("Stage of a cold start", "Processor time"), rows)
    return table + _note(found, "bench_start.py")


def _fill(text):
    return "\n".join(textwrap.wrap(text, _WIDTH, break_on_hyphens=False))


def _note(found, script):
    """Say that figures are stale, if they are."""
    outdated = find_outdated_parts(found)
    return footnote(outdated, script, "Stale: these figures were", literal="``")
