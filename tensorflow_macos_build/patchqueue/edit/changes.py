"""The changes of a queue that people ask for by name: of patches, and of what flags say.

Each names its request as the task and its arguments, by which a session knows the same command
again (`EditSession.change`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.edit import operations
from tensorflow_macos_build.patchqueue.proof.fates import UnitFate
from tensorflow_macos_build.patchqueue.queue import locate, names
from tensorflow_macos_build.patchqueue.rebase import hunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit
    from tensorflow_macos_build.patchqueue.edit.session import EditSession
    from tensorflow_macos_build.patchqueue.edit.step import EditProgress
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata


def drop(session: EditSession, name: str) -> EditProgress:
    """Take the patch called `name` out of the queue."""
    return session.change(
        lambda _, edits: operations.dropped(edits, _at(edits, name)), ("patches.drop", name)
    )


def fold(session: EditSession, name: str, into: str) -> EditProgress:
    """Make the patch called `name` part of the one called `into`."""
    return session.change(
        lambda _, edits: operations.folded(edits, _at(edits, name), _at(edits, into)),
        ("patches.fold", name, into),
    )


def reorder(session: EditSession, name: str, before: str, after: str) -> EditProgress:
    """Move the patch called `name` before or after another one.

    Raises:
        UsageError: neither or both of the other patches are given, or it is the patch itself.
    """
    if bool(before) == bool(after):
        raise UsageError("give one of --before and --after")

    def move(_: Quarantine, edits: list[PatchEdit]) -> list[PatchEdit]:
        at, target = _at(edits, name), _at(edits, before or after)
        if at == target:
            raise UsageError("a patch cannot stand before or after itself")
        # `moved` counts positions without the patch itself: what stands behind it is one further
        # up.
        return operations.moved(edits, at, target - (at < target) + bool(after))

    request = ("patches.reorder", name, "before" if before else "after", before or after)
    return session.change(move, request)


def split(session: EditSession, name: str, globs: Sequence[str], subject: str) -> EditProgress:
    """Cut the patch called `name` in two.

    Raises:
        UsageError: no file is chosen, or the subject is empty.
    """
    subject = " ".join(subject.split())  # one line, as git makes of a message's first paragraph
    if not subject:
        raise UsageError("--subject says what the new patch does; it is empty")
    if not globs:
        raise UsageError("--path says which files go into the new patch")

    def cut(quarantine: Quarantine, edits: list[PatchEdit]) -> list[PatchEdit]:
        at = _at(edits, name)
        halves = operations.split(quarantine, edits[at], globs, subject)
        return [*edits[:at], *halves, *edits[at + 1 :]]

    return session.change(cut, ("patches.split", name, subject, *globs))


def trim(session: EditSession, name: str, keep: Sequence[int], onto: str) -> EditProgress:
    """Leave hunks of the patch called `name` out.

    Args:
        session: the session.
        name: the patch.
        keep: the numbers of the hunks that stay, as `patches.hunks` shows them.
        onto: an upstream revision; the hunks that landed there are left out.

    Raises:
        UsageError: neither or both are given, no hunk has such a number, or nothing would change.
    """
    if bool(keep) == bool(onto):
        raise UsageError("give one of --keep and --onto")

    def cut(quarantine: Quarantine, edits: list[PatchEdit]) -> list[PatchEdit]:
        at = _at(edits, name)
        numbers = keep or _not_landed(session, quarantine, edits[at].name or "", onto)
        return [*edits[:at], operations.trimmed(quarantine, edits[at], numbers), *edits[at + 1 :]]

    words = [str(number) for number in keep] or ["onto", onto]
    return session.change(cut, ("patches.trim", name, *words))


def _not_landed(
    session: EditSession, quarantine: Quarantine, name: str, onto: str
) -> tuple[int, ...]:
    """Return the numbers of the hunks of a patch that are not upstream at a revision.

    Raises:
        UsageError: all of them are.
    """
    of_patch = hunks.of_queue(quarantine, session.queue, session.git, name, onto)
    left = [item.unit.number for item in of_patch.units if item.fate is not UnitFate.LANDED]
    if not left:
        drop = locate.command("patches.drop", session.queue.folder, name, flags=session.flags)
        raise UsageError(f"all hunks of {name} are in {onto}", hint=f"`{drop}` takes the patch out")
    return tuple(left)


def give_trailers(
    session: EditSession, globs: Sequence[str], metadata: Metadata, *, replace: bool = False
) -> EditProgress:
    """Add trailers to the patches that lack them; with `replace`, to all that are meant.

    Raises:
        UsageError: nothing is to be said, or not so.
    """
    trailers = metadata.trailers()
    if not trailers:
        raise UsageError("give one of --reason, --drop-when, --owner and --upstream")
    texts = [f"{trailer.key}: {trailer.value}" for trailer in trailers]
    return session.change(
        lambda _, edits: operations.with_trailers(edits, globs, trailers, is_replacing=replace),
        # "" parts the two: a pattern may read like a trailer.
        ("patches.trailers", "replace" if replace else "add", *globs, "", *texts),
    )


def _at(edits: Sequence[PatchEdit], name: str) -> int:
    return names.position([edit.name or "" for edit in edits], name)
