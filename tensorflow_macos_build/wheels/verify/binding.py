"""The dry link: what dyld would find for each library and symbol, inside the wheel.

For each architecture on its own, every library that an image loads is looked for as dyld does, and
every symbol that must come from a library of the wheel is looked up in that library's exports and
in those of the libraries that it re-exports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.verify.export_lookup import ExportLookup
from tensorflow_macos_build.wheels.verify.findings import Code, Finding
from tensorflow_macos_build.wheels.verify.libraries import LibraryResolver
from tensorflow_macos_build.wheels.verify.linked_images import first_few, linked_images
from tensorflow_macos_build.wheels.verify.symbol_binding import SymbolBinder, SymbolCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.macho.window import Window
    from tensorflow_macos_build.wheels.verify.binaries import Binary


def link(
    binaries: Sequence[Binary], tries: Window, tops: frozenset[str], must_export: frozenset[str]
) -> tuple[SymbolCounts, tuple[Finding, ...]]:
    """Link the wheel dry for every architecture.

    Args:
        binaries: all binaries of the wheel, and what might be one but cannot be read.
        tries: what their exports were put into.
        tops: the top-level names of site-packages that this wheel fills.
        must_export: C names that some image of each architecture must export.
    """
    counts = SymbolCounts()
    findings: list[Finding] = []
    # Without an image there is no architecture either, and the loop below says nothing.
    if must_export and not any(binary.slices for binary in binaries):
        names = first_few(sorted(must_export))
        message = f"no binary that could export {len(must_export)}: {names}"
        findings.append(Finding(Code.MUST_EXPORT, message))
    for arch in sorted({arch for binary in binaries for arch in binary.slices}):
        images = list(linked_images(arch, binaries))
        resolver = LibraryResolver(arch, images, binaries, tops)
        resolver.resolve()
        # A symbol names the library by its ordinal: libraries first.
        lookup = ExportLookup(arch, tries)
        binder = SymbolBinder(arch, images, lookup)
        binder.bind()
        binder.check_exports(must_export)
        counts += binder.counts
        findings += [*resolver.findings, *lookup.findings, *binder.findings]
    return counts, tuple(findings)
