"""Which tests a module's mutants are tried with: the fastest that cover it."""

from pathlib import PurePosixPath

_FEATURES = "tests/feature_extraction"
_NETWORKS = "tests/networks"
_CLASSIFICATION = "tests/classification"

# By package, and by module where it has tests of its own; in the order in which they
# are run, one process for each stage.
_STAGES = {
    "augmentation": [("tests/test_augmentation.py",)],
    "persistence": [("tests/test_persistence.py",)],
    "feature_extraction": [
        (
            f"{_FEATURES}/test_extractor.py",
            f"{_FEATURES}/test_cache.py",
            f"{_FEATURES}/test_extended.py",
        ),
    ],
    "networks": [
        (f"{_NETWORKS}/test_network.py",),
        (f"{_CLASSIFICATION}/test_blstm.py",),
        (f"{_CLASSIFICATION}/test_checkpoint.py",),
    ],
    "classification": [
        (f"{_CLASSIFICATION}/test_blstm.py", f"{_CLASSIFICATION}/test_weights.py"),
        (f"{_CLASSIFICATION}/test_custom.py",),
        (f"{_NETWORKS}/test_noise.py",),
        ("tests/test_docstrings.py",),
    ],
}
_EXTENDED = [(f"{_FEATURES}/test_oracles.py", f"{_FEATURES}/test_extended.py")]
_OWN = {
    **{
        f"feature_extraction/{name}": _EXTENDED
        for name in (
            "_autocorrelation",
            "_band",
            "_extended",
            "_floor",
            "_formants",
            "_offset",
            "_pitch",
            "_voice",
        )
    },
    "feature_extraction/_extraction": [
        *_STAGES["feature_extraction"],
        ("tests/test_faults.py",),
    ],
    "feature_extraction/_cache": [(f"{_FEATURES}/test_cache.py",)],
    "feature_extraction/_blas": [(f"{_FEATURES}/test_blas.py",)],
    "feature_extraction/_sequence_functionals": [(f"{_FEATURES}/test_functionals.py",)],
    "feature_extraction/_hub": [(f"{_FEATURES}/test_hub.py",)],
    "feature_extraction/_union": [(f"{_FEATURES}/test_union.py",)],
    "feature_extraction/_rates": [(f"{_FEATURES}/test_union.py",)],
    "feature_extraction/_log_mel": [(f"{_FEATURES}/test_log_mel.py",)],
    "feature_extraction/_weights": [
        (f"{_FEATURES}/test_weights.py",),
        (f"{_FEATURES}/test_encoder.py",),
    ],
    "feature_extraction/_encoder": [(f"{_FEATURES}/test_encoder.py",)],
    "feature_extraction/_encoding": [(f"{_FEATURES}/test_encoder.py",)],
    "persistence/_load": [
        ("tests/test_persistence.py",),
        (f"{_FEATURES}/test_descriptor_set.py",),
    ],
    "networks/_backend": [
        (f"{_NETWORKS}/test_backend.py",),
        (f"{_CLASSIFICATION}/test_blstm.py",),
    ],
    "networks/_batches": [
        (f"{_NETWORKS}/test_batches.py", f"{_NETWORKS}/test_noise.py")
    ],
    "networks/_blstm": [
        (f"{_NETWORKS}/test_blstm.py",),
        (f"{_NETWORKS}/test_noise.py",),
    ],
    "networks/_custom": [
        (f"{_NETWORKS}/test_network.py",),
        (f"{_CLASSIFICATION}/test_custom.py",),
    ],
    "networks/_encoders": [(f"{_NETWORKS}/test_whisper.py",)],
    "networks/_frames": [
        (f"{_NETWORKS}/test_frames.py",),
        (f"{_NETWORKS}/test_blstm.py", f"{_NETWORKS}/test_batches.py"),
    ],
    "networks/_graphs": [
        (f"{_NETWORKS}/test_graphs.py", f"{_NETWORKS}/test_network.py"),
        (f"{_CLASSIFICATION}/test_sharing.py",),
    ],
    "networks/_identity": [
        (f"{_NETWORKS}/test_graphs.py", f"{_NETWORKS}/test_network.py"),
        (f"{_CLASSIFICATION}/test_sharing.py", f"{_CLASSIFICATION}/test_custom.py"),
    ],
    "networks/_inputs": [(f"{_NETWORKS}/test_inputs.py",)],
    "networks/_lstm": [
        (f"{_NETWORKS}/test_lstm.py",),
        (f"{_NETWORKS}/test_network.py",),
    ],
    "networks/_whisper": [(f"{_NETWORKS}/test_whisper.py",)],
    "classification/_custom": [
        (f"{_CLASSIFICATION}/test_custom.py",),
        ("tests/test_docstrings.py",),
    ],
    "classification/_weights": [
        (f"{_CLASSIFICATION}/test_weights.py",),
        (f"{_CLASSIFICATION}/test_blstm.py",),
    ],
}


def tests_of(module: str) -> list[tuple[str, ...]]:
    """Return the test files of a module, in stages.

    Parameters
    ----------
    module : str
        Its path from the root of the tree, such as ``skemotion/networks/_blstm.py``.

    Returns
    -------
    list of tuple of str
    """
    path = PurePosixPath(module).relative_to("skemotion")
    own = _OWN.get(str(path.with_suffix("")))
    return own if own is not None else _STAGES[path.parts[0]]
