"""Every kind of audio: what was tried, and what happened.

The kinds are those of ``tests/test_audio_kinds.py``, which this runs. It counts the
cases of each test, and writes them as rows of a table; it fails if one of them does.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from _results import RESULTS as FOLDER
from _timing import write_json

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests" / "test_audio_kinds.py"
RESULTS = FOLDER / "reliability" / "audio.json"
READ = "read, as the samples that were written"
NAMED = "one AudioError that names the recordings, with the reason"
WARNED = "one warning that names them; what there is is used"


class Row(NamedTuple):
    """What is said of a test: its kinds, what happens, and what was wrong at first."""

    what: str
    happened: str
    defects: int = 0
    mended: str = ""


ROWS = {
    "formats": Row("every format and subtype that libsndfile writes", READ),
    "raw_samples_are_no_recording": Row("samples without a header", NAMED),
    "channels_are_averaged": Row("1, 2, 3 and 6 channels", READ),
    "rates": Row("4 to 192 kHz", READ),
    "rates_that_nobody_has": Row(
        "rates of 1e15, infinity, 10**5000, 1e-300",
        NAMED,
        1,
        "pairs hung, or raised OverflowError: rates from 1 Hz to 10 MHz are taken",
    ),
    "rates_that_are_none": Row("rates of 0, NaN, text, complex", NAMED),
    "samples_that_are_none": Row("no samples, NaN, infinity, 1e300", NAMED),
    "few_samples": Row("1, 2, 3 and 100 samples, zero or not", READ),
    "headers_without_samples": Row(
        "headers alone, whole and cut",
        NAMED,
        1,
        "a damaged AIFF printed the traceback of a seek to before its start",
    ),
    "noise_and_zeros_behind_a_header": Row(
        "noise behind headers", READ + ", or " + NAMED
    ),
    "cut_recordings_are_named_and_used": Row(
        "recordings cut to a half, two thirds and 93 %, of 24 kinds",
        WARNED,
        2,
        "nothing was said; and of MP3 and FLAC cut within a frame nothing was kept",
    ),
    "whole_recordings_are_not_named": Row("the same kinds, whole", READ),
    "odd_lengths_are_not_taken_for_cuts": Row("all formats, of odd lengths", READ),
    "all_cut_recordings_are_in_one_warning": Row(
        "cut ones, in caches and threads", WARNED
    ),
    "workers_of_other_processes_tell_what_is_cut": Row(
        "cut ones, in processes", WARNED
    ),
    "whoever_reads_says_what_is_cut": Row("cut ones, by other functions", WARNED),
    "segments_before_the_cut_are_whole": Row("segments of cut ones", READ),
    "breaks_amid_a_file_are_errors": Row("FLAC that is damaged in its middle", NAMED),
    "streamed_headers_are_read_to_the_end": Row(
        "headers that were never finished, of WAV, AU and AIFF",
        READ,
        1,
        "sizes of 0 in WAV, and two in AU, gave no samples",
    ),
    "an_empty_chunk_before_others_is_empty": Row(
        "an empty WAV with other chunks", NAMED
    ),
    "streams_of_flac_have_no_length": Row("FLAC from a pipe", READ),
    "gigabytes_that_are_not_there_take_no_memory": Row(
        "gigabytes in the header", WARNED
    ),
    "channels_that_cancel_are_named": Row(
        "stereo in antiphase, at gains from 1e-30 to 1e30",
        WARNED,
        1,
        "it became silence without a word",
    ),
    "channels_that_cancel_but_for_the_codec": Row(
        "the same, as MP3, OGG, FLAC", WARNED
    ),
    "other_channels_do_not_cancel": Row("other pairs of channels", READ),
    "speech_behind_silence_is_said": Row(
        "six seconds of silence, then speech", WARNED, 1, "silence alone was judged"
    ),
    "other_beginnings_are_not_silent": Row("other long recordings", READ),
    "nobody_is_stopped_by_what_is_behind": Row("NaN behind what is looked at", READ),
    "pipelines_say_what_is_odd_once": Row("all of this, in pipelines", WARNED),
    "timelines_say_what_is_odd": Row("all of this, in timelines", WARNED),
    "names": Row("names: Unicode, newlines, dashes, bytes, 255 bytes", READ),
    "links_and_what_macos_leaves_beside_files": Row(
        "links, and files that macOS leaves beside",
        READ,
        1,
        "an MP3 beside a file of macOS (._a.mp3) could not be read",
    ),
    "many_bad_recordings_are_refused_at_once": Row(
        "pipes, folders, devices, loops, URLs, text, in one batch", NAMED
    ),
    "thousands_of_files_at_a_low_limit_of_open_files": Row(
        "2,100 files at a limit of 16 more open ones", READ
    ),
    "hours_take_no_more_than_is_asked_for": Row("12 hours, with a hole", READ),
    "features_are_finite_or_the_recording_is_named": Row(
        "7 signals at gains from 1e-45 to 3e38, by 3 front ends",
        "finite features, or " + NAMED,
        1,
        "resampling overflowed at 3e38, and gave NaN",
    ),
    "the_loss_is_finite": Row("training on such features", "finite loss"),
}


class Counting:
    """A plugin of pytest that counts what has passed, by the name of the test."""

    def __init__(self):
        self.passed = Counter()

    def pytest_runtest_logreport(self, report):
        """Count a test that has passed."""
        if report.when == "call" and report.passed:
            name = report.nodeid.rpartition("::")[2].partition("[")[0]
            self.passed[name.removeprefix("test_")] += 1


def main():
    counting = Counting()
    code = pytest.main(["-q", f"--rootdir={ROOT}", str(TESTS)], plugins=[counting])
    if code:
        return code
    rows = [
        {"what": row.what, "tried": counting.passed[name], **row._asdict()}
        for name, row in ROWS.items()
    ]
    if missing := counting.passed.keys() - ROWS.keys():
        sys.exit(f"nothing is said of {', '.join(sorted(missing))}")
    content = {
        "title": "Recordings of every kind",
        "command": "python benchmarks/reliability_audio.py",
        "rows": rows,
    }
    write_json(RESULTS, content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
