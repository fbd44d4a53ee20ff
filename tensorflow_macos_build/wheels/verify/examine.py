"""Every member of a wheel, inflated once: hashed for RECORD, and judged when it is a binary.

Members go to threads, the largest first; inflating, hashing and writing run outside the
interpreter's lock.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import hashlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.dist_info.record import ALGORITHMS
from tensorflow_macos_build.wheels.verify import binaries
from tensorflow_macos_build.wheels.verify.findings import Code, Finding
from tensorflow_macos_build.wheels.verify.record import MemberContents
from tensorflow_macos_build.wheels.verify.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.verify.binaries import Binary
    from tensorflow_macos_build.wheels.verify.record import RecordListing
    from tensorflow_macos_build.wheels.verify.spool import ExportStore

CHUNK = 1 << 18
"""Bytes inflated at a time of a binary that is read once more (`sieve`)."""

_ALGORITHMS = frozenset(ALGORITHMS)

_TICK = 0.1
"""Seconds between two reports of progress."""

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ExaminedMember:
    """What a member was found to be.

    Attributes:
        contents: its size and hashes; None when its data is broken.
        binary: its slices, when it is a binary.
        findings: what is wrong with it on its own.
    """

    contents: MemberContents | None
    binary: Binary | None
    findings: tuple[Finding, ...]


class _Stopped(Exception):
    """Ends a thread when another has failed or the user interrupts."""


def examine(
    archive: Archive,
    listing: RecordListing | None,
    exports: ExportStore,
    workers: int,
    ticker: Ticker,
) -> dict[str, ExaminedMember]:
    """Examine every member; the result is in the wheel's order.

    Args:
        archive: the open wheel.
        listing: what RECORD says; it may list members with other hashes than SHA-256.
        exports: where export tries are put.
        workers: how many threads.
        ticker: told megabytes done, and of how many.
    """
    # The largest first: begun last, one of a gigabyte would leave the other threads idle.
    members = sorted(archive.members.values(), key=lambda member: (-member.size, member.name))
    total = sum(member.size for member in members)
    examiner = _Examiner(archive, listing, exports, members)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(examiner.work) for _ in range(workers)]
        try:
            while concurrent.futures.wait(running, timeout=_TICK).not_done:
                ticker(examiner.done // _MEGABYTE, total // _MEGABYTE, unit="MB")
        finally:
            # An interrupt comes to this thread alone, and leaving the pool waits for the others.
            examiner.stop.set()
    for future in running:
        future.result()  # raises what ended a thread
    # In the wheel's order, which no thread keeps.
    return {name: examiner.examined[name] for name in archive.members}


class _Examiner:
    """What the threads share: the members that are left, and what became of the others.

    A thread takes one member after another. A task for each would cost more than an empty member.
    """

    def __init__(
        self,
        archive: Archive,
        listing: RecordListing | None,
        exports: ExportStore,
        members: list[Member],
    ) -> None:
        self.stop = threading.Event()
        self.done = 0
        self.examined: dict[str, ExaminedMember] = {}
        self._archive = archive
        self._listing = listing
        self._exports = exports
        self._left = iter(members)
        self._lock = threading.Lock()

    def work(self) -> None:
        """Examine members until none is left, or another thread has failed."""
        with contextlib.suppress(_Stopped):
            try:
                while (member := self._next()) is not None:
                    self.examined[member.name] = self.examine(member)
            except BaseException:
                # The others would go on through gigabytes before anybody heard of it.
                self.stop.set()
                raise

    def _next(self) -> Member | None:
        with self._lock:
            return None if self.stop.is_set() else next(self._left, None)

    def examine(self, member: Member) -> ExaminedMember:
        algorithm = self._listing.algorithm(member.name) if self._listing else ""
        names = {algorithm, "sha256"} & _ALGORITHMS
        digests = {name: hashlib.new(name) for name in names}
        with contextlib.closing(_BinaryCapture(self._archive, member)) as capture:
            try:
                for piece in self._pieces(member):
                    for digest in digests.values():
                        digest.update(piece)
                    capture.write(piece)
            except BrokenWheel as error:
                finding = Finding(Code.MEMBER_BROKEN, error.what, member.name)
                return ExaminedMember(None, None, (finding,))
            hashes = {name: digest.digest() for name, digest in digests.items()}
            binary, findings = capture.inspect(self._exports)
        return ExaminedMember(MemberContents(member.size, hashes), binary, findings)

    def _pieces(self, member: Member) -> Iterator[bytes | memoryview]:
        for piece in self._archive.views(member):
            if self.stop.is_set():
                raise _Stopped
            with self._lock:
                self.done += len(piece)
            yield piece


class _BinaryCapture:
    """Keeps a member's bytes when its first ones are those of a binary."""

    def __init__(self, archive: Archive, member: Member) -> None:
        self._again = functools.partial(archive.stream, member, chunk=CHUNK)
        self._member = member
        self._head = b""
        self._spool: Spool | None = None

    def write(self, piece: bytes | memoryview) -> None:
        if self._spool is not None:
            self._spool.write(piece)
        elif len(self._head) < binaries.HEAD:
            self._head += piece  # inflating may give a byte at a time
            if len(self._head) >= binaries.HEAD and binaries.is_binary(self._head):
                self._spool = Spool(self._member.size, self._again)
                self._spool.write(self._head)

    def inspect(self, exports: ExportStore) -> tuple[Binary | None, tuple[Finding, ...]]:
        is_short = len(self._head) < binaries.HEAD
        if self._spool is None and is_short and binaries.is_binary(self._head):
            # It ends before HEAD, behind a magic number: a binary that was cut off.
            self._spool = Spool(self._member.size, self._again)
            self._spool.write(self._head)
        if self._spool is None:
            return None, ()
        with self._spool.reading() as content:
            return binaries.inspect(self._member.name, content, exports)

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()
