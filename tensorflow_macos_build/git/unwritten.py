"""Objects that are in memory for as long as no program of git's has to see them.

To make a file costs more than to make what is in it: where git merges and compares thousands of
trees, most of a replay's time went into files that nobody read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import packs
from tensorflow_macos_build.git.objects import parse_commit, parse_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FEW = 16
"""Objects that are written as files of their own; more become a pack, which is two files.

Not fewer: every program of git's looks through all packs, of which there may be thousands then.
"""

_MOST_BYTES = 8 << 20
"""Bytes of objects in memory, from which on they are written all the same."""


class UnwrittenObjects:
    """New objects of a repository, the latest of them in memory.

    Args:
        folder: the repository's folder of objects.
        algorithm: the hash that its ids are made by.

    Attributes:
        contents: kind and content of those in memory, by id.
    """

    def __init__(self, folder: Path, algorithm: str) -> None:
        self.contents: dict[str, tuple[str, bytes]] = {}
        self._folder, self._algorithm = folder, algorithm
        self._fans: set[str] = set()  # objects/00 to objects/ff (gitrepository-layout(5))
        self._known: set[bytes] = set()
        self._size = 0

    def add(self, kind: str, content: bytes) -> str:
        """Return the id of an object, new or not."""
        whole = b"%s %d\0%s" % (kind.encode(), len(content), content)
        digest = hashlib.new(self._algorithm, whole, usedforsecurity=False)
        oid = digest.hexdigest()
        if digest.digest() not in self._known:
            self._known.add(digest.digest())
            self.contents[oid] = kind, content
            self._size += len(content)
            if self._size > _MOST_BYTES:
                self.publish_all()
        return oid

    def publish_all(self) -> None:
        """Write all objects out."""
        self._publish(list(self.contents))

    def publish(self, roots: Iterable[str]) -> None:
        """Write out what objects reach, and themselves."""
        reached: dict[str, None] = {}
        waiting = [*roots]
        while waiting:
            oid = waiting.pop()
            if oid in self.contents and oid not in reached:
                reached[oid] = None
                waiting += _names(oid, *self.contents[oid])
        self._publish(list(reached))

    def _publish(self, oids: Sequence[str]) -> None:
        if len(oids) > _FEW:
            contents = {oid: self.contents[oid] for oid in oids}
            packs.write(self._folder / "pack", contents, self._algorithm)
        else:
            for oid in oids:
                self._write(oid, *self.contents[oid])
        for oid in oids:
            self._size -= len(self.contents.pop(oid)[1])

    def _write(self, oid: str, kind: str, content: bytes) -> None:
        folder = f"{self._folder}/{oid[:2]}"
        if oid[:2] not in self._fans:
            Path(folder).mkdir(exist_ok=True)
            self._fans.add(oid[:2])
        # Nobody else writes here but git, which may have made the same object.
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(f"{folder}/{oid[2:]}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            with open(descriptor, "wb") as stream:  # noqa: PTH123
                # little compression: most objects are read once, and `keep` packs what stays
                stream.write(zlib.compress(f"{kind} {len(content)}\0".encode() + content, 1))


def _names(oid: str, kind: str, content: bytes) -> list[str]:
    """Return the ids that stand in an object."""
    match kind:
        case "commit":
            commit = parse_commit(oid, content)
            return [commit.tree, *commit.parents]
        case "tree":
            return [entry.oid for entry in parse_tree(content, len(oid) // 2).values()]
        case _:
            return []
