"""Set what is proven of conflicts beside what people made of them, in the merges of a history.

    python -m benchmarks.proofs GIT_DIR RANGE…

Every merge of two parents in a range is made anew, the second parent as upstream's side and the
first one as the patch's. Where it conflicts, what is proven (docs/rebase.md) is compared with the
merge as it was committed: a file as a whole, and each region by whether its lines stand there
together. What differs is printed, to be looked at: people also change more than a merge asks for.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import human_merges, measure
from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.proof import proving
from tensorflow_macos_build.patchqueue.replay.conflicts import TreeLookup

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.proof.model import FileProof


def main() -> None:
    """Make the merges anew, and print the counts and the differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth merge")
    parser.add_argument("ranges", nargs="+", metavar="RANGE")
    options = parser.parse_args()
    begun = time.perf_counter()
    counts: Counter[str] = Counter()
    git = Git(options.git_dir)
    listed = git.line(
        "rev-list", "--min-parents=2", "--max-parents=2", "--parents", *options.ranges
    )
    rows = [row.split() for row in listed.splitlines()]
    for start in range(0, len(rows), 100):
        # A quarantine for each hundred: what merges write would fill the disk otherwise.
        with open_quarantine(git) as quarantine:
            for commit, first, second in rows[start : start + 100]:
                counts["merges"] += 1
                try:
                    _remerge(quarantine, commit, first, second, counts)
                except MacosBuildError as error:
                    counts["merges that cannot be made here"] += 1
                    print(f"{commit[:12]}: {error.what}")
    print(measure.machine())
    for name in sorted(counts):
        print(f"{counts[name]:>7}  {name}")
    print(f"{time.perf_counter() - begun:.0f} s")


def _remerge(
    quarantine: Quarantine, commit: str, first: str, second: str, counts: Counter[str]
) -> None:
    merged = human_merges.remade(quarantine, second, first)
    if merged is None:
        counts["merges without one base"] += 1
        return
    if merged.clean:
        return
    counts["merges with conflicts"] += 1
    proof = proving.prove(quarantine, commit, merged)
    counts["conflicts proven as a whole"] += proof.is_whole
    for file in proof.files:
        counts["files in conflict"] += 1
        counts["regions in conflict"] += len(file.hunks)
        entry = TreeLookup(quarantine).at(quarantine.tree(commit), file.path)
        made = None if entry is None else quarantine.objects.blob(entry.oid)
        _compare(commit, file, made, counts)


def _compare(commit: str, file: FileProof, made: bytes | None, counts: Counter[str]) -> None:
    if made is not None and b"\n<<<<<<< " in made:
        counts["files committed with their markers"] += 1
        return
    if file.deleted:
        counts[f"stays-deleted: {_same(made is None)}"] += 1
    for number, hunk in enumerate(file.hunks, 1):
        if hunk is None:
            continue
        same = human_merges.is_there(hunk, made or b"")
        counts[f"{hunk.proof.value}: {_same(same)}"] += 1
        if not same:
            print(f"{commit[:12]}:{file.path} region {number}: {hunk.proof.value}", flush=True)


def _same(same: bool) -> str:
    return "as people did" if same else "otherwise than people did"


if __name__ == "__main__":
    main()
