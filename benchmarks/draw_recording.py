"""Draw the picture of the documentation's first page, docs/_static/recording.png.

    SKEMOTION_EMODB=path/to/emodb python benchmarks/draw_recording.py

It is a recording of EMO-DB and what the model that comes with the package makes of it.
The model has been trained on this recording, so it shows what pictures look like, and
not how good the model is.
"""

import argparse
import os
from pathlib import Path

import matplotlib
from _smoke import SMOKE, elsewhere, parse_options

from skemotion import load_pretrained
from skemotion.datasets import load_emodb
from skemotion.inspection import RecordingDisplay

RECORDING = "16b10Fb.wav"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    args = parse_options(parser)
    matplotlib.use("Agg")
    paths = load_emodb(args.emodb).paths
    path = next(path for path in paths if SMOKE or path.endswith(RECORDING))
    display = RecordingDisplay.from_estimator(load_pretrained(), path)
    figure = display.figure_
    figure.savefig(
        elsewhere(Path(__file__).parents[1] / "docs/_static/recording.png"),
        dpi=120,
        bbox_inches="tight",
    )


if __name__ == "__main__":
    main()
