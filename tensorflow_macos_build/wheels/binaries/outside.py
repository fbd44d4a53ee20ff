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
    found = (
        Need(dylib.name, member, image.arch)
        for member, slices in images.items()
        for image in slices
        if image.filetype != MH_OBJECT
        for dylib in image.dylibs
        if not inside.has(dylib, image, install_paths.installed(member))
    )
    return tuple(sorted(set(found)))


class _Inside:
    def __init__(self, images: Mapping[str, Sequence[Image]], members: Iterable[str]) -> None:
        self._places = {install_paths.installed(member) for member in images}
        self._last_parts = {place.rpartition("/")[2] for place in self._places}
        self._names = {image.install_name for slices in images.values() for image in slices}
        self._tops = {install_paths.owner(install_paths.installed(member)) for member in members}

    def has(self, dylib: Dylib, image: Image, place: str) -> bool:
        name = dylib.name
        if install_paths.is_system(name) or dylib.is_weak:
            return True
        if not name.startswith("@"):
            return False
        if name in self._names or name.rpartition("/")[2] in self._last_parts:
            return True
        return any(
            found in self._places or install_paths.owner(found) not in {None, *self._tops}
            for found in _candidates(name, image, place)
        )


def _candidates(name: str, image: Image, place: str) -> Iterator[str]:
    """Return the places in the environment that an install name with an @ leads to."""
    head, _, tail = name.partition("/")
    if head == "@rpath":
        for rpath in image.rpaths:
            folder = install_paths.expanded(rpath, place)
            if folder is not None:
                yield install_paths.joined(folder, tail)
    elif (found := install_paths.expanded(name, place)) is not None:
        yield found
