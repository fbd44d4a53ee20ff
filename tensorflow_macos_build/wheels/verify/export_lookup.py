"""Exports of a wheel's images, looked up as dyld does: in an image and in what it re-exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import export_trie
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.symbols import ExportedSymbol
from tensorflow_macos_build.wheels.verify.findings import Code, Finding
from tensorflow_macos_build.wheels.verify.linked_images import Elsewhere, LinkedImage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.macho.window import Window


class ExportLookup:
    """Looks symbols up in the export tries of one architecture's images, each of them once.

    Attributes:
        findings: the tries that cannot be read.
    """

    def __init__(self, arch: str, tries: Window) -> None:
        self.findings: list[Finding] = []
        self._arch = arch
        self._tries = tries
        self._cache: dict[tuple[LinkedImage, bytes], ExportedSymbol | None] = {}

    def look_up(self, image: LinkedImage, names: Iterable[bytes]) -> None:
        """Look names up in one image's trie, all in one walk, for `gives` to find.

        A walk a symbol would go through the trie's upper nodes again each time.
        """
        fresh = [name for name in names if (image, name) not in self._cache]
        exports = self.exports(image, fresh) if fresh else {}
        for name in fresh:
            self._cache[image, name] = exports.get(name)

    def exports(self, image: LinkedImage, names: list[bytes]) -> dict[bytes, ExportedSymbol]:
        """Return those of some names that an image itself exports."""
        exports = image.slice.exports
        if exports is None:
            return {}
        if exports.trie is None:
            return {name: ExportedSymbol() for name in names if name in exports.names}
        trie = self._tries.part(exports.trie.start, len(exports.trie), "export trie")
        try:
            return export_trie.look_up(trie, names)
        except MalformedMachO as error:
            # The trie was copied to where it is now; a person wants its place in the binary.
            offset = (error.offset or trie.start) - trie.start + exports.origin
            message = f"export trie: {error.what} at offset {offset:#x}"
            self.findings.append(Finding(Code.MACHO_MALFORMED, message, image.name, self._arch))
            return {}

    def has(self, image: LinkedImage, name: bytes) -> bool:
        """Whether an image itself lists a symbol, whatever it re-exports whole."""
        self.look_up(image, [name])
        return self._cache[image, name] is not None

    def gives(self, image: LinkedImage, name: bytes) -> bool:
        """Whether an image gives a symbol, itself or by re-export; the unknown is trusted."""
        pending, seen = [(image, name)], set()
        while pending:
            here, sought = pending.pop()
            if (here, sought) in seen:  # libraries may re-export each other
                continue
            seen.add((here, sought))
            self.look_up(here, [sought])
            export = self._cache[here, sought]
            if export is not None and export.forwarded is None:
                return True
            for library, alias in _onward(here, sought, export):
                if isinstance(library, Elsewhere):
                    return True
                pending.append((library, alias))
        return False


def _onward(
    image: LinkedImage, name: bytes, export: ExportedSymbol | None
) -> Iterator[tuple[LinkedImage | Elsewhere, bytes]]:
    """Return the libraries that may give a symbol in an image's place, and its name there."""
    if export is not None and export.forwarded is not None:
        index, alias = export.forwarded
        if 0 <= index < len(image.loads):
            yield image.loads[index], alias or name
        return
    # A library that is re-exported whole leaves nothing in the trie of the one that does it.
    for dylib, library in zip(image.macho.dylibs, image.loads, strict=True):
        if dylib.is_reexported:
            yield library, name
