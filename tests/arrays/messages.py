"""What an error must say, and what it must not."""

import re
from collections.abc import Iterable

from sklearn.utils._param_validation import InvalidParameterError

# Words of what is inside: nobody who gave a wrong array can do anything with them.
FORBIDDEN = (
    "could not broadcast",
    "broadcast together",
    "out of bounds",
    "out of range for",
    "setting an array element",
    "inhomogeneous",
    "cannot reshape",
    "could not convert",
    "cannot convert",
    "cannot cast",
    "cannot safely",
    "invalid literal",
    "truth value",
    "zero-size array",
    "zero-dimensional",
    "only integer scalar arrays",
    "need at least one array",
    "ufunc",
    "unsized object",
    "not subscriptable",
    "not iterable",
    "unhashable",
    "not supported between",
    "unsupported operand",
    "has no attribute",
    "has no len",
    "object is not",
    "takes no arguments",
    "unexpected keyword",
    "positional argument",
    "list index",
    "NoneType",
    "dtype('",
    "getset_descriptor",
    "descriptor '",
    " tensor",
    "KerasTensor",
    "InvalidArgument",
    "graph execution",
    "keras.src",
    "numpy.",
    "pandas.",
    "surrogates not allowed",
    "the data are gone",
)
# What is meant for users all the same; the second is how SciPy before 1.14 shows an
# array of its own.
_ALLOWED = ("by numpy.ravel", "of type '<class 'numpy.float64'")


def find_fault(error: BaseException, names: Iterable[str]) -> str | None:
    """Say what is wrong with an error, or return None.

    Parameters
    ----------
    error : exception
        What was raised for a wrong argument.
    names : iterable of str
        What the argument may be called. One of them must stand in the message.
    """
    if not isinstance(error, (ValueError, TypeError)):
        return f"is a {type(error).__name__}, no ValueError or TypeError"
    message = str(error)
    for allowed in _ALLOWED:
        message = message.replace(allowed, "")
    # scikit-learn's own words for parameters name types as Python does.
    for phrase in () if isinstance(error, InvalidParameterError) else FORBIDDEN:
        if phrase.lower() in message.lower():
            return f"says {phrase!r}"
    if not any(
        re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in names
    ):
        return f"names none of {', '.join(names)}"
    return None
