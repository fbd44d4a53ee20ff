"""Disk caches as Bazel writes them, without a Bazel."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tensorflow_macos_build.bazel.disk_cache import DiskCache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def field(number: int, content: bytes) -> bytes:
    """Return a length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def digest(content: bytes) -> bytes:
    """Return a `Digest`; protobuf leaves out a size of 0."""
    size = b"\x10" + varint(len(content)) if content else b""
    return field(1, hashlib.sha256(content).hexdigest().encode()) + size


def tree(contents: Sequence[bytes]) -> bytes:
    """Return a `Tree` with one file in its root and the others each in a folder below."""
    nodes = [field(1, field(1, b"f") + field(2, digest(content))) for content in contents]
    return b"".join(field(1 if number == 0 else 2, node) for number, node in enumerate(nodes))


class Filler:
    """Puts actions into a disk cache."""

    def __init__(self, folder: Path) -> None:
        self.cache = DiskCache(folder)

    def blob(self, content: bytes) -> None:
        path = self.cache.blob(hashlib.sha256(content).hexdigest())
        if content:  # Bazel keeps no file for nothing
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def action(
        self,
        name: str,
        outputs: Mapping[str, bytes] | None = None,
        folder: Sequence[bytes] = (),
        stdout: bytes = b"",
    ) -> str:
        """Add an action that makes files, and perhaps a folder of files; return its key."""
        outputs = {f"bazel-out/{name}": name.encode()} if outputs is None else outputs
        message = b""
        for path, content in outputs.items():
            self.blob(content)
            message += field(2, field(1, path.encode()) + field(2, digest(content)))
        if folder:
            for content in folder:
                self.blob(content)
            self.blob(tree(folder))
            message += field(3, field(1, b"bazel-out/d") + field(3, digest(tree(folder))))
        self.blob(stdout)
        message += field(6, digest(stdout)) + field(8, digest(b""))
        key = hashlib.sha256(b"action " + name.encode()).hexdigest()
        entry = self.cache.entry(key)
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.write_bytes(message)
        return key
