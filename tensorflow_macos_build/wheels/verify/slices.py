"""What can be wrong with one slice, whatever the rest of the wheel holds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import signature
from tensorflow_macos_build.macho.constants import (
    CPU_TYPE_ARM64,
    MH_DYLIB,
    PLATFORM_MACCATALYST,
    PLATFORM_MACOS,
)
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.wheels.verify import commands, linkedit, segments
from tensorflow_macos_build.wheels.verify.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.load_commands import LinkeditRange
    from tensorflow_macos_build.macho.signature import CodeDirectory
    from tensorflow_macos_build.macho.window import Window
    from tensorflow_macos_build.wheels.verify.findings import Severity
    from tensorflow_macos_build.wheels.verify.spool import Content

_ZIPPED = frozenset({PLATFORM_MACOS, PLATFORM_MACCATALYST})
"""The platforms that one image may be built for, "zippered"."""

_SHOWN = 5
_MOST_ALIKE = 50
"""Findings of one code and weight that are given of one slice."""


def check(content: Content, window: Window, image: Image) -> Iterator[Finding]:
    """Return what is wrong with a slice: platform, load commands, segments, signature.

    A file may repeat a fault a million times; of each code and weight the first few are given.
    """
    number: Counter[tuple[Code, Severity | None]] = Counter()
    for finding in _all(content, window, image):
        number[finding.code, finding.weight] += 1
        if number[finding.code, finding.weight] <= _MOST_ALIKE:
            yield finding
    for (code, weight), times in number.items():
        if times > _MOST_ALIKE:
            yield Finding(code, f"{times - _MOST_ALIKE} more of these", weight=weight)


def _all(content: Content, window: Window, image: Image) -> Iterator[Finding]:
    if not image.is_loadable:
        return  # objects and dSYMs are not loaded: what dyld would refuse is no fault of theirs
    yield from _platform(image)
    if image.filetype == MH_DYLIB and not image.install_name:
        yield Finding(Code.INSTALL_NAME_MISSING, "an MH_DYLIB without LC_ID_DYLIB")
    yield from commands.check(window, image)
    yield from segments.check(window, image)
    yield from linkedit.check(image)
    stored = image.linkedit_range("LC_CODE_SIGNATURE")
    if stored is not None:
        yield from _signature(content, window, stored)
    elif image.cputype == CPU_TYPE_ARM64:
        message = "no LC_CODE_SIGNATURE: Apple silicon kills a process that maps it"
        yield Finding(Code.UNSIGNED, message)


def _platform(image: Image) -> Iterator[Finding]:
    if not image.builds:
        yield Finding(Code.MINOS_MISSING, "neither LC_BUILD_VERSION nor LC_VERSION_MIN_MACOSX")
    elif not any(build.is_macos for build in image.builds):
        names = ", ".join(build.platform_name for build in image.builds)
        yield Finding(Code.PLATFORM, f"built for {names}, not for macOS")
    elif any(build.platform not in _ZIPPED for build in image.builds):
        names = " and ".join(build.platform_name for build in image.builds)
        yield Finding(Code.PLATFORM, f"built for {names}: only macOS and Mac Catalyst go together")


def _signature(content: Content, window: Window, stored: LinkeditRange) -> Iterator[Finding]:
    try:
        parsed = signature.parse(window.part(stored.offset, stored.size, stored.name))
    except MalformedMachO as error:
        yield Finding(Code.SIGNATURE_MALFORMED, error.evidence)
        return
    # No hash covers what follows, and codesign's strict validation refuses it (llvm#117723).
    if stored.offset + stored.size != len(window):
        beyond = len(window) - stored.offset - stored.size
        yield Finding(Code.SIGNATURE_NOT_LAST, f"{beyond} bytes follow the signature")
    for slot in parsed.bad_special:
        message = f"special slot {slot} has another hash than its blob"
        yield Finding(Code.SIGNATURE_SLOTS, message)
    for directory in parsed.directories:
        yield from _directory(content, window, stored, directory)


def _directory(
    content: Content, window: Window, stored: LinkeditRange, directory: CodeDirectory
) -> Iterator[Finding]:
    if directory.code_limit != stored.offset:
        message = f"codeLimit is {directory.code_limit:#x}, the signature is at {stored.offset:#x}"
        yield Finding(Code.SIGNATURE_LIMIT, message)
    if directory.code_limit > len(window):
        return  # SIGNATURE_LIMIT has told; there are no bytes to hash
    code = window.part(0, directory.code_limit, "signed code")
    # Blocks of whole pages, of a megabyte where pages are small: few reads, and little memory.
    page = directory.page_size or max(len(code), 1)
    blocks = content.blocks(code, max(page, _whole_pages(page)))
    hashed = content.page_hashes(code, directory)
    bad = (
        signature.bad_pages(directory, blocks)
        if hashed is None
        else signature.differing(directory, [hashed])
    )
    if bad:
        shown = ", ".join(map(str, bad[:_SHOWN])) + (", …" if len(bad) > _SHOWN else "")
        message = f"{len(bad)} of {directory.pages} pages of {page} bytes differ: {shown}"
        yield Finding(Code.SIGNATURE_PAGES, message)


def _whole_pages(page: int) -> int:
    # 0 for pages of more than a megabyte, of which the caller takes one at a time.
    return (1 << 20) // page * page
