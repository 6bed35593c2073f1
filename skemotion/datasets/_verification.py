"""Whether a folder holds all of a corpus, by the sums of its recordings."""

from collections.abc import Mapping
from pathlib import Path

from skemotion._files import digest_of
from skemotion._messages import shorten
from skemotion.datasets._corpus import Archive

# Sums of what was unpacked, where the archive is all that can be verified. Its format
# is that of sha256sum.
_SUMS = "SHA256SUMS"


def keep_sums(sums: Mapping[str, str], folder: Path) -> None:
    """Write the sums of recordings beside them."""
    lines = [f"{digest}  {name}\n" for name, digest in sums.items()]
    (folder / _SUMS).write_text("".join(lines), "utf-8")


def known_sums(archive: Archive, folder: Path) -> Mapping[str, str] | None:
    """Return the sums of the recordings by their names; None if there are none."""
    if archive.files is not None:
        return archive.files
    try:
        lines = (folder / _SUMS).read_text("utf-8").splitlines()
    except OSError:
        return None
    return {
        name: digest for digest, _, name in (line.partition("  ") for line in lines)
    }


def find_faults(folder: Path, sums: Mapping[str, str] | None) -> str:
    """Say which recordings of the corpus are missing or damaged, or nothing."""
    if sums is None:
        return f"it has no file {_SUMS}, so it was put there in another way"
    missing, damaged = [], []
    for name, digest in sums.items():
        path = folder / name
        if not path.is_file():
            missing.append(path.name)
        elif digest_of(path) != digest:
            damaged.append(path.name)
    return "; ".join(
        f"{len(names)} of {len(sums)} recordings {state}: {shorten(names)}"
        for names, state in ((missing, "missing"), (damaged, "damaged"))
        if names
    )
