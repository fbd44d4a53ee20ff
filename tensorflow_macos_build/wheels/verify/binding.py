"""The dry link: what dyld would find for each library and symbol, inside the wheel.

For each architecture on its own, every library that an image loads is looked for as dyld does, and
every symbol that must come from a library of the wheel is looked up in that library's exports and
in those of the libraries that it re-exports. Symbols of the system are not checked: that would
need Apple's SDK. Source: dyld(1); <mach-o/loader.h>.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import export_trie
from tensorflow_macos_build.macho.constants import MH_DYLIB
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.symbols import ExportedSymbol, SymbolOrigin
from tensorflow_macos_build.wheels.dist_info import install_paths
from tensorflow_macos_build.wheels.verify.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.load_commands import Dylib
    from tensorflow_macos_build.macho.window import Window
    from tensorflow_macos_build.wheels.verify.binaries import Binary, Slice

_SHOWN = 5

_WITHOUT_FALLBACK = (14, 0, 0)
"""The SDK from which on dyld no longer looks for a lost library's name in /usr/lib.

Source: `forEachDylibFallback` in dyld-1378, dyld/DyldProcessConfig.cpp, which asks for
`pre2022Binary`; that is `sdkOnOrAfter2022` in common/MachOFile.cpp.
"""


@dataclass(frozen=True, slots=True)
class Counts:
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

    def __add__(self, other: Counts) -> Counts:
        """Add up."""
        return Counts(
            self.bound + other.bound,
            self.missing + other.missing,
            self.system + other.system,
            self.dynamic + other.dynamic,
        )


class _Elsewhere(Enum):
    """Where a library is when no member of the wheel is it."""

    SYSTEM = "the system"
    UNKNOWN = "nowhere, or in another distribution"


@dataclass(frozen=True)
class _Node:
    """An image of one architecture, and the wheel's images that it loads, by ordinal less 1."""

    binary: Binary
    slice: Slice
    image: Image
    place: str
    loads: list[_Node | _Elsewhere] = field(default_factory=list, compare=False)

    @property
    def name(self) -> str:
        return self.binary.name

    def __hash__(self) -> int:
        return id(self)


def link(
    binaries: Sequence[Binary], kept: Window, tops: frozenset[str], must_export: frozenset[str]
) -> tuple[Counts, tuple[Finding, ...]]:
    """Link the wheel dry for every architecture.

    Args:
        binaries: all binaries of the wheel, and what might be one but cannot be read.
        kept: what their exports were put into.
        tops: the top-level names of site-packages that this wheel fills.
        must_export: C names that some image of each architecture must export.
    """
    counts, found = Counts(), []
    if must_export and not any(binary.slices for binary in binaries):
        message = f"no binary that could export {len(must_export)}: {_list(sorted(must_export))}"
        found.append(Finding(Code.MUST_EXPORT, message))
    for arch in sorted({arch for binary in binaries for arch in binary.slices}):
        linker = _Linker(arch, binaries, kept, tops)
        linker.run()
        linker.judge_exports(must_export)
        counts += linker.counts
        found += linker.findings
    return counts, tuple(found)


class _Linker:
    def __init__(
        self, arch: str, binaries: Sequence[Binary], kept: Window, tops: frozenset[str]
    ) -> None:
        self.counts = Counts()
        self.findings: list[Finding] = []
        self._arch = arch
        self._kept = kept
        self._tops = tops
        self._nodes = list(_nodes(arch, binaries))
        self._by_place = {node.place: node for node in self._nodes}
        self._other_slices = {install_paths.installed(one.name): one for one in binaries}
        self._by_base_name: dict[str, list[str]] = {}
        for place in self._by_place:
            self._by_base_name.setdefault(place.rpartition("/")[2], []).append(place)
        self._folders = {above for place in self._by_place for above in install_paths.above(place)}
        self._by_install_name: dict[str, list[_Node]] = {}
        for node in self._nodes:
            if node.image.install_name is not None:
                self._by_install_name.setdefault(node.image.install_name, []).append(node)
        self._cache: dict[tuple[_Node, bytes], ExportedSymbol | None] = {}

    def run(self) -> None:
        rpaths = self._inherited()
        for node in self._nodes:
            self._judge_rpaths(node)
            for dylib in node.image.dylibs:
                loaded = self._resolve(node, dylib, rpaths[node])
                self._judge_loaded(node, dylib, loaded)
                node.loads.append(loaded)
        self._fill_cache()
        for node in self._nodes:
            self._bind(node)

    def _add(self, code: Code, node: _Node, message: str) -> None:
        self.findings.append(Finding(code, message, node.name, self._arch))

    # Libraries

    def _inherited(self) -> dict[_Node, dict[str, None]]:
        """Return, for each image, its rpaths and those of the images that load it, directly or not.

        dyld searches the rpaths of the whole chain of loaders. Which loader comes first depends on
        the program; here all count.
        """
        found = {node: self._search(node) for node in self._nodes}
        pending = dict.fromkeys(self._nodes)
        while pending:
            node = next(iter(pending))
            del pending[node]
            for dylib in node.image.dylibs:
                below = self._reached(node, dylib.name, found[node])
                if below is not None and not found[node].keys() <= found[below].keys():
                    found[below].update(found[node])
                    pending[below] = None
        return found

    def _reached(self, node: _Node, name: str, rpaths: Mapping[str, None]) -> _Node | None:
        """Follow an install name to an image of the wheel, by rpaths in their order."""
        same = self._by_base_name.get(name.rpartition("/")[2], [])
        head, _, tail = name.partition("/")
        if head == "@rpath" and not {"", ".", ".."} & set(tail.split("/")):
            # Few files have the name: ask for each whether its folder is an rpath, not vice versa.
            ends = f"/{tail}"
            folders = {place.removesuffix(ends): place for place in same if place.endswith(ends)}
            among = folders.keys() & rpaths.keys()
            first = next((path for path in rpaths if path in among), None) if among else None
            return None if first is None else self._by_place[folders[first]]
        for place in _candidates(node, name, rpaths):
            if place in self._by_place:
                return self._by_place[place]
        return None

    def _search(self, node: _Node) -> dict[str, None]:
        """Return the folders that an image's own rpaths lead to, in order."""
        found = (install_paths.expanded(path, node.place) for path in node.image.rpaths)
        return dict.fromkeys(place for place in found if place is not None)

    def _judge_rpaths(self, node: _Node) -> None:
        dead = []
        for path in node.image.rpaths:
            place = install_paths.expanded(path, node.place)
            if path.startswith("/") and not install_paths.is_system(path):
                self._add(Code.RPATH_ABSOLUTE, node, path)
            elif place is not None and place not in self._folders:
                dead.append(path)
        if dead:
            self._add(Code.RPATH_DEAD, node, f"{len(dead)} lead to no library: {_list(dead)}")

    def _resolve(
        self, node: _Node, dylib: Dylib, inherited: Mapping[str, None]
    ) -> _Node | _Elsewhere:
        name = dylib.name
        if install_paths.is_system(name) or any(
            self._in_system(name, path) for path in node.image.rpaths
        ):
            return _Elsewhere.SYSTEM
        own = self._search(node)
        if (found := self._reached(node, name, own)) is not None:
            return found
        if (found := self._reached(node, name, inherited)) is not None:
            message = f"{name} is reached only by an rpath of what loads this file: {found.name}"
            self._add(Code.RPATH_INHERITED, node, message)
            return found
        for place in _candidates(node, name, [*own, *inherited]):
            if place in self._other_slices:
                self._judge_slice(node, name, self._other_slices[place])
                return _Elsewhere.UNKNOWN
        return self._unreached(node, dylib)

    def _judge_loaded(self, node: _Node, dylib: Dylib, loaded: _Node | _Elsewhere) -> None:
        """Find what is linked with and is no dylib: dyld loads bundles by dlopen alone."""
        if isinstance(loaded, _Node) and loaded.image.filetype != MH_DYLIB and not dylib.is_weak:
            message = f"{dylib.name} is {loaded.name}, an {loaded.image.filetype_name}"
            self._add(Code.LIBRARY_TYPE, node, message)

    def _judge_slice(self, node: _Node, name: str, other: Binary) -> None:
        """Say that a file lacks this architecture, unless what it has could not be read."""
        if other.slices and self._arch not in other.slices:
            message = f"{name} is {other.name}, which has no {self._arch} slice"
            self._add(Code.LIBRARY_SLICE, node, message)

    def _unreached(self, node: _Node, dylib: Dylib) -> _Node | _Elsewhere:
        name = dylib.name
        same = self._by_install_name.get(name, [])
        if len(same) == 1 and not name.startswith("/"):
            message = f"{name}: no rpath leads to {same[0].name}, which has that install name"
            self._add(Code.RPATH_MISSES, node, message)
        elif dylib.is_weak:
            self._add(Code.LIBRARY_WEAK_MISSING, node, name)
        elif node.image.sdk < _WITHOUT_FALLBACK and install_paths.is_of_usr_lib(name):
            self._add(Code.LIBRARY_FALLBACK, node, f"{name} leads nowhere; /usr/lib has one")
            return _Elsewhere.SYSTEM
        elif name.startswith("/"):
            self._add(Code.LIBRARY_ABSOLUTE, node, name)
        elif (place := self._foreign(node, name)) is not None:
            self._add(Code.LIBRARY_ELSEWHERE, node, f"{name} leads to {place}")
        else:
            twice = f"; {len(same)} files have that install name" if same else ""
            self._add(Code.LIBRARY_MISSING, node, f"{name} is nowhere in the wheel{twice}")
        return same[0] if len(same) == 1 else _Elsewhere.UNKNOWN

    def _in_system(self, name: str, rpath: str) -> bool:
        """Whether an rpath leads a name to a library that macOS has: Swift's, mostly."""
        path = f"{rpath.rstrip('/')}/{name.removeprefix('@rpath/')}"
        return name.startswith("@rpath/") and install_paths.is_of_system(path)

    def _foreign(self, node: _Node, name: str) -> str | None:
        """Return a place outside this wheel's own folders that the name may lead to."""
        if name.startswith("@executable_path"):
            return name
        for place in _candidates(node, name, self._search(node)):
            if install_paths.owner(place) not in self._tops:
                return place
        return None

    # Symbols

    def judge_exports(self, names: frozenset[str]) -> None:
        """Find names that no image exports."""
        left = {b"_" + name.encode(): name for name in names}
        for node in self._nodes:
            for name in self._exports(node, list(left)) if left else ():
                del left[name]
        if left:
            message = f"no file exports {len(left)}: {', '.join(sorted(left.values()))}"
            self.findings.append(Finding(Code.MUST_EXPORT, message, "", self._arch))

    def _fill_cache(self) -> None:
        """Look up, in one walk for each library, all that the wheel wants of it directly."""
        asked: dict[_Node, set[bytes]] = {}
        for node in self._nodes:
            for one in node.slice.wanted:
                origin = one.origin
                target = node.loads[origin] if isinstance(origin, int) else None
                if isinstance(target, _Node):
                    asked.setdefault(target, set()).add(one.name)
        for node, names in asked.items():
            self._look_up(node, names)

    def _look_up(self, node: _Node, names: Iterable[bytes]) -> None:
        fresh = [name for name in names if (node, name) not in self._cache]
        found = self._exports(node, fresh) if fresh else {}
        for name in fresh:
            self._cache[node, name] = found.get(name)

    def _exports(self, node: _Node, names: list[bytes]) -> dict[bytes, ExportedSymbol]:
        exports = node.slice.exports
        if exports is None:
            return {}
        if exports.trie is None:
            return {name: ExportedSymbol() for name in names if name in exports.names}
        trie = self._kept.part(exports.trie.start, len(exports.trie), "export trie")
        try:
            return export_trie.look_up(trie, names)
        except MalformedMachO as error:
            offset = (error.offset or trie.start) - trie.start + exports.origin
            self._add(
                Code.MACHO_MALFORMED, node, f"export trie: {error.what} at offset {offset:#x}"
            )
            return {}

    def _bind(self, node: _Node) -> None:
        missing: dict[int, list[str]] = {}
        weak: dict[int, list[str]] = {}
        bound = absent = system = dynamic = 0
        for one in node.slice.wanted:
            if isinstance(one.origin, SymbolOrigin):
                dynamic += 1
                continue
            target = node.loads[one.origin]
            if isinstance(target, _Elsewhere):
                system += 1
            elif self._gives(target, one.name):
                bound += 1
            else:
                absent += 1
                group = weak if one.is_weak else missing
                group.setdefault(one.origin, []).append(one.name.decode("utf-8", "replace"))
        self.counts += Counts(bound, absent, system, dynamic)
        for code, groups in (
            (Code.SYMBOL_MISSING, missing),
            (Code.SYMBOL_WEAK_MISSING, weak),
        ):
            for origin, names in groups.items():
                library = node.image.dylibs[origin].name
                self._add(code, node, f"{library} does not export {len(names)}: {_list(names)}")

    def _gives(self, node: _Node, name: bytes) -> bool:
        """Whether an image gives a symbol, itself or by re-export; the unknown is trusted."""
        pending, seen = [(node, name)], set()
        while pending:
            here, wanted = pending.pop()
            if (here, wanted) in seen:
                continue
            seen.add((here, wanted))
            self._look_up(here, [wanted])
            export = self._cache[here, wanted]
            if export is not None and export.forwarded is None:
                return True
            for target, alias in _onward(here, wanted, export):
                if isinstance(target, _Elsewhere):
                    return True
                pending.append((target, alias))
        return False


def _onward(
    node: _Node, name: bytes, export: ExportedSymbol | None
) -> Iterator[tuple[_Node | _Elsewhere, bytes]]:
    if export is not None and export.forwarded is not None:
        index, alias = export.forwarded
        if 0 <= index < len(node.loads):
            yield node.loads[index], alias or name
        return
    for dylib, target in zip(node.image.dylibs, node.loads, strict=True):
        if dylib.is_reexported:
            yield target, name


def _nodes(arch: str, binaries: Iterable[Binary]) -> Iterator[_Node]:
    for binary in binaries:
        one = binary.slices.get(arch)
        if one is not None and one.image is not None and one.exports is not None:
            yield _Node(binary, one, one.image, install_paths.installed(binary.name))


def _candidates(node: _Node, name: str, rpaths: Iterable[str]) -> Iterator[str]:
    if name.startswith("@rpath/"):
        for folder in rpaths:
            yield install_paths.joined(folder, name.removeprefix("@rpath/"))
    elif (place := install_paths.expanded(name, node.place)) is not None:
        yield place


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
