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
from tensorflow_macos_build.wheels import splice
from tensorflow_macos_build.wheels.archive import CHUNK
from tensorflow_macos_build.wheels.inflate import BrokenStream, Inflater, Shape
from tensorflow_macos_build.wheels.members import Member, Method
from tensorflow_macos_build.wheels.writer import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tensorflow_macos_build.wheels.pair import Half
    from tensorflow_macos_build.wheels.verdicts import Choice

_OWN_THREAD_FROM = 32 << 20
"""Content from which hashing gets a thread beside the one that inflates, in bytes."""

_HANDED_OVER = 4


@dataclass(frozen=True, slots=True)
class Span:
    """Where a slice's deflate stream lies in its member's data, and what it inflates to.

    Attributes:
        start: offset in the member's data.
        end: offset after it; what lies there ends on a byte.
        size: the slice's bytes.
        crc: the slice's CRC-32.
        sha256: the slice's SHA-256, as 64 hexadecimal digits.
    """

    start: int
    end: int
    size: int
    crc: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A member that is ready to be written.

    Attributes:
        entry: what its headers will say.
        sha256: the SHA-256 of its content.
        data: gives its data, as often as it is called.
        spans: the slices of a universal file, by architecture.
    """

    entry: Entry
    sha256: bytes
    data: Callable[[], Iterable[bytes]]
    spans: Mapping[str, Span]


class Work:
    """Prepares members; its methods may be called from several threads at once.

    Args:
        halves: the wheels, by architecture.
    """

    def __init__(self, halves: Mapping[str, Half]) -> None:
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

    def copy(self, choice: Choice) -> Prepared:
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
        entry = Entry(
            choice.path,
            member.method,
            member.crc,
            member.size,
            member.compressed,
            choice.executable,
        )
        return Prepared(entry, digest, self._raw(chosen, member), {})

    def universal(self, choice: Choice) -> Prepared:
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
        joint = _Joint(layout, self._all_stored(choice))
        fused = hashlib.sha256()
        for arch, place in zip(
            (arches[index] for index in layout.order), layout.arches, strict=True
        ):
            gap = joint.fill_to(place.offset)
            fused.update(gap)
            member = choice.members[arch]
            shape, digest = self._scan(arch, member, fused)
            last = place is layout.arches[-1]
            joint.add(arch, member, self._raw(arch, member), shape, digest, last=last)
        return Prepared(
            joint.entry(choice.path, executable=choice.executable),
            fused.digest(),
            joint.data,
            joint.spans,
        )

    def _all_stored(self, choice: Choice) -> bool:
        return all(member.method is Method.STORED for member in choice.members.values())

    def _raw(self, arch: str, member: Member) -> Callable[[], Iterator[bytes]]:
        return functools.partial(self._halves[arch].archive.raw, member)

    def _equal_data(self, one: Member, arch: str, other: Member, other_arch: str) -> bool:
        if (one.method, one.compressed) != (other.method, other.compressed):
            return False
        pairs = zip(self._raw(arch, one)(), self._raw(other_arch, other)(), strict=True)
        return all(first == second for first, second in pairs)

    def _checked(self, arch: str, member: Member) -> bytes:
        """Give a member's SHA-256, its size, CRC and RECORD's hash checked."""
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

    def _scan(self, arch: str, member: Member, fused: hashlib._Hash) -> tuple[Shape | None, str]:
        """Inflate a slice, check it, and feed it to the hash of what it becomes a part of.

        Returns:
            The shape of its deflate stream, None if it is stored; and its own SHA-256.
        """
        half = self._halves[arch]
        claimed = half.digest(member.name)
        own = hashlib.sha256()
        claim = hashlib.new(claimed.algorithm) if claimed.algorithm != "sha256" else own
        tally = _Tally((fused, own) if claim is own else (fused, own, claim))
        shape = None
        if member.method is Method.STORED:
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
        return shape, own.hexdigest()

    def _inflate(self, half: Half, member: Member, tally: _Tally) -> Shape:
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

    def _bounded(self, half: Half, member: Member, engine: Inflater) -> Iterator[memoryview]:
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
            raise half.lying(member)

    def _count(self, size: int) -> None:
        if self._stopped.is_set():
            raise Interrupted("the work was stopped")
        with self._lock:
            self._done += size


class _Tally:
    """Counts, and hashes in several ways, what passes."""

    def __init__(self, hashes: tuple[hashlib._Hash, ...]) -> None:
        self._hashes = hashes
        self.size = 0
        self.crc = 0

    def add(self, piece: memoryview) -> None:
        self.size += len(piece)
        self.crc = zlib.crc32(piece, self.crc)
        for one in self._hashes:
            one.update(piece)


class _Joint:
    """The data of a universal file as it grows: headers, gaps and slices' streams."""

    def __init__(self, layout: fat.Layout, stored: bool) -> None:
        self._stored = stored
        self._parts: list[Callable[[], Iterable[bytes]]] = []
        self._layout = layout
        self._compressed = 0
        self._size = 0
        self._crc = 0
        self.spans: dict[str, Span] = {}

    def fill_to(self, offset: int) -> bytes:
        """Add the header, if nothing is there yet, and zeros up to `offset`; give that content."""
        header = b"" if self._size else self._layout.header
        gap = bytes(offset - self._size - len(header))
        blocks = b"".join(splice.stored([header])) + splice.zeros(len(gap))
        self._put([header + gap] if self._stored else [blocks])
        self._grow(len(header + gap), zlib.crc32(header + gap))
        return header + gap

    def add(
        self,
        arch: str,
        member: Member,
        raw: Callable[[], Iterable[bytes]],
        shape: Shape | None,
        sha256: str,
        *,
        last: bool,
    ) -> None:
        """Add a slice; the last one also ends the stream."""
        start = self._compressed
        if self._stored or (shape is not None and last):
            self._add(raw, member.compressed)
        elif shape is not None:
            self._add(lambda: splice.opened(raw(), shape), splice.opened_size(shape))
        else:
            self._add(lambda: splice.stored(raw()), splice.stored_size(member.size, CHUNK))
        self.spans[arch] = Span(start, self._compressed, member.size, member.crc, sha256)
        self._grow(member.size, member.crc)
        if last and shape is None and not self._stored:
            self._put([splice.END])

    def data(self) -> Iterator[bytes]:
        for part in self._parts:
            yield from part()

    def entry(self, path: str, *, executable: bool) -> Entry:
        method = Method.STORED if self._stored else Method.DEFLATED
        return Entry(path, method, self._crc, self._size, self._compressed, executable)

    def _put(self, blocks: list[bytes]) -> None:
        self._add(lambda: blocks, sum(map(len, blocks)))

    def _add(self, part: Callable[[], Iterable[bytes]], compressed: int) -> None:
        self._parts.append(part)
        self._compressed += compressed

    def _grow(self, size: int, crc: int) -> None:
        self._crc = splice.crc32_combine(self._crc, crc, size)
        self._size += size


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
