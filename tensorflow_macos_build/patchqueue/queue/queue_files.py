"""A queue's files where they lie, in a folder or in one of a commit, read but not parsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tensorflow_macos_build import checkout, files
from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git import object_ids
from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.patchqueue.formats import patch as patch_format
from tensorflow_macos_build.patchqueue.formats import series as series_format
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.queue import picks
from tensorflow_macos_build.patchqueue.queue.model import QueueBase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.picks import Pick

QUEUE_FILE = "queue.yaml"
SERIES_FILE = "series"

BASE_KEYS = ("upstream", "ref", "commit")
"""The keys of `queue.yaml` that every queue has, in the order in which they are written."""

LINT_KEY = "lint"
"""The key of `queue.yaml` for what `patches.lint` lets pass; `review.allowances` reads it."""

_OPTIONAL = (picks.KEY, LINT_KEY)

_LONGEST_VALUE = 4096


class QueueFiles(Protocol):
    """The files that lie directly in a queue's folder."""

    def shown(self, name: str) -> str:
        """Return what errors call a file."""

    def size(self, name: str) -> int | None:
        """Return the bytes of a regular file; None: there is none of that name, or a link."""

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a file of at most `limit` bytes.

        Raises:
            UsageError: it is larger, or no regular file.
            OSError: it cannot be read.
        """


@dataclass(frozen=True)
class FilesOnDisk:
    """The files of a queue's folder."""

    folder: Path

    def shown(self, name: str) -> str:
        """Return the path of a file."""
        return str(self.folder / name)

    def size(self, name: str) -> int | None:
        """Return the bytes of a regular file; None for a link, which may lead anywhere."""
        path = self.folder / name
        return path.stat().st_size if path.is_file() and not path.is_symlink() else None

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a file of at most `limit` bytes."""
        return files.read_small(self.folder / name, limit)


@dataclass(frozen=True)
class CommittedFiles:
    """The files of a folder as it is in a revision of a repository.

    Attributes:
        git: the repository.
        folder: `REVISION:PATH`, as git takes it for the folder's tree.
        blobs: the id and size of each regular file, by name.
    """

    git: Git
    folder: str
    blobs: Mapping[str, tuple[str, int]]

    @classmethod
    def at(cls, git: Git, revision: str, path: str) -> CommittedFiles:
        """List the regular files that lie directly in a folder of a revision.

        Raises:
            UsageError: there is no such folder.
        """
        folder = f"{revision}:{path}"
        try:
            # --end-of-options: a revision that begins with a dash is no flag
            listing = git.out("ls-tree", "-l", "-z", "--end-of-options", folder)
        except WorkFailed as error:
            raise UsageError(
                "there is no such folder at that revision",
                where=folder,
                detail=error.detail,
                hint="name them as git does, for example origin/main:patches/demo",
            ) from None
        return cls(git, folder, dict(_regular_files(listing)))

    def shown(self, name: str) -> str:
        """Return `REVISION:PATH` of a file."""
        return f"{self.folder}/{name}"

    def size(self, name: str) -> int | None:
        """Return the bytes of a regular file; None: there is none of that name, or a link."""
        return self.blobs[name][1] if name in self.blobs else None

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a file of at most `limit` bytes."""
        if name not in self.blobs:
            raise FileNotFoundError(name)
        oid, size = self.blobs[name]
        if size > limit:
            raise UsageError(f"it has more than {limit} bytes", where=self.shown(name))
        # by its id: the revision's name may mean another commit by now
        return self.git.out("cat-file", "blob", oid)


def _regular_files(listing: bytes) -> Iterator[tuple[str, tuple[str, int]]]:
    for line in filter(None, listing.split(b"\0")):
        facts, _, name = line.partition(b"\t")
        mode, kind, oid, size = facts.split()  # the size is set flush right
        if kind == b"blob" and mode != b"120000":
            yield decode_path(name), (oid.decode(), int(size))


def read_base(queue: QueueFiles) -> tuple[QueueBase, tuple[Pick, ...]]:
    """Read a queue's `queue.yaml`: what it applies to, and its picks.

    Raises:
        UsageError: it is missing or wrong.
    """
    where = queue.shown(QUEUE_FILE)
    table = _read_table(queue, where)
    if sorted(table.items.keys() - {*_OPTIONAL}) != sorted(BASE_KEYS):
        keys, optional = ", ".join(BASE_KEYS), " and ".join(f"`{key}`" for key in _OPTIONAL)
        raise UsageError(
            f"it must have the keys {keys}, may have {optional}, and no other", where=where
        )
    base = QueueBase(*(_value(table.items[key]) for key in BASE_KEYS))
    # a name, or an id cut short, may mean another commit tomorrow
    if not object_ids.is_full(base.commit):
        where = str(table.items["commit"].source)
        raise UsageError("`commit` must be a commit's full id", where=where)
    return base, picks.read(table.items[picks.KEY]) if picks.KEY in table.items else ()


def read_lint(queue: QueueFiles) -> tree.Tree | None:
    """Read what a queue's `queue.yaml` says under `lint`; None where it says nothing.

    Raises:
        UsageError: it is missing, or no YAML.
    """
    return _read_table(queue, queue.shown(QUEUE_FILE)).items.get(LINT_KEY)


def _read_table(queue: QueueFiles, where: str) -> tree.Table:
    try:
        content = queue.read(QUEUE_FILE, tree.MAX_BYTES)
    except FileNotFoundError:
        raise UsageError("the queue has no queue.yaml", where=where) from None
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", where=where) from None
    table, problems = tree.read(content, where)
    if problems:
        raise tree.ConfigError(problems)
    return table


def _value(written: tree.Tree) -> str:
    """Return a value of queue.yaml; programs get it as an argument, so it is no flag."""
    text = written.text if isinstance(written, tree.Scalar) else None
    if not text or len(text) > _LONGEST_VALUE or text.startswith("-"):
        raise UsageError(
            f"every value must be text of 1 to {_LONGEST_VALUE} letters that begins with no `-`",
            where=str(written.source),
        )
    return text


def read_series(queue: QueueFiles) -> series_format.Series:
    """Read a queue's `series`.

    Raises:
        UsageError: it is missing, or a line is wrong for a queue: its patches are files in the
            folder itself, and apply with one path component taken off.
    """
    where = queue.shown(SERIES_FILE)
    try:
        series = series_format.parse(queue.read(SERIES_FILE, series_format.MAX_BYTES))
    except FileNotFoundError:
        raise UsageError("the queue has no series file", where=where) from None
    except Malformed as error:
        raise UsageError(error.what, where=f"{where}:{error.line}") from None
    for entry in series.entries:
        if "/" in entry.name or entry.strip != 1:
            raise UsageError(
                f"`{entry.name}`: a queue lists plain file names, without options",
                where=where,
                hint=f"see `--quilt` in {checkout.command('patches.import', '--help')}",
            )
    return series


def read_patches(queue: QueueFiles) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each patch file, in the order of `series`.

    Raises:
        UsageError: `series` is wrong, or lists what is not there.
        Refused: a file is too large for a patch.
    """
    for entry in read_series(queue).entries:
        yield entry.name, _patch(queue, entry.name)


def _patch(queue: QueueFiles, name: str) -> bytes:
    try:
        size = queue.size(name)
        # a link is as good as nothing: it may lead out of the queue
        if size is None:
            raise FileNotFoundError(name)
        # before it is read, where the error can still name the patch
        if size > patch_format.MAX_SIZE:
            raise Refused(f"it has more than {patch_format.MAX_SIZE} bytes", patch=name)
        return queue.read(name, patch_format.MAX_SIZE)
    except FileNotFoundError:
        raise UsageError(
            f"the series lists `{name}`, but there is no such file", where=queue.shown(SERIES_FILE)
        ) from None
