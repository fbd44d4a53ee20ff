"""The images of one architecture in a wheel: where they are installed, and what each loads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.dist_info import install_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.wheels.verify.binaries import Binary, BinarySlice

_SHOWN = 5


class Elsewhere(Enum):
    """Where a library is when no member of the wheel is it."""

    SYSTEM = "the system"
    UNKNOWN = "nowhere, or in another distribution"


@dataclass(frozen=True, eq=False)  # compared by identity: it is a node of a graph
class LinkedImage:
    """An image of one architecture.

    Attributes:
        binary: the member that it is in.
        slice: its slice there.
        macho: the slice's header and load commands.
        path: where it is installed, as `install_paths` counts.
        loads: the libraries that it loads, by ordinal less 1.
    """

    binary: Binary
    slice: BinarySlice
    macho: Image
    path: str
    loads: list[LinkedImage | Elsewhere] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The member's name."""
        return self.binary.name


def linked_images(arch: str, binaries: Iterable[Binary]) -> Iterator[LinkedImage]:
    """Return the images of an architecture that dyld can load; what they load is still empty."""
    for binary in binaries:
        part = binary.slices.get(arch)
        if part is not None and part.image is not None and part.exports is not None:
            yield LinkedImage(binary, part, part.image, install_paths.installed(binary.name))


def first_few(names: Sequence[str]) -> str:
    """Return the first of some names, for a message."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
