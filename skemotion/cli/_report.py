"""``skemotion report``."""

from pathlib import Path

from skemotion.cli._checks import check_folder
from skemotion.cli._evaluating import evaluate_corpus, forget_evaluation
from skemotion.cli._labels import load_labelled
from skemotion.cli._models import find_file, load_model, set_extraction
from skemotion.cli._terminal import say, shows_progress
from skemotion.report import write_report
from skemotion.report._write import check_page


def run(options):
    """Evaluate a corpus, and write a page of what is found."""
    options.out = str(Path(options.out))  # folds are kept beside it
    check_page(options.out)
    check_folder(options.out)
    corpus = load_labelled(options.corpus, options.label_map)
    evaluation = evaluate_corpus(options, corpus, tell=say)
    page = write_report(
        evaluation,
        options.out,
        audio=options.audio,
        n_recordings=options.n_recordings or "auto",
        pipeline=_find_pipeline(options),
        title=options.title or _make_title(options.corpus),
        verbose=shows_progress(),
    )
    say(f"saved {page}")
    forget_evaluation(options, corpus)


def _make_title(corpus):
    """Name a corpus without the folders that it is in, which are nobody's business."""
    return f"Emotions recognised in {Path(corpus.rpartition(':')[2]).name or corpus}"


def _find_pipeline(options):
    """Return the one model whose attention can be drawn, if there is one."""
    if not options.model or options.by_speaker:
        return None
    return set_extraction(load_model(find_file(options.model)), options)
