"""Arguments that several commands share."""

from skemotion.cli._values import (
    fold_count,
    job_count,
    label_pair,
    positive_int,
    setting,
)
from skemotion.datasets._known import CORPORA
from skemotion.pipeline._recipe_table import DEFAULT_RECIPE, RECIPES

KNOWN_HELP = (
    f"NAME:PATH for a copy of a known corpus ({', '.join(CORPORA)}), or NAME for the "
    "fetched one"
)

CORPUS_HELP = (
    "a folder with one sub-folder per class, a CSV table with columns path, label "
    f"and optionally speaker, {KNOWN_HELP}"
)
RESUME_HELP = (
    "It appears once all is done; until then the work stands in a folder with the "
    "suffix .partial, and the same command resumes it"
)
MAX_SPEAKERS = 10
N_PER_CLASS = 20


def add_corpus(group, **how):
    """Add the argument that names labelled recordings."""
    group.add_argument("corpus", metavar="CORPUS", help=CORPUS_HELP, **how)


def add_talk_options(parser, *, with_progress):
    """Add what decides how much is said, the same for every command."""
    group = parser.add_argument_group("messages")
    amount = group.add_mutually_exclusive_group()
    amount.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="results and errors alone: no progress, no warnings, no notes",
    )
    amount.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="say more: every epoch of a training, and where in the code an error "
        "arose",
    )
    if with_progress:
        group.add_argument(
            "--progress",
            action="store_true",
            help="show progress and the time that is left even if standard error is "
            "no terminal, then as lines",
        )


def add_map(group):
    """Add the option that renames labels."""
    group.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="LABEL=EMOTION",
        dest="label_map",
        type=label_pair,
        help="call what CORPUS labels LABEL by another name, as in --map angry=anger; "
        "with nothing behind the = such recordings are left out; may be repeated",
    )


def add_by_speaker(group, help_text):
    """Add the option that standardises features by speaker."""
    group.add_argument("--by-speaker", action="store_true", help=help_text)


def add_evaluation_options(parser):
    """Add what says which model is evaluated, and how."""
    parser.add_argument(
        "-m",
        "--model",
        metavar="MODEL",
        help="score this trained pipeline instead of training; nothing in CORPUS may "
        "have been trained on. It is a file, or the name of a model that comes with "
        "the package: pretrained, emodb-descriptors",
    )
    parser.add_argument(
        "--protocol",
        choices=["speaker", "holdout"],
        help="speaker: train on some speakers and test on the others, until each has "
        "been tested once; holdout: one test set with the same number of recordings "
        "of every class, of speakers that are also trained on (default: speaker)",
    )
    parser.add_argument(
        "--folds",
        type=fold_count,
        metavar="N",
        help="put the speakers into N groups, and leave out one group at a time; all "
        "leaves out one speaker at a time, however many there are (default: all, if "
        f"there are up to {MAX_SPEAKERS} speakers, otherwise {MAX_SPEAKERS})",
    )
    parser.add_argument(
        "--n-per-class",
        type=positive_int,
        metavar="N",
        help="recordings per class in the test set of --protocol holdout (default: "
        f"{N_PER_CLASS})",
    )
    add_by_speaker(
        parser,
        "standardise each recording's features by those of its speaker, over all "
        "recordings of that speaker and without labels (transductive)",
    )
    add_map(parser)
    parser.add_argument(
        "--keep",
        metavar="FOLDER",
        help="keep each fold there once it is done, and take those that are there: so "
        "the same command resumes where it was killed. Without it they are kept "
        "beside --out until all is done, and not at all without either",
    )
    add_training_options(
        parser,
        n_jobs=None,
        parallel="folds trained at the same time, in processes of their own that share "
        "the processors; of one fold, or with --model, recordings extracted at the "
        "same time",
        usual="for folds, 1 where they are small, else as many as there are "
        "processors, and as memory allows",
    )


def add_training_options(
    parser, parallel="recordings extracted at the same time", **how
):
    """Add what says how a pipeline is made."""
    group = parser.add_argument_group("training")
    group.add_argument(
        "--recipe",
        choices=list(RECIPES),
        default=DEFAULT_RECIPE,
        help="the recommended settings, which hear through a speech encoder; those "
        "for acoustic descriptors; or the post's: 256 units, cells scaled, padding "
        "seen (default: %(default)s)",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STEP__NAME=VALUE",
        dest="settings",
        type=setting,
        help="set any parameter of a step, as in --set classify__epochs=10; may be "
        "repeated",
    )
    group.add_argument(
        "--on-error",
        choices=["raise", "warn"],
        default="raise",
        help="where recordings cannot be read: raise names them all and stops, before "
        "any work as far as that is seen; warn decodes all first, leaves out those "
        "that cannot be read, and says which (default: %(default)s)",
    )
    group.add_argument(
        "--seed", type=int, default=0, help="random state (default: %(default)s)"
    )
    add_extraction_options(group, parallel, **how)


def add_extraction_options(
    group, parallel="recordings extracted at the same time", **how
):
    """Add what says how features are extracted."""
    add_jobs(group, parallel, **how)
    group.add_argument(
        "--cache", metavar="FOLDER", help="keep extracted features there for next time"
    )


def add_jobs(group, what, n_jobs=1, usual="%(default)s"):
    """Add the option that says how many workers there are."""
    group.add_argument(
        "--n-jobs",
        type=job_count,
        default=n_jobs,
        metavar="N",
        help=f"{what}; -1 for as many as there are processors (default: {usual})",
    )


def add_streaming_options(parser):
    """Add what says how long lists are worked through."""
    parser.add_argument(
        "--chunk-size",
        type=positive_int,
        default=256,
        metavar="N",
        help="recordings held in memory, and lost by a kill (default: %(default)s)",
    )


def add_model(parser):
    """Add the option that names a trained model, or none."""
    parser.add_argument(
        "-m",
        "--model",
        metavar="MODEL",
        help="file written by train or quickstart, a bundle of skemotion.save_model, "
        "or the name of a model that comes with the package: pretrained, "
        "emodb-descriptors. A bundle, which ends in .skemotion, runs no code. "
        "Loading a file of joblib, which must end in .joblib, .pkl or .pickle, does: "
        "take it only from a source that you trust. Without it, pretrained predicts, "
        "which learnt from acted German speech of ten voices: of other speech it knows "
        "little, however confident",
    )


def add_files(parser):
    """Add what names recordings without labels."""
    files = parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        default=[],
        help="a recording; a folder of recordings, with all that is below it; a table "
        "that ends in .csv, with a column path, relative to the table, and others that "
        f"are kept; {KNOWN_HELP}; or - for a recording on standard input",
    )
    # With nargs="*" no FILE could follow an option.
    files.required = False
    add_list(parser)
    parser.set_defaults(usage_error=parser.error)


def add_list(group):
    """Add the option that reads the names of recordings from a file."""
    group.add_argument(
        "--files-from",
        metavar="LIST",
        help="a file with the path of a recording on each line; - is standard input",
    )


def add_one_speaker(group):
    """Add the option for recordings of one voice."""
    group.add_argument(
        "--one-speaker",
        action="store_true",
        help="for a model of train --by-speaker: all recordings given are of one "
        "voice, and each is standardised by the features of all of them, which are "
        "read first (transductive)",
    )
