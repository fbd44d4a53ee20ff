"""Changing a queue: drop, fold, reorder, split and edit its patches, and let the rest follow.

A change is a list of edits, each a header and what it changes from tree to tree. Edits are
replayed in order on the queue's base; where one no longer stands on the tree it was made for, a
three-way merge carries it over as in a rebase.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.file_merges import FileMerger
from tensorflow_macos_build.patchqueue.formats.patch import Header
from tensorflow_macos_build.patchqueue.formats.people import NO_ADDRESS, Identity, Moment
from tensorflow_macos_build.patchqueue.proof import units
from tensorflow_macos_build.patchqueue.queue import (
    commit_cache,
    materialise,
    partial,
    pick_order,
    picked_change,
)
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep, is_zero_context
from tensorflow_macos_build.patchqueue.replay.patched_tree import PatchedTree, TreePair

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tensorflow_macos_build.git.merges import MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.formats.trailers import Trailer
    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.patchqueue.queue.picked_change import PickedChange
    from tensorflow_macos_build.patchqueue.queue.picks import Pick

_UNKNOWN = Header(Identity("unknown", NO_ADDRESS), Moment(0, "+0000"), "not pinned yet", "")
"""Stands for the header of a pick that is not pinned: nobody has seen its change."""


@dataclass(frozen=True)
class PatchEdit:
    """One patch as it shall be.

    Attributes:
        header: its author, date and message.
        changes: what it does, one after the other, as ids of trees before and after; more than one
            when patches are folded.
        name: the file it has, or its pick's name; None for a new patch.
        bare: whether its file has no context.
        pick: the pick that it is; one that is not pinned has no changes.
        of_file: the ids of the trees that its file on disk was last applied between, where known.
    """

    header: Header
    changes: tuple[tuple[str, str], ...]
    name: str | None
    bare: bool
    pick: Pick | None = None
    of_file: tuple[str, str] | None = field(default=None, compare=False)


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


def edits_of(quarantine: Quarantine, queue: Queue) -> list[PatchEdit]:
    """Return a queue as edits, in the quarantine that gets its commits.

    A pick that is not pinned, or whose commits are not here, is an edit without changes. One that
    does not apply is an edit all the same: what conflicts is settled with the change.
    """
    edits = [_of_pick(quarantine, pick, queue.base.upstream) for pick in queue.picks]
    pairs = applied(quarantine, queue, quarantine.source)
    for patch in queue.patches:
        pair = pairs[patch.name]
        bare = is_zero_context(patch.patch)  # written again, its file has no context either
        edits.append(PatchEdit(patch.header, (pair,), patch.name, bare, of_file=pair))
    return edits


def applied(quarantine: Quarantine, queue: Queue, git: Git) -> dict[str, tuple[str, str]]:
    """Return the trees that each patch's file is applied between, by its name.

    `git` keeps the queue's commits: no file is applied that was applied before.
    """
    usable = materialise.applicable(queue, quarantine)
    made = commit_cache.of_queue(usable, git)[len(usable.picks) :]
    names = [name for patch in made for name in (f"{patch.commit}^", patch.commit)]
    sides = iter(trees.of_commits(quarantine.git, names))
    pairs = zip(sides, sides, strict=True)
    return {patch.name: pair for patch, pair in zip(made, pairs, strict=True)}


def _of_pick(quarantine: Quarantine, pick: Pick, upstream: str) -> PatchEdit:
    if materialise.is_here(quarantine, pick):
        return of_change(picked_change.read(quarantine, pick, upstream))
    return PatchEdit(_UNKNOWN, (), pick.name, bare=False, pick=pick)


def of_change(change: PickedChange) -> PatchEdit:
    """Return a pick's change as an edit."""
    sides = ((change.before, change.after),)
    return PatchEdit(change.header, sides, change.name, bare=False, pick=change.pick)


class PickRefused(UsageError):
    """Something that is not done with a pick.

    Args:
        what: what is refused, in a sentence.
        words: the task that helps, and its arguments but for the queue.
        meaning: what that task does.
    """

    def __init__(self, what: str, words: tuple[str, ...], meaning: str) -> None:
        super().__init__(what)
        self.words = words
        self.meaning = meaning


def vendored(edits: Sequence[PatchEdit], at: int) -> list[PatchEdit]:
    """Let a pick be the first patch of the queue.

    Raises:
        UsageError: it is no pick, or not pinned.
    """
    edit = edits[at]
    if edit.pick is None:
        raise UsageError(f"{edit.name} is a patch already, and no pick")
    if not edit.changes:
        raise PickRefused(
            f"{edit.name} has no change to make a patch of", ("patches.pin",), "pins it first"
        )
    patch = replace(edit, name=None, pick=None)
    rest = dropped(edits, at)
    first = next((number for number, other in enumerate(rest) if other.pick is None), len(rest))
    return [*rest[:first], patch, *rest[first:]]


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
    refuse_pick(edits[at])
    refuse_pick(edits[into])
    # Whichever header stays, the changes keep their order: one may stand on the other.
    first, second = sorted((at, into))
    joined = replace(edits[into], changes=edits[first].changes + edits[second].changes)
    return [joined if number == into else edit for number, edit in enumerate(edits) if number != at]


def trimmed(quarantine: Quarantine, edit: PatchEdit, keep: Collection[int]) -> PatchEdit:
    """Let a patch keep only some of its hunks, by their numbers (`proof.units`).

    Raises:
        UsageError: it has no such hunk, or nothing would be left out.
    """
    refuse_pick(edit)
    before, after = edit.changes[0][0], edit.changes[-1][1]
    parts = units.units_of(quarantine, before, after)
    if missing := set(keep) - {unit.number for unit in parts}:
        raise UsageError(f"{edit.name} has no hunk {min(missing)}; it has {len(parts)}")
    chosen = [unit for unit in parts if unit.number in keep]
    if len(chosen) == len(parts):
        raise UsageError(f"nothing of {edit.name} would be left out")
    for unit in chosen:
        others = {other.number for other in units.bound_to(unit, parts)}
        if lacking := others - set(keep):
            raise UsageError(
                f"hunk {unit.number} of {edit.name} needs hunk {min(lacking)}: a file that becomes "
                "a folder, or the reverse, is one change"
            )
    return replace(edit, changes=((before, units.tree_with(quarantine, before, after, chosen)),))


def with_trailers(
    edits: Sequence[PatchEdit],
    globs: Sequence[str],
    trailers: Sequence[Trailer],
    *,
    is_replacing: bool,
) -> list[PatchEdit]:
    """Add trailers to the edits whose messages have none of that key.

    Args:
        edits: the queue.
        globs: patterns of fnmatch(3); an edit whose file's name fits one is meant, all without one.
        trailers: those to give.
        is_replacing: whether edits that have some of that key get the new value, too.

    Raises:
        UsageError: no file's name fits.
    """
    # what is said of a pick stands in queue.yaml
    chosen = [
        edit.pick is None
        and (not globs or any(fnmatch.fnmatchcase(edit.name or "", glob) for glob in globs))
        for edit in edits
    ]
    if not any(chosen):
        raise UsageError(
            f"no patch's file is called {' or '.join(globs)}" if globs else "the queue has no patch"
        )
    return [
        replace(edit, header=_given(edit.header, trailers, is_replacing)) if is_chosen else edit
        for edit, is_chosen in zip(edits, chosen, strict=True)
    ]


def _given(header: Header, trailers: Sequence[Trailer], is_replacing: bool) -> Header:
    return header.with_replaced(trailers) if is_replacing else header.with_missing(trailers)


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
    refuse_pick(edit)
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
    middle = partial.tree(quarantine, before, (c for c in changes if c.path not in chosen))
    return (
        replace(edit, changes=((before, middle),)),
        PatchEdit(replace(edit.header, subject=subject), ((middle, after),), None, edit.bare),
    )


def refuse_missing(edits: Sequence[PatchEdit]) -> None:
    """Raise a UsageError where the commits of a pinned pick are not here."""
    for edit in edits:
        if edit.pick is not None and edit.pick.is_pinned and not edit.changes:
            raise PickRefused(
                f"the commits of {edit.name} are nowhere to be had, so the queue cannot be made",
                ("patches.drop", edit.name or ""),
                "takes the pick out of the queue",
            )


def refuse_pick(edit: PatchEdit) -> None:
    """Raise a UsageError about an edit that is a pick, whose text is not the queue's."""
    if edit.pick is not None:
        raise PickRefused(
            f"{edit.name} is a pick: its text is upstream's, and is not changed here",
            ("patches.vendor", edit.name or ""),
            "makes a patch of it",
        )


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
    tree = PatchedTree(quarantine, base_tree, FileMerger(quarantine))
    changes_of: Mapping[TreePair, Sequence[PathChange]] = {}
    current = base_tree
    steps: list[PatchStep] = []
    emptied: list[PatchEdit] = []
    for number, edit in enumerate(edits):
        before = current
        pick = edit.pick
        for turn, (old, new) in enumerate(edit.changes):
            key = f"{number}.{turn}"
            if current == old:  # what is before it did not change: nor does what it makes of it
                current = new
                tree.become(new)
                continue
            # Once for all that may follow: each question has what is made in memory written out.
            changes_of = changes_of or _changes_of(quarantine, edits[number:])
            pair = TreePair(old, new)
            patch = tree.merge(pair, changes_of[pair])
            if patch.merged is None or patch.merged.clean:
                tree.take(patch.became)
            elif key in settled:
                tree.become(settled[key])
                # what somebody made of its conflict is no change by reference any more, but a patch
                pick = None
            else:
                return EditConflict(key, edit, tree.whole(pair, patch.merged))
            current = tree.write()
        if current == before and edit.changes:
            emptied.append(edit)
        else:
            name = None if edit.pick else edit.name
            of_file = edit.of_file
            steps.append(PatchStep(edit.header, before, current, name, edit.bare, pick, of_file))
    return Restacked(tuple(pick_order.settled(quarantine, steps)), tuple(emptied))


def _changes_of(
    quarantine: Quarantine, edits: Sequence[PatchEdit]
) -> dict[TreePair, tuple[PathChange, ...]]:
    """Return what edits change, by the trees before and after."""
    pairs = [TreePair(*pair) for edit in edits for pair in edit.changes]
    return dict(zip(pairs, trees.between(quarantine.git, pairs), strict=True))
