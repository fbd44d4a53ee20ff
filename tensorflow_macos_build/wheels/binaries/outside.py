"""Which libraries a wheel's binaries need that neither the wheel nor the system has.

An install name that leads nowhere is no need where a binary of the wheel goes by it, or by its
last part: dyld takes an image that is loaded already, and TensorFlow relies on that. Nor is it one
where an rpath leads into another distribution's folder of site-packages. Source: dyld(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import MH_OBJECT
from tensorflow_macos_build.wheels.dist_info import install_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.load_commands import Dylib


@dataclass(frozen=True, order=True, slots=True)
class Need:
    """A library from outside.

    Attributes:
        name: the install name that is asked for.
        user: the member that asks.
        arch: the architecture of the slice that asks.
    """

    name: str
    user: str
    arch: str


def needs(images: Mapping[str, Sequence[Image]], members: Iterable[str]) -> tuple[Need, ...]:
    """Return what a wheel needs from outside, sorted.

    Args:
        images: the wheel's binaries.
        members: all its files.
    """
    inside = _Inside(images, members)
    lacking = (
        Need(dylib.name, member, image.arch)
        for member, slices in images.items()
        for image in slices
        # Objects are for a linker: no loader reads them, whatever they name.
        if image.filetype != MH_OBJECT
        for dylib in image.dylibs
        if not inside.has(dylib, image, install_paths.installed(member))
    )
    return tuple(sorted(set(lacking)))


class _Inside:
    """What an install name can lead to without a library from outside."""

    def __init__(self, images: Mapping[str, Sequence[Image]], members: Iterable[str]) -> None:
        self._paths = {install_paths.installed(member) for member in images}
        self._last_parts = {path.rpartition("/")[2] for path in self._paths}
        self._names = {image.install_name for slices in images.values() for image in slices}
        self._tops = {install_paths.owner(install_paths.installed(member)) for member in members}

    def has(self, dylib: Dylib, image: Image, path: str) -> bool:
        name = dylib.name
        # dyld goes on without a library of LC_LOAD_WEAK_DYLIB that is not there.
        if install_paths.is_system(name) or dylib.is_weak:
            return True
        # An absolute path elsewhere, such as Homebrew's, is this machine's alone.
        if not name.startswith("@"):
            return False
        if name in self._names or name.rpartition("/")[2] in self._last_parts:
            return True
        return any(
            # Whether the other distribution has the library cannot be seen here.
            candidate in self._paths or install_paths.owner(candidate) not in {None, *self._tops}
            for candidate in _candidates(name, image, path)
        )


def _candidates(name: str, image: Image, path: str) -> Iterator[str]:
    """Return the paths in the environment that an install name with an @ leads to."""
    head, _, tail = name.partition("/")
    if head == "@rpath":
        for rpath in image.rpaths:
            folder = install_paths.expanded(rpath, path)
            if folder is not None:
                yield install_paths.joined(folder, tail)
    elif (candidate := install_paths.expanded(name, path)) is not None:
        yield candidate
