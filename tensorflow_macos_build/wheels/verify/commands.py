"""What dyld refuses in an image's load commands, before it looks at what they describe.

Source: `validStructureLoadCommands` and `validSemantics…` in dyld-1378, mach_o/UnsafeHeader.cpp.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import (
    LC,
    LC_REQ_DYLD,
    MH_DYLDLINK,
    MH_DYLIB,
    MH_EXECUTE,
)
from tensorflow_macos_build.wheels.verify.epochs import Epoch, dated
from tensorflow_macos_build.wheels.verify.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.load_commands import LoadCommand
    from tensorflow_macos_build.macho.window import Window

_LINKEDIT_DATA = 16  # linkedit_data_command
_SIZES: dict[int, int] = {
    LC.LC_SYMTAB: 24,
    LC.LC_DYSYMTAB: 80,
    LC.LC_UUID: 24,
    LC.LC_MAIN: 24,
    LC.LC_DYLD_INFO: 48,
    LC.LC_DYLD_INFO_ONLY: 48,
    LC.LC_ENCRYPTION_INFO: 20,
    LC.LC_ENCRYPTION_INFO_64: 24,
    LC.LC_VERSION_MIN_MACOSX: 16,
    LC.LC_VERSION_MIN_IPHONEOS: 16,
    LC.LC_VERSION_MIN_TVOS: 16,
    LC.LC_VERSION_MIN_WATCHOS: 16,
    LC.LC_SEGMENT_SPLIT_INFO: _LINKEDIT_DATA,
    LC.LC_ATOM_INFO: _LINKEDIT_DATA,
    LC.LC_FUNCTION_STARTS: _LINKEDIT_DATA,
    LC.LC_DYLD_EXPORTS_TRIE: _LINKEDIT_DATA,
    LC.LC_DYLD_CHAINED_FIXUPS: _LINKEDIT_DATA,
    LC.LC_FUNCTION_VARIANTS: _LINKEDIT_DATA,
    LC.LC_FUNCTION_VARIANT_FIXUPS: _LINKEDIT_DATA,
}
"""Bytes of the commands whose size dyld checks."""

_COUNTED: dict[int, tuple[int, int, int]] = {
    LC.LC_SEGMENT: (48, 56, 68),
    LC.LC_SEGMENT_64: (64, 72, 80),
    LC.LC_BUILD_VERSION: (20, 24, 8),
}
"""Commands that end in a list: where its length stands, and bytes before it and of each entry."""

_STRINGS = frozenset(
    {
        LC.LC_ID_DYLIB,
        LC.LC_LOAD_DYLIB,
        LC.LC_LOAD_WEAK_DYLIB,
        LC.LC_REEXPORT_DYLIB,
        LC.LC_LOAD_UPWARD_DYLIB,
        LC.LC_RPATH,
    }
)
"""Commands that hold a string whose end dyld looks for."""

_LINKED = _STRINGS - {LC.LC_ID_DYLIB, LC.LC_RPATH}
"""Commands that name a library to load."""

_REQUIRED = frozenset(number for number in LC if number & LC_REQ_DYLD)
"""The commands that dyld must know, and does."""

# dyld keeps only so many to compare the rest with.
_COMPARED_DYLIBS = 256
_COMPARED_RPATHS = 64

_OWN_FOLDER = "/usr/lib/system/"
"""Where libSystem's own parts lie, which may link with nothing."""


def check(window: Window, image: Image) -> Iterator[Finding]:
    """Return what dyld refuses in the load commands of an image that it is to load."""
    yield from _uuid(image)
    yield from _libraries(image)
    for path in _repeated(image.rpaths[:_COMPARED_RPATHS]):
        yield dated(Code.RPATH_DUPLICATE, path, image, Epoch.FALL_2025, warned=Epoch.SPRING_2025)
    for message in _structure(window, image):
        yield Finding(Code.LOAD_COMMANDS, message)


def is_managed(image: Image) -> bool:
    """Whether dyld brings the image into a process (`isDyldManaged`).

    Programs that were linked statically, without MH_DYLDLINK, are the kernel's alone.
    """
    return image.filetype != MH_EXECUTE or bool(image.flags & MH_DYLDLINK)


def _uuid(image: Image) -> Iterator[Finding]:
    if _number_of(LC.LC_UUID, image) == 0:
        # Programs were not looked at before: "main executable validation was not enabled".
        since = Epoch.FALL_2025 if image.filetype == MH_EXECUTE else Epoch.FALL_2021
        yield dated(Code.UUID_MISSING, "no LC_UUID", image, since)


def _libraries(image: Image) -> Iterator[Finding]:
    # Commands are counted, not libraries: where there are none dyld makes libSystem up
    # ("synthesizes"), and checks before it does (`validSemanticsLinkedDylibs`).
    linked = [dylib.name for dylib in image.dylibs if dylib.command in _LINKED]
    for name in _repeated(linked[:_COMPARED_DYLIBS]):
        yield dated(Code.LIBRARY_DUPLICATE, name, image, Epoch.FALL_2025, warned=Epoch.FALL_2024)
    own = (image.install_name or "").startswith(_OWN_FOLDER)
    if not linked and is_managed(image) and not own:
        message = "it links with no library, not even libSystem"
        yield dated(Code.LIBRARY_NONE, message, image, Epoch.SPRING_2025)


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, number in Counter(names).items() if number > 1]


def _number_of(number: LC, image: Image) -> int:
    return sum(command.number == number for command in image.commands)


def _structure(window: Window, image: Image) -> Iterator[str]:
    for command in image.commands:
        yield from _command(window, image, command)
    for number in (LC.LC_UUID, LC.LC_ID_DYLIB, LC.LC_MAIN, LC.LC_UNIXTHREAD):
        if (times := _number_of(number, image)) > 1:
            yield f"{number.name} occurs {times} times"
    if image.filetype != MH_DYLIB and _number_of(LC.LC_ID_DYLIB, image):
        yield f"LC_ID_DYLIB in an {image.filetype_name}"
    if image.filetype == MH_EXECUTE:
        starts = {LC.LC_MAIN, LC.LC_UNIXTHREAD} & {command.number for command in image.commands}
        if len(starts) != 1:
            yield "a program needs either LC_MAIN or LC_UNIXTHREAD"


def _command(window: Window, image: Image, command: LoadCommand) -> Iterator[str]:
    if command.number & LC_REQ_DYLD and command.number not in _REQUIRED:
        yield f"{command.name} is required and unknown to dyld"
    size = _size(window, image, command)
    if size not in (None, command.size):
        yield f"{command.name} of {command.size} bytes, not {size}"
    if command.number in _STRINGS:
        body = window.part(command.offset, command.size, "cmdsize")
        # An lc_str behind cmd and cmdsize: its offset from where the command begins
        # (<mach-o/loader.h>).
        (start,) = body.unpack(struct.Struct(f"{image.endian}I"), 8, "lc_str")
        if b"\0" not in body.part(start, command.size - start, "lc_str").copy():
            yield f"the name in {command.name} at offset {command.offset:#x} has no end"


def _size(window: Window, image: Image, command: LoadCommand) -> int | None:
    """Return the size that a load command must have; None where dyld asks for none."""
    if command.number not in _COUNTED:
        return _SIZES.get(command.number)
    at, fixed, stride = _COUNTED[command.number]
    form = struct.Struct(f"{image.endian}I")
    (number,) = window.part(command.offset, command.size, "cmdsize").unpack(form, at, "list")
    return int(fixed + number * stride)
