"""What changing a real queue costs: dropping, moving, folding and splitting one of its patches.

    python -m benchmarks.editing GIT_DIR A...B [--rounds N]

with GIT_DIR a clone of electron/electron and 43-x-y...42-x-y: the commits of B since it parted from
A become a queue in a temporary folder. Each operation begins with that queue, in a process of its
own, with the commits of the queue kept as an earlier command left them, and ends with the queue
written back.

Figures are medians of processor seconds, git's included. Target: under 3 s each.
"""

from __future__ import annotations

import argparse
import functools
import glob
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from benchmarks.rebase_arms import Bench, import_queue
from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.edit import changes
from tensorflow_macos_build.patchqueue.edit.session import EditSession
from tensorflow_macos_build.patchqueue.queue import commit_cache, opening, storage
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.measure import Run
    from tensorflow_macos_build.patchqueue.edit.step import EditProgress

    Operation = Callable[[EditSession, Sequence[str]], EditProgress]

OPERATIONS: Mapping[str, Operation] = {
    "drop the last": lambda session, names: changes.drop(session, names[-1]),
    "drop the first": lambda session, names: changes.drop(session, names[0]),
    "move the last to the front": lambda session, names: changes.reorder(
        session, names[-1], names[0], ""
    ),
    "move the first behind the second": lambda session, names: changes.reorder(
        session, names[0], "", names[1]
    ),
    "fold the second into the first": lambda session, names: changes.fold(
        session, names[1], names[0]
    ),
    "split the first of several files": lambda session, _: _split(session),
}
"""By what they do; one that meets a conflict ends with it shown."""


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("range")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{measure.machine()}\n{measure.scratch()}")
    git = Git(arguments.git_dir.resolve())
    upstream, tip = (resolve(git, name) for name in arguments.range.split("..."))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        first = git.line("merge-base", upstream, tip)
        bench = Bench(git, first, tip, upstream, Path(scratch))
        measure.in_child(functools.partial(import_queue, bench, bench.scratch / "queue"))
        print(f"{len(storage.load(bench.scratch / 'queue').patches)} patches")
        arms = {
            name: functools.partial(_measured, bench.scratch, operation)
            for name, operation in OPERATIONS.items()
        }
        for name, runs in measure.interleaved(arms, arguments.rounds).items():
            seconds, cpu = measure.median_seconds(runs), measure.median_cpu_seconds(runs)
            peak = measure.peak_mb(runs)
            print(f"{name}: {cpu:.1f} s CPU, {seconds:.1f} s, peak {peak:.0f} MB")


def _measured(scratch: Path, operation: Operation) -> Run:
    queue, work = scratch / "changed" / "queue", scratch / "work"
    shutil.copytree(scratch / "queue", queue)
    # the operation before this one has kept the commits of what it made, and let others go
    measure.in_child(functools.partial(_commits, scratch, queue))
    try:
        return measure.in_child(functools.partial(_change, scratch, queue, work, operation))
    finally:
        shutil.rmtree(queue.parent)
        shutil.rmtree(work, ignore_errors=True)


def _commits(scratch: Path, queue: Path) -> None:
    opened = opening.open(queue, scratch / "cache")
    commit_cache.of_queue(opened.queue, opened.mirror)


def _split(session: EditSession) -> EditProgress:
    several = next(patch for patch in session.queue.patches if len(patch.patch.changes) > 1)
    path = decode_path(several.patch.changes[0].new_path)
    return changes.split(session, several.name, [glob.escape(path)], "One file")


def _change(scratch: Path, queue: Path, work: Path, operation: Operation) -> None:
    opened = opening.open(queue, scratch / "cache")
    session = EditSession(opened.queue, opened.mirror, work)
    done = operation(session, opened.queue.names)
    print(f"  conflict in {', '.join(done.conflicts)}" if done.conflicts else "  done")


if __name__ == "__main__":
    main()
