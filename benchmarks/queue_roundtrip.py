"""A real fork as a queue: import it, export it, import that, and let plain git apply it all.

    python -m benchmarks.queue_roundtrip REPOSITORY A..B [--am] [--rounds N]

Example: a clone of NVIDIA/tensorflow and v1.15.3..r1.15.3+nv20.09 (639 patches). Checks that the
tree is the same after every way, with `--am` also after `git am` of all files, and prints what the
steps take: medians of interleaved runs, each in a process of its own.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import alternates, trees
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.exchange import exporting, importing
from tensorflow_macos_build.patchqueue.exchange.importing import ImportSource, SourceKind
from tensorflow_macos_build.patchqueue.queue import commit_range, materialise, storage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tensorflow_macos_build.git.objects import TreeEntry


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="queue-roundtrip-") as name:
        folder = Path(name)
        first, last = importing.ends(options.range)
        trees, count = _round_trip(folder, options.repository, first, options.range)
        git = commit_range.repository(options.repository)
        tip = git.line("rev-parse", f"{last}^{{tree}}")
        print(f"{count} patches; the tree of {last} is {tip}")
        _check("import", trees["range"], tip)
        _check("import of the export", trees["mailbox"], tip)
        if options.am:
            _check("git am of all files", git_am(folder, options.repository, first), tip)
        _times(folder / "range", options.repository, options.range, options.rounds)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("repository", type=Path)
    parser.add_argument("range")
    parser.add_argument("--am", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def _round_trip(
    folder: Path, repository: Path, first: str, span: str
) -> tuple[dict[str, str], int]:
    trees = {}
    for kind, address, out in (
        (SourceKind.RANGE, span, "range"),
        (SourceKind.DIFF, str(folder / "all.mbox"), "mailbox"),
    ):
        source = ImportSource(kind, address, str(repository), first)
        history, saved = importing.import_changes(source, folder / out, folder / "cache", silent)
        trees[out] = history.steps[-1].after
        exporting.to_mailbox(saved.queue, folder / "all.mbox")
    of_range, of_mailbox = (
        {path.name: path.read_bytes() for path in (folder / out).iterdir()}
        for out in ("range", "mailbox")
    )
    print(
        "both queues have the same files, byte for byte"
        if of_range == of_mailbox
        else "FILES DIFFER"
    )
    return trees, len(saved.queue.patches)


def git_am(folder: Path, repository: Path, base: str) -> str:
    """Apply all files with `git am`, and return the tree that comes of it.

    On a commit of those of the base's files that the patches touch, with the others beside them
    afterwards: git reads and writes the whole index for each patch, and the other files, of which
    the clone may lack some, make no difference to what it does.
    """
    clone = folder / "clone"
    queue = storage.load(folder / "range")
    changes = [change for patch in queue.patches for change in patch.patch.changes]
    touched = {path for change in changes for path in (change.old_path, change.new_path)}
    source = commit_range.repository(repository)
    entries = trees.files(source, commit_range.resolve(source, base))
    subprocess.run(["git", "init", "-q", str(clone)], check=True)
    alternates.write(clone / ".git", [source.objects_folder()])
    git = partial(_git, clone)
    git("update-index", "-z", "--index-info", stdin=_index_info(entries, touched))
    commit = git("commit-tree", git("write-tree"), "-m", "base")
    git("update-ref", "HEAD", commit)
    git("reset", "-q", "--hard")
    git("am", "-q", "--whitespace=nowarn", *(str(queue.folder / p.name) for p in queue.patches))
    git("update-index", "-z", "--index-info", stdin=_index_info(entries, entries.keys() - touched))
    tree = git("write-tree", "--missing-ok")
    shutil.rmtree(clone)
    return tree


def _index_info(entries: Mapping[bytes, TreeEntry], paths: Collection[bytes]) -> bytes:
    rows = ((path, entry) for path, entry in entries.items() if path in paths)
    return b"".join(b"%s %s\t%s\0" % (e.mode.encode(), e.oid.encode(), path) for path, e in rows)


def _git(clone: Path, *argv: str, stdin: bytes = b"") -> str:
    flags = ("-c", "user.name=x", "-c", "user.email=x@x", "-c", "gc.auto=0")
    done = subprocess.run(
        ["git", "-C", str(clone), *flags, *argv], input=stdin, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def _times(folder: Path, repository: Path, span: str, rounds: int) -> None:
    git = commit_range.repository(repository)
    first, last = importing.ends(span)
    history = commit_range.read(git, first, last)
    queue = storage.load(folder)
    steps = [
        replace(step, name=patch.name)
        for step, patch in zip(history.steps, queue.patches, strict=True)
    ]

    def replayed() -> None:
        with open_quarantine(git) as quarantine:
            materialise.commits(queue, quarantine)

    arms = {
        "read the queue": lambda: storage.load(folder),
        "replay it into commits": replayed,
        "save it anew": lambda: storage.save(
            folder.with_name("new"), queue.base, history.steps, git
        ),
        "save it unchanged": lambda: storage.save(folder, queue.base, steps, git),
    }
    runs = measure.interleaved(
        {name: partial(measure.in_child, body) for name, body in arms.items()}, rounds
    )
    print(measure.machine())
    for name, measured in runs.items():
        seconds, peak = measure.median_seconds(measured), measure.peak_mb(measured)
        print(f"{name:24} {seconds:6.2f} s {peak:6.0f} MB")


def _check(name: str, tree: str, expected: str) -> None:
    print(f"{name:24} {tree}")
    if tree != expected:
        sys.exit(f"{name} makes another tree")


if __name__ == "__main__":
    sys.exit(main())
