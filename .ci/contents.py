"""Lists what a wheel and a source distribution hold, and fails for what they must not.

python .ci/contents.py dist/*.whl dist/*.tar.gz
"""

import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import PurePosixPath

NEEDED = {
    ".whl": [
        "skemotion/py.typed",
        "skemotion/__init__.pyi",
        "skemotion/pretrained/emodb.skemotion",
        "skemotion/pretrained/emodb.onnx",
        "skemotion/pretrained/NOTICE",
        "skemotion/datasets/data/emodb.sha256",
        "skemotion/report/templates/page.html.j2",
    ],
    ".gz": [
        "LICENSE",
        "NOTICE",
        "README.md",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "pyproject.toml",
        ".ci/oldest.txt",
        "docs/conf.py",
        "examples/plot_train_and_predict.py",
        "skemotion/py.typed",
        "tests/conftest.py",
        "tests/data/bundle-1.skemotion",
    ],
}
UNWANTED = (
    "__pycache__",
    ".pyc",
    ".joblib.tmp",
    ".env",
    ".git/",
    "_build",
    "generated",
)


def names_in(path):
    """Return the names of the files in an archive, without its own folder."""
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as archive:
            return [name for name in archive.namelist() if not name.endswith("/")]
    with tarfile.open(path) as archive:
        files = [member.name for member in archive.getmembers() if member.isfile()]
    return [name.partition("/")[2] for name in files]


def main(paths):
    """List each archive by folder; return what is missing or too much."""
    faults = []
    for path in map(str, paths):
        names = names_in(path)
        folders = Counter(
            "/".join(PurePosixPath(each).parts[:2][:-1]) for each in names
        )
        print(f"{PurePosixPath(path).name}: {len(names)} files")
        for folder, count in sorted(folders.items()):
            print(f"  {count:5d}  {folder or '.'}")
        needed = NEEDED[PurePosixPath(path).suffix]
        faults += [f"{path} lacks {name}" for name in needed if name not in names]
        faults += [
            f"{path} holds {name}"
            for name in names
            if any(part in name for part in UNWANTED)
        ]
    return faults


if __name__ == "__main__":
    sys.exit("\n".join(main(sys.argv[1:])) or 0)
