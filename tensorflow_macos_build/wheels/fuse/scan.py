"""The one pass over a member's content that fuse makes: checked, hashed, its stream measured.

What is inflated is inflated once: for the CRC that its headers declare, for the hash that its
wheel's RECORD declares, for the hash of what it becomes, and for the bits at which its deflate
stream is joined. Nothing is held but a few buffers, so memory does not grow with a member.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import Interrupted
from tensorflow_macos_build.wheels.archive.members import CompressionMethod
from tensorflow_macos_build.wheels.deflate.universal import Scanned
from tensorflow_macos_build.wheels.inflate import engine
from tensorflow_macos_build.wheels.inflate.engine import crc32
from tensorflow_macos_build.wheels.inflate.stream import BrokenStream, Inflater, StreamBits, bits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.binaries.slices import JoinableSlice
    from tensorflow_macos_build.wheels.open_wheel import OpenWheel

_OWN_THREAD_FROM = 32 << 20
"""Content from which hashing gets a thread beside the one that inflates, in bytes.

A member is otherwise one thread's work, and the wheel's largest library is what the end waits for.
"""

_WATCHED = 1 << 20
"""Bytes of data at a stream's end in which its last block is looked for: zlib's have 80 kB, those
of the encoders that make the largest ones some 300 kB."""

_HANDED_OVER = 4
"""Buffers that may wait between the thread that inflates and the one that hashes."""


class MemberScanner:
    """Reads members of the halves; its methods may be called from several threads at once.

    Args:
        halves: the wheels, by architecture.
    """

    def __init__(self, halves: Mapping[str, OpenWheel]) -> None:
        self._halves = halves
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._done = 0

    @property
    def done(self) -> int:
        """Bytes of content that are checked so far."""
        return self._done

    def stop(self) -> None:
        """Make running and later calls end soon, with `Interrupted`."""
        self._stopped.set()

    def count(self, size: int) -> None:
        """Count bytes of content as checked.

        Raises:
            Interrupted: `stop` was called.
        """
        if self._stopped.is_set():
            raise Interrupted("the work was stopped")
        # `+=` reads and writes, and another thread may come between.
        with self._lock:
            self._done += size

    def sha256(self, arch: str, member: Member) -> bytes:
        """Return a member's SHA-256; its size, CRC and RECORD's hash are checked.

        Raises:
            BrokenWheel: it is damaged, or is not what its RECORD says.
        """
        half = self._halves[arch]
        claimed = half.digest(member.name)
        sha256 = hashlib.sha256()
        # RECORD may have SHA-384 or SHA-512; that of a fused wheel has SHA-256.
        own = sha256 if claimed.algorithm == "sha256" else hashlib.new(claimed.algorithm)
        for piece in half.archive.views(member):
            sha256.update(piece)
            if own is not sha256:
                own.update(piece)
            self.count(len(piece))
        self._compare(half, member, own.digest())
        return sha256.digest()

    def slice(
        self, arch: str, member: Member, slice: JoinableSlice, fused: hashlib._Hash
    ) -> Scanned:
        """Inflate a slice, check it, and feed it to the hash of what it becomes a part of.

        Raises:
            BrokenWheel: its member is damaged, or is not what its RECORD says.
        """
        half = self._halves[arch]
        claimed = half.digest(member.name)
        sha256 = hashlib.sha256()
        own = sha256 if claimed.algorithm == "sha256" else hashlib.new(claimed.algorithm)
        tally = _Tally(fused, (sha256,) if own is sha256 else (sha256, own), slice.offset)
        bits = None
        if member.method is CompressionMethod.STORED:
            for piece in half.archive.raw(member):
                tally.add(memoryview(piece))
                self.count(len(piece))
        else:
            bits = self._inflate(half, member, tally)
        if (tally.size, tally.crc) != (member.size, member.crc):
            raise half.archive.broken(
                member.name,
                f"it holds {tally.size} bytes of CRC-32 {tally.crc:08x} and declares"
                f" {member.size} of {member.crc:08x}",
            )
        self._compare(half, member, own.digest())
        # A stream cannot be cut where a slice begins in the midst of it.
        joined, align = (None, slice.new.align) if slice.offset else (bits, None)
        return Scanned(joined, slice.new.size, tally.slice_crc, sha256.hexdigest(), align)

    def _inflate(self, half: OpenWheel, member: Member, tally: _Tally) -> StreamBits:
        threaded = member.size >= _OWN_THREAD_FROM
        # Beside those that wait, one is being filled, one hashed, and one is at the queue's door.
        by, unwatched = engine.for_size(member.size), max(0, member.compressed - _WATCHED)
        inflater = Inflater(_HANDED_OVER + 3 if threaded else 1, by, unwatched)
        try:
            pieces = self._bounded(half, member, inflater)
            if threaded:
                _in_two_threads(pieces, tally.add)
            else:
                for piece in pieces:
                    tally.add(piece)
            # Once more, for a block that is larger than what was watched.
            return inflater.bits or bits_of(half.archive.raw(member), by)
        except BrokenStream as error:
            raise half.archive.broken(member.name, str(error)) from None
        finally:
            inflater.close()

    def _bounded(self, half: OpenWheel, member: Member, inflater: Inflater) -> Iterator[memoryview]:
        """Inflate no more than the member declares: its limits were judged by that."""
        size = 0
        for piece in inflater.run(half.archive.raw(member)):
            size += len(piece)
            if size > member.size:
                what = f"its content is longer than {member.size} bytes"
                raise half.archive.broken(member.name, what)
            yield piece
            self.count(len(piece))

    def _compare(self, half: OpenWheel, member: Member, digest: bytes) -> None:
        if digest != half.digest(member.name).value:
            raise half.record_mismatch(member)


class _Tally:
    """Counts and hashes a member's content as it passes; the slice in it goes into `fused` too."""

    def __init__(
        self, fused: hashlib._Hash, hashes: tuple[hashlib._Hash, ...], offset: int
    ) -> None:
        self._fused = fused
        self._hashes = hashes
        self._before = offset
        self._whole_crc = 0
        self.slice_crc = 0
        self.size = 0

    def add(self, piece: memoryview) -> None:
        part = piece[max(0, self._before - self.size) :]
        self.size += len(piece)
        self._fused.update(part)
        self.slice_crc = crc32(part, self.slice_crc)
        # Nearly always the slice is the whole file, and one CRC serves both.
        if self._before:
            self._whole_crc = crc32(piece, self._whole_crc)
        for digest in self._hashes:
            digest.update(piece)

    @property
    def crc(self) -> int:
        """The whole content's CRC-32."""
        return self._whole_crc if self._before else self.slice_crc


def _in_two_threads(pieces: Iterator[memoryview], use: Callable[[memoryview], None]) -> None:
    """Make pieces in this thread and use them in another, at most `_HANDED_OVER` behind."""
    waiting: queue.Queue[memoryview | None] = queue.Queue(_HANDED_OVER)

    def consume() -> None:
        failure: BaseException | None = None
        while (piece := waiting.get()) is not None:
            # After a failure the rest is taken unused: the other thread must not wait for room.
            try:
                if failure is None:
                    use(piece)
            except BaseException as error:
                failure = error
        if failure is not None:
            raise failure

    with ThreadPoolExecutor(1) as helper:
        used = helper.submit(consume)
        try:
            for piece in pieces:
                waiting.put(piece)
        finally:
            # After an error, too: the helper would wait for more, and the pool's end for the
            # helper.
            waiting.put(None)
        used.result()
