"""Time the pipeline of README.md, statement by statement, on the Berlin EMO-DB.

    python benchmarks/bench_readme.py

runs the longest block of Python in ``README.md`` as it stands, in an empty folder. The
corpus is that of ``SKEMOTION_EMODB`` or ``--emodb``, and not downloaded. It prints the
minutes of each statement that takes more than a second, and writes
``benchmarks/results/readme.json``, from which ``report.py`` fills in the README.
"""

import argparse
import ast
import os
import re
import tempfile
import time
from functools import partial
from pathlib import Path

from _results import RESULTS as FOLDER
from _smoke import SMOKE, parse_options
from _timing import write_json

from skemotion import datasets

README = Path(__file__).parents[1] / "README.md"
RESULT = FOLDER / "readme.json"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    args = parse_options(parser)
    datasets.fetch_emodb = partial(datasets.load_emodb, args.emodb)
    code = longest_block(README.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        laps = time_statements(code)
        os.chdir(README.parent)
    write_json(
        RESULT,
        {"command": "python benchmarks/bench_readme.py", "laps": laps},
        trains=True,
    )


def longest_block(text):
    """Return the block of Python code that has most characters."""
    return max(re.findall(r"```python\n(.*?)```", text, re.S), key=len)


def time_statements(code):
    """Run code, and list what of it takes more than a second.

    In a smoke run, what is imported is all: a test runs the whole code.
    """
    names, laps = {}, []
    for statement in ast.parse(code).body:
        if SMOKE and not isinstance(statement, ast.Import | ast.ImportFrom):
            break
        source = ast.get_source_segment(code, statement)
        elapsed, used = time.perf_counter(), time.process_time()
        exec(compile(source, "README.md", "exec"), names)
        elapsed = time.perf_counter() - elapsed
        used = time.process_time() - used
        if elapsed > 1:
            print(f"{elapsed / 60:6.1f} min  {source.splitlines()[0]}", flush=True)
            laps.append(
                {"statement": source, "seconds": elapsed, "processor_seconds": used}
            )
    return laps


if __name__ == "__main__":
    main()
