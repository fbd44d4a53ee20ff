"""The queue as commits: its picks merged onto the recorded base, then each patch replayed exactly.

A pick is cherry-picked: a three-way merge of what it changes, which must be clean. For the patches
one `git ls-tree` lists the base, hunks are applied in memory, and one `git fast-import` takes all
commits and returns the blobs that later patches touch again. Time per patch is that of reading
and writing what it changes; the size of the tree is paid once.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build import process, temporary
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git import merges, objects, trees
from tensorflow_macos_build.patchqueue.formats import paths
from tensorflow_macos_build.patchqueue.formats.diff import GITLINK
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.queue import locate, picked_change
from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedTree
from tensorflow_macos_build.patchqueue.queue.picked_change import PickedChange
from tensorflow_macos_build.patchqueue.queue.queue_files import QUEUE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.children import Child
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.formats.patch import Header
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueuePatch
    from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedFile
    from tensorflow_macos_build.patchqueue.queue.picks import Pick

_REF = b"refs/heads/replay"
# --depth=0 makes no deltas; raw-permissive takes zones that no clock shows, as old commits have
_FLAGS = ("--quiet", "--done", "--depth=0", "--date-format=raw-permissive")


@dataclass(frozen=True, slots=True)
class PatchCommit:
    """One pick or patch as a commit.

    Attributes:
        id: the commit's id; its parent is the commit before it, or the queue's base.
        tree: the id of its tree.
        patch: the patch or the pick's change that it was made from.
    """

    id: str
    tree: str
    patch: QueuePatch | PickedChange

    @property
    def change(self) -> str:
        """A commit whose difference to its parent is the change as it was made.

        Of a pick that is not the one here: wherever it goes, it goes from where it comes from, and
        so the same merge is made whether a queue is moved or made anew.
        """
        return self.patch.commit if isinstance(self.patch, PickedChange) else self.id


def pinned(queue: Queue) -> Queue:
    """Return a queue without the picks that are not pinned."""
    return replace(queue, picks=tuple(pick for pick in queue.picks if pick.is_pinned))


def is_here(quarantine: Quarantine, pick: Pick) -> bool:
    """Whether a pick is pinned, and the repository has its commits."""
    ids = [oid for oid in (pick.commit, pick.base) if oid]
    return pick.is_pinned and not quarantine.git.missing(ids)


def applicable(queue: Queue, quarantine: Quarantine) -> Queue:
    """Return a queue without the picks that are not pinned, not here, or do not apply."""
    kept: list[Pick] = []
    for pick in queue.picks:
        if is_here(quarantine, pick):
            with contextlib.suppress(UsageError):
                picked(replace(queue, picks=(*kept, pick)), quarantine)
                kept.append(pick)
    return replace(queue, picks=tuple(kept))


def commits(queue: Queue, quarantine: Quarantine) -> list[PatchCommit]:
    """Make a commit of every pick and patch of a queue, on its recorded base.

    Author and committer are both the patch's author at its date, so the ids depend on the queue
    alone.

    Args:
        queue: the picks, the patches and their base.
        quarantine: one over a repository that has the base and the picks' commits.

    Raises:
        Refused: a patch does not apply exactly, or changes nothing.
        UsageError: a pick is not pinned, or does not apply.
        WorkFailed: the repository lacks the base or a blob.
    """
    made = picked(queue, quarantine)
    if not queue.patches:
        return made
    tip = made[-1].id if made else queue.base.commit
    return [*made, *_patched(queue.patches, tip, quarantine.git)]


def picked(queue: Queue, quarantine: Quarantine) -> list[PatchCommit]:
    """Cherry-pick the picks, each onto what is before it.

    Raises:
        UsageError: a pick is not pinned, or does not apply.
    """
    refuse_unpinned(queue.picks, queue.folder)
    made: list[PatchCommit] = []
    parent = queue.base.commit
    for pick in queue.picks:
        change = picked_change.read(quarantine, pick, queue.base.upstream)
        ours = quarantine.tree(parent)
        merged = merges.merge(quarantine, change.before, ours, change.after)
        if not merged.clean or merged.tree == ours:
            raise _refused(pick, queue, [file.path for file in merged.conflicted])
        parent = picked_change.commit_of(quarantine, change.header, merged.tree, parent)
        made.append(PatchCommit(parent, merged.tree, change))
    return made


def refuse_unpinned(picks: Sequence[Pick], folder: Path) -> None:
    """Raise a UsageError where a pick is not pinned, with the line to type."""
    waiting = [pick.name for pick in picks if not pick.is_pinned]
    if waiting:
        raise UsageError(
            f"{', '.join(waiting)}: not pinned to a commit, so nothing can be made of it",
            where=str(folder / QUEUE_FILE),
            hint=locate.command("patches.pin", folder),
        )


def _refused(pick: Pick, queue: Queue, paths: Sequence[str]) -> UsageError:
    """Return why a pick cannot be applied to the queue's base."""
    what = f"it conflicts with {queue.base.ref}" if paths else f"{queue.base.ref} has it already"
    return UsageError(
        what,
        where=pick.name,
        detail="\n".join(paths),
        hint=locate.command("patches.vendor" if paths else "patches.drop", queue.folder, pick.name),
    )


def _patched(patches: Sequence[QueuePatch], parent: str, git: Git) -> list[PatchCommit]:
    """Apply the patches, one after the other, on a commit."""
    base_tree = trees.of_commits(git, [parent])[0]
    with contextlib.ExitStack() as stack:
        base_blobs = stack.enter_context(objects.reading(git))
        importer = stack.enter_context(_importer(git))
        # what the importer was given no other git can see before it ends (git-fast-import(1),
        # cat-blob)
        tree = PatchedTree(
            trees.files(git, base_tree),
            lambda oid: importer.blobs.blob(oid) if oid in importer.made else base_blobs.blob(oid),
        )
        importer.begin(parent)
        for patch in patches:
            made = apply_patch(tree, patch)
            importer.commit(patch.patch.header, made)
            tree.update(made)
        ids = importer.finish()
    made_trees = trees.of_commits(git, ids)
    return [PatchCommit(*made) for made in zip(ids, made_trees, patches, strict=True)]


def queue_commits(queue: Queue, quarantine: Quarantine) -> tuple[QueueCommit, ...]:
    """Make the commits that `commits` makes, and return what a replay takes of them."""
    return tuple(map(as_queue_commit, commits(queue, quarantine)))


def as_queue_commit(commit: PatchCommit) -> QueueCommit:
    """Return what a replay takes of a commit."""
    patch, header = commit.patch, commit.patch.header
    pick = patch.pick.commit if isinstance(patch, PickedChange) else ""
    return QueueCommit(patch.name, commit.change, header.subject, header.message, pick)


def apply_patch(tree: PatchedTree, patch: QueuePatch) -> dict[bytes, PatchedFile | None]:
    """Return what a patch makes of a tree in memory, without changing it.

    Raises:
        Refused: it does not apply exactly, or changes nothing.
    """
    changes = patch.patch.changes
    if not changes:
        raise Refused("the patch changes nothing", patch=patch.name, hint="drop it")
    try:
        return tree.after(changes)
    except Malformed as error:
        raise Refused(error.what, patch=patch.name, line=error.line) from None


@dataclass(slots=True)
class _Importer:
    """One `git fast-import` (git-fast-import(1)) that makes a line of commits.

    Attributes:
        child: the running program.
        blobs: reads back what was sent, when it is no longer in memory.
        made: the ids of the blobs that were sent.
    """

    child: Child
    marks: Path
    blobs: objects.ObjectReader
    made: set[str] = field(default_factory=set)
    count: int = 0

    def begin(self, parent: str) -> None:
        """State what the first commit stands on."""
        self._write(b"reset %s\nfrom %s\n\n" % (_REF, parent.encode()))

    def commit(self, header: Header, made: Mapping[bytes, PatchedFile | None]) -> None:
        """Send one commit."""
        self.count += 1
        author, date = header.author, header.date
        person = f"{author.name} <{author.email}> {date.seconds} {date.zone}"
        identity = person.encode("utf-8", "surrogateescape")
        message = header.message.encode("utf-8", "surrogateescape")
        # without `from` a commit stands on the one before it of the same branch
        self._write(
            b"commit %s\nmark :%d\nauthor %s\ncommitter %s\n"
            % (_REF, self.count, identity, identity),
            b"data %d\n%s\n" % (len(message), message),
            # what goes first: a new file may have the path of a folder that the patch empties
            *(b"D %s\n" % paths.quote(path) for path, file in made.items() if file is None),
        )
        for path, file in made.items():
            if file is not None:
                self._file(paths.quote(path), file)
        self._write(b"\n")

    def finish(self) -> list[str]:
        """End the program and return the ids of all commits.

        Raises:
            WorkFailed: the program failed.
        """
        # a ref is only a place to build on: take it away before the importer would write it
        self._write(b"reset %s\nfrom %s\n\ndone\n" % (_REF, b"0" * 40))
        assert self.child.stdin is not None
        self.child.stdin.close()
        if self.child.wait() != 0:
            raise WorkFailed(f"git fast-import ended with status {self.child.returncode}")
        lines = self.marks.read_text(encoding="ascii").split()
        ids = dict(zip(lines[::2], lines[1::2], strict=True))
        return [ids[f":{number}"] for number in range(1, self.count + 1)]

    def _file(self, quoted: bytes, file: PatchedFile) -> None:
        if file.mode == GITLINK:  # the commit's id is all that a tree holds of a submodule
            self._write(b"M 160000 %s %s\n" % (file.oid.encode(), quoted))
            return
        size = len(file.content)
        self._write(b"M %o inline %s\ndata %d\n" % (file.mode, quoted, size), file.content, b"\n")
        self.made.add(file.oid)
        self.blobs.remember(file.oid, file.content)

    def _write(self, *pieces: bytes) -> None:
        assert self.child.stdin is not None
        try:
            self.child.stdin.writelines(pieces)
        except BrokenPipeError:
            raise WorkFailed("git fast-import ended before it had all commits") from None


@contextlib.contextmanager
def _importer(git: Git) -> Iterator[_Importer]:
    with temporary.scratch("marks") as folder:
        marks = folder / "marks"
        # no search for deltas and little compression: the objects are few and short-lived
        argv = git.argv(
            "-c", "core.compression=1", "fast-import", *_FLAGS, f"--export-marks={marks}"
        )
        with process.start(argv, env=git.environment()) as child:
            yield _Importer(child, marks, objects.ObjectReader(git, child, "cat-blob "))
