"""Changing a queue: drop, fold, reorder, split and edit its patches, and let the rest follow.

A change is a list of edits, each a header and what it changes from tree to tree. Edits are
replayed in order on the queue's base; where one no longer stands on the tree it was made for, git's
own three-way merge carries it over.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import merges, trees
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep, is_zero_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tensorflow_macos_build.git.merges import MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.formats.patch import Header
    from tensorflow_macos_build.patchqueue.formats.trailers import Trailer
    from tensorflow_macos_build.patchqueue.queue.materialise import PatchCommit

TreePair = tuple[str, str]
"""The ids of a tree before and after."""


@dataclass(frozen=True)
class PatchEdit:
    """One patch as it shall be.

    Attributes:
        header: its author, date and message.
        changes: what it does, one after the other; more than one when patches are folded.
        name: the file it has; None for a new patch.
        bare: whether its file has no context.
    """

    header: Header
    changes: tuple[TreePair, ...]
    name: str | None
    bare: bool


@dataclass(frozen=True)
class EditConflict:
    """An edit that does not go onto what is before it.

    Attributes:
        key: the edit's position, and that of its change, as `edit.change`: "2.0".
        edit: the edit.
        merged: the merge with its conflicts.
    """

    key: str
    edit: PatchEdit
    merged: MergeResult


@dataclass(frozen=True)
class Restacked:
    """The edits, each on what is before it now.

    Attributes:
        steps: what `storage.save` writes.
        emptied: edits that change nothing any more, and so left.
    """

    steps: tuple[PatchStep, ...]
    emptied: tuple[PatchEdit, ...]


def edits_of(commits: Sequence[PatchCommit], base_tree: str) -> list[PatchEdit]:
    """Return a queue, replayed into commits on a base, as edits."""
    edits = []
    before = base_tree
    for commit in commits:
        patch = commit.patch
        bare = is_zero_context(patch.patch)  # written again, its file has no context either
        edits.append(PatchEdit(patch.patch.header, ((before, commit.tree),), patch.name, bare))
        before = commit.tree
    return edits


def dropped(edits: Sequence[PatchEdit], at: int) -> list[PatchEdit]:
    """Leave an edit out."""
    return [edit for number, edit in enumerate(edits) if number != at]


def moved(edits: Sequence[PatchEdit], at: int, to: int) -> list[PatchEdit]:
    """Let the edit at `at` stand at position `to` of the result."""
    rest = dropped(edits, at)
    return [*rest[:to], edits[at], *rest[to:]]


def folded(edits: Sequence[PatchEdit], at: int, into: int) -> list[PatchEdit]:
    """Join an edit into another one, whose header stays.

    Raises:
        UsageError: they are the same.
    """
    if at == into:
        raise UsageError("a patch cannot be folded into itself")
    # Whichever header stays, the changes keep their order: one may stand on the other.
    first, second = sorted((at, into))
    joined = replace(edits[into], changes=edits[first].changes + edits[second].changes)
    return [joined if number == into else edit for number, edit in enumerate(edits) if number != at]


def annotated(
    edits: Sequence[PatchEdit], globs: Sequence[str], trailers: Sequence[Trailer]
) -> list[PatchEdit]:
    """Add trailers to the edits whose messages have none of that key.

    Args:
        edits: the queue.
        globs: patterns of fnmatch(3); an edit whose file's name fits one is meant, all without one.
        trailers: those to add.

    Raises:
        UsageError: no file's name fits.
    """
    chosen = [
        not globs or any(fnmatch.fnmatchcase(edit.name or "", glob) for glob in globs)
        for edit in edits
    ]
    if not any(chosen):
        raise UsageError(
            f"no patch's file is called {' or '.join(globs)}" if globs else "the queue has no patch"
        )
    return [
        replace(edit, header=edit.header.with_missing(trailers)) if is_chosen else edit
        for edit, is_chosen in zip(edits, chosen, strict=True)
    ]


def split(
    quarantine: Quarantine, edit: PatchEdit, globs: Sequence[str], subject: str
) -> tuple[PatchEdit, PatchEdit]:
    """Cut an edit in two by its files.

    Args:
        quarantine: holds its trees.
        edit: the edit.
        globs: patterns of fnmatch(3); the files that fit one go into the second edit.
        subject: the second edit's subject; the rest of its header is the first one's.

    Raises:
        UsageError: all files fit, or none.
    """
    # One change: an edit of the queue as it is has not been folded.
    ((before, after),) = edit.changes
    (changes,) = trees.between(quarantine.git, [(before, after)])
    chosen = {
        change.path
        for change in changes
        if any(fnmatch.fnmatchcase(change.path, glob) for glob in globs)
    }
    if not chosen or len(chosen) == len(changes):
        listed = "\n".join(sorted(change.path for change in changes))
        amount = "all" if chosen else "none"
        raise UsageError(f"{amount} of the patch's files fit {', '.join(globs)}", detail=listed)
    middle = _partly(
        quarantine, before, [change for change in changes if change.path not in chosen]
    )
    return (
        replace(edit, changes=((before, middle),)),
        PatchEdit(replace(edit.header, subject=subject), ((middle, after),), None, edit.bare),
    )


def _partly(quarantine: Quarantine, before: str, changes: Iterable[PathChange]) -> str:
    """Return the tree that some of a patch's changes make."""
    tree = Overlay(quarantine.objects, before)
    # Deletions first, so that a file can become a folder.
    for path, _, new, _ in sorted(changes, key=lambda change: change.new is not None):
        if new is None:
            tree.remove(path)
            continue
        parts = path.split("/")
        above = [tree.entry("/".join(parts[:depth])) for depth in range(1, len(parts))]
        there = tree.entry(path)
        # A file that becomes a folder, or the reverse, is one change of two paths: both or none.
        if any(entry and not entry.is_tree for entry in above) or (there and there.is_tree):
            raise UsageError(f"`{path}` needs the place of a file that is in the other half")
        tree.put(path, new)
    return tree.write(quarantine)


def restack(
    quarantine: Quarantine, base_tree: str, edits: Sequence[PatchEdit], settled: Mapping[str, str]
) -> Restacked | EditConflict:
    """Replay edits on the base, one after the other, up to the first conflict that is not settled.

    Args:
        quarantine: holds all trees; new ones go there.
        base_tree: what the first edit goes onto.
        edits: in order.
        settled: the trees that somebody made of conflicts, by `EditConflict.key`.
    """
    current = base_tree
    steps: list[PatchStep] = []
    emptied: list[PatchEdit] = []
    for number, edit in enumerate(edits):
        before = current
        for turn, (old, new) in enumerate(edit.changes):
            key = f"{number}.{turn}"
            if current == old:  # what is before it did not change: nor does what it makes of it
                current = new
                continue
            merged = merges.merge(quarantine, old, current, new)
            if not merged.clean and key not in settled:
                return EditConflict(key, edit, merged)
            current = merged.tree if merged.clean else settled[key]
        if current == before:
            emptied.append(edit)
        else:
            steps.append(PatchStep(edit.header, before, current, edit.name, zero_context=edit.bare))
    return Restacked(tuple(steps), tuple(emptied))
