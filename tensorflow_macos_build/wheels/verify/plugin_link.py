"""What dyld makes of a plugin beside a wheel of TensorFlow: each library and symbol it needs.

TensorFlow opens each .dylib of site-packages/tensorflow-plugins with RTLD_NOW, so that a symbol
that is missing ends its load even where it is bound lazily. Source: `load_library.py` of
TensorFlow; `RuntimeState::dlopen` and `Loader::resolveSymbol` in dyld-1378.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.symbols import SymbolOrigin
from tensorflow_macos_build.wheels.verify import known_symbols
from tensorflow_macos_build.wheels.verify.export_lookup import ExportLookup
from tensorflow_macos_build.wheels.verify.libraries import LibraryResolver
from tensorflow_macos_build.wheels.verify.linked_images import (
    Elsewhere,
    LinkedImage,
    linked_images,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.macho.symbols import UndefinedSymbol
    from tensorflow_macos_build.macho.window import Window
    from tensorflow_macos_build.wheels.verify.binaries import Binary
    from tensorflow_macos_build.wheels.verify.findings import Finding

_OPENER = "libtensorflow_framework"
"""What the library is called whose code opens plugins (tsl/platform/default/load_library.cc)."""

_OF_TENSORFLOW = re.compile(rb"_(?:TF|TFE|TSL|SE|SP)_|__Z")
"""How names begin that TensorFlow gives and macOS does not: its C API's, and all of C++'s."""

_OF_LIBCXX = re.compile(
    rb"__Z(?:n[wa]|d[la]|(?:T[ISVHW]|GV)?N?K?(?:S[tabsiod]|10__cxxabiv1)|T[IS]P?K?[a-z])"
)
"""But for these: operators new and delete, what lies in namespace std or __cxxabiv1, and type
information of fundamental types (Itanium C++ ABI, 5.1 and 2.9.2)."""


@dataclass(frozen=True, slots=True)
class MissingSymbol:
    """A symbol of a plugin that dyld does not find where it looks.

    Attributes:
        name: as the file has it, with the underscore before a C name.
        library: the install name of the library that it must come from; empty: any image.
        is_weak: whether dyld binds it to null and goes on.
        elsewhere: members of the wheel that export it, though dyld does not look there.
    """

    name: str
    library: str
    is_weak: bool
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PluginLink:
    """What becomes of one image of a plugin, on one architecture.

    Attributes:
        member: its file in the plugin's wheel.
        arch: the architecture, as lipo names it.
        lost: install names of libraries that it loads and that are nowhere.
        bound: the symbols that TensorFlow's wheel, or the plugin's, gives.
        missing: the symbols that nobody gives, weak ones too.
        others: how many symbols come from macOS, Python, or what else is not in the wheels.
    """

    member: str
    arch: str
    lost: tuple[str, ...]
    bound: tuple[str, ...]
    missing: tuple[MissingSymbol, ...]
    others: int

    @property
    def taken(self) -> tuple[str, ...]:
        """The symbols that it takes from the two wheels, or would."""
        return (*self.bound, *(symbol.name for symbol in self.missing))

    @property
    def loads(self) -> bool:
        """Whether dyld loads it."""
        return not self.lost and all(symbol.is_weak for symbol in self.missing)


def link(
    arch: str,
    wheel: Sequence[Binary],
    plugin: Sequence[Binary],
    tries: Window,
    tops: frozenset[str],
) -> tuple[tuple[PluginLink, ...], tuple[Finding, ...]]:
    """Link a plugin dry on one architecture.

    Args:
        arch: as lipo names it.
        wheel: the binaries of TensorFlow's wheel.
        plugin: the binaries of the plugin's.
        tries: what their exports were put into.
        tops: the top-level names of site-packages that the two fill.

    Returns:
        What becomes of each image, and what is wrong with rpaths and tries; `file` of a finding is
        the member.
    """
    images = list(linked_images(arch, [*wheel, *plugin]))
    own = [image for image in images if any(image.binary is binary for binary in plugin)]
    openers = [image for image in images if image.path.rpartition("/")[2].startswith(_OPENER)]
    resolver = LibraryResolver(arch, images, [*wheel, *plugin], tops, dict.fromkeys(own, openers))
    resolver.resolve()
    lookup = ExportLookup(arch, tries)
    binder = _PluginBinder(images, lookup)
    links = tuple(binder.bind(image) for image in own)
    members = {image.name for image in own}
    findings = (*resolver.findings, *lookup.findings)
    return links, tuple(finding for finding in findings if finding.file in members)


class _PluginBinder:
    def __init__(self, images: Sequence[LinkedImage], lookup: ExportLookup) -> None:
        self._lookup = lookup
        self._images = images
        loaded = {library for image in images for library in image.loads}
        # Python opens modules with RTLD_LOCAL, which hides them, but not what they load, from a
        # lookup in all images (`depOptions.rtldLocal = false` of dyld/DyldAPIs.cpp).
        self._visible = [image for image in images if image in loaded]

    def bind(self, image: LinkedImage) -> PluginLink:
        """Look up every symbol that a plugin's image needs."""
        bound: dict[str, None] = {}
        missing: list[MissingSymbol] = []
        others = 0
        self._prefetch(image)
        for symbol in image.slice.undefined:
            name = symbol.name.decode("utf-8", "backslashreplace")
            match self._given(image, symbol):
                case None:
                    others += 1
                case True:
                    bound[name] = None
                case False:
                    missing.append(self._missing(image, symbol, name))
        return PluginLink(
            member=image.name,
            arch=image.macho.arch,
            lost=tuple(_lost(image)),
            bound=tuple(bound),
            missing=tuple(dict.fromkeys(missing)),
            others=others,
        )

    def _prefetch(self, image: LinkedImage) -> None:
        names = [symbol.name for symbol in image.slice.undefined]
        for library in {*self._visible, image, *image.loads}:
            if isinstance(library, LinkedImage):
                self._lookup.look_up(library, names)

    def _given(self, image: LinkedImage, symbol: UndefinedSymbol) -> bool | None:
        """Whether a symbol is found; None: it comes from what is not in the wheels."""
        if isinstance(symbol.origin, int):
            library = image.loads[symbol.origin]
            if library is Elsewhere.SYSTEM:
                return None
            return isinstance(library, LinkedImage) and self._lookup.gives(library, symbol.name)
        if symbol.origin is SymbolOrigin.MAIN_EXECUTABLE:
            return None  # Python's own, whatever Python it is
        if any(self._exports(library, symbol.name) for library in (image, *self._visible)):
            return True
        return False if _is_tensorflows(image, symbol.name) else None

    def _exports(self, image: LinkedImage, name: bytes) -> bool:
        # A lookup in all images asks each for its own trie alone (`Loader::shallow`).
        return self._lookup.has(image, name) and self._lookup.gives(image, name)

    def _missing(self, image: LinkedImage, symbol: UndefinedSymbol, name: str) -> MissingSymbol:
        library = ""
        if isinstance(symbol.origin, int):
            library = image.macho.dylibs[symbol.origin].name
        elsewhere = sorted(
            other.name
            for other in self._images
            if other is not image and self._exports(other, symbol.name)
        )
        return MissingSymbol(name, library, symbol.is_weak, tuple(elsewhere))


def _lost(image: LinkedImage) -> Iterator[str]:
    for dylib, library in zip(image.macho.dylibs, image.loads, strict=True):
        if library is Elsewhere.UNKNOWN and not dylib.is_weak:
            yield dylib.name


def _is_tensorflows(image: LinkedImage, name: bytes) -> bool:
    """Whether a symbol that may come from any image would have to come from TensorFlow.

    macOS and Python are not in the wheels: a plain C name that no release of TensorFlow is known to
    have may be one of theirs, as `objc_msgSend` in Apple's plugin is.
    """
    if known_symbols.is_known(image.macho.arch, name.decode("utf-8", "replace")):
        return True
    return bool(_OF_TENSORFLOW.match(name)) and not _OF_LIBCXX.match(name)
