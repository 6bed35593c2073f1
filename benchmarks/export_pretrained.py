"""Export the models that come with the package to ONNX, beside their bundles.

    python benchmarks/export_pretrained.py

The graphs have their weights from the bundles, so that these are in the package once:
run it again whenever what is exported of a bundle has changed. ``train_pretrained.py``,
which makes the bundles, does so itself.
"""

from _smoke import elsewhere

from skemotion import load_model
from skemotion._files import write_file
from skemotion.export._graph import OLDEST_OPSET
from skemotion.export._linking import link_weights
from skemotion.export._pipeline import build_model
from skemotion.pretrained._files import BUNDLES, graph_of


def export(bundle):
    """Write the graph beside a bundle; return how many bytes it has, and has not."""
    model = build_model(load_model(bundle), opset=OLDEST_OPSET)
    saved = link_weights(model, bundle)
    content = model.SerializeToString()
    write_file(elsewhere(graph_of(bundle)), content)
    return len(content), saved


if __name__ == "__main__":
    for name, bundle in BUNDLES.items():
        n_bytes, saved = export(bundle)
        print(f"{name}: {n_bytes:,} bytes, and {saved:,} more from the bundle")
