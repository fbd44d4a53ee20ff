"""Whether each symbol that an image takes from a library of the wheel is exported there.

Symbols of the system are not looked up: that would need Apple's SDK. Source: dyld(1);
<mach-o/loader.h>.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.symbols import SymbolOrigin
from tensorflow_macos_build.wheels.verify.findings import Code, Finding
from tensorflow_macos_build.wheels.verify.linked_images import Elsewhere, LinkedImage, first_few

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.wheels.verify.export_lookup import ExportLookup


@dataclass(frozen=True, slots=True)
class SymbolCounts:
    """How many undefined symbols were looked up, and why others were not.

    Attributes:
        bound: found in a library of the wheel.
        missing: not found there.
        system: to come from the system, or from what is not in the wheel.
        dynamic: to come from any image: CPython's own, and weak definitions.
    """

    bound: int = 0
    missing: int = 0
    system: int = 0
    dynamic: int = 0

    def __add__(self, other: SymbolCounts) -> SymbolCounts:
        """Add up."""
        return SymbolCounts(
            self.bound + other.bound,
            self.missing + other.missing,
            self.system + other.system,
            self.dynamic + other.dynamic,
        )


class SymbolBinder:
    """Binds the symbols of the images of one architecture, whose libraries are resolved.

    Attributes:
        counts: what became of the symbols.
        findings: which of them are missing.
    """

    def __init__(self, arch: str, images: Sequence[LinkedImage], lookup: ExportLookup) -> None:
        self.counts = SymbolCounts()
        self.findings: list[Finding] = []
        self._arch = arch
        self._images = images
        self._lookup = lookup

    def bind(self) -> None:
        """Look up every symbol that comes from a library of the wheel."""
        self._fill_cache()
        for image in self._images:
            self._bind_image(image)

    def check_exports(self, names: frozenset[str]) -> None:
        """Find C names that no image exports."""
        # Mach-O's names of C symbols begin with an underscore.
        missing = {b"_" + name.encode(): name for name in names}
        for image in self._images:
            for name in self._lookup.exports(image, list(missing)) if missing else ():
                del missing[name]
        if missing:
            message = f"no file exports {len(missing)}: {', '.join(sorted(missing.values()))}"
            self.findings.append(Finding(Code.MUST_EXPORT, message, slice=self._arch))

    def _add(self, code: Code, image: LinkedImage, message: str) -> None:
        self.findings.append(Finding(code, message, image.name, self._arch))

    def _fill_cache(self) -> None:
        """Look up, in one walk for each library, all that the wheel wants of it directly."""
        by_library: dict[LinkedImage, set[bytes]] = {}
        for image in self._images:
            for symbol in image.slice.undefined:
                origin = symbol.origin
                library = image.loads[origin] if isinstance(origin, int) else None
                if isinstance(library, LinkedImage):
                    by_library.setdefault(library, set()).add(symbol.name)
        for library, names in by_library.items():
            self._lookup.look_up(library, names)

    def _bind_image(self, image: LinkedImage) -> None:
        missing: dict[int, list[str]] = {}
        weak: dict[int, list[str]] = {}
        bound = absent = system = dynamic = 0
        for symbol in image.slice.undefined:
            if isinstance(symbol.origin, SymbolOrigin):
                dynamic += 1
                continue
            library = image.loads[symbol.origin]
            if isinstance(library, Elsewhere):
                system += 1
            elif self._lookup.gives(library, symbol.name):
                bound += 1
            else:
                absent += 1
                group = weak if symbol.is_weak else missing
                group.setdefault(symbol.origin, []).append(symbol.name.decode("utf-8", "replace"))
        self.counts += SymbolCounts(bound, absent, system, dynamic)
        for code, groups in (
            (Code.SYMBOL_MISSING, missing),
            (Code.SYMBOL_WEAK_MISSING, weak),
        ):
            for origin, names in groups.items():
                name = image.macho.dylibs[origin].name
                message = f"{name} does not export {len(names)}: {first_few(names)}"
                self._add(code, image, message)
