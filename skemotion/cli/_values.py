"""The values of options, read from the words of a command line."""

import argparse
import ast
import math


def setting(text):
    """Parse STEP__NAME=VALUE, the value being a Python literal or a word."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not STEP__NAME=VALUE")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def label_pair(text):
    """Parse LABEL=EMOTION, where EMOTION may be empty."""
    label, equals, emotion = text.rpartition("=")
    if not equals or not label.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not LABEL=EMOTION")
    return label.strip(), emotion.strip()


def fold_count(text):
    """Parse a number of folds, or "all"."""
    if text == "all":
        return text
    try:
        return fold_number(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(
            f"{text} is neither a number of folds, from 2 on, nor all"
        ) from error


def fold_number(text):
    """Parse a number of folds."""
    number = _whole(text)
    if number is None or number < 2:
        raise argparse.ArgumentTypeError(f"{text} is not a number of folds, from 2 on")
    return number


def job_count(text):
    """Parse a number of workers, which counts from the end where it is negative."""
    number = _whole(text)
    if not number:
        raise argparse.ArgumentTypeError(
            f"{text} is not a number of jobs: 1 or more, or -1 for all processors"
        )
    return number


def positive_int(text):
    """Parse a number from 1 on."""
    number = _whole(text)
    if number is None or number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive whole number")
    return number


def probability(text):
    """Parse a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def seconds(text):
    """Parse a time of 0 s or more."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a time of 0 s or more")
    return number


def positive_time(text):
    """Parse a time of more than 0 s."""
    number = seconds(text)
    if not number:
        raise argparse.ArgumentTypeError(f"{text} is not a positive time")
    return number


def npy_file(text):
    """Parse the name of a file in NumPy's format."""
    if not text.endswith(".npy"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .npy")
    return text


def _whole(text):
    try:
        return int(text)
    except ValueError:
        return None
