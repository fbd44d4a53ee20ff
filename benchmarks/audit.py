"""Audit a queue on revisions of its upstream, or a whole fork as one patch, and count the findings.

    python -m benchmarks.audit GIT_DIR REVISION… --queue FOLDER
    python -m benchmarks.audit GIT_DIR REVISION… --fork BASE..TIP

Prints every finding, to be looked at by hand, the seconds, and the largest memory of the process.
A fork's net difference counts, so that one that merges upstream can be audited, too.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.audit.auditor import Auditor
from tensorflow_macos_build.patchqueue.queue import materialise, storage
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
from tensorflow_macos_build.patchqueue.replay import replay
from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
from tensorflow_macos_build.views import audit as view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.quarantine import Quarantine


def main() -> None:
    """Audit, and print the findings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("revisions", nargs="+", metavar="REVISION")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--queue", type=Path)
    source.add_argument("--fork", metavar="BASE..TIP")
    options = parser.parse_args()
    git = Git(options.git_dir)
    print(measure.machine())
    for revision in options.revisions:
        with open_quarantine(git) as quarantine:
            begun = time.perf_counter()
            if options.queue:
                queue = storage.load(options.queue)
                base = queue.base.commit
                patches: Sequence[QueueCommit] = materialise.queue_commits(queue, quarantine)
            else:
                base, patches = _net_difference(quarantine, git, options.fork)
            _audit(quarantine, base, resolve(git, revision), patches)
            seconds = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{revision}: {len(patches)} patches, {seconds:.1f} s, at most {peak:.0f} MB")


def _net_difference(
    quarantine: Quarantine, git: Git, span: str
) -> tuple[str, Sequence[QueueCommit]]:
    base, tip = (resolve(git, end) for end in span.split("..", 1))
    commit = quarantine.write_commit(quarantine.tree(tip), [base])
    return base, [QueueCommit("fork", commit, "fork", "fork\n")]


def _audit(quarantine: Quarantine, base: str, onto: str, patches: Sequence[QueueCommit]) -> None:
    history = UpstreamHistory(quarantine.git, base, onto)
    moved = replay.replay(quarantine, onto, [patch.commit for patch in patches])
    result = Auditor(quarantine, history, moved.tree).audit(patches)
    for finding in result.findings:
        for line in view.finding_lines(finding):
            print(line.text)
    print(f"{result.names} names, {len(result.findings)} findings, {result.unread} files unread")


if __name__ == "__main__":
    main()
