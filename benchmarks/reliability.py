"""Write the tables of ``docs/reliability.rst`` from ``results/reliability/``.

    python benchmarks/reliability.py

Every file there is written by the script that its "command" names, and holds a title
and rows: what was tried, how often, what happened, how many defects were found on the
way, and what was mended. Files of which a key is missing are refused.
"""

from pathlib import Path

from _results import RESULTS as FOLDER
from _results import read
from _revisions import find_outdated_parts, footnote, mark
from _rst import rst_table
from _smoke import elsewhere

ROOT = Path(__file__).parents[1]
RESULTS = FOLDER / "reliability"
PAGE = ROOT / "docs" / "reliability.rst"
# In the order of the page; what is not named comes last, by its name.
ORDER = (
    "audio",
    "arrays",
    "fuzz",
    "faults",
    "checkpoint",
    "soak",
    "mutants",
)
BEGIN, END = ".. begin tables", ".. end tables"
KEYS = {"title", "command", "date", "rows"}
COLUMNS = {"what", "tried", "happened", "defects"}


def read_results(folder=RESULTS):
    """Return the results, in the order of the page."""
    found = {path.stem: read(path) for path in folder.glob("*.json")}
    for name, result in found.items():
        missing = KEYS - result.keys()
        missing |= {
            key for row in result.get("rows", []) for key in COLUMNS - row.keys()
        }
        if missing:
            raise SystemExit(f"{name}.json lacks {', '.join(sorted(missing))}")
    place = {name: number for number, name in enumerate(ORDER)}
    names = sorted(found, key=lambda name: (place.get(name, len(place)), name))
    return [found[name] for name in names]


def summary(results):
    """Return a table of the kinds, with all that was tried and found."""
    rows = [
        (
            mark(result["title"], find_outdated_parts(result)),
            _number(sum(row["tried"] for row in result["rows"])),
            _number(sum(row["defects"] for row in result["rows"])),
            f"``{result['command']}``",
        )
        for result in results
    ]
    return rst_table(("Kind", "Tried", "Defects found, and mended", "Made by"), rows)


def section(result):
    """Return the section of one kind."""
    title = result["title"]
    versions = ", ".join(
        f"{name} {version}" for name, version in result.get("versions", {}).items()
    )
    made = f"Made by ``{result['command']}`` on {result['date']}"
    made += f", with {versions}." if versions else "."
    made += footnote(
        find_outdated_parts(result), _script(result), "Stale: this was", literal="``"
    )
    rows = [
        (
            row["what"],
            _number(row["tried"]),
            row["happened"],
            _number(row["defects"]) + _in_brackets(row.get("mended")),
        )
        for row in result["rows"]
    ]
    header = ("What", "Tried", "What happened", "Defects found")
    return "\n\n".join([f"{title}\n{'=' * len(title)}", made, rst_table(header, rows)])


def _script(result):
    """Return what stands behind "python benchmarks/" in the command."""
    return result["command"].removeprefix("python benchmarks/")


def _in_brackets(text):
    return f" ({text})" if text else ""


def _number(value):
    return f"{value:,}" if isinstance(value, int) else str(value)


def main():
    """Write what stands between the marks of the page."""
    results = read_results()
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, behind = rest.partition(END)
    blocks = [summary(results), *map(section, results)]
    text = f"{before}{BEGIN}\n\n" + "\n\n".join(blocks) + f"\n\n{END}{behind}"
    elsewhere(PAGE).write_text(text)
    print(f"wrote {PAGE.relative_to(ROOT)}: {len(results)} kinds")


if __name__ == "__main__":
    main()
