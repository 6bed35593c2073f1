"""Protocols under which heads on an encoder's frames are scored."""

import numpy as np
from _encoder_frames import FAMILIES

from skemotion.metrics import expected_calibration_error, unweighted_average_recall


def uar(data, proba, rows=slice(None), y=None):
    """Score probabilities of all recordings at some."""
    y = data.y if y is None else y
    return float(
        unweighted_average_recall(y[rows], data.classes[proba[rows].argmax(axis=1)])
    )


def loso_splits(data):
    return [np.flatnonzero(data.speakers == name) for name in data.names]


def text_splits(data, whole=True):
    """Return (train, test) with one speaker and one sentence left out."""
    splits = []
    texts = np.unique(data.texts)
    for number, name in enumerate(data.names):
        for place, text in enumerate(texts):
            if whole or place in ((number) % 10, (number + 5) % 10):
                own, same = data.speakers == name, data.texts == text
                test = np.flatnonzero(own & same)
                if len(test):
                    splits.append((np.flatnonzero(~own & ~same), test))
    return splits


def summarise_shifts(scores):
    """Return the means over the shifts at hand, and the composite.

    Parameters
    ----------
    scores : dict
        Of ``loso``, and of each shift a pair: as it comes, and adapted.
    """
    means = {}
    for family, conditions in {
        "sex": ("women-men", "men-women"),
        **FAMILIES,
    }.items():
        pairs = [scores[c] for c in conditions if c in scores]
        if pairs:
            means[family] = np.mean(pairs, axis=0)
    if not means:
        return {}
    plain, adapted = np.mean(list(means.values()), axis=0)
    both = (plain + adapted) / 2
    return {
        **{name: [round(float(v), 4) for v in pair] for name, pair in means.items()},
        "shifts": round(float(plain), 4),
        "shifts-adapted": round(float(adapted), 4),
        "composite": round(float((scores["loso"] + both) / 2), 4),
    }


def calibration(data, proba):
    return float(expected_calibration_error(data.y, proba, labels=data.classes))
