"""What differences change, as digests: equal ones are found among many without their texts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.git.diffs import FileDiff, TreeDiff

# lines of a header, and what stands there when the difference is turned round
_OPPOSITES = (
    (b"new file mode ", b"deleted file mode "),
    (b"old mode ", b"new mode "),
    (b"rename from ", b"rename to "),
)


def of(diff: TreeDiff) -> bytes:
    """Return a digest of what a difference changes, wherever in its files and in whatever context.

    It is what git-patch-id(1) is for, whose ids ignore white space, and depend on the context.
    """
    return _id_of((file.path, file.header, file.changed) for file in diff)


def _id_of(files: Iterable[tuple[str, Sequence[bytes], Sequence[bytes]]]) -> bytes:
    digest = hashlib.sha256()
    for path, header, changed in files:
        digest.update(repr((path, header)).encode())
        digest.update(b"\n".join(changed))
    return digest.digest()


def of_inverse(diff: TreeDiff) -> bytes:
    """Return the digest of what takes a difference back; without context."""
    return _id_of((file.path, _inverted(file.header), _swapped(file)) for file in diff)


def _inverted(header: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(map(_inverted_header, header), key=_is_second))


def _swapped(file: FileDiff) -> list[bytes]:
    """Swap the signs; git prints what goes before what comes."""
    swapped: list[bytes] = []
    for hunk in file.hunks:
        lines = [line.rstrip(b"\n") for line in hunk.lines]
        swapped += [b"-" + line[1:] for line in lines if line[:1] == b"+"]
        swapped += [b"+" + line[1:] for line in lines if line[:1] == b"-"]
    return swapped


def _inverted_header(line: bytes) -> bytes:
    if line.startswith(b"index "):
        old, _, new = line.removeprefix(b"index ").partition(b"..")
        new, blank, mode = new.partition(b" ")
        return b"index " + new + b".." + old + blank + mode
    for old, new in _OPPOSITES:
        if line.startswith((old, new)):
            word, other = (old, new) if line.startswith(old) else (new, old)
            return other + line.removeprefix(word)
    return line


def _is_second(line: bytes) -> bool:
    """Whether a header's line comes after its pair: `new mode` follows `old mode`."""
    return line.startswith((b"new mode ", b"index "))
