"""``skemotion train``."""

import shlex
from collections import Counter
from pathlib import Path

import numpy as np

from skemotion.cli._checks import (
    check_counts,
    check_folder,
    check_pipeline,
    keep_readable_rows,
)
from skemotion.cli._kept_training import keep_no_more, kept_training
from skemotion.cli._labels import load_labelled
from skemotion.cli._model_files import check_new_model, is_bundle_name
from skemotion.cli._models import check_speakers, fit_by_speaker
from skemotion.cli._options import N_PER_CLASS
from skemotion.cli._protocols import largest_holdout
from skemotion.cli._settings import training_words
from skemotion.cli._terminal import say
from skemotion.cli._training import (
    make_pipeline,
    save_pipeline,
    watch_training,
)


def run(options):
    """Train on all of the corpus and save the pipeline."""
    corpus = _check(options)
    pipeline = make_pipeline(options)
    check_pipeline(pipeline, options.settings, corpus.target, corpus.speakers)
    watch_training(pipeline)
    with kept_training(pipeline, options):
        if options.by_speaker:
            pipeline = fit_by_speaker(
                pipeline, corpus.paths, corpus.target, corpus.speakers
            )
        else:
            pipeline.fit(corpus.paths, corpus.target, groups=corpus.speakers)
        keep_no_more(pipeline, options)
        save_pipeline(pipeline, options.out)

    counts = Counter(corpus.target.tolist())
    listed = ", ".join(f"{label} {counts[label]}" for label in sorted(counts))
    say(f"trained on {len(corpus.paths)} recordings ({listed})")
    say(f"saved {options.out}")
    say(_advise(options, corpus))


def _check(options):
    """Return the corpus, once it is known that it can be trained on and saved."""
    check_new_model(options.out)
    if options.by_speaker and is_bundle_name(options.out):
        raise ValueError(
            f"a model of --by-speaker cannot be kept in a bundle: give --out another "
            f"name than {options.out}, such as "
            f"{Path(options.out).with_suffix('.joblib')}."
        )
    if options.checkpoint:
        check_folder(options.checkpoint)
    corpus = load_labelled(options.corpus, options.label_map)
    check_counts(corpus.target, options.corpus)
    if options.by_speaker:
        check_speakers(corpus)
    kept = keep_readable_rows(corpus, options)
    if kept is not corpus:
        check_counts(kept.target, options.corpus)
    return kept


def _advise(options, corpus):
    """Name the command that tells how good such a model is."""
    words = ["skemotion", "evaluate", options.corpus]
    told = ""
    if corpus.speakers is None or len(np.unique(corpus.speakers)) < 2:
        words += ["--protocol", "holdout"]
        told = (
            "\nNobody knows who speaks here, so that voices cannot be left out: expect "
            "less on new ones."
        )
        largest = largest_holdout(corpus.target)
        if largest < N_PER_CLASS:
            words += ["--n-per-class", str(max(1, largest // 4))]
    if options.by_speaker:
        words.append("--by-speaker")
    command = f"{shlex.join(words)} {training_words(options)}".rstrip()
    return f"How good is it? This tells, by training anew:\n  {command}{told}"
