"""Make one history of single snapshots of an upstream: a commit each, in the order given.

    python -m benchmarks.snapshot_chain REPOSITORY NAME=GIT_DIR:COMMIT …

REPOSITORY is a bare repository that is made, or gone on with; it borrows the snapshots' objects,
and gets a tag for each NAME. Files whose contents a snapshot lacks are left out, and counted: git
stops at them where a commit's whole difference is read.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

_DATE = "2020-01-01T00:00:00Z"


def main() -> None:
    """Make the repository."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("repository", type=Path)
    parser.add_argument("snapshots", nargs="+", metavar="NAME=GIT_DIR:COMMIT")
    options = parser.parse_args()
    make(options.repository, options.snapshots)


def make(repository: Path, snapshots: list[str]) -> None:
    """Make a commit of each snapshot, the first one without a parent."""
    if not repository.exists():
        subprocess.run(["git", "init", "--quiet", "--bare", repository], check=True)
    named = [snapshot.partition("=")[::2] for snapshot in snapshots]
    folders = dict.fromkeys(f"{where.rpartition(':')[0]}/objects\n" for _, where in named)
    (repository / "objects/info/alternates").write_text("".join(folders), encoding="utf-8")
    parent: list[str] = []
    for name, where in named:
        commit = where.rpartition(":")[2]
        tree, missing = _whole_tree(repository, commit)
        made = _git(repository, "commit-tree", tree, *parent, "-m", f"{name} ({commit})")
        _git(repository, "tag", "--force", name, made)
        parent = ["-p", made]
        print(f"{name}: {made}, {missing} files left out")


def _whole_tree(repository: Path, commit: str) -> tuple[str, int]:
    """Return a commit's tree without the files whose contents are missing, and their number."""
    _git(repository, "read-tree", commit)
    rows = [row.partition("\t") for row in _git(repository, "ls-files", "-sz").split("\0") if row]
    ids = "".join(f"{facts.split()[1]}\n" for facts, _, _ in rows)
    answers = _git(repository, "cat-file", "--batch-check", stdin=ids).splitlines()
    gone = [
        path
        for (facts, _, path), answer in zip(rows, answers, strict=True)
        if answer.endswith(" missing") and not facts.startswith("160000")
    ]
    zeros = "0" * 40
    removed = "".join(f"0 {zeros}\t{path}\0" for path in gone)
    _git(repository, "update-index", "-z", "--index-info", stdin=removed)
    return _git(repository, "write-tree", "--missing-ok"), len(gone)


def _git(repository: Path, *args: str, stdin: str = "") -> str:
    person = {
        f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    dates = {"GIT_AUTHOR_DATE": _DATE, "GIT_COMMITTER_DATE": _DATE}
    done = subprocess.run(
        ["git", f"--git-dir={repository}", *args],
        input=stdin, env={**os.environ, **person, **dates},
        capture_output=True, check=True, encoding="utf-8", errors="surrogateescape",
    )  # fmt: skip
    return done.stdout.rstrip("\n")


if __name__ == "__main__":
    main()
