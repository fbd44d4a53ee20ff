"""Changing a queue: drop, fold, reorder, split and edit its patches, and let the rest follow.

A change is a list of pieces, each a header and what it changes from tree to tree. Pieces are
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
    """A piece that does not go onto what is before it.

    Attributes:
        place: the piece's position, and that of its change, as `piece.change`.
        piece: the piece.
        merged: the merge with its conflicts.
    """

    place: str
    piece: PatchEdit
    merged: MergeResult


@dataclass(frozen=True)
class Restacked:
    """The pieces on their new places.

    Attributes:
        steps: what `storage.save` writes.
        emptied: pieces that change nothing any more, and so left.
    """

    steps: tuple[PatchStep, ...]
    emptied: tuple[PatchEdit, ...]


def edits_of(commits: Sequence[PatchCommit], base_tree: str) -> list[PatchEdit]:
    """Return a queue, replayed into commits on a base, as pieces."""
    pieces = []
    before = base_tree
    for commit in commits:
        patch = commit.patch
        bare = is_zero_context(patch.patch)
        pieces.append(PatchEdit(patch.patch.header, ((before, commit.tree),), patch.name, bare))
        before = commit.tree
    return pieces


def dropped(pieces: Sequence[PatchEdit], at: int) -> list[PatchEdit]:
    """Leave a piece out."""
    return [piece for number, piece in enumerate(pieces) if number != at]


def moved(pieces: Sequence[PatchEdit], at: int, to: int) -> list[PatchEdit]:
    """Let the piece at `at` stand at position `to` of the result."""
    rest = dropped(pieces, at)
    return [*rest[:to], pieces[at], *rest[to:]]


def folded(pieces: Sequence[PatchEdit], at: int, into: int) -> list[PatchEdit]:
    """Join a piece into another one, whose header stays.

    Raises:
        UsageError: they are the same.
    """
    if at == into:
        raise UsageError("a patch cannot be folded into itself")
    first, second = sorted((at, into))
    joined = replace(pieces[into], changes=pieces[first].changes + pieces[second].changes)
    return [
        joined if number == into else piece for number, piece in enumerate(pieces) if number != at
    ]


def annotated(
    pieces: Sequence[PatchEdit], globs: Sequence[str], trailers: Sequence[Trailer]
) -> list[PatchEdit]:
    """Return trailers to the pieces whose messages have none of that key.

    Args:
        pieces: the queue.
        globs: patterns of fnmatch(3); a piece whose file's name fits one is meant, all without one.
        trailers: what is to be said.

    Raises:
        UsageError: no file's name fits.
    """
    meant = [
        not globs or any(fnmatch.fnmatchcase(piece.name or "", glob) for glob in globs)
        for piece in pieces
    ]
    if not any(meant):
        raise UsageError(
            f"no patch's file is called {' or '.join(globs)}" if globs else "the queue has no patch"
        )
    return [
        replace(piece, header=piece.header.with_missing(trailers)) if is_meant else piece
        for piece, is_meant in zip(pieces, meant, strict=True)
    ]


def split(
    pen: Quarantine, piece: PatchEdit, globs: Sequence[str], subject: str
) -> tuple[PatchEdit, PatchEdit]:
    """Cut a piece in two by its files.

    Args:
        pen: holds its trees.
        piece: the piece.
        globs: patterns of fnmatch(3); the files that fit one go into the second piece.
        subject: the second piece's subject; the rest of its header is the first one's.

    Raises:
        UsageError: all files fit, or none.
    """
    ((before, after),) = piece.changes
    (changes,) = trees.between(pen.git, [(before, after)])
    chosen = {
        change.path
        for change in changes
        if any(fnmatch.fnmatchcase(change.path, glob) for glob in globs)
    }
    if not chosen or len(chosen) == len(changes):
        listed = "\n".join(sorted(change.path for change in changes))
        amount = "all" if chosen else "none"
        raise UsageError(f"{amount} of the patch's files fit {', '.join(globs)}", detail=listed)
    middle = _partly(pen, before, [change for change in changes if change.path not in chosen])
    return (
        replace(piece, changes=((before, middle),)),
        PatchEdit(replace(piece.header, subject=subject), ((middle, after),), None, piece.bare),
    )


def _partly(pen: Quarantine, before: str, changes: Iterable[PathChange]) -> str:
    """Return the tree that some of a patch's changes make."""
    tree = Overlay(pen.objects, before)
    for path, _, new, _ in sorted(changes, key=lambda change: change.new is not None):
        if new is None:
            tree.remove(path)
            continue
        parts = path.split("/")
        above = [tree.entry("/".join(parts[:depth])) for depth in range(1, len(parts))]
        there = tree.entry(path)
        if any(found and not found.is_tree for found in above) or (there and there.is_tree):
            raise UsageError(f"`{path}` needs the place of a file that is in the other half")
        tree.put(path, new)
    return tree.write(pen)


def restack(
    pen: Quarantine, base_tree: str, pieces: Sequence[PatchEdit], settled: Mapping[str, str]
) -> Restacked | EditConflict:
    """Replay pieces on the base, one after the other, up to the first conflict that is not settled.

    Args:
        pen: holds all trees; new ones go there.
        base_tree: what the first piece goes onto.
        pieces: in order.
        settled: the trees that somebody made of conflicts, by `EditConflict.place`.
    """
    current = base_tree
    steps: list[PatchStep] = []
    emptied: list[PatchEdit] = []
    for number, piece in enumerate(pieces):
        before = current
        for turn, (old, new) in enumerate(piece.changes):
            place = f"{number}.{turn}"
            if current == old:
                current = new
                continue
            merged = merges.merge(pen, old, current, new)
            if not merged.clean and place not in settled:
                return EditConflict(place, piece, merged)
            current = merged.tree if merged.clean else settled[place]
        if current == before:
            emptied.append(piece)
        else:
            steps.append(PatchStep(piece.header, before, current, piece.name, bare=piece.bare))
    return Restacked(tuple(steps), tuple(emptied))
