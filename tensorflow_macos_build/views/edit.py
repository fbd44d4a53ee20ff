"""A change of a queue: a document, and lines on what it did or waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.views import saved as saved_view
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.edit.step import EditProgress
    from tensorflow_macos_build.patchqueue.queue.storage import Saved


def as_document(queue: str, progress: EditProgress) -> documents.Json:
    """Return a change as a document of the schema patches-edit.v1."""
    saved = progress.saved
    body = {
        "queue": queue,
        "done": saved is not None,
        "patches": saved.queue.names if saved else [],
        **saved_view.files(saved),
        "emptied": list(progress.emptied),
        "folder": str(progress.folder or ""),
        "subject": progress.subject,
        "conflicts": list(progress.conflicts),
    }
    return documents.document("patches-edit", 1, body)


def as_lines(progress: EditProgress, flags: Sequence[str]) -> Iterator[Line]:
    """Yield what a change did, or what it waits for and what to type next.

    Args:
        progress: how far the change is.
        flags: how a command line names the queue and what belongs to it.
    """
    if progress.saved is not None:
        yield from _end(progress, progress.saved)
        return
    if progress.folder is not None:
        yield from _work_tree(progress, checkout.shown(progress.folder))
    yield Line(f"then: {checkout.command('patches.continue', *flags)}")
    yield Line(f"or:   {checkout.command('patches.abort', *flags)}")


def _end(progress: EditProgress, saved: Saved) -> Iterator[Line]:
    for subject in progress.emptied:
        # A patch that goes is named: silence would look like a loss.
        yield Line(f"left the queue, it changes nothing any more: {subject}", "yellow")
    yield Line(
        f"{saved.queue.name}: {_counted(saved)}; {len(saved.written)} files "
        f"written, {len(saved.kept)} kept, {len(saved.removed)} names gone"
    )


def _counted(saved: Saved) -> str:
    picks, patches = len(saved.queue.picks), f"{len(saved.queue.patches)} patches"
    return f"{picks} picks, {patches}" if picks else patches


def _work_tree(progress: EditProgress, folder: Path) -> Iterator[Line]:
    if progress.conflicts:
        yield Line(f"`{progress.subject}` conflicts; edit these in {folder}:", "bold")
        for path in progress.conflicts:
            yield Line(f"    {path}")
    else:
        yield Line(f"`{progress.subject}` is checked out in {folder}", "bold")
        yield Line("amend the commit, or make several of it; `git sparse-checkout` shows more")
