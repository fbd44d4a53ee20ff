"""A folder of `--disk_cache`: action cache, content-addressed store, and what of them is used.

Each entry of the action cache is `ac/<2 digits>/<SHA-256 of the action>`, each blob
`cas/<2 digits>/<SHA-256 of its content>`. What Bazel 4.2.3 was seen to do with them:

- It writes an entry after its blobs, each under another name first, and flushes none to the disk.
- It never replaces what is there, bad as it may be: a blob that is cut short makes its action run
  again in every build. And an entry of no bytes, which a power cut leaves, is a result without
  outputs to it, and fails the build. So `mend` comes before a build.
- A hit changes no file's modification time. It reads the entry, and so the entry's access time
  tells it, where the file system keeps that (mount(8): `relatime` does for one that is older than
  the modification time).
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.bazel import action_results
from tensorflow_macos_build.bazel.action_results import DIGEST, Blob, NotAMessage
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_ACTIONS = "ac"
_BLOBS = "cas"

_MAX_ENTRY = 1 << 24
_MAX_TREE = 1 << 26
"""How large an entry and a tree may be: 100,000 files' names and digests."""

_PROBE = ".access-time"


@dataclass(frozen=True)
class CachedAction:
    """An entry of the action cache that can be used.

    Attributes:
        key: the SHA-256 of the action, its command and all its inputs.
        size: the entry's own size in bytes.
        outputs: the paths that the action made, relative to the execution root.
        blobs: every blob that a hit reads, sorted.
    """

    key: str
    size: int
    outputs: tuple[str, ...]
    blobs: tuple[Blob, ...]


@dataclass(frozen=True)
class DiskCache:
    """A disk cache, at work in no build while anything but `size` is asked."""

    folder: Path

    def entry(self, key: str) -> Path:
        """Return the file of an action's entry."""
        return self.folder / _ACTIONS / key[:2] / key

    def blob(self, digest: str) -> Path:
        """Return the file of a blob."""
        return self.folder / _BLOBS / digest[:2] / digest

    def inodes(self) -> dict[str, int]:
        """Return the inode number of each action's entry, by the action's key.

        Where an entry is written anew, that is another one.
        """
        return {file.name: file.inode() for file in _files(self.folder / _ACTIONS)}

    def size(self) -> int:
        """Return how many bytes all its files have; a build may be at work."""
        total = 0
        for part in (_ACTIONS, _BLOBS):
            for file in _files(self.folder / part):
                with contextlib.suppress(FileNotFoundError):  # Bazel has just renamed it
                    total += file.stat().st_size
        return total

    def read(self, key: str) -> CachedAction | None:
        """Return an entry with what it needs; None: it cannot be used, for some of it is bad.

        Blobs count as good when they are of the right size.
        """
        try:
            content = files.read_small(self.entry(key), _MAX_ENTRY)
            result = action_results.parse(content)
            blobs = action_results.closure(result, self._tree)
        except (OSError, NotAMessage, UsageError):
            return None
        if not result.outputs or not all(self.has(blob) for blob in blobs):
            return None
        return CachedAction(key, len(content), result.outputs, blobs)

    def _tree(self, blob: Blob) -> bytes:
        return files.read_small(self.blob(blob.digest), _MAX_TREE)

    def has(self, blob: Blob) -> bool:
        """Whether a blob is there, by its size."""
        try:
            return self.blob(blob.digest).stat().st_size == blob.size
        except FileNotFoundError:
            return False

    def mend(self) -> tuple[dict[str, CachedAction], int]:
        """Delete entries that cannot be used, with their bad blobs.

        Returns:
            The good entries by their keys, and how many were deleted.
        """
        good, bad = dict[str, CachedAction](), 0
        for key in sorted(self.inodes()):
            action = self.read(key)
            if action is None:
                self._discard(key)
                bad += 1
            else:
                good[key] = action
        return good, bad

    def _discard(self, key: str) -> None:
        entry = self.entry(key)
        with contextlib.suppress(OSError, NotAMessage, UsageError):
            result = action_results.parse(files.read_small(entry, _MAX_ENTRY))
            known = {*result.blobs, *result.trees}
            with contextlib.suppress(OSError, NotAMessage, UsageError):
                known |= {*action_results.closure(result, self._tree)}
            for blob in known:
                if not self.has(blob):
                    self.blob(blob.digest).unlink(missing_ok=True)
        entry.unlink(missing_ok=True)

    def scrub(self, blobs: Collection[Blob]) -> int:
        """Delete those of the blobs whose content is not what their name says; return how many."""
        bad = 0
        for blob in blobs:
            path = self.blob(blob.digest)
            with contextlib.suppress(FileNotFoundError):
                if files.sha256(path) != blob.digest:
                    path.unlink()
                    bad += 1
        return bad

    def keep_only(self, actions: Collection[CachedAction]) -> None:
        """Delete every other entry, and the blobs that none of these needs."""
        keys = {action.key for action in actions}
        digests = {blob.digest for action in actions for blob in action.blobs}
        # Entries first: a kill in between leaves blobs too many, and no entry without its blobs.
        for part, kept in ((_ACTIONS, keys), (_BLOBS, digests)):
            for file in _files(self.folder / part):
                if file.name not in kept:
                    Path(file).unlink()

    def forget_uses(self) -> bool:
        """Make `used` begin anew; return whether this file system tells uses at all."""
        for key in self.inodes():
            _forget_access(self.entry(key))
        probe = self.folder / _PROBE
        probe.write_bytes(b"?")
        _forget_access(probe)
        probe.read_bytes()
        keeps_uses = probe.stat().st_atime_ns != 0
        probe.unlink()
        return keeps_uses

    def used(self) -> set[str]:
        """Return the keys of entries that were read or made since `forget_uses`."""
        return {file.name for file in _files(self.folder / _ACTIONS) if file.stat().st_atime_ns}


def _forget_access(path: Path) -> None:
    # Older than the modification time, so that the next access is written down.
    os.utime(path, ns=(0, path.stat().st_mtime_ns))


def _files(part: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files of a part, without unfinished ones of a Bazel that is at work or was."""
    try:
        folders = sorted(os.scandir(part), key=lambda folder: folder.name)
    except FileNotFoundError:
        return
    for folder in folders:
        with contextlib.suppress(NotADirectoryError):
            for file in os.scandir(folder.path):
                if DIGEST.fullmatch(file.name):
                    yield file
