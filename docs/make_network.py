"""Draw the network of the user guide: python docs/make_network.py."""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

BOXES = {  # name: (x, y, width, text, colour)
    "frames": (0.0, 1.0, 1.5, "frames\n157 x 46", "#DDDDDD"),
    "forward": (2.2, 1.7, 1.7, "LSTM forwards\n256 units", "#56B4E9"),
    "backward": (2.2, 0.3, 1.7, "LSTM backwards\n256 units", "#56B4E9"),
    "attention": (4.7, 1.0, 1.8, "attention\nweight of each frame", "#E69F00"),
    "context": (7.2, 1.0, 1.6, "context\nweighted sum", "#DDDDDD"),
    "softmax": (9.5, 1.0, 1.6, "softmax\n7 emotions", "#009E73"),
}
ARROWS = [
    ("frames", "forward", "x"),
    ("frames", "backward", "x"),
    ("forward", "attention", "states"),
    ("backward", "attention", "states"),
    ("attention", "context", ""),
    ("context", "softmax", ""),
]
HEIGHT = 0.8


def main():
    settings = {"svg.hashsalt": "skemotion", "svg.fonttype": "path"}
    with rc_context(settings):
        figure = Figure(figsize=(9, 2.6))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-0.2, 11.3), ylim=(-0.6, 3.4))
        axes.set_axis_off()
        for x, y, width, text, colour in BOXES.values():
            style = "round,pad=0.02,rounding_size=0.1"
            box = FancyBboxPatch((x, y), width, HEIGHT, style, fc=colour, ec="black")
            axes.add_patch(box)
            centre = x + width / 2, y + HEIGHT / 2
            axes.text(*centre, text, ha="center", va="center", fontsize=9)
        for start, end, _ in ARROWS:
            connect(axes, right_of(start), left_of(end))
        for name, side in (("forward", 1), ("backward", -1)):
            around(axes, name, side)
        path = Path(__file__).parent / "_static" / "network.svg"
        figure.savefig(path, metadata={"Date": None}, facecolor="white")


def right_of(name):
    x, y, width, *_ = BOXES[name]
    return x + width, y + HEIGHT / 2


def left_of(name):
    x, y, *_ = BOXES[name]
    return x, y + HEIGHT / 2


def connect(axes, start, end):
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->"})


def around(axes, name, side):
    """Lead the last state past the attention to the softmax."""
    x, y, width, *_ = BOXES[name]
    start = x + width / 2, y + (HEIGHT if side > 0 else 0)
    x, y, width, *_ = BOXES["softmax"]
    end = x + width / 2, y + (HEIGHT if side > 0 else 0)
    level = start[1] + 0.35 * side
    axes.plot(
        [start[0], start[0], end[0]], [start[1], level, level], color="black", lw=1
    )
    connect(axes, (end[0], level), end)
    middle = (start[0] + end[0]) / 2
    axes.text(
        middle,
        level + 0.08 * side,
        "last state",
        ha="center",
        fontsize=9,
        va="bottom" if side > 0 else "top",
    )


if __name__ == "__main__":
    main()
