"""The type of what loaders of corpora return, and its forms."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch
from sklearn.utils._optional_dependencies import check_pandas_support


class LabelledSpeech(Bunch):
    """Recordings and their labels: a Bunch, whose common entries have types.

    Each loader says in its own documentation what else there is.
    """

    target: NDArray[np.str_]
    target_names: NDArray[np.str_]


def give_form(
    corpus: LabelledSpeech,
    columns: Mapping[str, str],
    *,
    return_X_y: bool,
    as_frame: bool,
) -> LabelledSpeech | tuple[Any, Any]:
    """Return a corpus in the form that is asked for, as scikit-learn's loaders do.

    Parameters
    ----------
    corpus : LabelledSpeech
        With the entries paths and target.
    columns : mapping of str to str
        The column of the data frame for each entry that has a value for each
        recording. That of paths is "path".
    return_X_y : bool
        Whether to return ``(data, target)``.
    as_frame : bool
        Whether these entries are of pandas.

    Returns
    -------
    LabelledSpeech or (data, target)
    """
    corpus["data"], corpus["frame"] = corpus["paths"], None
    if as_frame:
        pandas = check_pandas_support("as_frame=True")
        known = [name for name in columns if corpus[name] is not None]
        frame = pandas.DataFrame({columns[name]: corpus[name] for name in known})
        corpus.update({name: frame[columns[name]] for name in known})
        corpus["data"], corpus["frame"] = frame[[columns["paths"]]], frame
    return (corpus["data"], corpus["target"]) if return_X_y else corpus
