"""The entries of Bazel's action cache: which files an action made, and which blobs hold them.

They are messages of the Remote Execution API v2 (`ActionResult` and `Tree` of
remote_execution.proto) in protobuf's wire format, of which this reads what names blobs. Messages
are read as protobuf's own readers do: fields of other numbers are passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The digest of no bytes: Bazel knows that blob by heart, and keeps no file for it (4.2.3)."""

DIGEST = re.compile(r"[0-9a-f]{64}")
"""A SHA-256 as Bazel names blobs and actions by it."""

_MAX_BLOB = 1 << 48

# Wire types (protobuf.dev/programming-guides/encoding). Groups, 3 and 4, are in no message of ours.
_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5


class NotAMessage(ValueError):
    """Bytes that are no message of protobuf's, or not the one that was expected."""


@dataclass(frozen=True, order=True)
class Blob:
    """A file of the content-addressed store: the SHA-256 of its bytes, and how many there are."""

    digest: str
    size: int


@dataclass(frozen=True)
class ActionResult:
    """What an action made.

    Attributes:
        outputs: the paths of its files, folders and links, relative to the execution root.
        blobs: what its files hold and what it wrote to standard output and error.
        trees: for each folder that it made, the blob with the `Tree` of it.
    """

    outputs: tuple[str, ...]
    blobs: tuple[Blob, ...]
    trees: tuple[Blob, ...]


def parse(content: bytes) -> ActionResult:
    """Read an entry of the action cache.

    Raises:
        NotAMessage: it is none.
    """
    outputs, blobs, trees = list[str](), list[Blob](), list[Blob]()
    for number, value in _messages(content):
        match number:
            case 2:  # output_files: path, digest
                outputs.append(_text(value, 1))
                blobs.extend(_digests(value, 2))
            case 3:  # output_directories: path, tree_digest
                outputs.append(_text(value, 1))
                trees.extend(_digests(value, 3))
            case 6 | 8:  # stdout_digest, stderr_digest
                blobs.append(_digest(value))
            case 10 | 11 | 12:  # output_file_symlinks, output_directory_symlinks, output_symlinks
                outputs.append(_text(value, 1))
    return ActionResult(tuple(outputs), _needed(blobs), _needed(trees))


def blobs_of_tree(content: bytes) -> tuple[Blob, ...]:
    """Return the blobs of all files in a `Tree`: its root and all folders below that.

    Raises:
        NotAMessage: it is none.
    """
    blobs = list[Blob]()
    for number, directory in _messages(content):
        if number in (1, 2):  # root, children
            for field, node in _messages(directory):
                if field == 1:  # files: name, digest
                    blobs.extend(_digests(node, 2))
    return _needed(blobs)


def closure(result: ActionResult, load: Callable[[Blob], bytes]) -> tuple[Blob, ...]:
    """Return every blob that a hit on an entry reads; `load` returns the content of a tree.

    Raises:
        NotAMessage: a tree is none.
    """
    inner = (blob for tree in result.trees for blob in blobs_of_tree(load(tree)))
    return tuple(sorted({*result.blobs, *result.trees, *inner}))


def _needed(blobs: list[Blob]) -> tuple[Blob, ...]:
    return tuple(sorted({blob for blob in blobs if blob.digest != EMPTY_SHA256}))


def _digests(message: bytes, number: int) -> Iterator[Blob]:
    return (_digest(value) for field, value in _messages(message) if field == number)


def _digest(message: bytes) -> Blob:
    """Read a `Digest`: hash, size_bytes."""
    digest, size = "", 0
    for number, value in _fields(message):
        if number == 1 and isinstance(value, bytes):
            digest = value.decode("ascii", "replace")
        if number == 2 and isinstance(value, int):
            size = value
    if not DIGEST.fullmatch(digest) or size > _MAX_BLOB:
        raise NotAMessage("a digest in it is no SHA-256")
    return Blob(digest, size)


def _text(message: bytes, number: int) -> str:
    values = [value for field, value in _messages(message) if field == number]
    # File names may be bytes of any encoding; two of them must not become one.
    return values[-1].decode("utf-8", "surrogateescape") if values else ""


def _messages(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the length-delimited fields of a message: strings, bytes, and messages."""
    for number, value in _fields(content):
        if isinstance(value, bytes):
            yield number, value


def _fields(content: bytes) -> Iterator[tuple[int, bytes | int]]:
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield tag >> 3, value
            continue
        if kind == _LEN:
            length, at = _varint(content, at)
        elif kind in (_I64, _I32):
            length = 8 if kind == _I64 else 4
        else:
            raise NotAMessage(f"it has a field of wire type {kind}")
        if at + length > len(content):
            raise NotAMessage("it is cut off")
        yield tag >> 3, content[at : at + length]
        at += length


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(content) and shift < 64:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise NotAMessage("a number in it does not end")
