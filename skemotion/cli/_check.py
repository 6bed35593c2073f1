"""``skemotion check``."""

import os

from skemotion._files import atomic_path
from skemotion._text import csv_text, json_text, printable
from skemotion.cli._checks import check_new_file
from skemotion.cli._labels import load_labelled
from skemotion.cli._terminal import note, say, shows_progress, write_out
from skemotion.datasets import check_corpus

_COLUMNS = ["kind", "stops", "path", "label", "speaker", "detail"]


def run(options):
    """Print what is odd about a corpus; return 1 if training would stop."""
    if options.out:
        check_new_file(options.out, "corpus.csv")
    corpus = load_labelled(options.corpus, options.label_map, must_exist=False)
    found = check_corpus(
        corpus.paths,
        corpus.target,
        corpus.speakers,
        duration=options.duration,
        k_neighbors=options.k_neighbors,
        n_folds=options.folds,
        n_jobs=options.n_jobs,
        verbose=int(shows_progress()),
    )
    if options.format == "text":
        print(printable(str(found), keep="\n"))
    else:
        rows = [_describe(each, corpus) for each in found.findings]
        write_out((_as_csv if options.format == "csv" else _as_json)(rows, found))
    if options.out:
        _write_table(options.out, corpus, found.usable)
        tell = say if options.format == "text" else note
        tell(f"saved {options.out} ({found.usable.sum()} recordings)")
    return int(found.stops)


def _describe(finding, corpus):
    """Return what was found of a recording, a class or a speaker, by column."""
    described = dict.fromkeys(_COLUMNS, "")
    described |= {"kind": finding.kind, "detail": finding.detail}
    described["stops"] = finding.stops
    if finding.row is None:
        of_speaker = finding.kind == "speaker of one class"
        described["speaker" if of_speaker else "label"] = finding.name
        return described
    described["path"] = finding.name
    described["label"] = str(corpus.target[finding.row])
    if corpus.speakers is not None:
        described["speaker"] = str(corpus.speakers[finding.row])
    return described


def _as_csv(rows, found):
    cells = [
        [str(row[name]).lower() if name == "stops" else row[name] for name in _COLUMNS]
        for row in rows
    ]
    return csv_text([_COLUMNS, *cells])


def _as_json(rows, found):
    findings = [
        {name: row[name] for name in _COLUMNS if row[name] != ""} for row in rows
    ]
    described = {
        "n_recordings": found.n_recordings,
        "n_usable": int(found.usable.sum()),
        "stops": found.stops,
        "findings": findings,
    }
    return json_text(described, indent=2) + "\n"


def _write_table(path, corpus, kept):
    """Write the table that the other commands take in place of the corpus."""
    columns = {
        "path": [os.path.abspath(each) for each in corpus.paths[kept].tolist()],
        "label": corpus.target[kept].tolist(),
    }
    if corpus.speakers is not None:
        columns["speaker"] = corpus.speakers[kept].tolist()
    text = csv_text([list(columns), *zip(*columns.values(), strict=True)])
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode(errors="surrogateescape"))
