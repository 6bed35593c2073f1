"""What the displays share."""

import numpy as np
from sklearn.pipeline import Pipeline

# From the palette of M. Okabe and K. Ito, which colour-blind readers tell apart.
COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#000000",
)


def create_axes(ax, n_axes=1):
    """Return `ax`, or new axes side by side in a figure of their own."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    width, height = plt.rcParams["figure.figsize"]
    figsize = (width, height) if n_axes == 1 else (0.8 * n_axes * width, 0.8 * height)
    return plt.subplots(1, n_axes, figsize=figsize, layout="constrained")[1]


def check_labels(y, labels, class_names):
    """Return the classes to show, sorted by default, and what to call them."""
    labels = np.unique(y) if labels is None else np.asarray(labels)
    if class_names is None:
        return labels, [str(label) for label in labels]
    if len(class_names) != len(labels):
        raise ValueError(
            f"class_names has {len(class_names)} names for {len(labels)} classes: "
            f"{', '.join(map(str, labels))}. Give one name per class, and labels if "
            "classes are missing from the data."
        )
    return labels, list(class_names)


def last_step(estimator):
    """Return the last step of a pipeline, or the estimator itself."""
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator
