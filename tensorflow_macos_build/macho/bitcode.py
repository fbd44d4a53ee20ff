"""LLVM IR objects ("bitcode"): which architecture they are for.

Link-time optimisation leaves such objects in static archives, and lipo joins those by the
processor that a module's target triple names. Nothing else of a module is read.

Sources: LLVM's "Bitcode File Format" (wrapper, abbreviation IDs, MODULE_CODE_TRIPLE);
getCPUType() and getCPUSubType() of llvm/lib/BinaryFormat/MachO.cpp for what triples stand for.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import constants
from tensorflow_macos_build.macho.malformed import MalformedMachO

if TYPE_CHECKING:
    from tensorflow_macos_build.macho.window import Window

_MAGIC = b"BC\xc0\xde"
_WRAPPER = struct.Struct("<5I")
"""Magic, version, offset and size of the bitcode, processor type; with these fields a Darwin linker
can tell the processor without reading a bitstream ("Bitcode Wrapper Format")."""

_WRAPPER_MAGIC = b"\xde\xc0\x17\x0b"  # 0x0B17C0DE, little-endian

_MODULE_BLOCK = 8  # MODULE_BLOCK_ID: the first after the 8 that the container keeps for itself
_MODULE_CODE_TRIPLE = 2  # [strchr x N], a record of one operand a character

_OUTERMOST_WIDTH = 2
"""Bits of an abbreviation ID outside all blocks."""

_MAXIMUM_ITEMS = 4096
"""Blocks and records of a module that are passed over before its triple; LLVM writes about ten."""

_MAXIMUM_OPERANDS = 1024

_MACHO_SYSTEMS = ("darwin", "macos", "ios", "tvos", "watchos", "xros", "visionos", "driverkit")
"""How a triple's system begins where LLVM writes Mach-O unless told otherwise."""

_CPUS = {
    "arm64": (constants.CPU_TYPE_ARM64, constants.CPU_SUBTYPE_ARM64_ALL),
    "aarch64": (constants.CPU_TYPE_ARM64, constants.CPU_SUBTYPE_ARM64_ALL),
    "arm64e": (constants.CPU_TYPE_ARM64, constants.CPU_SUBTYPE_ARM64E),
    "x86_64": (constants.CPU_TYPE_X86_64, constants.CPU_SUBTYPE_X86_64_ALL),
    "amd64": (constants.CPU_TYPE_X86_64, constants.CPU_SUBTYPE_X86_64_ALL),
    "x86_64h": (constants.CPU_TYPE_X86_64, constants.CPU_SUBTYPE_X86_64_H),
}
"""Processor type and subtype by a triple's first part, of those that a Mac's wheel is for."""


class _Id(IntEnum):
    """Abbreviation IDs that every block has ("Abbreviation IDs")."""

    ENTER_SUBBLOCK = 1
    UNABBREV_RECORD = 3
    # 0 is END_BLOCK, 2 is DEFINE_ABBREV; from 4 on they are what a stream defines.


def is_bitcode(head: bytes) -> bool:
    """Whether a file of which `head` has the first 4 bytes or more is an LLVM IR object."""
    return head[:4] in (_MAGIC, _WRAPPER_MAGIC)


def cpu(file: Window) -> tuple[int, int] | None:
    """Return the processor type and subtype of an LLVM IR object, as lipo knows them.

    None: its triple is of another processor or another object format than Mach-O, or not to be
    found.

    Raises:
        MalformedMachO: a length in it leads outside.
    """
    # ARCHITECTURE-VENDOR-SYSTEM or ARCHITECTURE-VENDOR-SYSTEM-ENVIRONMENT
    architecture, _, rest = _triple(_unwrapped(file)).partition("-")
    _, _, system = rest.partition("-")
    system, _, environment = system.partition("-")
    if not (system.startswith(_MACHO_SYSTEMS) or environment.endswith("macho")):
        return None
    return None if environment.endswith("elf") else _CPUS.get(architecture)


def _unwrapped(file: Window) -> Window:
    """Return the bitcode proper: Darwin's wrapper says where in the file it lies."""
    if file.part(0, 4, "bitcode magic").copy() != _WRAPPER_MAGIC:
        return file
    _, _, offset, size, _ = file.unpack(_WRAPPER, 0, "bitcode wrapper")
    return file.part(offset, size, "bitcode")


def _triple(file: Window) -> str:
    """Return the target triple of the first module; "" where there is none."""
    bits = _BitReader(file)
    bits.fixed(32)  # the magic
    module = _module(bits)
    for _ in range(_MAXIMUM_ITEMS if module else 0):
        match bits.fixed(module):
            case _Id.ENTER_SUBBLOCK:
                bits.enter()
                bits.skip_block()
            case _Id.UNABBREV_RECORD:
                code, operands = bits.record()
                if code == _MODULE_CODE_TRIPLE:
                    return bytes(operand & 0xFF for operand in operands).decode("latin-1")
            case _:
                # The block's end, or an abbreviation: LLVM defines its first after the triple.
                break
    return ""


def _module(bits: _BitReader) -> int:
    """Enter the first module; return the width of its abbreviation IDs, 0 where there is none."""
    # An IDENTIFICATION_BLOCK comes before it; which others may is for LLVM to say.
    for _ in range(_MAXIMUM_ITEMS):
        if bits.fixed(_OUTERMOST_WIDTH) != _Id.ENTER_SUBBLOCK:
            return 0
        block, width = bits.enter()
        if block == _MODULE_BLOCK:
            bits.fixed(32)  # its length in words
            return width
        bits.skip_block()
    return 0


class _BitReader:
    """A bitstream's values, from the lowest bit of each byte on."""

    def __init__(self, file: Window) -> None:
        self._file = file
        self._position = 0

    def fixed(self, width: int) -> int:
        """Return the next `width` bits, at most 32."""
        first, shift = divmod(self._position, 8)
        part = self._file.part(first, (shift + width + 7) // 8, "bitcode").copy()
        self._position += width
        return int.from_bytes(part, "little") >> shift & ((1 << width) - 1)

    def vbr(self, width: int) -> int:
        """Return a number in chunks of `width` bits, the highest of each: whether more follow."""
        value, more, chunks = 0, True, 0
        while more:
            chunk = self.fixed(width)
            value |= (chunk & ((1 << width - 1) - 1)) << chunks * (width - 1)
            more, chunks = bool(chunk >> width - 1), chunks + 1
            if chunks > 64:  # no number in bitcode has more than 64 bits
                raise MalformedMachO("a number in bitcode has no end")
        return value

    def enter(self) -> tuple[int, int]:
        """Return a block's ID and the width of abbreviation IDs in it; its length is next."""
        # [1, vbr8:blockid, vbr4:newabbrevlen, <align32bits>, 32:blocklen]
        block, width = self.vbr(8), self.vbr(4)
        self._position = -(-self._position // 32) * 32
        if not _OUTERMOST_WIDTH <= width <= 32:
            raise MalformedMachO(f"abbreviation IDs of {width} bits in bitcode")
        return block, width

    def skip_block(self) -> None:
        """Go to the end of the block that was entered."""
        words = self.fixed(32)
        self._position += 32 * words

    def record(self) -> tuple[int, list[int]]:
        """Return an unabbreviated record's code and operands."""
        # [3, vbr6:code, vbr6:numops, vbr6:op0, vbr6:op1, …]
        code, count = self.vbr(6), self.vbr(6)
        if count > _MAXIMUM_OPERANDS:
            raise MalformedMachO(f"a record of {count} operands in bitcode")
        return code, [self.vbr(6) for _ in range(count)]
