"""What each step of a rebase with many conflicts costs: `rebase.start`, then one `continue` each.

    python -m benchmarks.continuing GIT_DIR A...B [--steps N]

with GIT_DIR a clone of valkey-io/valkey and unstable...8.0, or of electron/electron and
43-x-y...42-x-y: the commits of B since it parted from A become a queue in a temporary folder, which
is rebased onto A. Each conflict is settled by the patch's own files, each step is a process of its
own, and what is measured is the step alone: processor seconds, git's included.

Target: what a step costs depends on what it comes to, not on how many were made before it.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from benchmarks.rebase_arms import Bench, import_queue
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue import commit_cache, opening, storage
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.rebase.session import RebaseSession

if TYPE_CHECKING:
    from benchmarks.measure import Run


def main() -> None:
    """Measure, and print a line for each step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("range")
    parser.add_argument("--steps", type=int, default=16)
    arguments = parser.parse_args()
    print(f"{measure.machine()}\n{measure.scratch()}")
    git = Git(arguments.git_dir.resolve())
    upstream, tip = (resolve(git, name) for name in arguments.range.split("..."))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        first = git.line("merge-base", upstream, tip)
        bench = Bench(git, first, tip, upstream, Path(scratch))
        measure.in_child(functools.partial(import_queue, bench, bench.scratch / "queue"))
        print(f"{len(storage.load(bench.scratch / 'queue').patches)} patches")
        measure.in_child(functools.partial(_keep_commits, bench.scratch))
        runs = _walk(bench, arguments.steps)
    third = max(1, len(runs) // 3)
    for name, part in (("first", runs[:third]), ("last", runs[-third:])):
        cpu = statistics.mean(run.cpu_seconds for run in part)
        print(f"the {name} {third} continues: {cpu:.2f} s CPU each")


def _walk(bench: Bench, steps: int) -> list[Run]:
    """Start a rebase and go on with it; return the runs of the `continue`s."""
    runs: list[Run] = []
    for number in range(steps + 1):
        run = measure.in_child(
            functools.partial(_step, bench.scratch, "" if number else bench.onto)
        )
        stopped = json.loads((bench.scratch / "stopped.json").read_text(encoding="utf-8"))
        what = f"continue {number}" if number else "start"
        at = f"patch {stopped['number']} in conflict" if stopped["patch"] else "done"
        print(f"{what}: {run.cpu_seconds:.2f} s CPU, {run.seconds:.2f} s; {at}", flush=True)
        runs += [run] if number else []
        if not stopped["patch"]:
            break
        _settle(bench.scratch / "work", stopped["paths"])
    return runs


def _session(scratch: Path) -> RebaseSession:
    opened = opening.open(scratch / "queue", scratch / "cache")
    return RebaseSession(opened.queue, opened.mirror, scratch / "work")


def _keep_commits(scratch: Path) -> None:
    session = _session(scratch)
    commit_cache.of_queue(session.queue, session.git)


def _step(scratch: Path, onto: str) -> None:
    session = _session(scratch)
    progress = session.start(onto) if onto else session.go_on()
    session.shown(progress)
    names = [patch.name for patch in progress.result.patches]
    number = names.index(progress.patch) + 1 if progress.patch else len(names)
    stopped = {"patch": progress.patch, "number": number, "paths": progress.paths}
    (scratch / "stopped.json").write_text(json.dumps(stopped), encoding="utf-8")


def _settle(work: Path, paths: list[str]) -> None:
    """Take the patch's file at each path; where it has none, none is left."""
    for path in paths:
        unmerged = _git(work, "ls-files", "--unmerged", "-z", "--", f":(literal){path}")
        sides = [record.split() for record in unmerged.split(b"\0") if record]
        theirs = [side[1].decode() for side in sides if side[2] == b"3"]
        (work / path).unlink(missing_ok=True)
        if theirs:
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(_git(work, "cat-file", "blob", theirs[0]))
        # What git left there may be just that: the index says that it is meant.
        _git(work, "update-index", "--add", "--remove", "--", path)


def _git(work: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=work, check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
