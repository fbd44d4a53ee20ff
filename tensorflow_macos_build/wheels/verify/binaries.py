"""One binary of a wheel: what each slice is, and what is wrong with it on its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import archive, export_trie, fat, fat_faults, image, symbol_table
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.undefined import undefined_symbols
from tensorflow_macos_build.wheels.verify import slices
from tensorflow_macos_build.wheels.verify.findings import OF_LAYOUT, Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.symbols import UndefinedSymbol
    from tensorflow_macos_build.macho.window import Window
    from tensorflow_macos_build.wheels.verify.spool import Content, Kept

HEAD = 8
"""Bytes from which `is_binary` can tell."""


@dataclass(frozen=True, slots=True)
class Exports:
    """Where an image's exports were put aside: its trie, or names where it has none.

    Attributes:
        trie: place of the trie in what was kept; None when there is none.
        origin: offset of the trie in the binary, for messages.
        names: the external symbols of an image without a trie.
    """

    trie: range | None
    origin: int
    names: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Slice:
    """One architecture of a binary.

    Attributes:
        arch: as lipo names it.
        image: its header and load commands; None for a static archive and for what cannot be read.
        wanted: its undefined symbols, when dyld would bind them.
        exports: what it gives; None when it is not loadable.
    """

    arch: str
    image: Image | None
    wanted: tuple[UndefinedSymbol, ...] = ()
    exports: Exports | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """A Mach-O file or static archive of the wheel, thin or universal.

    Attributes:
        name: the member.
        slices: by architecture; of two of one, the first. Empty when the file cannot be read.
    """

    name: str
    slices: dict[str, Slice]


def is_binary(head: bytes) -> bool:
    """Tell from a file's first 8 bytes whether it is Mach-O, universal, or a static archive."""
    return fat.is_fat(head) or image.is_image(head) or archive.is_archive(head)


def inspect(name: str, content: Content, kept: Kept) -> tuple[Binary, tuple[Finding, ...]]:
    """Read a binary and judge it on its own; what the dry link needs is put into `kept`."""
    reader = _Reader(name, content, kept)
    try:
        reader.read()
    except MalformedMachO as error:
        reader.malformed(error)
    return Binary(name, reader.slices), tuple(reader.findings)


class _Reader:
    def __init__(self, name: str, content: Content, kept: Kept) -> None:
        self.slices: dict[str, Slice] = {}
        self.findings: list[Finding] = []
        self._name = name
        self._content = content
        self._kept = kept

    def read(self) -> None:
        window = self._content.window
        if not fat.is_fat(window.part(0, min(HEAD, len(window)), "magic").copy()):
            self._slice(window, None)
            return
        header = fat.parse(window)
        for fault in fat_faults.faults(header, window):
            message = f"{fault.kind.value}: {fault.evidence}"
            self._add(OF_LAYOUT[fault.kind], fault.slice, message)
        for arch in header.arches:
            try:
                self._slice(window.part(arch.offset, arch.size, "slice"), arch)
            except MalformedMachO as error:
                self.malformed(error.within(slice=arch.name))
                self.slices.setdefault(arch.name, Slice(arch.name, None))
        self._compare()

    def malformed(self, error: MalformedMachO) -> None:
        self._add(Code.MACHO_MALFORMED, error.slice, error.evidence)

    def _add(self, code: Code, arch: str, message: str) -> None:
        self.findings.append(Finding(code, message, self._name, arch))

    def _slice(self, window: Window, entry: fat.FatArch | None) -> None:
        if archive.is_archive(window.part(0, min(HEAD, len(window)), "magic").copy()):
            self._archive(window, entry)
            return
        parsed = image.parse(window)
        if entry is not None and (entry.cputype, entry.cpusubtype) != (
            parsed.cputype,
            parsed.cpusubtype,
        ):
            message = f"the universal header says {entry.name}, the slice's own {parsed.arch}"
            self._add(Code.FAT_CPUTYPE, entry.name, message)
        for finding in slices.check(self._content, window, parsed):
            self.findings.append(replace(finding, file=self._name, slice=parsed.arch))
        self.slices.setdefault(parsed.arch, self._linked(window, parsed))

    def _linked(self, window: Window, parsed: Image) -> Slice:
        if parsed.filetype not in slices.LOADABLE:
            return Slice(parsed.arch, parsed)
        try:
            wanted = tuple(undefined_symbols(window, parsed))
            exports = self._exports(window, parsed)
        except MalformedMachO as error:
            self.malformed(error.within(slice=parsed.arch))
            return Slice(parsed.arch, parsed)
        return Slice(parsed.arch, parsed, wanted, exports)

    def _exports(self, window: Window, parsed: Image) -> Exports:
        trie = parsed.linkedit_range(*export_trie.TRIES)
        if trie is not None:
            part = window.part(trie.offset, trie.size, trie.name)
            return Exports(self._kept.put(part), part.start, frozenset())
        if export_trie.has_trie(parsed):
            return Exports(None, 0, frozenset())
        return Exports(None, 0, frozenset(symbol_table.defined(window, parsed)))

    def _archive(self, window: Window, entry: fat.FatArch | None) -> None:
        held = list(archive.parse(window))
        arches = sorted({one.arch for one in held if one.arch is not None})
        if entry is not None:
            self.slices.setdefault(entry.name, Slice(entry.name, None))
            for one in held:
                if one.arch not in (None, entry.name):
                    message = f"{one.name} is {one.arch} in the {entry.name} slice"
                    self._add(Code.OBJECT_ARCH, entry.name, message)
            return
        for arch in arches:
            self.slices.setdefault(arch, Slice(arch, None))
        if len(arches) > 1:
            message = f"a thin archive holds objects of {' and '.join(arches)}"
            self._add(Code.OBJECT_ARCH, "", message)

    def _compare(self) -> None:
        for code, what, values in self._kinds():
            if len(set(values.values())) > 1:
                told = "; ".join(f"{arch}: {value}" for arch, value in values.items())
                self._add(code, "", f"{what}: {told}")

    def _kinds(self) -> Iterator[tuple[Code, str, dict[str, str]]]:
        images = {arch: one.image for arch, one in self.slices.items() if one.image is not None}
        types = {arch: one.filetype_name for arch, one in images.items()}
        yield Code.FILETYPE_DIFFERS, "file types", types
        names = {arch: one.install_name or "none" for arch, one in images.items()}
        base = {arch: name.rpartition("/")[2] for arch, name in names.items()}
        yield Code.INSTALL_NAME_DIFFERS, "install names", base
