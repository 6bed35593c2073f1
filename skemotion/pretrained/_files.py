"""The files of the models that come with the package."""

from pathlib import Path

BUNDLES = {
    name: Path(__file__).with_name(f"{name}.skemotion")
    for name in ("emodb", "emodb-descriptors")
}


def graph_of(bundle: Path) -> Path:
    """Return the exported model beside a bundle, which has its weights from there."""
    return bundle.with_suffix(".onnx")
