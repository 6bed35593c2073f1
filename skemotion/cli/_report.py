"""``skemotion report``."""

from pathlib import Path

from skemotion.cli._checks import check_folder
from skemotion.cli._evaluating import evaluate_corpus, forget_evaluation, load_for_new
from skemotion.cli._labels import load_labelled
from skemotion.cli._model_names import find_file
from skemotion.cli._models import load_model, set_extraction
from skemotion.cli._terminal import say, shows_progress
from skemotion.report import write_report
from skemotion.report._write import PAGE, check_page


def run(options):
    """Evaluate a corpus, and write a page of what is found."""
    options.out = str(Path(options.out))  # folds are kept beside it
    corpus = load_for_new(
        options, lambda: check_folder_of_page(options.out), load_labelled
    )
    evaluation = evaluate_corpus(options, corpus, tell=say)
    page = write_page(
        evaluation,
        options.out,
        options,
        audio=options.audio,
        n_recordings=options.n_recordings or "auto",
        title=options.title,
    )
    say(f"saved {page}")
    forget_evaluation(options, corpus)


def check_folder_of_page(folder):
    """Raise where no page can be written to a folder."""
    check_page(folder)
    check_folder(folder)


def write_page(evaluation, folder, options, *, title=None, **how):
    """Write the page of an evaluation, made as the options say; return its path.

    One that is there stays: of the same evaluation, which was killed after it.
    """
    page = Path(folder, PAGE)
    if page.exists():
        return page
    return write_report(
        evaluation,
        folder,
        title=title or _make_title(options.corpus),
        pipeline=_find_pipeline(options),
        verbose=shows_progress(),
        **how,
    )


def _make_title(corpus):
    """Name a corpus without the folders that it is in, which are nobody's business."""
    return f"Emotions recognised in {Path(corpus.rpartition(':')[2]).name or corpus}"


def _find_pipeline(options):
    """Return the one model whose attention can be drawn, if there is one."""
    if not options.model or options.by_speaker:
        return None
    return set_extraction(load_model(find_file(options.model)), options)
