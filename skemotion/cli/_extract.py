"""``skemotion extract``."""

import io
from pathlib import Path

import numpy as np

from skemotion import SpeechFeatureExtractor
from skemotion._files import refuse_folder
from skemotion._version import __version__
from skemotion.cli._journal import FAILED, open_journal
from skemotion.cli._recordings import Recordings, keep_readable, read_list
from skemotion.cli._settings import set_parameters
from skemotion.cli._sources import describe_corpus, is_table, open_source
from skemotion.cli._terminal import progress_bar, say, say_resumed, shows_progress
from skemotion.cli._warnings import OddRecordings
from skemotion.exceptions import AudioError

_ARRAY, _INDEX = "array.npy", "index.csv"
_HEADER_BYTES = 128


def run(options):
    """Extract features to a file that can be mapped into memory."""
    refuse_folder(options.out, "features.npy")
    recordings = _find_recordings(options)
    extractor = set_parameters(
        SpeechFeatureExtractor(n_jobs=options.n_jobs, memory=options.cache),
        options.settings,
    ).set_params(on_error="raise")  # those that fail are left out, and listed
    shape = _shape_of_one(extractor)
    out = Path(options.out)
    targets = {
        _ARRAY: out,
        _INDEX: out.with_suffix(".csv"),
        FAILED: out.with_suffix(".failed.csv"),
    }
    with open_journal(targets, _identity(extractor, recordings)) as journal:
        _extract_all(journal, extractor, recordings, options)
        row_bytes = int(np.prod(shape)) * np.dtype(np.float32).itemsize
        n_kept = (journal.size(_ARRAY) - _HEADER_BYTES) // row_bytes
        journal.rewrite_start(_ARRAY, _npy_header((n_kept, *shape)))
        failures = journal.read_failures(FAILED)
    listed = " x ".join(map(str, (n_kept, *shape)))
    say(f"saved {out} ({listed}, float32) and {targets[_INDEX]}")
    if failures:
        say(f"saved {targets[FAILED]}: recordings that are left out")
        raise AudioError(failures)


def _find_recordings(options):
    if options.files_from:
        return read_list(options.files_from)
    # Of a table, all columns are kept, and no labels are needed.
    read = open_source if is_table(options.corpus) else describe_corpus
    columns, rows, _ = read(options.corpus)
    return Recordings(columns, rows)


def _shape_of_one(extractor):
    silence = np.zeros(extractor.sampling_rate, dtype=np.float32)
    return extractor.transform([silence]).shape[1:]


def _identity(extractor, recordings):
    parameters = extractor.get_params()
    for name in ("n_jobs", "memory", "verbose"):
        del parameters[name]
    return {
        "command": "extract",
        "version": __version__,
        "parameters": parameters,
        "recordings": recordings.digest,
    }


def _extract_all(journal, extractor, recordings, options):
    if journal.is_new:
        journal.write(_ARRAY, bytes(_HEADER_BYTES))
        journal.write_rows(_INDEX, [recordings.columns])
    done, total = journal.n_done, len(recordings)
    say_resumed(done, total)
    odd = OddRecordings()
    with progress_bar(total, done, shown=shows_progress()) as bar:
        for rows in recordings.chunks(options.chunk_size, done):
            with odd.collected(len(rows)):
                X, failures = keep_readable(
                    extractor.transform, [row[0] for row in rows]
                )
            if X is not None:
                journal.write(_ARRAY, X.tobytes())
            journal.write_rows(_INDEX, [row for row in rows if row[0] not in failures])
            journal.write_failures(FAILED, failures)
            journal.commit(len(rows))
            bar.update(len(rows))
    odd.tell()


def _npy_header(shape):
    """Return the header of NumPy's format, which has room for any number of rows."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    content = header.getvalue()
    if len(content) != _HEADER_BYTES:
        raise ValueError(f"no header of {_HEADER_BYTES} bytes for shape {shape}.")
    return content
