"""A real fork that merged upstream for years as a queue: one patch a commit, and one a folder.

    python -m benchmarks.merging_fork REPOSITORY A..B [--levels N] [--am] [--onto COMMIT]

Example: a clone of graphcore/tensorflow and v2.4.1..r2.4/sdk-release-2.4, whose first commit on
v2.4.1 merges the whole fork into that release. Imports the range both ways, replays each queue
from its files on its base, and compares the tree with the fork's; with `--am`, plain git does so,
too; with `--onto` each queue is moved to that commit, and the
patches are counted by what becomes of them. Prints what was made, the seconds, and the most memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.queue_roundtrip import git_am
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.exchange import importing, topics
from tensorflow_macos_build.patchqueue.exchange.importing import (
    ImportSource,
    MergingRange,
    SourceKind,
)
from tensorflow_macos_build.patchqueue.queue import commit_range, materialise, storage
from tensorflow_macos_build.patchqueue.replay import replay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.materialise import PatchCommit


def main() -> int:
    """Import a fork both ways; 1 where a queue does not make the fork's tree."""
    options = _options()
    ways = {
        "--first-parent": MergingRange(),
        f"--by-topic {options.levels}": MergingRange(topics.by_folder(options.levels)),
    }
    with tempfile.TemporaryDirectory(prefix="merging-fork-") as folder:
        equal = [
            _measured(name, way, Path(folder) / str(number), options)
            for number, (name, way) in enumerate(ways.items())
            if options.only in name
        ]
    return 0 if all(equal) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("repository", type=Path)
    parser.add_argument("range")
    parser.add_argument("--levels", type=int, default=3)
    parser.add_argument("--only", default="", help="a part of the way's name")
    parser.add_argument("--am", action="store_true")
    parser.add_argument("--onto", default="", help="a commit to move the queues to")
    return parser.parse_args()


def _measured(name: str, way: MergingRange, folder: Path, options: argparse.Namespace) -> bool:
    """Import the range one way, print what came of it; return whether the tree is right."""
    first, last = importing.ends(options.range)
    upstream = str(options.repository)
    source = ImportSource(SourceKind.RANGE, options.range, upstream, first, merging=way)
    begin = time.monotonic()
    with Console().progress(name) as ticker:
        imported, saved = importing.import_changes(
            source, folder / "range", folder / "cache", ticker
        )
    seconds = time.monotonic() - begin
    git = commit_range.repository(options.repository)
    wanted = git.line("rev-parse", f"{last}^{{tree}}")
    queue = storage.load(saved.queue.folder)
    with open_quarantine(git) as quarantine:
        commits = materialise.commits(queue, quarantine)
        trees = {"replay": commits[-1].tree}
        moved = _moved(quarantine, commits, options.onto) if options.onto else ""
    if options.am:
        trees["git am"] = git_am(folder, options.repository, queue.base.commit)
    size = sum(len(patch.content) for patch in queue.patches)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{name}: {len(queue.patches)} patches, {size >> 20} MB, on {queue.base.commit[:12]}")
    print(f"  {len(imported.upstream_merges)} merges of upstream taken out")
    print(
        f"  {len(imported.conflicted)} commits conflict with the base, {len(imported.empty)} empty"
    )
    for note in imported.notes:
        print(f"  {note}")
    for judge, tree in trees.items():
        print(f"  {judge}: {tree}, the fork's: {tree == wanted}")
    print(f"  {seconds:.0f} s, {peak} MB at most")
    if moved:
        print(f"  moved to {options.onto}: {moved}")
    return all(tree == wanted for tree in trees.values())


def _moved(quarantine: Quarantine, commits: Sequence[PatchCommit], onto: str) -> str:
    """Return how many patches come out how on a commit, and the seconds."""
    begin = time.monotonic()
    target = commit_range.resolve(quarantine.git, onto)
    with Console().progress("move") as ticker:
        moved = replay.replay(quarantine, target, [c.change for c in commits], ticker=ticker)
    counts = Counter(step.outcome.value for step in moved.steps)
    listed = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    return f"{listed}, {time.monotonic() - begin:.0f} s"


if __name__ == "__main__":
    raise SystemExit(main())
