"""What the numbers of a run hang on, and which runs are stale because it changed.

A part's version goes up with every change that moves a probability by more than
1e-4. A run keeps the versions of the parts that it uses, its revision, and is stale
where one of them is not today's. Stale runs are marked wherever they are shown, and
made again where they are asked for. Runs of several revisions are never averaged:
as soon as one seed of a row is made again, the row holds such seeds alone.
"""

from functools import lru_cache
from types import SimpleNamespace

from _opensmile import SETS
from _recipes import NETWORKS, VOTES, make_model

from skemotion import SpeechEncoder
from skemotion.feature_extraction import ENCODER_VERSION, descriptor_set_version

CURRENT = {
    "network": 2,  # a seed for every layer, rows ordered by NumPy, losses summed
    "copies": 2,  # drawn by what a recording holds
    "copies by speaker": 1,  # before, there were none where speakers are standardised
    "padding": 2,  # found at either end; two recordings of EMO-DB end in it
    "post descriptors": descriptor_set_version("post"),
    "extended descriptors": descriptor_set_version("extended"),
    "encoder frames": ENCODER_VERSION,
    "windows": 1,  # before, the first 5 s of a recording were all
    "novelty": 2,  # what is strange loses its confidence sooner
}
# Those of files that name none.
FIRST = {
    "network": 1,
    "copies": 1,
    "copies by speaker": 0,
    "padding": 1,
    "post descriptors": 2,
    "extended descriptors": 1,
    "encoder frames": 1,
    "windows": 0,
    "novelty": 1,
}


@lru_cache
def current_revision(protocol, recipe, model):
    """Return today's versions of what a run uses, by part."""
    parts = _list_parts(protocol, recipe, model)
    return {part: CURRENT[part] for part in CURRENT if part in parts}


def _list_parts(protocol, recipe, model):
    if model == "vote":
        return set().union(*(_list_parts(protocol, recipe, name) for name in VOTES))
    pipeline = make_model(SimpleNamespace(recipe=recipe, cache=None), model, seed=0)
    parts = {"network"} if model in NETWORKS else set()
    if pipeline["augment"] != "passthrough":
        parts.add("copies")
        if protocol == "loso-speaker":
            parts.add("copies by speaker")
    # By speaker, what is classified was extracted before.
    if protocol != "loso-speaker" and pipeline.hop_duration is not None:
        parts.add("windows")
    if protocol != "loso-speaker" and pipeline.novelty_detector is not None:
        parts.add("novelty")
    if isinstance(pipeline["extract"], SpeechEncoder):
        parts |= {"encoder frames", "padding"}
    elif recipe not in SETS:
        # Every set begins with the post's.
        parts |= {"post descriptors", f"{pipeline['extract'].descriptors} descriptors"}
        if recipe != "post":
            parts.add("padding")
    return parts


def recorded_revision(run):
    """Return the versions that a run was made with, by part."""
    recorded = run.get("revision", {})
    current = current_revision(run["protocol"], run["recipe"], run["model"])
    return {part: recorded.get(part, FIRST[part]) for part in current}


def find_outdated(*runs):
    """Return the parts of which any of some runs has another version than today's."""
    found = {
        part
        for run in runs
        for part, version in recorded_revision(run).items()
        if version != CURRENT[part]
    }
    return [part for part in CURRENT if part in found]


def agree(*runs):
    """Tell whether runs have the parts that they share in the same versions."""
    versions = {}
    return all(
        versions.setdefault(part, version) == version
        for run in runs
        for part, version in recorded_revision(run).items()
    )


def keep_latest(tuples):
    """Return those tuples of runs that have the latest revisions, all the same."""

    def rank(runs):
        return [list(recorded_revision(run).values()) for run in runs]

    latest = max(map(rank, tuples), default=None)
    return [runs for runs in tuples if rank(runs) == latest]


def mark(name, outdated):
    """Say behind a name that what stands in its row is stale, if it is."""
    return f"{name} (stale)" if outdated else name


def footnote(outdated, script, what="Rows marked (stale) were"):
    """Return what to write under a table for the parts that are not today's."""
    if not outdated:
        return ""
    parts = ", ".join(part for part in CURRENT if part in outdated)
    return (
        f"\n\n{what} made with earlier versions of: {parts}. They are not what the "
        f"package does now, until `python benchmarks/{script}` makes them again."
    )
