"""Making a member of a fused wheel: checked, hashed, and ready to be copied."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.macho import lipo
from tensorflow_macos_build.wheels.archive.members import CompressionMethod
from tensorflow_macos_build.wheels.archive.writer import NewMember
from tensorflow_macos_build.wheels.deflate.universal import UniversalMember
from tensorflow_macos_build.wheels.fuse.scan import MemberScanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.deflate.universal import Scanned, Span
    from tensorflow_macos_build.wheels.fuse.verdicts import PathVerdict
    from tensorflow_macos_build.wheels.open_wheel import OpenWheel


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
        self._scanner = MemberScanner(halves)

    @property
    def done(self) -> int:
        """Bytes of content that are checked so far."""
        return self._scanner.done

    def stop(self) -> None:
        """Make running and later calls end soon, with `Interrupted`."""
        self._scanner.stop()

    def prepare(self, verdict: PathVerdict) -> Prepared:
        """Prepare the member that a verdict decides on.

        Raises:
            BrokenWheel: a member is damaged, or is not what its RECORD says.
            WorkFailed: a slice would begin, or is, beyond 4 GiB.
        """
        return self._universal(verdict) if verdict.slices else self._copy(verdict)

    def _copy(self, verdict: PathVerdict) -> Prepared:
        """Prepare one content that one wheel has, or that both have."""
        members = verdict.members
        # Of two deflate streams of one content the shorter is taken, whichever wheel came first.
        chosen, *others = sorted(members, key=lambda arch: (members[arch].compressed, arch))
        member = members[chosen]
        sha256 = self._scanner.sha256(chosen, member)
        for arch in others:
            self._check_same(chosen, member, arch, members[arch], sha256)
        numbers = (member.method, member.crc, member.size, member.compressed)
        entry = NewMember(verdict.path, *numbers, verdict.executable)
        return Prepared(entry, sha256, self._raw(chosen, member), {})

    def _check_same(
        self, arch: str, member: Member, other_arch: str, other: Member, sha256: bytes
    ) -> None:
        """Check that another half's member has the content of one whose SHA-256 is known."""
        half, other_half = self._halves[arch], self._halves[other_arch]
        same_digest = other_half.digest(other.name) == half.digest(member.name)
        # The same data under the same hash: there is nothing to inflate again.
        if self._has_equal_data(arch, member, other_arch, other) and same_digest:
            self._scanner.count(other.size)
        elif self._scanner.sha256(other_arch, other) != sha256:
            raise other_half.archive.broken(
                other.name, f"its content is not the {arch} wheel's, though CRC and size are"
            )

    def _has_equal_data(self, arch: str, member: Member, other_arch: str, other: Member) -> bool:
        if (member.method, member.compressed) != (other.method, other.compressed):
            return False
        # Pieces of one size from data of one length: they meet byte for byte, and a strict zip
        # holds.
        pairs = zip(self._raw(arch, member)(), self._raw(other_arch, other)(), strict=True)
        return all(first == second for first, second in pairs)

    def _universal(self, verdict: PathVerdict) -> Prepared:
        """Prepare a universal file of two slices, spliced of the members' deflate streams."""
        # Sorted, so that it is of no account which wheel was named first.
        arches = sorted(verdict.slices)
        try:
            layout = lipo.layout([verdict.slices[arch].new for arch in arches])
        except ValueError as error:
            raise WorkFailed(str(error), where=verdict.path) from None
        universal = UniversalMember(layout, self._all_stored(verdict))
        fused = hashlib.sha256()
        # lipo lays slices out in its own order, and the content is hashed in that of the file.
        for index in layout.order:
            arch, fat_arch = arches[index], layout.arches[layout.order.index(index)]
            fused.update(universal.fill_to(fat_arch.offset))
            member, slice = verdict.members[arch], verdict.slices[arch]
            scanned = self._scanner.slice(arch, member, slice, fused)
            universal.add(arch, self._data(arch, verdict, scanned), scanned)
        universal.close()
        return Prepared(
            universal.entry(verdict.path, executable=verdict.executable),
            fused.digest(),
            universal.data,
            universal.spans,
        )

    def _data(
        self, arch: str, verdict: PathVerdict, scanned: Scanned
    ) -> Callable[[], Iterator[bytes]]:
        """Return what yields a slice's data: its stream if it can be joined, else its content."""
        member, archive = verdict.members[arch], self._halves[arch].archive
        if scanned.bits is not None:
            return functools.partial(archive.raw, member)
        return functools.partial(_after, archive.stream, member, verdict.slices[arch].offset)

    def _all_stored(self, verdict: PathVerdict) -> bool:
        methods = (member.method for member in verdict.members.values())
        return all(method is CompressionMethod.STORED for method in methods)

    def _raw(self, arch: str, member: Member) -> Callable[[], Iterator[bytes]]:
        return functools.partial(self._halves[arch].archive.raw, member)


def _after(
    stream: Callable[[Member], Iterator[bytes]], member: Member, offset: int
) -> Iterator[bytes]:
    """Return a member's content from an offset on."""
    for piece in stream(member):
        yield piece[offset:]
        offset = max(0, offset - len(piece))
