"""What became of a queue's picks on their server, as far as its references prove it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.git import commit_log, revisions
from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit, described
from tensorflow_macos_build.upstream import pulls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.queue.picks import Pick
    from tensorflow_macos_build.upstream.mirror import Mirror
    from tensorflow_macos_build.upstream.pulls import PullRefs

_SHOWN = 50
"""How many commits are named that a request gained or lost."""


class PickState(Enum):
    """What a pick is on its server."""

    COMMIT = "commit"
    """A commit, which cannot change."""
    SAME = "same"
    """The request's head is what the pick is pinned to."""
    MOVED = "moved"
    """The request's head is another commit. The pick stays what it is pinned to."""
    VANISHED = "vanished"
    """The server has no such request (any more)."""
    UNPINNED = "unpinned"
    """The pick names no commit yet."""
    UNKNOWN = "unknown"
    """Its server could not be asked."""


@dataclass(frozen=True)
class WatchedPick:
    """A pick, and what its server has of it now.

    Attributes:
        pick: the pick.
        state: what it is there.
        head: the full id of the request's head now; "" where there is none, or for a commit.
        has_merge: whether the server keeps a trial merge. Where it keeps none, the request is
            closed or merged, or it conflicts with its branch.
        forced: whether the pinned head is not in the history of the head now.
        added: commits that the head now has and the pinned one has not, the newest first.
        gone: the reverse.
        landed_in: upstream's branches whose history has the pinned head, by their names.
    """

    pick: Pick
    state: PickState
    head: str = ""
    has_merge: bool = False
    forced: bool = False
    added: tuple[UpstreamCommit, ...] = ()
    gone: tuple[UpstreamCommit, ...] = ()
    landed_in: tuple[str, ...] = ()


def look(
    mirror: Mirror, picks: Sequence[Pick], ticker: Ticker = silent, *, lenient: bool = False
) -> tuple[WatchedPick, ...]:
    """Ask the servers of picks what they have of them now; no pick is changed.

    Args:
        mirror: the mirror of the queue's upstream.
        picks: the picks.
        ticker: told what is asked for.
        lenient: let a fork's server be away: what it has is not known then.

    Raises:
        transfer.Unreachable: a server could not be asked.
    """
    asked: dict[str, Mapping[str, PullRefs]] = {}
    for url in dict.fromkeys(pick.url for pick in picks if pick.pull):
        numbers = [pick.pull for pick in picks if pick.url == url and pick.pull]
        with contextlib.suppress(*((MacosBuildError,) if lenient and url else ())):
            asked[url] = pulls.ask(mirror, numbers, ticker, url=url)
    return tuple(
        _watched(mirror, pick, asked.get(pick.url, {}).get(pick.pull), ticker) for pick in picks
    )


def _watched(
    mirror: Mirror, pick: Pick, now: PullRefs | None, ticker: Ticker = silent
) -> WatchedPick:
    landed_in = _holders(mirror, pick.commit)
    if now is None:
        state = PickState.UNKNOWN if pick.pull else PickState.COMMIT
        return WatchedPick(pick, state, landed_in=landed_in)
    watched = WatchedPick(pick, _state(pick, now), now.commit, bool(now.merge), landed_in=landed_in)
    if watched.state is not PickState.MOVED:
        return watched
    return _compared(mirror, watched, ticker)


def _state(pick: Pick, now: PullRefs) -> PickState:
    if not now.commit:
        return PickState.VANISHED
    if not pick.is_pinned:
        return PickState.UNPINNED
    return PickState.SAME if now.commit == pick.commit else PickState.MOVED


def _compared(mirror: Mirror, watched: WatchedPick, ticker: Ticker) -> WatchedPick:
    """Name the commits between the pinned head and the one now, where both are to be had."""
    pick, head = watched.pick, watched.head
    try:
        for oid in (pick.commit, head):
            pulls.bring(mirror, [oid], ticker, url=pick.url, pull=pick.pull)
    except MacosBuildError:  # the state is known all the same
        return watched
    if mirror.line("cat-file", "-t", head) != "commit":
        return watched
    return replace(
        watched,
        forced=not revisions.is_ancestor(mirror, pick.commit, head),
        added=_commits(mirror, head, pick.commit),
        gone=_commits(mirror, pick.commit, head),
    )


def _commits(mirror: Mirror, of: str, without: str) -> tuple[UpstreamCommit, ...]:
    """Return the commits of a request that another state of it lacks; not upstream's own."""
    span = (of, f"^{without}", "--not", "--branches", "--remotes")
    listed = mirror.line("rev-list", "--no-merges", f"--max-count={_SHOWN}", *span).split()
    logged = commit_log.of(mirror, listed) if listed else {}
    return tuple(described(logged[oid], mirror.origin) for oid in listed)


def _holders(mirror: Mirror, commit: str) -> tuple[str, ...]:
    if not commit or mirror.missing([commit]):
        return ()
    form = "--format=%(refname:short)"
    spaces = ("refs/heads", "refs/remotes")
    return tuple(mirror.line("for-each-ref", f"--contains={commit}", form, *spaces).split())
