"""What can be wrong with one slice, whatever the rest of the wheel holds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import signature
from tensorflow_macos_build.macho.constants import (
    CPU_TYPE_ARM64,
    MH_BUNDLE,
    MH_DYLIB,
    MH_EXECUTE,
    PLATFORM_MACCATALYST,
    PLATFORM_MACOS,
)
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.wheels.verify import commands, linkedit, segments
from tensorflow_macos_build.wheels.verify.findings import Code, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.load_commands import LinkeditRange
    from tensorflow_macos_build.macho.signature import CodeDirectory
    from tensorflow_macos_build.macho.window import Window
    from tensorflow_macos_build.wheels.verify.findings import Severity
    from tensorflow_macos_build.wheels.verify.spool import Content

LOADABLE = frozenset({MH_EXECUTE, MH_DYLIB, MH_BUNDLE})
"""The file types that dyld maps: the ones that need a signature and whose symbols must bind."""

_ZIPPED = frozenset({PLATFORM_MACOS, PLATFORM_MACCATALYST})
"""The platforms that one image may be built for, "zippered"."""

_SHOWN = 5
_TOLD = 50


def faults(content: Content, window: Window, image: Image) -> Iterator[Fault]:
    """Return what is wrong with a slice: platform, load commands, segments, signature.

    A file may repeat a fault a million times; of each code and weight the first few are told.
    """
    number: Counter[tuple[Code, Severity | None]] = Counter()
    for fault in _every_fault(content, window, image):
        number[fault.code, fault.weight] += 1
        if number[fault.code, fault.weight] <= _TOLD:
            yield fault
    for (code, weight), times in number.items():
        if times > _TOLD:
            yield Fault(code, f"{times - _TOLD} more of these", weight)


def _every_fault(content: Content, window: Window, image: Image) -> Iterator[Fault]:
    if image.filetype not in LOADABLE:
        return
    yield from _platform(image)
    if image.filetype == MH_DYLIB and not image.install_name:
        yield Fault(Code.INSTALL_NAME_MISSING, "an MH_DYLIB without LC_ID_DYLIB")
    yield from commands.faults(window, image)
    yield from segments.faults(window, image)
    yield from linkedit.faults(image)
    stored = image.linkedit_range("LC_CODE_SIGNATURE")
    if stored is not None:
        yield from _signature(content, window, stored)
    elif image.cputype == CPU_TYPE_ARM64:
        message = "no LC_CODE_SIGNATURE: Apple silicon kills a process that maps it"
        yield Fault(Code.UNSIGNED, message)


def _platform(image: Image) -> Iterator[Fault]:
    if not image.builds:
        yield Fault(Code.MINOS_MISSING, "neither LC_BUILD_VERSION nor LC_VERSION_MIN_MACOSX")
    elif not any(build.is_macos for build in image.builds):
        told = ", ".join(build.platform_name for build in image.builds)
        yield Fault(Code.PLATFORM, f"built for {told}, not for macOS")
    elif any(build.platform not in _ZIPPED for build in image.builds):
        told = " and ".join(build.platform_name for build in image.builds)
        yield Fault(Code.PLATFORM, f"built for {told}: only macOS and Mac Catalyst go together")


def _signature(content: Content, window: Window, stored: LinkeditRange) -> Iterator[Fault]:
    try:
        found = signature.parse(window.part(stored.offset, stored.size, stored.name))
    except MalformedMachO as error:
        yield Fault(Code.SIGNATURE_MALFORMED, error.evidence)
        return
    if stored.offset + stored.size != len(window):
        beyond = len(window) - stored.offset - stored.size
        yield Fault(Code.SIGNATURE_NOT_LAST, f"{beyond} bytes follow the signature")
    for slot in found.bad_special:
        message = f"special slot {slot} has another hash than its blob"
        yield Fault(Code.SIGNATURE_SLOTS, message)
    for directory in found.directories:
        yield from _directory(content, window, stored, directory)


def _directory(
    content: Content, window: Window, stored: LinkeditRange, directory: CodeDirectory
) -> Iterator[Fault]:
    if directory.code_limit != stored.offset:
        message = f"codeLimit is {directory.code_limit:#x}, the signature is at {stored.offset:#x}"
        yield Fault(Code.SIGNATURE_LIMIT, message)
    if directory.code_limit > len(window):
        return
    code = window.part(0, directory.code_limit, "signed code")
    page = directory.page_size or max(len(code), 1)
    bad = signature.bad_pages(directory, content.blocks(code, max(page, _whole_pages(page))))
    if bad:
        shown = ", ".join(map(str, bad[:_SHOWN])) + (", …" if len(bad) > _SHOWN else "")
        message = f"{len(bad)} of {directory.pages} pages of {page} bytes differ: {shown}"
        yield Fault(Code.SIGNATURE_PAGES, message)


def _whole_pages(page: int) -> int:
    return (1 << 20) // page * page
