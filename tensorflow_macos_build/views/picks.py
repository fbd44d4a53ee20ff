"""Picks and what their servers have of them: documents, and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.patchqueue.picking.watch import PickState
from tensorflow_macos_build.patchqueue.verdict import status_document, wording
from tensorflow_macos_build.views import edit
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.picking.pin import Pinned
    from tensorflow_macos_build.patchqueue.picking.watch import WatchedPick

_STYLES = {
    PickState.COMMIT: "",
    PickState.SAME: "",
    PickState.MOVED: "yellow",
    PickState.VANISHED: "yellow",
    PickState.UNPINNED: "bold",
    PickState.UNKNOWN: "yellow",
}


def pinned_document(queue: str, pinned: Pinned) -> documents.Json:
    """Return what pinning did as a document of the schema patches-pin.v1."""
    body = {
        "queue": queue,
        "picks": [watched_body(watched) for watched in pinned.watched],
        "change": pinned.change and edit.as_document(queue, pinned.change),
    }
    return documents.document("patches-pin", 1, body)


def watched_body(watched: WatchedPick) -> documents.Json:
    """Return what a server has of a pick, as documents have it."""
    return {
        "name": watched.pick.name,
        "pull": watched.pick.pull,
        "url": watched.pick.url,
        "state": watched.state.value,
        "pinned": watched.pick.commit,
        "base": watched.pick.base,
        "head": watched.head,
        "merge_reference": watched.has_merge,
        "forced": watched.forced,
        "added": [status_document.commit_part(commit) for commit in watched.added],
        "gone": [status_document.commit_part(commit) for commit in watched.gone],
        "landed_in": list(watched.landed_in),
    }


def pinned_lines(pinned: Pinned, flags: Sequence[str]) -> Iterator[Line]:
    """Yield what servers have of the picks, and what pinning changed.

    Args:
        pinned: what was done.
        flags: how a command line names the queue and what belongs to it.
    """
    yield from watched_lines(pinned.watched, flags)
    if pinned.change is None:
        yield Line("nothing to pin")
    else:
        yield from edit.as_lines(pinned.change, flags)


def watched_lines(picks: Sequence[WatchedPick], flags: Sequence[str]) -> Iterator[Line]:
    """Yield what servers have of picks, and what to type where one moved."""
    for watched in picks:
        yield Line(f"{watched.pick.name}: {_words(watched)}", _STYLES[watched.state])
        for commit in watched.added:
            yield Line(f"    + {wording.named(commit)}")
        for commit in watched.gone:
            yield Line(f"    - {wording.named(commit)}")
        if watched.state is PickState.MOVED:
            line = checkout.command("patches.pin", *flags, "--pick", watched.pick.name)
            yield Line(f"    to follow: {line}")


def _words(watched: WatchedPick) -> str:
    words = [_state(watched)]
    if watched.landed_in:
        words.append(f"landed: in the history of {', '.join(watched.landed_in)}")
    elif watched.head and not watched.has_merge:
        # a trial merge also goes where the request conflicts: more is not to be known from here
        words.append("no trial merge: closed, or in conflict with its branch")
    return "; ".join(words)


def _state(watched: WatchedPick) -> str:
    pinned, head = watched.pick.commit[:12], watched.head[:12]
    match watched.state:
        case PickState.COMMIT:
            return "a commit"
        case PickState.SAME:
            return f"its head is {pinned}, as pinned"
        case PickState.MOVED:
            how = "was forced" if watched.forced else "moved"
            return f"its head {how} to {head}; pinned is {pinned}"
        case PickState.VANISHED:
            return f"its server has no such request; pinned is {pinned or 'nothing'}"
        case PickState.UNPINNED:
            return f"not pinned before; its head is {head}"
        case PickState.UNKNOWN:
            return f"its server could not be asked; pinned is {pinned or 'nothing'}"
