"""How the tasks that change a queue name its patches, and show where a change is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode, UsageError
from tensorflow_macos_build.patchqueue.edit import operations
from tensorflow_macos_build.patchqueue.edit.session import EditSession
from tensorflow_macos_build.patchqueue.queue import names
from tensorflow_macos_build.patchqueue.queue.model import work_name
from tensorflow_macos_build.tasks.command import emit
from tensorflow_macos_build.views import saved as saved_view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit
    from tensorflow_macos_build.patchqueue.edit.step import EditProgress
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata
    from tensorflow_macos_build.patchqueue.queue.opening import OpenedQueue
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags

_WORK = checkout.path("build/edit")


def step(flags: QueueFlags, take: Callable[[EditSession], EditProgress], *, json: bool) -> ExitCode:
    """Take one step of a change and show where it is then; FAILED while a conflict is left."""
    with Console().progress("patches") as ticker:
        opened = flags.open(ticker)
        opened.prepare(ticker=ticker)
        session = _session(flags, opened)
        edited = take(session)
    if edited.note:
        Console().line(edited.note, "yellow")
    emit(as_document(flags, edited)) if json else show(flags, edited)
    session.shown(edited)  # last: what a kill keeps from people is shown again by the next run
    return ExitCode.FAILED if edited.conflicts else ExitCode.DONE


def abort(flags: QueueFlags) -> None:
    """Give a change up, and say so."""
    with Console().progress("patches") as ticker:
        note = _session(flags, flags.open(ticker, needs_base=False)).abort()
    given_up = f"the change of {flags.name} is given up; the queue is as it was"
    Console(stderr=False).line(note or given_up)


def drop(session: EditSession, name: str) -> EditProgress:
    """Take the patch called `name` out."""
    return session.change(
        lambda _, pieces: operations.dropped(pieces, _at(pieces, name)), ("patches.drop", name)
    )


def fold(session: EditSession, name: str, into: str) -> EditProgress:
    """Make the patch called `name` part of the one called `into`."""
    return session.change(
        lambda _, pieces: operations.folded(pieces, _at(pieces, name), _at(pieces, into)),
        ("patches.fold", name, into),
    )


def reorder(session: EditSession, name: str, before: str, after: str) -> EditProgress:
    """Move the patch called `name` before or after another one.

    Raises:
        UsageError: not exactly one place is given, or it is the patch's own.
    """
    if bool(before) == bool(after):
        raise UsageError("give one of --before and --after")

    def move(_: Quarantine, pieces: list[PatchEdit]) -> list[PatchEdit]:
        at, target = _at(pieces, name), _at(pieces, before or after)
        if at == target:
            raise UsageError("a patch cannot stand before or after itself")
        return operations.moved(pieces, at, target - (at < target) + bool(after))

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

    def cut(pen: Quarantine, pieces: list[PatchEdit]) -> list[PatchEdit]:
        at = _at(pieces, name)
        halves = operations.split(pen, pieces[at], globs, subject)
        return [*pieces[:at], *halves, *pieces[at + 1 :]]

    return session.change(cut, ("patches.split", name, subject, *globs))


def annotate(session: EditSession, globs: Sequence[str], metadata: Metadata) -> EditProgress:
    """Return trailers to the patches that lack them.

    Raises:
        UsageError: nothing is to be said, or not so.
    """
    trailers = metadata.trailers()
    if not trailers:
        raise UsageError("give one of --reason, --drop-when, --owner and --upstream")
    said = [f"{trailer.key}: {trailer.value}" for trailer in trailers]
    return session.change(
        lambda _, pieces: operations.annotated(pieces, globs, trailers),
        ("patches.annotate", *globs, "", *said),
    )


def edit(session: EditSession, name: str) -> EditProgress:
    """Check the patch called `name` out."""
    return session.edit(name)


def _at(pieces: Sequence[PatchEdit], name: str) -> int:
    return names.position([piece.name or "" for piece in pieces], name)


def as_document(flags: QueueFlags, found: EditProgress) -> documents.Json:
    """Return a change as a document of the schema patches-edit.v1."""
    saved = found.saved
    body = {
        "queue": str(flags.folder),
        "done": saved is not None,
        "patches": [patch.name for patch in saved.queue.patches] if saved else [],
        **saved_view.files(saved),
        "emptied": list(found.emptied),
        "folder": str(found.folder or ""),
        "subject": found.subject,
        "conflicts": list(found.conflicts),
    }
    return documents.document("patches-edit", 1, body)


def show(flags: QueueFlags, found: EditProgress) -> None:
    """Tell people what a change did, or what it waits for and what to type next."""
    console = Console(stderr=False)
    if found.saved is not None:
        for subject in found.emptied:
            console.line(f"left the queue, it changes nothing any more: {subject}", "yellow")
        saved = found.saved
        console.line(
            f"{saved.queue.name}: {len(saved.queue.patches)} patches; {len(saved.written)} files "
            f"written, {len(saved.kept)} kept, {len(saved.removed)} names gone"
        )
        return
    if found.folder is not None and found.conflicts:
        folder = checkout.shown(found.folder)
        console.line(f"`{found.subject}` conflicts; edit these in {folder}:", "bold")
        for path in found.conflicts:
            console.line(f"    {path}")
    elif found.folder is not None:
        folder = checkout.shown(found.folder)
        console.line(f"`{found.subject}` is checked out in {folder}", "bold")
        console.line("amend the commit, or make several of it; `git sparse-checkout` shows more")
    console.line(f"then: {checkout.command('patches.continue', *flags.words)}")
    console.line(f"or:   {checkout.command('patches.abort', *flags.words)}")


def _session(flags: QueueFlags, opened: OpenedQueue) -> EditSession:
    folder = _WORK / work_name(opened.folder)
    return EditSession(opened.queue, opened.mirror, folder, Console().line, flags.words)
