"""One binary of a wheel: what each slice is, and what is wrong with it on its own."""

from __future__ import annotations

import contextlib
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
    from tensorflow_macos_build.wheels.verify.spool import Content, ExportStore

HEAD = 8
"""Bytes from which `is_binary` can tell: `fat_header`'s two words, and `ARMAG`, have 8."""


@dataclass(frozen=True, slots=True)
class StoredExports:
    """Where an image's exports were put aside: its trie, or names where it has none.

    Attributes:
        trie: where the trie is in the `ExportStore`; None when there is none.
        origin: offset of the trie in the binary, for messages.
        names: the external symbols of an image without a trie.
    """

    trie: range | None
    origin: int
    names: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class BinarySlice:
    """One architecture of a binary.

    Attributes:
        arch: as lipo names it.
        image: its header and load commands; None for a static archive and for what cannot be read.
        undefined: its undefined symbols, when dyld would bind them.
        exports: what it gives; None when it is not loadable.
    """

    arch: str
    image: Image | None
    undefined: tuple[UndefinedSymbol, ...] = ()
    exports: StoredExports | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """A Mach-O file or static archive of the wheel, thin or universal.

    Attributes:
        name: the member.
        slices: by architecture; of two of one, the first. Empty when the file cannot be read.
    """

    name: str
    slices: dict[str, BinarySlice]


def is_binary(head: bytes) -> bool:
    """Whether a file is Mach-O, universal, or a static archive, by its first 8 bytes."""
    return fat.is_fat(head) or image.is_image(head) or archive.is_archive(head)


def inspect(name: str, content: Content, store: ExportStore) -> tuple[Binary, tuple[Finding, ...]]:
    """Read a binary and check it on its own; what the dry link needs is put into `store`."""
    reader = _BinaryReader(name, content, store)
    try:
        reader.read()
    except MalformedMachO as error:
        reader.malformed(error)
    return Binary(name, reader.slices), tuple(reader.findings)


def read(name: str, content: Content, store: ExportStore) -> Binary:
    """Read a binary as `inspect` does, without checking anything of it but what the link needs."""
    reader = _BinaryReader(name, content, store, checking=False)
    with contextlib.suppress(MalformedMachO):
        reader.read()
    return Binary(name, reader.slices)


class _BinaryReader:
    def __init__(
        self, name: str, content: Content, store: ExportStore, *, checking: bool = True
    ) -> None:
        self._checking = checking
        self.slices: dict[str, BinarySlice] = {}
        self.findings: list[Finding] = []
        self._name = name
        self._content = content
        self._store = store

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
            # A slice that cannot be read must not hide what is wrong with the next.
            try:
                self._slice(window.part(arch.offset, arch.size, "slice"), arch)
            except MalformedMachO as error:
                self.malformed(error.within(slice=arch.name))
                self.slices.setdefault(arch.name, BinarySlice(arch.name, None))
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
        own = (parsed.cputype, parsed.cpusubtype)
        if entry is not None and (entry.cputype, entry.cpusubtype) != own:
            message = f"the universal header says {entry.name}, the slice's own {parsed.arch}"
            self._add(Code.FAT_CPUTYPE, entry.name, message)
        # Without them no page but those of the tables is read.
        for finding in slices.check(self._content, window, parsed) if self._checking else ():
            self.findings.append(replace(finding, file=self._name, slice=parsed.arch))
        self.slices.setdefault(parsed.arch, self._linked(window, parsed))

    def _linked(self, window: Window, parsed: Image) -> BinarySlice:
        if not parsed.is_loadable:
            return BinarySlice(parsed.arch, parsed)
        try:
            undefined = tuple(undefined_symbols(window, parsed))
            exports = self._exports(window, parsed)
        except MalformedMachO as error:
            # Without exports it is no part of the dry link: what loads it is not blamed for it.
            self.malformed(error.within(slice=parsed.arch))
            return BinarySlice(parsed.arch, parsed)
        return BinarySlice(parsed.arch, parsed, undefined, exports)

    def _exports(self, window: Window, parsed: Image) -> StoredExports:
        trie = parsed.linkedit_range(*export_trie.TRIES)
        if trie is not None:
            # Copied: the binary is gone from memory by the time that all of the wheel is linked.
            part = window.part(trie.offset, trie.size, trie.name)
            return StoredExports(self._store.put(part), part.start, frozenset())
        if export_trie.has_trie(parsed):
            return StoredExports(None, 0, frozenset())
        # Before LC_DYLD_INFO (Mac OS X 10.6) dyld looked symbols up in the symbol table.
        return StoredExports(None, 0, frozenset(symbol_table.defined(window, parsed)))

    def _archive(self, window: Window, entry: fat.FatArch | None) -> None:
        objects = list(archive.parse(window))
        arches = sorted({member.arch for member in objects if member.arch is not None})
        if entry is not None:
            self.slices.setdefault(entry.name, BinarySlice(entry.name, None))
            for member in objects:
                if member.arch not in (None, entry.name):
                    message = f"{member.name} is {member.arch} in the {entry.name} slice"
                    self._add(Code.OBJECT_ARCH, entry.name, message)
            return
        for arch in arches:
            self.slices.setdefault(arch, BinarySlice(arch, None))
        if len(arches) > 1:
            message = f"a thin archive holds objects of {' and '.join(arches)}"
            self._add(Code.OBJECT_ARCH, "", message)

    def _compare(self) -> None:
        """Find what differs from slice to slice and must not."""
        for code, what, values in self._comparable():
            if len(set(values.values())) > 1:
                listed = "; ".join(f"{arch}: {value}" for arch, value in values.items())
                self._add(code, "", f"{what}: {listed}")

    def _comparable(self) -> Iterator[tuple[Code, str, dict[str, str]]]:
        images = {arch: part.image for arch, part in self.slices.items() if part.image is not None}
        types = {arch: parsed.filetype_name for arch, parsed in images.items()}
        yield Code.FILETYPE_DIFFERS, "file types", types
        # By their last parts: the folders before them may be those of two builds.
        names = {arch: parsed.install_name or "none" for arch, parsed in images.items()}
        base = {arch: name.rpartition("/")[2] for arch, name in names.items()}
        yield Code.INSTALL_NAME_DIFFERS, "install names", base
