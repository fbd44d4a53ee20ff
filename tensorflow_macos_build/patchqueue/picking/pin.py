"""Taking changes by reference: a new pick, and what a pull request is pinned to.

Servers are asked before the queue is locked, and what they answer becomes a change of the queue
like any other: its patches follow, and a conflict is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.patchqueue.edit import operations
from tensorflow_macos_build.patchqueue.edit.operations import Restacked
from tensorflow_macos_build.patchqueue.picking import fork_point, wanted, watch
from tensorflow_macos_build.patchqueue.picking.watch import PickState
from tensorflow_macos_build.patchqueue.queue import (
    conditions,
    names,
    picked_change,
    picks,
    prefetch,
)
from tensorflow_macos_build.patchqueue.queue.picks import Pick
from tensorflow_macos_build.patchqueue.queue.queue_files import QUEUE_FILE
from tensorflow_macos_build.upstream import pulls
from tensorflow_macos_build.upstream.patience import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit
    from tensorflow_macos_build.patchqueue.edit.session import EditSession
    from tensorflow_macos_build.patchqueue.edit.step import EditProgress
    from tensorflow_macos_build.patchqueue.picking.watch import WatchedPick
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata
    from tensorflow_macos_build.upstream.mirror import Mirror


@dataclass(frozen=True)
class PickRequest:
    """A pick as somebody wants it.

    Attributes:
        what: the change, as `wanted.parse` takes it.
        metadata: its reason, the condition that ends it, and its owner.
        paths: patterns of the files that are taken; all without one.
        url: the repository that has it; "": upstream's, or the project of the page that is named.
        base: the commit that a pull's change begins at; "": where it parts from upstream.
    """

    what: str
    metadata: Metadata
    paths: tuple[str, ...] = ()
    url: str = ""
    base: str = ""


@dataclass(frozen=True)
class Pinned:
    """What pinning did.

    Attributes:
        watched: the queue's picks, and what their servers have of them now.
        change: the change of the queue; None: there was nothing to pin.
    """

    watched: tuple[WatchedPick, ...]
    change: EditProgress | None


def pick(
    session: EditSession, mirror: Mirror, request: PickRequest, ticker: Ticker = silent
) -> EditProgress:
    """Add a pick to a queue, behind those that it has.

    Raises:
        UsageError: there is no such change, or it changes nothing of what is taken.
        transfer.Unreachable: the server could not be asked.
    """
    chosen = _chosen(mirror, session.queue.base.upstream, request, ticker)
    _prefetch(session, mirror, [chosen], ticker)

    def add(quarantine: Quarantine, edits: list[PatchEdit]) -> list[PatchEdit]:
        of_picks = [edit.pick for edit in edits if edit.pick is not None]
        of_file = str(session.queue.folder / QUEUE_FILE)
        picks.refuse_twice([*of_picks, chosen], [of_file] * (len(of_picks) + 1))
        ahead = [*edits[: len(of_picks)], _edit(session, quarantine, chosen)]
        _refuse_without_effect(session, quarantine, ahead)
        return [*ahead, *edits[len(of_picks) :]]

    texts = (chosen.reason, chosen.drop_when, chosen.owner, chosen.url, *chosen.paths)
    task = ("patches.pick", chosen.name, chosen.commit, chosen.base, *texts)
    return session.change(add, task)


def pin(
    session: EditSession, mirror: Mirror, name: str = "", base: str = "", ticker: Ticker = silent
) -> Pinned:
    """Pin the picks that are not pinned, or one anew, to what their servers have now.

    Args:
        session: the queue's.
        mirror: its upstream.
        name: the pick that is pinned anew; "": only those are pinned that are not.
        base: the commit that its change begins at; "": where it parts from upstream.
        ticker: told what is asked for.

    Raises:
        UsageError: there is no such pick, or its server has nothing of it.
        transfer.Unreachable: a server could not be asked.
    """
    mirror.refresh(ticker)
    queue = session.queue
    watched = watch.look(mirror, queue.picks, ticker)
    chosen = _to_pin(watched, name)
    new = {w.pick.name: _pinned(mirror, w, base, ticker) for w in chosen}
    new = {key: made for key, made in new.items() if made not in queue.picks}
    if not new:
        return Pinned(watched, None)
    _prefetch(session, mirror, new.values(), ticker)

    def move(quarantine: Quarantine, edits: list[PatchEdit]) -> list[PatchEdit]:
        return [
            _edit(session, quarantine, new[edit.name])
            if edit.pick is not None and edit.name in new
            else edit
            for edit in edits
        ]

    ids = (word for made in new.values() for word in (made.name, made.commit, made.base))
    return Pinned(watched, session.change(move, ("patches.pin", *ids)))


def vendor(session: EditSession, name: str) -> EditProgress:
    """Make a patch of the pick called `name`, the first one of the queue."""
    return session.change(
        lambda _, edits: operations.vendored(
            edits, names.position([edit.name or "" for edit in edits], name, kind="pick")
        ),
        ("patches.vendor", name),
    )


def _prefetch(session: EditSession, mirror: Mirror, chosen: Iterable[Pick], ticker: Ticker) -> None:
    """Make present what the queue's work with picks reads, in one request."""
    known = (pick for pick in session.queue.picks if pick.is_pinned)
    queue = replace(session.queue, picks=(*known, *chosen))
    prefetch.for_queue(queue, mirror, ticker=ticker)


def _edit(session: EditSession, quarantine: Quarantine, chosen: Pick) -> PatchEdit:
    upstream = session.queue.base.upstream
    return operations.of_change(picked_change.read(quarantine, chosen, upstream))


def _refuse_without_effect(
    session: EditSession, quarantine: Quarantine, edits: Sequence[PatchEdit]
) -> None:
    """Raise a UsageError where the last edit changes nothing of what those before it make."""
    base = session.queue.base
    (tree,) = trees.of_commits(quarantine.git, [base.commit])
    restacked = operations.restack(quarantine, tree, edits, {})
    # Without this the pick would be left out like a patch that lost its effect, by exit code 0.
    if isinstance(restacked, Restacked) and edits[-1] in restacked.emptied:
        what = f"{base.ref} has it already" + (", or a pick before it" if edits[1:] else "")
        raise UsageError(what, where=edits[-1].name or "", hint="nothing is to be done")


def _chosen(mirror: Mirror, upstream: str, request: PickRequest, ticker: Ticker) -> Pick:
    what = wanted.parse(request.what)
    stated = request.metadata
    stated.trailers()  # refuses what is no reason and no condition
    if not stated.reason or not stated.drop_when:
        raise UsageError("a pick needs --reason and --drop-when")
    conditions.parse(stated.drop_when, "--drop-when")
    is_own = what.project == upstream.removesuffix("/").removesuffix(".git")
    url = request.url or ("" if is_own else what.project)
    if url.startswith("-") or shown(url) != url:
        raise UsageError(
            "--url takes an address without a password or a token, or a path",
            where=shown(url),
            hint="credentials are found by git: in a credential helper, or in ~/.netrc",
        )
    plain = Pick(
        what.commit, what.pull, "", stated.reason, " ".join(stated.drop_when.split()),
        " ".join(stated.owner.split()), request.paths, url,
    )  # fmt: skip
    mirror.refresh(ticker)
    if not what.pull:
        return replace(plain, commit=_full_id(mirror, plain, ticker))
    (watched,) = watch.look(mirror, [plain], ticker)
    return _pinned(mirror, watched, request.base, ticker)


def _full_id(mirror: Mirror, plain: Pick, ticker: Ticker) -> str:
    """Return the full id of a commit; of another repository only a full one can be asked for."""
    if len(plain.commit) == 40:
        pulls.bring(mirror, [plain.commit], ticker, url=plain.url)
    return mirror.resolve(plain.commit, ticker)


def _to_pin(watched: tuple[WatchedPick, ...], name: str) -> list[WatchedPick]:
    if not name:
        return [w for w in watched if not w.pick.is_pinned]
    return [watched[names.position([w.pick.name for w in watched], name, kind="pick")]]


def _pinned(mirror: Mirror, watched: WatchedPick, base: str, ticker: Ticker) -> Pick:
    """Return a pick as it is pinned to what its server has now.

    Raises:
        UsageError: the server has no such request, or its reference names no commit.
    """
    chosen, head = watched.pick, watched.head
    if watched.state is PickState.COMMIT:
        return chosen
    if not head:
        raise UsageError(
            f"the server has neither refs/pull/{chosen.pull}/head nor "
            f"refs/merge-requests/{chosen.pull}/head",
            where=chosen.name,
            hint="a local repository has them when they were fetched; name the server's address",
        )
    pulls.bring(mirror, [head], ticker, url=chosen.url, pull=chosen.pull)
    if (kind := mirror.line("cat-file", "-t", head)) != "commit":
        raise UsageError(f"its reference names a {kind}, and no commit", where=chosen.name)
    begins = mirror.resolve(base, ticker) if base else fork_point.find(mirror, head, chosen.name)
    return replace(chosen, commit=head, base=begins)
