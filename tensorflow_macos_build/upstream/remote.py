"""A remote upstream: a bare clone without file contents, where its server can do so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.upstream import health, store, transfer
from tensorflow_macos_build.upstream.handle import CLONED, Mirror
from tensorflow_macos_build.upstream.patience import shown

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker


def prepare(mirror: Mirror, ticker: Ticker) -> Mirror:
    """Clone the upstream unless a whole clone is there; the caller holds the folder's lock.

    Raises:
        transfer.Unreachable: the server could not be reached.
        UsageError: the upstream is empty or shallow.
        WorkFailed: what the server sent is not whole.
    """
    store.make_view(mirror)
    fault = health.fault(mirror, mirror.folder / "packs.json")
    if fault is not None:
        ticker(0, None, f"cloning {shown(mirror.origin)}: {fault}")
        _clone(mirror, ticker)
    return mirror


def _clone(mirror: Mirror, ticker: Ticker) -> None:
    assert mirror.url is not None
    with store.replacement(mirror) as new:
        store.configure(new, mirror.url)
        new.fetch(CLONED, ticker)
        _refuse_unusable(new)
        # for all that reads it later: references in one file, and commits that need no unpacking
        new.run("pack-refs", "--all")
        new.run("commit-graph", "write", "--reachable")


def _refuse_unusable(new: Mirror) -> None:
    # git takes a page of any web server for a repository without references (gitprotocol-http(5))
    if not new.out("for-each-ref", "--count=1"):
        if page := transfer.page_instead_of_repository(new.origin):
            raise UsageError(
                f"no git repository answers there: the server sent {page}",
                where=shown(new.origin),
                hint="give the address that `git clone` takes, not that of a page about it",
            )
        raise UsageError(
            "the repository is empty: it has no branch and no tag", where=shown(new.origin)
        )
    fault = health.fault(new, new.folder / "packs.json") or health.history_fault(new)
    if fault is not None:
        raise WorkFailed(
            f"what the server sent is not a whole repository: {fault}",
            where=shown(new.origin),
            hint="try again; if it stays so, the server's own repository needs `git fsck`",
        )
