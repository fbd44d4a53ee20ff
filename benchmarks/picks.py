"""Pull requests of a real history as picks: where they begin, what applies, and what has landed.

    python -m benchmarks.picks REPOSITORY BASE ONTO [--limit N]

Every merge commit between two releases that says `Merge pull request #N` is taken for a request, as
a forge keeps its head. Where each begins is set beside `git merge-base` of the merge's sides; those
that apply to BASE, one after the other, make one queue, which is moved to ONTO: all of them were
merged by then, so each that stays is one that upstream changed or took back since.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.git import merges as git_merges
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.picking import fork_point
from tensorflow_macos_build.patchqueue.queue import materialise, picked_change
from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase
from tensorflow_macos_build.patchqueue.queue.picks import Pick
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.upstream import mirror

_MERGE = re.compile(r"Merge pull request #([1-9][0-9]{0,8}) ")
_URL = "https://github.com/tensorflow/tensorflow"


@dataclass(frozen=True)
class Request:
    """A merged request: its number, its head, and where git says that it began."""

    number: str
    head: str
    base: str


def main() -> None:
    """Run the measurement, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository")
    parser.add_argument("base")
    parser.add_argument("onto")
    parser.add_argument("--limit", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        opened = mirror.open(arguments.repository, Path(folder) / "cache")
        base, onto = opened.resolve(arguments.base), opened.resolve(arguments.onto)
        requests = requests_between(opened, base, onto, arguments.limit)
        print(json.dumps(measured(opened, base, onto, requests), indent=2))


def requests_between(opened: mirror.Mirror, base: str, onto: str, limit: int) -> list[Request]:
    """Return the first requests that merges between two commits brought in, the oldest first."""
    form = "--format=%H %P %s"
    listed = opened.line("log", "--merges", "--reverse", form, f"{base}..{onto}").split("\n")
    requests: dict[str, Request] = {}
    for line in listed:
        _, first, head, subject = line.split(" ", 3)
        number = _MERGE.match(subject)
        if number and len(requests) < limit and number[1] not in requests:
            begins = opened.line("merge-base", first, head)
            requests[number[1]] = Request(number[1], head, begins)
    return list(requests.values())


def measured(
    opened: mirror.Mirror, base: str, onto: str, requests: list[Request]
) -> dict[str, object]:
    """Return what became of the requests as picks."""
    times, agree, refused = [], 0, 0
    for request in requests:
        start = time.perf_counter()
        try:
            agree += fork_point.find(opened, request.head, request.number) == request.base
        except MacosBuildError:
            refused += 1
        times.append(time.perf_counter() - start)
    picks = applicable(opened, base, requests)
    queue = Queue("picks", QueueBase(_URL, "base", base), (), Path("picks"), tuple(picks))
    start = time.perf_counter()
    with open_quarantine(opened) as quarantine:
        commits = materialise.queue_commits(queue, quarantine)
        made = time.perf_counter() - start
        result, _ = engine.rebase_in(quarantine, queue.base, onto, commits)
    moved = time.perf_counter() - start - made
    return {
        "requests": len(requests),
        "begin as git says": agree,
        "not told": refused,
        "seconds to find one (median)": round(statistics.median(times), 3),
        "apply": len(picks),
        "seconds to make their commits": round(made, 1),
        "seconds to move them": round(moved, 1),
        "statuses": Counter(patch.status.value for patch in result.patches),
        "still carried": [patch.name for patch in result.patches if patch.in_tree],
    }


def applicable(opened: mirror.Mirror, base: str, requests: list[Request]) -> list[Pick]:
    """Return those that apply to a commit cleanly, one after the other."""
    kept: list[Pick] = []
    with open_quarantine(opened) as quarantine:
        tree = quarantine.tree(base)
        for request in requests:
            pick = Pick(request.head, request.number, request.base, "backport", "never")
            try:
                change = picked_change.read(quarantine, pick, _URL)
                merged = git_merges.merge(quarantine, change.before, tree, change.after)
            except MacosBuildError:
                continue
            if merged.clean and merged.tree != tree:
                tree = merged.tree
                kept.append(pick)
    return kept


if __name__ == "__main__":
    main()
