"""git's own three-way merge of trees, in memory, and what it says about conflicts.

The judge of every shortcut is `git merge-tree --write-tree` (the `ort` strategy, renames followed,
the attributes of our side's own .gitattributes heeded).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeGuard

from tensorflow_macos_build.git import markers
from tensorflow_macos_build.git.objects import TreeEntry, decode_path
from tensorflow_macos_build.git.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git

GIT_DIED = "CONFLICT (git died)"
"""Our own name, in git's manner, for a merge that git itself does not survive."""

RENAME_RENAME = "CONFLICT (rename/rename)"
"""git-merge-tree(1)'s stable name for a file that both sides renamed, differently."""

_AUTO_MERGING = "Auto-merging"
"""git-merge-tree(1)'s stable name for a file whose contents it merged."""

BY_DEFAULT = ("-c", "merge.conflictStyle=merge")
"""In diff3 style git does not look for lines that both sides have in a conflict (xdl_do_merge in
xmerge.c): a union of them has those twice, and a conflict may be none by default."""


class Stages(NamedTuple):
    """What the index would hold in stages 1, 2 and 3 of a path that git could not merge."""

    path: str
    base: TreeEntry | None
    ours: TreeEntry | None
    theirs: TreeEntry | None


@dataclass(frozen=True)
class ConflictedPath:
    """One path that git could not merge.

    Attributes:
        path: the path.
        base: what is there on the three sides, as in `Stages`.
        ours: likewise.
        theirs: likewise.
        left: what git left there; where lines conflict, a file with diff3 markers.
    """

    path: str
    base: TreeEntry | None
    ours: TreeEntry | None
    theirs: TreeEntry | None
    left: TreeEntry | None

    @property
    def is_submodule(self) -> bool:
        """Whether a side has a submodule there."""
        return any(side and side.is_submodule for side in (self.base, self.ours, self.theirs))


@dataclass(frozen=True)
class MergeMessage:
    """What git says about a merge.

    Attributes:
        paths: the paths that it is about.
        kind: git's stable name for it, such as `CONFLICT (modify/delete)`.
        words: the sentence for people.
    """

    paths: tuple[str, ...]
    kind: str
    words: str

    @property
    def is_conflict(self) -> bool:
        """Whether it is about a conflict."""
        return self.kind.startswith("CONFLICT")


@dataclass(frozen=True)
class MergeOutcome:
    """How a merge came out.

    Attributes:
        conflicted: the paths in conflict, in order; empty when the merge is clean.
        messages: what git says about them.
    """

    conflicted: tuple[ConflictedPath, ...]
    messages: tuple[MergeMessage, ...]

    @property
    def clean(self) -> bool:
        """Whether the merge needs nobody."""
        return not self.conflicted and not any(message.is_conflict for message in self.messages)


@dataclass(frozen=True)
class MergeResult(MergeOutcome):
    """The result of a merge of whole trees.

    Attributes:
        base: the three trees that were merged.
        ours: likewise.
        theirs: likewise.
        tree: the resulting tree; with conflicts, its files hold diff3 markers.
    """

    base: str
    ours: str
    theirs: str
    tree: str

    @property
    def ruled_by(self) -> str:
        """The tree whose .gitattributes counted."""
        return self.ours


class MergeInputs(NamedTuple):
    """The trees that are to be merged."""

    base: str
    ours: str
    theirs: str


class Sides(NamedTuple):
    """The commits that git is to merge."""

    ours: str
    theirs: str


class MergeOutput(NamedTuple):
    """What git says about a merge (git-merge-tree(1), OUTPUT).

    Attributes:
        clean: whether git calls it so.
        tree: as in a `MergeResult`.
        unmerged: the paths in conflict, in order.
        messages: as in a `MergeResult`.
    """

    clean: bool
    tree: str
    unmerged: tuple[Stages, ...]
    messages: tuple[MergeMessage, ...]


def merge(
    quarantine: Quarantine, base: str, ours: str, theirs: str, *, asking: Asking | None = None
) -> MergeResult:
    """Merge two trees that grew from a third; `asking` is how git is asked, else as by `ask`.

    Raises:
        WorkFailed: git could not merge at all (a missing object).
    """
    inputs = MergeInputs(base, ours, theirs)
    if ours == theirs:  # one commit then, and git would see no merge base but itself
        return MergeResult((), (), *inputs, ours)
    pair = sides(quarantine, *inputs)
    attempt = _Attempt(quarantine, quarantine.git_on(ours), pair, inputs, asking or ask)
    output = attempt.ask()
    if output is None:
        return attempt.without_renames()
    marked = attempt.result(output)
    doubtful = (conflict.left for conflict in marked.conflicted if is_no_folder(conflict.left))
    if not (
        _unites(quarantine, ours, output)
        or any(may_be_clean(quarantine, left) for left in doubtful)
    ):
        return marked
    by_default = attempt.ask(*BY_DEFAULT)
    assert by_default is not None, "git survives it in the other style"
    plain = attempt.result(by_default)
    return plain if plain.clean else _with_markers(quarantine, plain, marked)


def may_be_clean(quarantine: Quarantine, left: TreeEntry) -> bool:
    """Whether what git left of a conflict, with diff3 markers, may be clean by default."""
    return left.is_file and markers.are_alike(quarantine.objects.blob(left.oid))


def _unites(quarantine: Quarantine, ours: str, output: MergeOutput) -> bool:
    """Whether git merged a file by a union of its lines; it names all whose contents it merged."""
    if not quarantine.unites(ours):
        return False
    merged = [path for m in output.messages if m.kind == _AUTO_MERGING for path in m.paths]
    return "union" in quarantine.attribute("merge", ours, merged)


def sides(quarantine: Quarantine, base: str, ours: str, theirs: str) -> Sides:
    """Return throw-away commits of two trees, whose merge base is one of a third.

    git 2.39's merge-tree takes commits and looks for their merge base itself (--merge-base came
    with 2.40). Without further history git walks nothing but these.
    """
    root = quarantine.write_commit(base)
    return Sides(quarantine.write_commit(ours, [root]), quarantine.write_commit(theirs, [root]))


def ask(git: Git, pair: Sides, *flags: str) -> MergeOutput | None:
    """Let git merge two commits; None when it was ended by a signal.

    Raises:
        WorkFailed: git could not merge at all (a missing object).
    """
    done = git.run(*flags, "merge-tree", "--write-tree", "--messages", "-z", *pair, expected=())
    # 1 is a merge with conflicts; above it there is no merge (git-merge-tree(1), EXIT STATUS).
    if done.status > 1:
        raise git.failure(done)
    if done.status < 0:
        return None
    return read_output(iter(decode_path(done.stdout).split("\0")), pair, clean=done.status == 0)


def read_output(tokens: Iterator[str], pair: Sides, *, clean: bool) -> MergeOutput:
    """Read what git prints about a merge, up to its end, from what is between NULs."""
    tree, unmerged = next(tokens), _unmerged(tokens)
    return MergeOutput(clean, tree, unmerged, tuple(_messages(tokens, pair)))


class Asking(Protocol):
    """How git is asked to merge two commits (`ask`)."""

    def __call__(self, git: Git, pair: Sides, *flags: str) -> MergeOutput | None:
        """Return what git says; None when it was ended by a signal."""


class _Attempt(NamedTuple):
    """A merge that git is asked for.

    Attributes:
        quarantine: where.
        git: git with the attributes of our side, as `git rebase` has them in its work tree.
        sides: the commits to merge.
        inputs: their trees.
        asking: how git is asked.
    """

    quarantine: Quarantine
    git: Git
    sides: Sides
    inputs: MergeInputs
    asking: Asking

    def ask(self, *flags: str) -> MergeOutput | None:
        """Return what git says; None when it was ended by a signal."""
        return self.asking(self.git, self.sides, *flags)

    def result(self, output: MergeOutput) -> MergeResult:
        """Return the merge that git made."""
        merged = self._read(output)
        return _conflict_if_marked(self.quarantine, merged) if output.clean else merged

    def without_renames(self) -> MergeResult:
        """Return the merge in which git follows no renames; it is a conflict in any case.

        Some renames trip an assertion in git (2.39's merge-ort.c). Without following them it gets
        through; that is no answer to rely on.
        """
        output = self.ask("-c", "merge.renames=false")
        assert output is not None, "git ends without following renames"
        died = MergeMessage(
            (), GIT_DIED, "git merge-tree was ended by a signal while following renames"
        )
        merged = self._read(output)
        return replace(merged, messages=(*merged.messages, died))

    def _read(self, output: MergeOutput) -> MergeResult:
        left = Overlay(self.quarantine.objects, output.tree)
        conflicted = (
            ConflictedPath(*stages, left.entry(stages.path)) for stages in output.unmerged
        )
        return MergeResult(tuple(conflicted), output.messages, *self.inputs, output.tree)


def _with_markers(quarantine: Quarantine, plain: MergeResult, marked: MergeResult) -> MergeResult:
    """Return a merge as git makes it by default, but for the diff3 markers in its conflicts."""
    result = Overlay(quarantine.objects, plain.tree)
    shown = {conflict.path: conflict.left for conflict in marked.conflicted}
    conflicted: list[ConflictedPath] = []
    for conflict in plain.conflicted:
        left = shown.get(conflict.path)
        if is_no_folder(left) and is_no_folder(conflict.left):
            result.change({conflict.path: left})
        conflicted.append(replace(conflict, left=result.entry(conflict.path)))
    return replace(plain, tree=result.write(quarantine), conflicted=tuple(conflicted))


def _conflict_if_marked(quarantine: Quarantine, merged: MergeResult) -> MergeResult:
    """Make a conflict of a merge that git calls clean, and in which it left markers.

    So 2.39 does where both sides make the same file, and one of them by a rename whose contents
    conflict: the markers are then the content that both agree on. `git rebase` commits them.
    """
    trees = (merged.tree, merged.base, merged.ours, merged.theirs)
    now, *sides = (Overlay(quarantine.objects, tree) for tree in trees)
    paths = {path for message in merged.messages if message.is_conflict for path in message.paths}
    marked = [
        path
        for path in sorted(paths)
        if (entry := now.entry(path)) is not None
        and entry.is_file
        and markers.are_in(quarantine.objects.blob(entry.oid))
    ]
    if not marked:
        return replace(merged, messages=())
    conflicted = (
        ConflictedPath(path, *(_file_at(side, path) for side in (*sides, now))) for path in marked
    )
    return replace(merged, conflicted=tuple(conflicted))


def _file_at(tree: Overlay, path: str) -> TreeEntry | None:
    entry = tree.entry(path)
    return entry if is_no_folder(entry) else None


def is_no_folder(entry: TreeEntry | None) -> TypeGuard[TreeEntry]:
    """Whether something is there that is no folder: a file, a link or a submodule."""
    return entry is not None and not entry.is_tree


def _unmerged(tokens: Iterator[str]) -> tuple[Stages, ...]:
    stages: dict[str, dict[str, TreeEntry]] = {}
    for token in iter(lambda: next(tokens), ""):  # an empty record parts them from the messages
        facts, _, path = token.partition("\t")
        mode, oid, stage = facts.split(" ")
        stages.setdefault(path, {})[stage] = TreeEntry(mode, oid)
    return tuple(
        Stages(path, entries.get("1"), entries.get("2"), entries.get("3"))
        for path, entries in stages.items()
    )


def _messages(tokens: Iterator[str], sides: Sides) -> Iterator[MergeMessage]:
    """Read git's counted records up to their end.

    After them git 2.38 and later print advice on submodules (merge-ort.c,
    `print_submodule_conflict_suggestion`), which is one free text and no record.
    """
    for count in itertools.takewhile(str.isdecimal, tokens):
        paths = tuple(next(tokens) for _ in range(int(count)))
        kind, words = next(tokens), next(tokens).strip()
        # git names the sides by what it was given, which are throw-away commits.
        for side, name in zip(sides, ("upstream", "the patch"), strict=True):
            words = words.replace(side, name)
        yield MergeMessage(paths, kind, words)
