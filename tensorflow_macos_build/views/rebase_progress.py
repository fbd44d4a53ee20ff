"""How far work on a rebase's conflicts is: a document, and lines with what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.views import evidence, rebase
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.rebase.step import RebaseProgress


def as_document(name: str, progress: RebaseProgress) -> documents.Json:
    """Return a rebase's progress as a document of the schema rebase-progress.v1."""
    result = progress.result
    body = {
        "queue": name,
        "onto": {"ref": progress.onto_ref, "commit": result.onto},
        "done": progress.done,
        "patch": progress.patch,
        "folder": "" if progress.done else str(progress.folder),
        "paths": list(progress.paths),
        "tree": result.tree,
        "patches": [{"name": patch.name, "status": patch.status.value} for patch in result.patches],
    }
    return documents.document("rebase-progress", 1, body)


def as_lines(name: str, progress: RebaseProgress, flags: Sequence[str]) -> Iterator[Line]:
    """Yield the conflict that a rebase stands at, or its end.

    Args:
        name: the queue as a command line takes it.
        progress: how far the rebase is.
        flags: how a command line names the queue and what belongs to it.
    """
    yield from rebase.drivers_lines(progress.result)
    yield from _end(name, progress, flags) if progress.done else _conflict(progress, flags)


def _conflict(progress: RebaseProgress, flags: Sequence[str]) -> Iterator[Line]:
    patches = progress.result.patches
    number = [patch.name for patch in patches].index(progress.patch) + 1
    yield Line(f"patch {number} of {len(patches)} is in conflict: {progress.patch}", "bold")
    yield from map(Line, evidence.conflict_lines(patches[number - 1]))
    folder = checkout.shown(progress.folder)
    yield Line("")
    yield Line(f"its files are in {folder}; edit them there:")
    for path in progress.paths:
        yield Line(f"  {folder / path}")
    # the patch is named, so that a command that is typed twice settles nothing unseen
    named = ("--patch", progress.patch)
    # A line of its own for each command, which can be copied whole.
    for verb, more, meaning in (
        ("continue", named, "to take them as they are then"),
        ("skip", named, "to leave the patch out"),
        ("abort", (), "to give the rebase up"),
    ):
        yield Line(f"{meaning}:")
        yield Line(f"  {checkout.command(f'rebase.{verb}', *flags, *more)}")


def _end(name: str, progress: RebaseProgress, flags: Sequence[str]) -> Iterator[Line]:
    saved = progress.result.saved
    if saved is None:
        if not progress.note:  # which says all there is
            ends = checkout.command("rebase.continue", *flags)
            is_empty = progress.result.is_empty
            left = "no patch is left to carry" if is_empty else f"{ends} ends it"
            yield Line(f"nothing is in conflict; {left}")
        return
    for patch in progress.result.patches:
        # A patch that upstream took, or that was left out, is gone from the queue: it is named,
        # never silently dropped.
        if not patch.in_tree and patch.status is not Status.CLEAN:
            yield Line(f"no longer in the queue: {patch.name}: {patch.status.value}", "yellow")
    counts = f"{len(saved.kept)} files kept, {len(saved.written)} written"
    yield Line(f"{name} now stands on {progress.onto_ref}: {counts}", "green")
