"""Code signatures: the blobs that LC_CODE_SIGNATURE points at, and the pages they vouch for.

Source: cs_blobs.h of XNU. All numbers in it are big-endian. What is checked is what the kernel
checks when a page is loaded, plus what codesign checks of the structure; certificates (the CMS
blob) are not judged.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import (
    CS_SUPPORTSCODELIMIT64,
    CSMAGIC_CODEDIRECTORY,
    CSMAGIC_EMBEDDED_SIGNATURE,
    CSSLOT_ALTERNATE_CODEDIRECTORIES,
    CSSLOT_ALTERNATE_CODEDIRECTORY_LIMIT,
    CSSLOT_CODEDIRECTORY,
)
from tensorflow_macos_build.macho.malformed import MalformedMachO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.macho.window import Window

_SUPERBLOB = struct.Struct(">III")  # CS_SuperBlob: magic, length, count
_INDEX = struct.Struct(">II")  # CS_BlobIndex: type (the slot), offset
_BLOB = struct.Struct(">II")  # CS_GenericBlob: magic, length
_DIRECTORY = struct.Struct(">9I4BI")  # CS_CodeDirectory up to spare2, which every version has
_CODE_LIMIT_64 = struct.Struct(">Q")
_CODE_LIMIT_64_OFFSET = 56  # behind scatterOffset, teamOffset and spare3

_HASHES = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20), 4: ("sha384", 48)}
"""CS_HASHTYPE_…: algorithm, and bytes of it that are kept."""

_SPECIAL_IN_SIGNATURE = range(2, 12)
"""Special slots whose blob may lie in the signature itself (slot 1, Info.plist, does not)."""

MAXIMUM_BLOBS = 64
"""Blobs beyond which a signature is refused; cs_blobs.h knows some twenty slots."""


@dataclass(frozen=True, slots=True)
class CodeDirectory:
    """A CodeDirectory: hashes of the image's pages.

    Attributes:
        version: such as 0x20400.
        flags: CS_…: 0x2 is ad hoc, 0x20000 linker-signed.
        code_limit: bytes from the slice's start that are hashed.
        page_size: bytes of a page; 0 means that all is one page.
        algorithm: the hash, as hashlib names it.
        hash_size: bytes of a hash that are kept.
        hashes: the code slots, one hash after the other.
        special: hashes of other blobs by slot number (2: requirements, 5: entitlements).
    """

    version: int
    flags: int
    code_limit: int
    page_size: int
    algorithm: str
    hash_size: int
    hashes: bytes
    special: tuple[tuple[int, bytes], ...]

    @property
    def pages(self) -> int:
        """How many pages the hashes stand for."""
        return len(self.hashes) // self.hash_size


@dataclass(frozen=True, slots=True)
class Signature:
    """An embedded signature.

    Attributes:
        length: bytes that the SuperBlob says it has.
        directories: the CodeDirectory and its alternates.
        bad_special: slots whose blob does not have the hash that a CodeDirectory states.
    """

    length: int
    directories: tuple[CodeDirectory, ...]
    bad_special: tuple[int, ...]


def parse(area: Window) -> Signature:
    """Read the range that LC_CODE_SIGNATURE names.

    Raises:
        MalformedMachO: a blob leaves its bounds, has a wrong magic number, or there is no
            CodeDirectory.
    """
    try:
        return _parse(area)
    except MalformedMachO as error:
        raise error.within(command="LC_CODE_SIGNATURE") from None


def _parse(area: Window) -> Signature:
    # The range may be longer: codesign_allocate(1) makes room before there is a signature.
    magic, length, count = area.unpack(_SUPERBLOB, 0, "SuperBlob")
    if magic != CSMAGIC_EMBEDDED_SIGNATURE:
        raise MalformedMachO(f"magic {magic:#x} is no embedded signature", offset=area.start)
    if count > MAXIMUM_BLOBS:
        raise MalformedMachO(f"{count} blobs are more than any signer writes", offset=area.start)
    whole = area.part(0, length, "SuperBlob")
    blobs = dict(_blobs(whole, count))
    directories = [
        _directory(blob)
        for slot, blob in sorted(blobs.items())
        if slot == CSSLOT_CODEDIRECTORY
        or CSSLOT_ALTERNATE_CODEDIRECTORIES <= slot < CSSLOT_ALTERNATE_CODEDIRECTORY_LIMIT
    ]
    if not directories:
        raise MalformedMachO("the signature has no CodeDirectory", offset=area.start)
    bad = {slot for directory in directories for slot in _bad_special(directory, blobs)}
    return Signature(length, tuple(directories), tuple(sorted(bad)))


def _blobs(whole: Window, count: int) -> Iterator[tuple[int, Window]]:
    for index in range(count):
        at = _SUPERBLOB.size + index * _INDEX.size
        slot, offset = whole.unpack(_INDEX, at, "BlobIndex")
        _, length = whole.unpack(_BLOB, offset, "blob")
        yield slot, whole.part(offset, length, "blob")


def _directory(blob: Window) -> CodeDirectory:
    fields = blob.unpack(_DIRECTORY, 0, "CodeDirectory")
    magic, _, version, flags, hash_offset, ident_offset, specials, slots, limit = fields[:9]
    hash_size, hash_type, _, page_shift, _ = fields[9:]
    if magic != CSMAGIC_CODEDIRECTORY:
        raise MalformedMachO(f"magic {magic:#x} is no CodeDirectory", offset=blob.start)
    algorithm, kept = _HASHES.get(hash_type, ("", 0))
    if hash_size != kept or not kept or page_shift > 32:
        raise MalformedMachO(
            f"hash type {hash_type} of {hash_size} bytes on pages of 2^{page_shift} is unknown",
            offset=blob.start,
        )
    if version >= CS_SUPPORTSCODELIMIT64:  # else the bytes there are another field's
        (wide,) = blob.unpack(_CODE_LIMIT_64, _CODE_LIMIT_64_OFFSET, "codeLimit64")
        limit = wide or limit
    # Nobody asks for the signing identifier, but the kernel refuses a CodeDirectory in which no NUL
    # ends it (cs_validate_codedirectory in xnu's ubc_subr.c).
    blob.text(ident_offset, "identifier")
    # Code slots count up from hashOffset; special slots count down from it: slot -1 is nearest.
    hashes = blob.part(hash_offset, slots * kept, "code slots").copy()
    below = blob.part(hash_offset - specials * kept, specials * kept, "special slots").copy()
    return CodeDirectory(
        version=version,
        flags=flags,
        code_limit=limit,
        page_size=1 << page_shift if page_shift else 0,  # 0 stands for infinity
        algorithm=algorithm,
        hash_size=kept,
        hashes=hashes,
        special=tuple(
            (slot, below[(specials - slot) * kept : (specials - slot + 1) * kept])
            for slot in range(1, min(specials, _SPECIAL_IN_SIGNATURE.stop) + 1)
        ),
    )


def _bad_special(directory: CodeDirectory, blobs: dict[int, Window]) -> Iterator[int]:
    stated = dict(directory.special)
    for slot in _SPECIAL_IN_SIGNATURE:
        if slot in blobs and slot in stated:
            actual = hashlib.new(directory.algorithm, blobs[slot].copy()).digest()
            if actual[: directory.hash_size] != stated[slot]:
                yield slot


def bad_pages(directory: CodeDirectory, blocks: Iterable[bytes]) -> tuple[int, ...]:
    """Return the numbers of the pages of an image that differ from their hashes, in order.

    Pages that lack a hash, and hashes that lack a page, count as different.

    Args:
        directory: the hashes.
        blocks: the image's bytes from its start up to `code_limit`, cut anywhere at multiples of
            `page_size`.
    """
    return differing(directory, (_page_hashes(directory, block) for block in blocks))


def _page_hashes(directory: CodeDirectory, block: bytes) -> list[bytes]:
    page = directory.page_size or max(directory.code_limit, 1)
    new, kept, view = getattr(hashlib, directory.algorithm), directory.hash_size, memoryview(block)
    return [new(view[at : at + page]).digest()[:kept] for at in range(0, len(view), page)]


def differing(directory: CodeDirectory, batches: Iterable[list[bytes]]) -> tuple[int, ...]:
    """Return what `bad_pages` returns, from the hashes of the pages in order."""
    kept = directory.hash_size
    bad: list[int] = []
    number = 0
    for digests in batches:
        stated = directory.hashes[number * kept : (number + len(digests)) * kept]
        # One comparison for all pages of a batch: few images have a page that differs.
        if b"".join(digests) != stated:
            bad += [
                number + index
                for index, digest in enumerate(digests)
                if digest != stated[index * kept : (index + 1) * kept]
            ]
        number += len(digests)
    bad += range(number, directory.pages)
    return tuple(bad)
