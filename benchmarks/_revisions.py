"""What the numbers of a run depend on, and which runs are stale because it changed.

A part's version goes up with every change that moves a probability by more than
1e-4. A run keeps the versions of the parts that it uses, its revision, and the
parameters of its recipe, and is stale where one of them is not today's, or where it
does not say. Stale runs are marked wherever they are shown, and
made again where they are asked for. Runs of several revisions, or of other parameters,
are never averaged:
as soon as one seed of a row is made again, the row holds such seeds alone.
"""

import hashlib
import json
from functools import lru_cache
from types import SimpleNamespace

from _opensmile import SETS
from _parameters import (
    changed_parameters,
    list_defaults,
    list_parameters,
    of_sequences,
)
from _recipes import NETWORKS, VOTES, make_model

from skemotion import SpeechEncoder
from skemotion._messages import shorten
from skemotion.feature_extraction import ENCODER_VERSION, descriptor_set_version

CURRENT = {
    "network": 2,  # a seed for every layer, rows ordered by NumPy, losses summed
    "training": 1,  # before, gradients of an LSTM were added up step by step
    "copies": 3,  # read to the nearest sample; before, drawn by what a recording holds
    "copies by speaker": 1,  # before, there were none where speakers are standardised
    "padding": 2,  # found at either end; two recordings of EMO-DB end in it
    "post descriptors": descriptor_set_version("post"),
    "extended descriptors": descriptor_set_version("extended"),
    "encoder frames": ENCODER_VERSION,
    "windows": 1,  # before, the first 5 s of a recording were all
    "novelty": 2,  # what is strange loses its confidence sooner
    "speech detection": 1,  # asked of whole recordings; not of those of EMO-DB
}
# Those of files that name none.
FIRST = {
    "network": 1,
    "training": 0,
    "copies": 1,
    "copies by speaker": 0,
    "padding": 1,
    "post descriptors": 2,
    "extended descriptors": 1,
    "encoder frames": 1,
    "windows": 0,
    "novelty": 1,
    "speech detection": 1,
}

# What a model that is there does not depend on any more.
OF_TRAINING = ("training", "copies", "copies by speaker")

UNKNOWN = "parameters that were not kept"
NO_REVISION = "parts whose versions were not kept"


@lru_cache
def current_revision(protocol, recipe, model):
    """Return today's versions of what a run uses, by part."""
    parts = _list_parts(protocol, recipe, model)
    return {part: CURRENT[part] for part in CURRENT if part in parts}


def made_with(protocol, recipe, model):
    """Return what tells later whether a run is stale."""
    return {
        "protocol": protocol,
        "recipe": recipe,
        "model": model,
        "revision": current_revision(protocol, recipe, model),
        "parameters": current_parameters(protocol, recipe, model),
    }


@lru_cache
def current_parameters(protocol, recipe, model):
    """Return today's parameters of a recipe, by name, as far as a run uses them."""
    return _collect(list_parameters, protocol, recipe, model)


@lru_cache
def _current_defaults(protocol, recipe, model):
    return _collect(list_defaults, protocol, recipe, model)


def _collect(function, protocol, recipe, model):
    if model == "vote":
        return {
            f"{name}: {parameter}": value
            for name in VOTES
            for parameter, value in _collect(function, protocol, recipe, name).items()
        }
    found = function(_make_pipeline(recipe, model))
    # By speaker, what is classified was extracted before.
    return of_sequences(found) if protocol == "loso-speaker" else found


def digest(protocol, recipe, model):
    """Return a short text that differs where parameters do."""
    text = json.dumps(current_parameters(protocol, recipe, model), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _make_pipeline(recipe, model):
    return make_model(SimpleNamespace(recipe=recipe, cache=None), model, seed=0)


def _list_parts(protocol, recipe, model):
    if model == "vote":
        return set().union(*(_list_parts(protocol, recipe, name) for name in VOTES))
    pipeline = _make_pipeline(recipe, model)
    parts = {"network", "training"} if model in NETWORKS else set()
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
    """Return what any of some runs has otherwise than today: parts and parameters.

    Parameters are named where versions do not tell: they come and go with those.
    """
    found = {name for run in runs for name in _old_parts(run) or _changed(run)}
    return sorted(found, key=_place)


def _old_parts(run):
    recorded = recorded_revision(run)
    return [part for part, version in recorded.items() if version != CURRENT[part]]


def _changed(run):
    key = run["protocol"], run["recipe"], run["model"]
    if "parameters" not in run:
        return [UNKNOWN]
    return changed_parameters(
        run["parameters"], current_parameters(*key), _current_defaults(*key)
    )


def _place(name):
    parts = list(CURRENT)
    return (parts.index(name), "") if name in parts else (len(parts), name)


def current_parts(*parts):
    """Return today's versions of parts."""
    return {part: CURRENT[part] for part in parts}


def parts_of_predictions():
    """Return today's versions of what a model that is there depends on."""
    return {part: CURRENT[part] for part in CURRENT if part not in OF_TRAINING}


def find_outdated_parts(result, pipeline=None):
    """Return what has changed for a result that is no run of a recipe.

    It depends on the parts that its revision names, and on the parameters of a pipeline
    of sequences, where one is given. A result that says nothing of them is stale.
    """
    revision = result.get("revision", {})
    found = [part for part, number in revision.items() if number != CURRENT.get(part)]
    if not revision:
        found.append(NO_REVISION)
    if pipeline is not None and not found:
        found += changed_parameters(
            result.get("parameters", {}),
            of_sequences(list_parameters(pipeline)),
            list_defaults(pipeline),
        )
    return sorted(found, key=_place)


def agree(*runs):
    """Tell whether runs have the parts that they share in the same versions."""
    versions = {}
    return all(
        versions.setdefault(part, version) == version
        for run in runs
        for part, version in recorded_revision(run).items()
    )


def keep_latest(tuples):
    """Return those tuples of runs that have the latest revisions, all the same.

    Of those that have, the ones with today's parameters are kept, or, where none has,
    those that have the same ones as the last.
    """

    def rank(runs):
        revision = [list(recorded_revision(run).values()) for run in runs]
        return revision, [not _changed(run) for run in runs]

    def parameters(runs):
        return [run.get("parameters") for run in runs]

    if not tuples:
        return []
    best = max(map(rank, tuples))
    latest = [runs for runs in tuples if rank(runs) == best]
    if all(best[1]):
        return latest
    return [runs for runs in latest if parameters(runs) == parameters(latest[-1])]


def mark(name, outdated):
    """Say behind a name that what stands in its row is stale, if it is."""
    return f"{name} (stale)" if outdated else name


def footnote(outdated, script, what="Rows marked (stale) were", literal="`"):
    """Return what to write under a table for what is not as today."""
    if not outdated:
        return ""
    parts = ", ".join(part for part in CURRENT if part in outdated)
    unknown = sorted({UNKNOWN, NO_REVISION} & set(outdated))
    others = shorten(sorted(set(outdated) - set(CURRENT) - set(unknown)))
    made = [f"earlier versions of: {parts}"] * bool(parts)
    made += [f"other parameters: {others}"] * bool(others) + unknown
    command = f"{literal}python benchmarks/{script}{literal}"
    return (
        f"\n\n{what} made with {'; and with '.join(made)}. They are not what the "
        f"package does now, until {command} makes them again."
    )
