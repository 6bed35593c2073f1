"""What models are called: those that come with the package, or files."""

from pathlib import Path
from typing import Any

PRETRAINED = "pretrained"


def find_file(model: Any) -> Any:
    """Return the file of a model that comes with the package, or that is named."""
    from skemotion.pretrained._files import BUNDLES

    if model in (None, PRETRAINED):
        return BUNDLES["emodb"]
    return BUNDLES.get(str(model), model)


def comes_with_package(path: Any) -> bool:
    """Tell whether a model is one of those that were trained on EMO-DB."""
    from skemotion.pretrained._files import BUNDLES

    return Path(path) in BUNDLES.values()
