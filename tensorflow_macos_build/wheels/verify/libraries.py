"""Which library of the wheel dyld finds for each install name that an image loads.

Source: dyld(1), "DYNAMIC LIBRARY LOADING"; `Loader::getLoader` and `forEachResolvedAtPathVar` in
dyld-1378, dyld/Loader.cpp.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import MH_DYLIB
from tensorflow_macos_build.wheels.dist_info import install_paths
from tensorflow_macos_build.wheels.verify.findings import Code, Finding
from tensorflow_macos_build.wheels.verify.linked_images import Elsewhere, LinkedImage, first_few

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.macho.load_commands import Dylib
    from tensorflow_macos_build.wheels.verify.binaries import Binary

_WITHOUT_FALLBACK = (14, 0, 0)
"""The SDK from which on dyld no longer looks for a lost library's name in /usr/lib.

Source: `forEachDylibFallback` in dyld-1378, dyld/DyldProcessConfig.cpp, which asks for
`pre2022Binary`; that is `sdkOnOrAfter2022` in common/MachOFile.cpp.
"""


class LibraryResolver:
    """Finds the libraries that the images of one architecture load.

    Attributes:
        findings: what is wrong with rpaths and install names.
    """

    def __init__(
        self,
        arch: str,
        images: Sequence[LinkedImage],
        binaries: Iterable[Binary],
        tops: frozenset[str],
        openers: Mapping[LinkedImage, Sequence[LinkedImage]] = MappingProxyType({}),
    ) -> None:
        """Take the images, and by which others some of them are opened (dlopen), if it is known."""
        self.findings: list[Finding] = []
        self._arch = arch
        self._images = images
        self._tops = tops
        self._openers = openers
        self._by_path = {image.path: image for image in images}
        self._binaries = {install_paths.installed(binary.name): binary for binary in binaries}
        self._by_base_name: dict[str, list[str]] = {}
        for path in self._by_path:
            self._by_base_name.setdefault(path.rpartition("/")[2], []).append(path)
        self._folders = {above for path in self._by_path for above in install_paths.above(path)}
        self._by_install_name: dict[str, list[LinkedImage]] = {}
        for image in images:
            if image.macho.install_name is not None:
                self._by_install_name.setdefault(image.macho.install_name, []).append(image)

    def resolve(self) -> None:
        """Fill in what every image loads."""
        inherited = self._inherited()
        for image in self._images:
            self._check_rpaths(image)
            for dylib in image.macho.dylibs:
                loaded = self._resolved(image, dylib, inherited[image])
                self._check_type(image, dylib, loaded)
                image.loads.append(loaded)

    def _add(self, code: Code, image: LinkedImage, message: str) -> None:
        self.findings.append(Finding(code, message, image.name, self._arch))

    def _inherited(self) -> dict[LinkedImage, dict[str, None]]:
        """Return, for each image, its rpaths and those of the images that load it, directly or not.

        dyld searches the rpaths of the whole chain of loaders (`LoadOptions.rpathStack`). Which
        loader comes first depends on the program; here all count.
        """
        rpaths = {image: self._own_rpaths(image) for image in self._images}
        # dlopen() begins the chain with its caller (`loadChainCaller` of dyld/DyldAPIs.cpp).
        for image, openers in self._openers.items():
            for opener in openers:
                rpaths[image].update(self._own_rpaths(opener))
        # Each round hands rpaths down by one load, until nothing is new: libraries may load each
        # other. A dict is a set with an order, so that findings do not depend on hashes.
        pending = dict.fromkeys(self._images)
        while pending:
            image = next(iter(pending))
            del pending[image]
            for dylib in image.macho.dylibs:
                below = self._reached(image, dylib.name, rpaths[image])
                if below is not None and not rpaths[image].keys() <= rpaths[below].keys():
                    rpaths[below].update(rpaths[image])
                    pending[below] = None
        return rpaths

    def _reached(
        self, image: LinkedImage, name: str, rpaths: Mapping[str, None]
    ) -> LinkedImage | None:
        """Follow an install name to an image of the wheel, by rpaths in their order."""
        head, _, tail = name.partition("/")
        if head == "@rpath" and not {"", ".", ".."} & set(tail.split("/")):
            # Few files have the name: ask for each whether its folder is an rpath, not vice versa.
            ending = f"/{tail}"
            alike = self._by_base_name.get(name.rpartition("/")[2], [])
            folders = {path.removesuffix(ending): path for path in alike if path.endswith(ending)}
            among = folders.keys() & rpaths.keys()
            first = next((path for path in rpaths if path in among), None) if among else None
            return None if first is None else self._by_path[folders[first]]
        for path in _candidates(image, name, rpaths):
            if path in self._by_path:
                return self._by_path[path]
        return None

    def _own_rpaths(self, image: LinkedImage) -> dict[str, None]:
        """Return the folders that an image's own rpaths lead to, in order."""
        folders = (install_paths.expanded(path, image.path) for path in image.macho.rpaths)
        return dict.fromkeys(folder for folder in folders if folder is not None)

    def _check_rpaths(self, image: LinkedImage) -> None:
        dead = []
        for path in image.macho.rpaths:
            folder = install_paths.expanded(path, image.path)
            if path.startswith("/") and not install_paths.is_system(path):
                self._add(Code.RPATH_ABSOLUTE, image, path)
            elif folder is not None and folder not in self._folders:
                dead.append(path)
        if dead:
            message = f"{len(dead)} lead to no library: {first_few(dead)}"
            self._add(Code.RPATH_DEAD, image, message)

    def _resolved(
        self, image: LinkedImage, dylib: Dylib, inherited: Mapping[str, None]
    ) -> LinkedImage | Elsewhere:
        if self._is_of_system(image, dylib.name):
            return Elsewhere.SYSTEM
        # dyld goes up the chain of loaders from the image itself: its own rpaths come first.
        own = self._own_rpaths(image)
        if (library := self._reached(image, dylib.name, own)) is not None:
            return library
        if (library := self._reached(image, dylib.name, inherited)) is not None:
            message = f"{dylib.name} is reached only by an rpath of what loads this file"
            self._add(Code.RPATH_INHERITED, image, f"{message}: {library.name}")
            return library
        for path in _candidates(image, dylib.name, [*own, *inherited]):
            if path in self._binaries:
                self._check_slice(image, dylib.name, self._binaries[path])
                return Elsewhere.UNKNOWN
        return self._unreached(image, dylib)

    def _is_of_system(self, image: LinkedImage, name: str) -> bool:
        if install_paths.is_system(name):
            return True
        if not name.startswith("@rpath/"):
            return False
        # An rpath of /usr/lib/swift leads to a library that macOS has.
        below = name.removeprefix("@rpath/")
        return any(
            install_paths.is_of_system(f"{rpath.rstrip('/')}/{below}")
            for rpath in image.macho.rpaths
        )

    def _check_type(
        self, image: LinkedImage, dylib: Dylib, loaded: LinkedImage | Elsewhere
    ) -> None:
        """Find what is linked with and is no dylib: dyld loads bundles by dlopen alone."""
        if isinstance(loaded, Elsewhere) or dylib.is_weak:
            return
        if loaded.macho.filetype != MH_DYLIB:
            message = f"{dylib.name} is {loaded.name}, an {loaded.macho.filetype_name}"
            self._add(Code.LIBRARY_TYPE, image, message)

    def _check_slice(self, image: LinkedImage, name: str, other: Binary) -> None:
        """Find a file that lacks this architecture, unless what it has could not be read."""
        if other.slices and self._arch not in other.slices:
            message = f"{name} is {other.name}, which has no {self._arch} slice"
            self._add(Code.LIBRARY_SLICE, image, message)

    def _unreached(self, image: LinkedImage, dylib: Dylib) -> LinkedImage | Elsewhere:
        name = dylib.name
        alike = self._by_install_name.get(name, [])
        if len(alike) == 1 and not name.startswith("/"):
            # dyld takes an image that is loaded already under that name (pages/rpath-misses.md).
            message = f"{name}: no rpath leads to {alike[0].name}, which has that install name"
            self._add(Code.RPATH_MISSES, image, message)
        elif dylib.is_weak:
            self._add(Code.LIBRARY_WEAK_MISSING, image, name)
        elif image.macho.sdk < _WITHOUT_FALLBACK and install_paths.is_of_usr_lib(name):
            self._add(Code.LIBRARY_FALLBACK, image, f"{name} leads nowhere; /usr/lib has one")
            return Elsewhere.SYSTEM
        elif name.startswith("/"):
            self._add(Code.LIBRARY_ABSOLUTE, image, name)
        elif (path := self._foreign(image, name)) is not None:
            self._add(Code.LIBRARY_ELSEWHERE, image, f"{name} leads to {path}")
        else:
            twice = f"; {len(alike)} files have that install name" if alike else ""
            self._add(Code.LIBRARY_MISSING, image, f"{name} is nowhere in the wheel{twice}")
        return alike[0] if len(alike) == 1 else Elsewhere.UNKNOWN

    def _foreign(self, image: LinkedImage, name: str) -> str | None:
        """Return a path outside this wheel's own folders that the name may lead to."""
        # The program is Python, wherever it is: nothing that a wheel could tell.
        if name.startswith("@executable_path"):
            return name
        for path in _candidates(image, name, self._own_rpaths(image)):
            if install_paths.owner(path) not in self._tops:
                return path
        return None


def _candidates(image: LinkedImage, name: str, rpaths: Iterable[str]) -> Iterator[str]:
    if name.startswith("@rpath/"):
        for folder in rpaths:
            yield install_paths.joined(folder, name.removeprefix("@rpath/"))
    elif (path := install_paths.expanded(name, image.path)) is not None:
        yield path
