"""The queue as commits: every patch replayed exactly on the recorded base.

One `git ls-tree` lists the base, hunks are applied in memory, and one `git fast-import` takes all
commits and returns the blobs that later patches touch again. Time per patch is that of reading
and writing what it changes; the size of the tree is paid once.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build import process, temporary
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git import objects, trees
from tensorflow_macos_build.patchqueue.formats import paths
from tensorflow_macos_build.patchqueue.formats.diff import GITLINK
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.formats.patch import Header
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueuePatch
    from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedFile

_REF = b"refs/heads/replay"
# --depth=0 makes no deltas; raw-permissive takes zones that no clock shows, as old commits have
_FLAGS = ("--quiet", "--done", "--depth=0", "--date-format=raw-permissive")


@dataclass(frozen=True, slots=True)
class PatchCommit:
    """One patch as a commit.

    Attributes:
        id: the commit's id; its parent is the commit of the patch before, or the queue's base.
        tree: the id of its tree.
        patch: the patch it was made from.
    """

    id: str
    tree: str
    patch: QueuePatch


def commits(queue: Queue, git: Git) -> list[PatchCommit]:
    """Make a commit of every patch of a queue, on its recorded base.

    Author and committer are both the patch's author at its date, so the ids depend on the queue
    alone.

    Args:
        queue: the patches and their base.
        git: asks a quarantine over a repository that has the base; new objects go there.

    Raises:
        Refused: a patch does not apply exactly, or changes nothing.
        WorkFailed: the repository lacks the base or a blob.
    """
    if not queue.patches:
        return []
    base_tree = trees.of_commits(git, [queue.base.commit])[0]
    with contextlib.ExitStack() as stack:
        base_blobs = stack.enter_context(objects.reading(git))
        importer = stack.enter_context(_importer(git))
        # what the importer was given no other git can see before it ends (git-fast-import(1),
        # cat-blob)
        tree = PatchedTree(
            trees.files(git, base_tree),
            lambda oid: importer.blobs.blob(oid) if oid in importer.made else base_blobs.blob(oid),
        )
        importer.begin(queue.base.commit)
        for patch in queue.patches:
            made = apply_patch(tree, patch)
            importer.commit(patch.patch.header, made)
            tree.update(made)
        ids = importer.finish()
    made_trees = trees.of_commits(git, ids)
    return [PatchCommit(*made) for made in zip(ids, made_trees, queue.patches, strict=True)]


def queue_commits(queue: Queue, git: Git) -> tuple[QueueCommit, ...]:
    """Make the commits that `commits` makes, and return what a replay takes of them."""
    return tuple(_as_queue_commit(commit) for commit in commits(queue, git))


def _as_queue_commit(commit: PatchCommit) -> QueueCommit:
    header = commit.patch.patch.header
    return QueueCommit(commit.patch.name, commit.id, header.subject, header.message)


def apply_patch(tree: PatchedTree, patch: QueuePatch) -> dict[bytes, PatchedFile | None]:
    """Return what a patch makes of a tree in memory, without changing it.

    Raises:
        Refused: it does not apply exactly, or changes nothing.
    """
    if not patch.patch.changes:
        raise Refused("the patch changes nothing", patch=patch.name, hint="drop it")
    try:
        return tree.after(patch.patch.changes)
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

    child: process.Child
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
