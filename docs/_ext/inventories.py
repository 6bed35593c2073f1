"""Links to other projects without a network.

Sphinx asks other sites which pages they have. Here, the few that are referred to stand
in ``docs/_inventories/PROJECT.txt``, from which the files that Sphinx reads are made. A
table begins with the address of the site, and has a line for each kind of object and
shape of address, with the names below; ``$`` stands for the name.
"""

import os
import zlib
from pathlib import Path

_HEADER = "# Sphinx inventory version 2\n# Project: {}\n# Version: \n# zlib\n"


def read_table(path):
    """Return the address of a site and the lines of its inventory."""
    address, *lines = (
        line
        for line in path.read_text().splitlines()
        if line.strip() and not line.startswith("#")
    )
    entries = []
    for line in lines:
        if line[0] != " ":
            kind, target = line.split()
            continue
        entries += [
            f"{name} {kind} 1 {target.replace('$', name)} -" for name in line.split()
        ]
    return address, entries


def make_mapping(tables, folder):
    """Write inventories to a folder and return what Sphinx wants to know of them.

    ``SKEMOTION_DOCS_ONLINE`` asks the sites first, which finds addresses that have
    changed. It takes a minute where there is no network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for table in sorted(Path(tables).glob("*.txt")):
        address, entries = read_table(table)
        inventory = folder / f"{table.stem}.inv"
        body = zlib.compress("".join(f"{entry}\n" for entry in entries).encode())
        inventory.write_bytes(_HEADER.format(table.stem).encode() + body)
        online = os.environ.get("SKEMOTION_DOCS_ONLINE")
        places = (None, str(inventory)) if online else str(inventory)
        mapping[table.stem] = (address, places)
    return mapping
