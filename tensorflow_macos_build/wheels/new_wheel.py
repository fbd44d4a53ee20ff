"""A new wheel as it grows: members one after another, RECORD of them all at the end."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, BinaryIO

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError, WorkFailed, of_machine
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.archive.write_behind import WriteBehind
from tensorflow_macos_build.wheels.archive.writer import NewMember, WheelWriter
from tensorflow_macos_build.wheels.dist_info.record import format_record
from tensorflow_macos_build.wheels.open_wheel import open_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tensorflow_macos_build.wheels.archive.members import ArchiveLimits, Member
    from tensorflow_macos_build.wheels.open_wheel import OpenWheel

_AT_ONCE = 1 << 18
"""Bytes that are hashed and written at a time. Each piece lets the interpreter go to another thread
and back, which costs more than a small member's bytes do."""


class Assembly:
    """Writes a wheel's members and remembers what RECORD must say of them.

    The file is written once, from its first byte to its last, so its own hash needs no reading.
    """

    def __init__(self, stream: BinaryIO, behind: WriteBehind) -> None:
        self._stream = _Hashing(stream, behind)
        self._writer = WheelWriter(self._stream)
        self._rows: dict[str, tuple[bytes, int]] = {}

    def add(self, entry: NewMember, data: Iterable[bytes], sha256: bytes) -> None:
        """Write a member whose data and SHA-256 are at hand."""
        self._writer.add(entry, data)
        self._rows[entry.name] = (sha256, entry.size)

    def store(self, path: str, content: bytes, *, executable: bool = False) -> None:
        """Write a member as it is."""
        self._writer.add_stored(path, content, executable=executable)
        self._rows[path] = (hashlib.sha256(content).digest(), len(content))

    def copy(self, wheel: OpenWheel, member: Member, path: str) -> None:
        """Copy a member's data unread; its hash is the one that its wheel's RECORD names."""
        # Whether that is true is left to whoever installs the new wheel: it is as true as before.
        # Only a hash of another kind, SHA-384 or SHA-512, has the content inflated for a new one.
        claimed = wheel.digest(member.name)
        sha256 = claimed.value if claimed.algorithm == "sha256" else wheel.archive.sha256(member)
        numbers = (member.method, member.crc, member.size, member.compressed)
        self.add(NewMember(path, *numbers, member.executable), wheel.archive.raw(member), sha256)

    def finish(self, record: str) -> str:
        """Write RECORD under its path, and the end; return the SHA-256 of the whole file."""
        # The last member, as it lists all others.
        self._writer.add_stored(record, format_record(self._rows, record))
        self._writer.finish()
        return self._stream.hexdigest()


@contextlib.contextmanager
def new_wheel(path: Path, limits: ArchiveLimits | None = None) -> Iterator[Assembly]:
    """Yield an empty wheel; a body that ends well puts it at `path`, whole.

    It is read back first: what is refused of a wheel that comes in is refused of one that goes out.

    Raises:
        MacosBuildError: no such folder can be made, or the disk is full (`errors.of_machine`).
        WorkFailed: this package would refuse it.
    """
    try:
        with files.atomic_path(path) as unfinished, WriteBehind(unfinished) as behind:
            # Closed before it is read back: until then the end of the file may be in a buffer.
            with unfinished.open("wb") as stream:
                yield Assembly(stream, behind)
            behind.finish()
            # In place of `path`, but in its own folder and so under its name, which is checked too.
            _read_back(unfinished, limits)
            behind.wait()
    except OSError as error:
        raise of_machine(error) from error


def _read_back(path: Path, limits: ArchiveLimits | None) -> None:
    """Check a new wheel by its headers, WHEEL and RECORD; no other content is inflated again."""
    try:
        # `retag` gives a build tag to wheels of other systems, too.
        with open_wheel(path, limits, any_platform=True):
            pass
    except (BrokenWheel, UsageError) as error:
        raise WorkFailed(
            f"the wheel would not be one that installers take: {error.what}",
            where=error.where,
            detail=error.detail,
            hint="give the file that is named another name in the wheels that it comes from, or"
            " leave it out",
        ) from None


class _Hashing:
    """A stream that hashes what passes through it, small pieces together."""

    def __init__(self, stream: BinaryIO, behind: WriteBehind) -> None:
        self._stream = stream
        self._behind = behind
        self._digest = hashlib.sha256()
        self._waiting = bytearray()

    def write(self, piece: bytes, /) -> int:
        if len(piece) >= _AT_ONCE:
            self._flush()
            self._hand_on(piece)
        else:
            self._waiting += piece
            if len(self._waiting) >= _AT_ONCE:
                self._flush()
        return len(piece)

    def hexdigest(self) -> str:
        self._flush()
        return self._digest.hexdigest()

    def _flush(self) -> None:
        self._hand_on(self._waiting)
        self._waiting.clear()

    def _hand_on(self, piece: bytes | bytearray) -> None:
        self._digest.update(piece)
        self._stream.write(piece)
        self._behind.written(len(piece))
