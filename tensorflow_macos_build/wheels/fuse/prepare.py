"""Making a member of a fused wheel: checked, hashed, and ready to be copied.

What is inflated is inflated once: for the CRC that its headers declare, for the hash that its
wheel's RECORD declares, for the hash of what it becomes, and for the bits at which its deflate
stream is joined. Nothing is held but a few buffers, so memory does not grow with a member.
"""

from __future__ import annotations

import functools
import hashlib
import queue
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import Interrupted, WorkFailed
from tensorflow_macos_build.macho import fat
from tensorflow_macos_build.wheels.archive.members import CompressionMethod, Member
from tensorflow_macos_build.wheels.archive.writer import NewMember
from tensorflow_macos_build.wheels.deflate.inflate import BrokenStream, Inflater, StreamBits
from tensorflow_macos_build.wheels.deflate.universal import Scanned, Span, UniversalMember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tensorflow_macos_build.wheels.binaries.slices import JoinableSlice
    from tensorflow_macos_build.wheels.fuse.verdicts import PathVerdict
    from tensorflow_macos_build.wheels.open_wheel import OpenWheel

_OWN_THREAD_FROM = 32 << 20
"""Content from which hashing gets a thread beside the one that inflates, in bytes."""

_HANDED_OVER = 4


@dataclass(frozen=True, slots=True)
class Prepared:
    """A member that is ready to be written.

    Attributes:
        entry: what its headers will say.
        sha256: the SHA-256 of its content.
        data: gives its data, as often as it is called.
        spans: the slices of a universal file, by architecture.
    """

    entry: NewMember
    sha256: bytes
    data: Callable[[], Iterable[bytes]]
    spans: Mapping[str, Span]


class MemberPreparer:
    """Prepares members; its methods may be called from several threads at once.

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

    def copy(self, choice: PathVerdict) -> Prepared:
        """Prepare one content that one wheel has, or that both have.

        Raises:
            BrokenWheel: a member is damaged, or is not what its RECORD says.
        """
        arches = sorted(choice.members, key=lambda arch: (choice.members[arch].compressed, arch))
        chosen, *others = arches
        member = choice.members[chosen]
        digest = self._checked(chosen, member)
        for arch in others:
            other = choice.members[arch]
            same = self._equal_data(member, chosen, other, arch)
            if same and self._halves[arch].digest(other.name) == (
                self._halves[chosen].digest(member.name)
            ):
                self._count(other.size)
            elif self._checked(arch, other) != digest:
                raise self._halves[arch].archive.broken(
                    other.name, f"its content is not the {chosen} wheel's, though CRC and size are"
                )
        entry = NewMember(
            choice.path,
            member.method,
            member.crc,
            member.size,
            member.compressed,
            choice.executable,
        )
        return Prepared(entry, digest, self._raw(chosen, member), {})

    def universal(self, choice: PathVerdict) -> Prepared:
        """Prepare a universal file of two slices, spliced of the members' deflate streams.

        Raises:
            BrokenWheel: a member is damaged, or is not what its RECORD says.
            WorkFailed: a slice would begin, or is, beyond 4 GiB.
        """
        arches = sorted(choice.slices)
        try:
            layout = fat.layout([choice.slices[arch].new for arch in arches])
        except ValueError as error:
            raise WorkFailed(str(error), where=choice.path) from None
        joint = UniversalMember(layout, self._all_stored(choice))
        fused = hashlib.sha256()
        for index in layout.order:
            arch, place = arches[index], layout.arches[layout.order.index(index)]
            fused.update(joint.fill_to(place.offset))
            scanned = self._scan(arch, choice.members[arch], choice.slices[arch], fused)
            joint.add(arch, self._part(arch, choice, scanned), scanned)
        joint.close()
        return Prepared(
            joint.entry(choice.path, executable=choice.executable),
            fused.digest(),
            joint.data,
            joint.spans,
        )

    def _part(
        self, arch: str, choice: PathVerdict, scanned: Scanned
    ) -> Callable[[], Iterator[bytes]]:
        """Return what yields a slice's data: its stream if it can be joined, else its content."""
        member, archive = choice.members[arch], self._halves[arch].archive
        if scanned.shape is not None:
            return functools.partial(archive.raw, member)
        return functools.partial(_after, archive.stream, member, choice.slices[arch].offset)

    def _all_stored(self, choice: PathVerdict) -> bool:
        return all(member.method is CompressionMethod.STORED for member in choice.members.values())

    def _raw(self, arch: str, member: Member) -> Callable[[], Iterator[bytes]]:
        return functools.partial(self._halves[arch].archive.raw, member)

    def _equal_data(self, one: Member, arch: str, other: Member, other_arch: str) -> bool:
        if (one.method, one.compressed) != (other.method, other.compressed):
            return False
        pairs = zip(self._raw(arch, one)(), self._raw(other_arch, other)(), strict=True)
        return all(first == second for first, second in pairs)

    def _checked(self, arch: str, member: Member) -> bytes:
        """Return a member's SHA-256, its size, CRC and RECORD's hash checked."""
        half = self._halves[arch]
        digest, claimed = hashlib.sha256(), half.digest(member.name)
        own = hashlib.new(claimed.algorithm) if claimed.algorithm != "sha256" else digest
        for piece in half.archive.stream(member):
            digest.update(piece)
            if own is not digest:
                own.update(piece)
            self._count(len(piece))
        self._compare(arch, member, own.digest())
        return digest.digest()

    def _scan(
        self, arch: str, member: Member, slice: JoinableSlice, fused: hashlib._Hash
    ) -> Scanned:
        """Inflate a slice, check it, and feed it to the hash of what it becomes a part of."""
        half = self._halves[arch]
        claimed = half.digest(member.name)
        own = hashlib.sha256()
        claim = hashlib.new(claimed.algorithm) if claimed.algorithm != "sha256" else own
        tally = _Tally(fused, (own,) if claim is own else (own, claim), slice.offset)
        shape = None
        if member.method is CompressionMethod.STORED:
            for piece in half.archive.raw(member):
                tally.add(memoryview(piece))
                self._count(len(piece))
        else:
            shape = self._inflate(half, member, tally)
        if (tally.size, tally.crc) != (member.size, member.crc):
            raise half.archive.broken(
                member.name,
                f"it holds {tally.size} bytes of CRC-32 {tally.crc:08x} and declares"
                f" {member.size} of {member.crc:08x}",
            )
        self._compare(arch, member, claim.digest())
        # A stream cannot be cut where a slice begins in the midst of it.
        joined, align = (None, slice.new.align) if slice.offset else (shape, None)
        return Scanned(joined, slice.new.size, tally.slice_crc, own.hexdigest(), align)

    def _inflate(self, half: OpenWheel, member: Member, tally: _Tally) -> StreamBits:
        threaded = member.size >= _OWN_THREAD_FROM
        engine = Inflater(buffers=_HANDED_OVER + 3 if threaded else 1)
        try:
            pieces = self._bounded(half, member, engine)
            if threaded:
                _in_two_threads(pieces, tally.add)
            else:
                for piece in pieces:
                    tally.add(piece)
            return engine.shape
        except BrokenStream as error:
            raise half.archive.broken(member.name, str(error)) from None
        finally:
            engine.close()

    def _bounded(self, half: OpenWheel, member: Member, engine: Inflater) -> Iterator[memoryview]:
        size = 0
        for piece in engine.run(half.archive.raw(member)):
            size += len(piece)
            if size > member.size:
                raise half.archive.broken(
                    member.name, f"its content is longer than {member.size} bytes"
                )
            yield piece
            self._count(len(piece))

    def _compare(self, arch: str, member: Member, digest: bytes) -> None:
        half = self._halves[arch]
        if digest != half.digest(member.name).value:
            raise half.record_mismatch(member)

    def _count(self, size: int) -> None:
        if self._stopped.is_set():
            raise Interrupted("the work was stopped")
        with self._lock:
            self._done += size


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
        self.slice_crc = zlib.crc32(part, self.slice_crc)
        if self._before:
            self._whole_crc = zlib.crc32(piece, self._whole_crc)
        for one in self._hashes:
            one.update(piece)

    @property
    def crc(self) -> int:
        """The whole content's CRC-32."""
        return self._whole_crc if self._before else self.slice_crc


def _after(
    stream: Callable[[Member], Iterator[bytes]], member: Member, offset: int
) -> Iterator[bytes]:
    """Return a member's content from an offset on."""
    for piece in stream(member):
        yield piece[offset:]
        offset = max(0, offset - len(piece))


def _in_two_threads(pieces: Iterator[memoryview], use: Callable[[memoryview], None]) -> None:
    """Make pieces in this thread and use them in another, at most `_HANDED_OVER` behind."""
    hand: queue.Queue[memoryview | None] = queue.Queue(_HANDED_OVER)

    def consume() -> None:
        failure: BaseException | None = None
        while (piece := hand.get()) is not None:
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
                hand.put(piece)
        finally:
            hand.put(None)
        used.result()
