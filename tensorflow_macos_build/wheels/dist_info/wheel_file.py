"""WHEEL of a wheel's dist-info: the format's version, where files go, and the tags.

Source: PyPA's binary distribution format, "The .dist-info directory".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.tags import parse_tag

from tensorflow_macos_build import __version__
from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata, parse_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

_MAXIMUM_TAGS = 10_000
"""Tags that WHEEL may stand for: a line may be of the form a.b-c.d-e.f, and means eight then.

One line of a few KB can so mean a billion.
"""


@dataclass(frozen=True, slots=True)
class WheelFile:
    """What a wheel's WHEEL file says.

    Attributes:
        version: Wheel-Version, such as "1.0".
        purelib: Root-Is-Purelib.
        tags: its Tag lines in order, as they stand there; `expanded` judges them.
        build: Build; None when there is none.
    """

    version: str
    purelib: bool
    tags: tuple[str, ...]
    build: str | None


def parse_wheel(content: bytes) -> WheelFile:
    """Read a WHEEL file.

    Raises:
        BadMetadata: a field is missing or malformed, or its version is not 1.x.
    """
    fields = parse_fields(content)
    version = str(fields.get("Wheel-Version", "")).strip()
    if not re.fullmatch(r"1\.[0-9]+", version):
        # Installers warn of a higher minor version and stop at a higher major one.
        raise BadMetadata(f"Wheel-Version is `{version}`; this tool knows version 1")
    purelib = str(fields.get("Root-Is-Purelib", "")).strip().lower()
    if purelib not in ("true", "false"):
        raise BadMetadata(f"Root-Is-Purelib is `{purelib}`, not true or false")
    tags = tuple(str(tag).strip() for tag in fields.get_all("Tag", []))
    build = fields.get("Build")
    return WheelFile(version, purelib == "true", tags, str(build).strip() if build else None)


def expanded_tags(lines: Iterable[str]) -> frozenset[Tag]:
    """Return the tags that WHEEL's `Tag` lines stand for together.

    Raises:
        BadMetadata: there is none, a line is no tag, or they stand for more than a wheel can have.
    """
    tags: set[Tag] = set()
    for line in lines:
        parts = line.split("-")
        if len(parts) != 3:
            raise BadMetadata(f"`Tag: {line}` is no PYTHON-ABI-PLATFORM")
        # Counted before `parse_tag` makes them.
        if len(tags) + math.prod(part.count(".") + 1 for part in parts) > _MAXIMUM_TAGS:
            raise BadMetadata(f"its tags stand for more than {_MAXIMUM_TAGS}")
        try:
            tags |= parse_tag(line)
        except ValueError:
            raise BadMetadata(f"`Tag: {line}` is no PYTHON-ABI-PLATFORM") from None
    if not tags:
        raise BadMetadata("it has no Tag")
    return frozenset(tags)


def format_wheel(file: WheelFile) -> bytes:
    """Write a WHEEL file: a line a tag in the given order, this tool as the generator."""
    lines = [
        f"Wheel-Version: {file.version}",
        f"Generator: tensorflow_macos_build ({__version__})",
        f"Root-Is-Purelib: {'true' if file.purelib else 'false'}",
        *(f"Tag: {tag}" for tag in file.tags),
        *([f"Build: {file.build}"] if file.build else []),
    ]
    return "".join(f"{line}\n" for line in lines).encode()
