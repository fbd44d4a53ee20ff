"""Symbols that an image takes from others, and what it gives, as values.

Names are bytes as the file has them: with the underscore that Mach-O puts before a C name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SymbolOrigin(Enum):
    """Where a two-level namespace says that a symbol comes from, when it names no library."""

    SELF = "the image itself"
    MAIN_EXECUTABLE = "the main executable"
    DYNAMIC_LOOKUP = "any image (dynamic_lookup)"
    WEAK_LOOKUP = "any image that defines it weakly"


@dataclass(frozen=True, slots=True)
class UndefinedSymbol:
    """A symbol that an image needs from another.

    Attributes:
        name: as the file has it.
        origin: the index in `Image.dylibs` of the library it must come from, or another origin.
        is_weak: whether dyld goes on when it is missing.
    """

    name: bytes
    origin: int | SymbolOrigin
    is_weak: bool


@dataclass(frozen=True, slots=True)
class ExportedSymbol:
    """A symbol that an image gives.

    Attributes:
        forwarded: when another library really has it: the index in `Image.dylibs`, and the
            symbol's name there.
    """

    forwarded: tuple[int, bytes] | None = None
