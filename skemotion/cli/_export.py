"""``skemotion export``."""

from pathlib import Path

from skemotion.cli._checks import check_new_file, check_readable
from skemotion.cli._labels import load_labelled
from skemotion.cli._model_names import comes_with_package, find_file
from skemotion.cli._models import load_model
from skemotion.cli._opening import is_exported
from skemotion.cli._terminal import say
from skemotion.export import export_onnx
from skemotion.runtime import SUFFIX


def run(options):
    """Write a model as ONNX, and say how far it is from the one that was trained."""
    out = _find_target(options)
    check_new_file(out, f"model{SUFFIX}")
    recordings = target = None
    if options.compare:
        corpus = load_labelled(options.compare, options.label_map)
        check_readable(corpus.paths)
        recordings, target = corpus.paths, corpus.target
    source = find_file(options.model)
    model = load_model(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    report = export_onnx(
        model,
        out,
        recordings=recordings,
        y=target,
        opset=options.opset,
        quantize=options.int8,
        source=source,
    )
    say(
        f"saved {out} ({report.n_bytes / 1e6:.1f} MB): on {report.n_recordings} "
        f"recordings its probabilities differ by {report.difference:.1e} at most, and "
        f"{report.agreement:.1%} get the same emotion"
    )
    if target is not None:
        say(
            f"unweighted average recall: {report.recall:.4f} of the model, "
            f"{report.exported_recall:.4f} exported"
        )


def _find_target(options):
    model = Path(find_file(options.model))
    if options.out is None:
        folder = Path() if comes_with_package(model) else model.parent
    elif is_exported(options.out):
        return Path(options.out)
    else:
        folder = Path(options.out)
    return folder / f"{model.stem}{SUFFIX}"
