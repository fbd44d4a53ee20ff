"""What is said of a rebase beside its patches: drivers, what needs a look, what can be proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git import attributes
from tensorflow_macos_build.patchqueue.audit import engine as auditing
from tensorflow_macos_build.patchqueue.proof import proving
from tensorflow_macos_build.patchqueue.queue import locate
from tensorflow_macos_build.patchqueue.replay.replay import whole_merges

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.audit.model import AuditResult
    from tensorflow_macos_build.patchqueue.proof.model import ConflictProof
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.replay.steps import Replay
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus


class NothingLeft(WorkFailed):
    """No patch is left to carry, so that no queue can be written.

    Args:
        folder: the queue's folder.
        instead: what else may be done, behind the hint to delete the queue.
    """

    def __init__(self, folder: Path, instead: str = "") -> None:
        super().__init__(
            "no patch is left to carry: upstream has each of them, or it was left out",
            where=str(folder),
            hint=f"delete the queue: `{locate.removal(folder)}`{instead}",
        )


def audit(
    quarantine: Quarantine,
    history: UpstreamHistory,
    replayed: Replay,
    statuses: Sequence[PatchStatus],
    patches: Sequence[QueueCommit],
    *,
    folder: Path,
    ticker: Ticker = silent,
) -> AuditResult:
    """Audit a rebase: those of its patches that are in the tree, with what was looked at.

    `folder` is the queue's.
    """
    carried = {status.commit for status in statuses if status.in_tree}
    left = [patch for patch in patches if patch.commit in carried]
    return auditing.audit(quarantine, history, replayed.tree, left, folder, ticker=ticker)


def proofs(
    quarantine: Quarantine, patches: Sequence[QueueCommit], replayed: Replay
) -> Iterator[ConflictProof]:
    """Yield what is proven of each conflict of a replay."""
    for position, merged in whole_merges(quarantine, replayed):
        yield proving.prove(quarantine, patches[position].name, merged)


def drivers(quarantine: Quarantine, replayed: Replay) -> tuple[str, ...]:
    """Return the merge drivers, not git's own, that attributes name for merged files."""
    trees: dict[Path | None, str] = {}
    merged: dict[str, dict[str, None]] = {}
    for step in replayed.steps:
        if step.merged is not None:
            ruled_by = step.merged.ruled_by
            # One tree stands for all that have the same .gitattributes: git is asked once for each
            # such set, of which `git_on` keeps a work tree.
            tree = trees.setdefault(quarantine.git_on(ruled_by).work_tree, ruled_by)
            paths = dict.fromkeys(change.path for change in step.changes)
            merged.setdefault(tree, {}).update(paths)
    names = {
        name
        for tree, paths in merged.items()
        for name in quarantine.attribute("merge", tree, list(paths))
    }
    return tuple(sorted(names - attributes.BUILT_IN))
