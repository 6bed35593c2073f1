"""Who is looking."""

import sys


def on_terminal() -> bool:
    """Tell whether progress on standard error would be seen by somebody."""
    return sys.stderr.isatty()
