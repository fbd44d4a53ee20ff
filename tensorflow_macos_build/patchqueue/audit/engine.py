"""An audit of one move of a queue: where it is done, and with what was looked at before."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import contents, trees
from tensorflow_macos_build.patchqueue.audit import looked_at
from tensorflow_macos_build.patchqueue.audit.auditor import Auditor
from tensorflow_macos_build.patchqueue.audit.model import AuditResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory


class AuditWhen(Enum):
    """When a move is audited."""

    LOCAL = "local"
    """Where no contents have to be fetched for it: an audit reads all programs of a tree."""
    ALWAYS = "always"
    NEVER = "never"


def contents_read(git: Git, old: str, new: str) -> list[str]:
    """Return the ids of all contents that an audit between two trees may read."""
    before, _ = trees.blob_ids(git, [(old, new)])
    after = {entry.oid for entry in trees.files(git, new).values() if not entry.is_submodule}
    return sorted(before | after)


def audit(
    quarantine: Quarantine,
    history: UpstreamHistory,
    tree: str,
    patches: Sequence[QueueCommit],
    folder: Path,
    *,
    ticker: Ticker = silent,
) -> AuditResult:
    """Audit a move, where the repository has what that reads.

    Args:
        quarantine: holds the patches and the resulting tree.
        history: what upstream did between the two bases.
        tree: what the move came to.
        patches: those of the queue that are in the tree.
        folder: the queue's folder, which knows what was looked at.
        ticker: told what is read.
    """
    git = quarantine.git
    # A partial clone of a server's has what a rebase reads; a complete one lacks nothing that it
    # could fetch, and is audited with what it has.
    if git.server:
        old, new = map(quarantine.tree, (history.old, history.new))
        missing = contents.sizes(git, contents_read(git, old, new)).count(None)
        if missing:
            return AuditResult(not_done=f"{missing:,} files are not here yet")
    result = Auditor(quarantine, history, tree, ticker).audit(patches)
    return looked_at.with_notes(result, looked_at.load(folder))
