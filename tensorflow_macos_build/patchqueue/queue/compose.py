"""Deciding, patch by patch, whether its file can stay as it is or must be written anew (law 4).

A patch's meaning is its header and what it makes of its parent. Line numbers, `index` lines and the
choice of context are not: a file stays when its header is the wanted one and it still turns the new
parent exactly into the wanted tree.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import diffs, objects, trees
from tensorflow_macos_build.git.objects import encode_path
from tensorflow_macos_build.patchqueue.formats import diff_parse, write
from tensorflow_macos_build.patchqueue.formats.diff import ChangeKind
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.queue import locate, names, picks
from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedTree
from tensorflow_macos_build.patchqueue.queue.queue_files import QUEUE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.formats.patch import Header, Patch
    from tensorflow_macos_build.patchqueue.queue.model import QueueBase, QueuePatch
    from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedFile
    from tensorflow_macos_build.patchqueue.queue.picks import Pick

_CONTEXT_FIRST = re.compile(rb"\n@@ -[^\n]*\n[ \n]")
"""A hunk that begins with a line of context, or with an empty one, which is that, too."""

_CONTEXT = 3
"""Lines of context, git's own default (git-diff(1), --unified)."""


@dataclass(frozen=True, slots=True)
class PatchStep:
    """One patch as it shall be written.

    Attributes:
        header: its author, date and message.
        before: the id of the tree that it applies to.
        after: the id of the tree that it makes.
        name: the name of its file in the queue's folder; None for a new patch.
        zero_context: write it without context; a file on disk without context is kept so anyway.
        pick: the pick that it is, and stays: it has no file. One that is not pinned changes
            nothing.
        of_file: the ids of the trees that its file on disk was last applied between, where known.
    """

    header: Header
    before: str
    after: str
    name: str | None = None
    zero_context: bool = False
    pick: Pick | None = None
    of_file: tuple[str, str] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it is a pick that is not pinned."""
        return self.pick is not None and not self.pick.is_pinned


@dataclass(frozen=True, slots=True)
class ComposedPatch:
    """One patch file.

    Attributes:
        name: its name.
        was: the name it had; None for a new patch.
        source: `was` when the file stays as it is, byte for byte; None when `content` is to be
            written.
        content: its bytes.
    """

    name: str
    was: str | None
    source: str | None
    content: bytes


def compose(
    base: QueueBase,
    steps: Sequence[PatchStep],
    old: Mapping[str, QueuePatch],
    git: Git,
    ticker: Ticker = silent,
) -> Iterator[ComposedPatch]:
    """Return every patch's file: its name, and its old bytes wherever they still say the same.

    They are made one after the other as they are asked for; of a large fork all of them fill the
    memory.

    Args:
        base: what the first step applies to.
        steps: the picks and the patches in order; picks have no file.
        old: the patches on disk, by file name.
        git: asks a quarantine that sees all trees.
        ticker: told of how many patches it is known whether their file stays; of none where no file
            may stay.

    Raises:
        UsageError: the steps do not follow one another, or one changes nothing.
        Refused: while they are made: a change cannot be a patch.
    """
    _check_chain(base, pinned(steps), git)
    steps = [step for step in steps if step.pick is None]
    current = [step.name if step.name in old else None for step in steps]
    named = names.assign([step.header.subject for step in steps], current)
    kept = [step.name if stays else None for step, stays in _unchanged(steps, old, git, ticker)]
    return _composed(steps, named, kept, old, git)


def _composed(
    steps: Sequence[PatchStep],
    named: Sequence[str],
    kept: Sequence[str | None],
    old: Mapping[str, QueuePatch],
    git: Git,
) -> Iterator[ComposedPatch]:
    """Yield every patch's file; `kept` has the names of those that stay."""
    fresh = _fresh([step for step, source in zip(steps, kept, strict=True) if not source], old, git)
    for name, step, source in zip(named, steps, kept, strict=True):
        content = next(fresh) if source is None else old[source].content
        yield ComposedPatch(name, step.name, source, content)


def leading_picks(steps: Sequence[PatchStep], folder: Path) -> tuple[Pick, ...]:
    """Return the picks among the steps of the queue in `folder`.

    Raises:
        UsageError: a patch stands before one: a queue applies its picks first.
    """
    picked = tuple(step.pick for step in steps if step.pick is not None)
    if any(step.pick is None for step in steps[: len(picked)]):
        vendor = locate.command("patches.vendor", folder, picked[-1].name)
        raise UsageError(
            "picks are applied before all patches",
            hint=f"to let a pick stand among the patches, make a patch of it: `{vendor}`",
        )
    picks.refuse_twice(picked, [QUEUE_FILE] * len(picked))
    return picked


def pinned(steps: Sequence[PatchStep]) -> list[PatchStep]:
    """Return the steps without the picks that are not pinned."""
    return [step for step in steps if not step.is_waiting]


def is_zero_context(patch: Patch) -> bool:
    """Whether a patch was made without context: its place in a file is its line numbers."""
    # nearly every patch shows it in its first hunk: no other line of a diff is read for those
    if _CONTEXT_FIRST.search(patch.text, max(patch.start - 1, 0)):
        return False
    hunks = [
        hunk
        for change in patch.changes
        if change.kind not in (ChangeKind.ADD, ChangeKind.DELETE)
        for hunk in change.hunks
    ]
    # a hunk that covers all of a short file has no context either, but it begins at its first line
    return any(hunk.old_start > min(hunk.old_count, 1) for hunk in hunks) and all(
        hunk.context() == (0, 0) for hunk in hunks
    )


def _check_chain(base: QueueBase, steps: Sequence[PatchStep], git: Git) -> None:
    if not steps:
        return
    before = trees.of_commits(git, [base.commit])[0]
    for number, step in enumerate(steps, 1):
        if step.before != before:
            raise UsageError(f"patch {number} does not begin where the one before it ends")
        # `git am` stops at a patch without a change (git-am(1), --empty)
        if step.after == before:
            raise UsageError(
                f"patch {number}, `{step.header.subject}`, changes nothing", hint="drop it"
            )
        before = step.after


def _unchanged(
    steps: Sequence[PatchStep], old: Mapping[str, QueuePatch], git: Git, ticker: Ticker
) -> Iterator[tuple[PatchStep, bool]]:
    """Yield each step, and whether its file on disk still says exactly what is wanted."""
    if not any(step.name in old for step in steps):
        yield from zip(steps, itertools.repeat(False))
        return
    intended = trees.between(git, [(step.before, step.after) for step in steps])
    # of a step of which that is not known, what changes nothing
    pairs = [step.of_file or (step.before, step.before) for step in steps]
    applied = trees.between(git, pairs)
    with objects.reading(git) as reader:
        tree = PatchedTree(trees.files(git, steps[0].before), reader.blob)
        steps_with_changes = zip(steps, intended, applied, strict=True)
        for number, (step, path_changes, as_applied) in enumerate(steps_with_changes):
            ticker(number, len(steps), step.name or "", unit="patches")
            changes = {encode_path(change.path): change.new for change in path_changes}
            patch = old.get(step.name) if step.name is not None else None
            yield (
                step,
                patch is not None
                and (
                    _is_as_applied(patch, step, path_changes, as_applied)
                    or _is_unchanged(patch, step, changes, tree)
                ),
            )
            tree.update(changes)  # the next file is read against what this step shall make


def _is_as_applied(
    patch: QueuePatch,
    step: PatchStep,
    intended: Sequence[PathChange],
    applied: Sequence[PathChange],
) -> bool:
    """Whether a file does what is wanted because it did just that when it was last applied.

    Each path that it names has to be among those: one that it copies from, or names and leaves as
    it is, may be another by now.
    """
    if patch.patch.header != step.header or tuple(intended) != tuple(applied):
        return False
    diff = b"\n" + patch.patch.text[patch.patch.start :]
    moves = b"\ncopy from " in diff or b"\nrename from " in diff
    return not moves and diff.count(b"\ndiff --git ") == len(intended)


def _is_unchanged(
    patch: QueuePatch,
    step: PatchStep,
    intended: Mapping[bytes, TreeEntry | None],
    tree: PatchedTree,
) -> bool:
    if patch.patch.header != step.header:
        return False
    try:
        # hunks are looked for at other lines, too: only their text has to be the same
        made = tree.after(patch.patch.changes)
    except Malformed:
        return False
    return intended == changed(tree, made)


def changed(
    tree: PatchedTree, made: Mapping[bytes, PatchedFile | None]
) -> dict[bytes, TreeEntry | None]:
    """Return what a patch changes of a tree: what it names and leaves as it is, is no change."""
    after = {path: None if file is None else file.entry for path, file in made.items()}
    return {path: entry for path, entry in after.items() if entry != tree.files.get(path)}


def _fresh(steps: Sequence[PatchStep], old: Mapping[str, QueuePatch], git: Git) -> Iterator[bytes]:
    """Yield the files of the steps that do not stay, without context where they had none."""
    bare = [step.zero_context or _was_bare(step, old) for step in steps]
    # git takes one number of lines of context for all that it compares
    texts = {
        is_bare: diffs.patch_texts(
            git,
            [(s.before, s.after) for s, b in zip(steps, bare, strict=True) if b is is_bare],
            context=0 if is_bare else _CONTEXT,
        )
        for is_bare in (False, True)
    }
    for step, is_bare in zip(steps, bare, strict=True):
        yield _written(step.header, next(texts[is_bare]), zero_context=is_bare)


def _was_bare(step: PatchStep, old: Mapping[str, QueuePatch]) -> bool:
    """Whether a step's file on disk has no context."""
    patch = old.get(step.name) if step.name is not None else None
    return patch is not None and is_zero_context(patch.patch)


def _written(header: Header, text: bytes, *, zero_context: bool) -> bytes:
    """Return a patch's file.

    Raises:
        Refused: the change cannot be a patch: a path in it is unsafe, or git cannot say it.
    """
    try:
        changes = diff_parse.parse(text).changes
    except Malformed as error:
        raise Refused(error.what, patch=header.subject) from None
    # git repeats a function's line behind `@@`: context, which a patch without any is not to have
    if zero_context:
        changes = tuple(change.without_headings() for change in changes)
    return write.emit(header, changes)
