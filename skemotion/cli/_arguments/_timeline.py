"""Arguments of ``skemotion timeline``."""

from skemotion.cli._options import RESUME_HELP, add_files, add_model
from skemotion.cli._parser import add_command
from skemotion.cli._values import positive_time, seconds
from skemotion.timeline import _defaults


def add(commands):
    """Add the command."""
    text = (
        "Tell the emotions in recordings over their time, by a trained pipeline, or by "
        "the one that comes with the package: segments with start and end in seconds, "
        "emotion and confidence. Recordings of any length are read block by block, and "
        "what is no speech is in no segment. Recordings that cannot be read do not "
        "stop the others: all are named in the end, and the exit code is 1. So it is "
        "with those without speech."
    )
    parser = add_command(commands, "timeline", text)
    add_model(parser)
    add_files(parser)
    parser.add_argument(
        "--format",
        choices=["csv", "jsonl", "audacity", "textgrid", "webvtt", "audformat"],
        default="csv",
        help="csv, jsonl: lines with file, start, end, emotion and confidence; "
        "audacity: labels (.txt); textgrid: for Praat (.TextGrid); webvtt: subtitles "
        "(.vtt); audformat: a database of audformat. The last three need pip install "
        '"skemotion[timeline]" (default: %(default)s)',
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="PATH",
        help="csv, jsonl: write to this file and not to standard output. "
        + RESUME_HELP
        + ". audacity, textgrid, webvtt: a folder, with a file named after each "
        "recording, or for a single recording a file with the suffix of the format. "
        "audformat: a new folder",
    )
    _add_windows(parser)
    parser.set_defaults(one_speaker=False, n_jobs=1, cache=None)


def _add_windows(parser):
    for name, kind, what in [
        ("window", positive_time, "length of a window"),
        ("hop", positive_time, "from the begin of one window to that of the next"),
        ("smoothing", seconds, "probabilities are means over so much time"),
        ("min-pause", seconds, "shorter pauses do not end a stretch of speech"),
        ("max-utterance", seconds, "no longer stretches of speech have one emotion"),
    ]:
        parser.add_argument(
            f"--{name}",
            metavar="S",
            type=kind,
            default=getattr(_defaults, name.replace("-", "_").upper()),
            help=f"{what}, in seconds (default: %(default)s)",
        )
