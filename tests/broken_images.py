"""Edits of a Mach-O file's bytes, each of which breaks it in one way."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import image
from tensorflow_macos_build.macho.constants import LC
from tensorflow_macos_build.macho.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.macho.load_commands import LinkeditRange


def command_at(content: bytearray, number: int) -> int:
    parsed = image.parse(Window.whole(bytes(content)))
    return next(command.offset for command in parsed.commands if command.number == number)


def data_of(content: bytearray, name: str) -> LinkeditRange:
    data = image.parse(Window.whole(bytes(content))).linkedit_range(name)
    assert data is not None
    return data


def put(form: str, offset: int, *values: int) -> Callable[[bytearray], None]:
    return lambda content: struct.pack_into(form, content, offset, *values)


def hide(number: int) -> Callable[[bytearray], None]:
    """Turn a load command into LC_SOURCE_VERSION's number, which no reader here looks at."""
    return lambda content: struct.pack_into("<I", content, command_at(content, number), 0x2A)


def shifted(number: int, field: int) -> Callable[[bytearray], None]:
    """Add 4 to an offset field of a load command, and take 4 from the size that follows it."""

    def change(content: bytearray) -> None:
        at = command_at(content, number) + field
        offset, size = struct.unpack_from("<II", content, at)
        struct.pack_into("<II", content, at, offset + 4, max(size - 4, 4))

    return change


def in_directory(form: str, field: int, value: int) -> Callable[[bytearray], None]:
    """Overwrite a field of the CodeDirectory."""

    def change(content: bytearray) -> None:
        at = data_of(content, "LC_CODE_SIGNATURE").offset
        (blob,) = struct.unpack_from(">I", content, at + 16)
        struct.pack_into(form, content, at + blob + field, value)

    return change


def sdk(major: int, minor: int = 0) -> Callable[[bytearray], None]:
    """Write that the image was linked against that SDK."""
    return lambda content: struct.pack_into(
        "<I", content, command_at(content, LC.LC_BUILD_VERSION) + 16, major << 16 | minor << 8
    )


def together(*changes: Callable[[bytearray], None]) -> Callable[[bytearray], None]:
    def change(content: bytearray) -> None:
        for change in changes:
            change(content)

    return change


def renamed_in(content: bytearray, old: bytes, new: bytes) -> None:
    """Write one name over all others of its length."""
    assert len(old) == len(new)
    assert old in content
    content[:] = content.replace(old, new)


def hide_all(number: int) -> Callable[[bytearray], None]:
    def change(content: bytearray) -> None:
        for command in image.parse(Window.whole(bytes(content))).commands:
            if command.number == number:
                struct.pack_into("<I", content, command.offset, 0x2A)

    return change


def segment_at(content: bytearray, name: str) -> int:
    parsed = image.parse(Window.whole(bytes(content)))
    segments = [command for command in parsed.commands if command.number == LC.LC_SEGMENT_64]
    return next(
        command.offset
        for command, segment in zip(segments, parsed.segments, strict=True)
        if segment.name == name
    )


def in_segment(name: str, field: int, form: str, value: int) -> Callable[[bytearray], None]:
    """Overwrite a field of an LC_SEGMENT_64: vmaddr 24, filesize 48, initprot 60, flags 68."""
    return lambda content: struct.pack_into(form, content, segment_at(content, name) + field, value)


def linkedit_overlap(content: bytearray) -> None:
    """Let the symbol table begin in the middle of what lies before it."""
    at = command_at(content, LC.LC_SYMTAB) + 8
    (offset,) = struct.unpack_from("<I", content, at)
    struct.pack_into("<I", content, at, offset - 8)


def flip_code(content: bytearray) -> None:
    content[0x1000 if len(content) > 0x1000 else -200] ^= 1


def tail_after_signature(content: bytearray) -> None:
    content += bytes(16)


FAT_FIRST = 8  # fat_header; then fat_arch: cputype, cpusubtype, offset, size, align, 4 bytes each
FAT_SECOND = 28


def wide_gap(content: bytearray) -> None:
    struct.pack_into(">II", content, FAT_FIRST + 8, 0x2000, 0x1000)


def swapped_entries(content: bytearray) -> None:
    first, second = bytes(content[8:28]), bytes(content[28:48])
    content[8:48] = second + first
