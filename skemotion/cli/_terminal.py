"""Who is looking, and what is shown."""

import sys


def on_terminal() -> bool:
    """Tell whether progress on standard error would be seen by somebody."""
    return sys.stderr.isatty()


def progress_bar(total: int, done: int = 0, *, shown: bool):
    """Return a bar with a rate and an estimate, which count from `done` on."""
    from tqdm import tqdm

    return tqdm(
        total=total, initial=done, unit="rec", mininterval=0.5, disable=not shown
    )


def say_resumed(done: int, total: int) -> None:
    """Say on standard error that earlier work is gone on with, if it is."""
    if done:
        print(
            f"skemotion: resuming after {done} of {total} recordings", file=sys.stderr
        )
