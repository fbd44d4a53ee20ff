"""Putting a bill of materials into a wheel (PEP 770): all else is copied as it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.archive.writer import order
from tensorflow_macos_build.wheels.dist_info import record
from tensorflow_macos_build.wheels.new_wheel import new_wheel
from tensorflow_macos_build.wheels.open_wheel import OpenWheel, open_wheel

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class DescribedWheel:
    """A wheel with a bill of materials: where it is, and the SHA-256 of its file."""

    wheel: Path
    sha256: str


def with_bill(wheel: Path, out: Path, name: str, content: bytes) -> DescribedWheel:
    """Write the wheel into the folder `out` with `content` as `dist-info/sboms/NAME`.

    A bill of that name which it has already is replaced; others stay.

    Raises:
        UsageError: there is no such wheel.
        BrokenWheel: it is damaged.
    """
    with open_wheel(wheel, any_platform=True) as opened, new_wheel(out / wheel.name) as made:
        bill = f"{opened.dist_info}/sboms/{name}"
        for path in _paths(opened, bill):
            if path == bill:
                made.store(path, content)
            else:
                made.copy(opened, opened.archive.members[path], path)
        digest = made.finish(f"{opened.dist_info}/RECORD")
    return DescribedWheel(out / wheel.name, digest)


def bill_of(wheel: Path, name: str, limit: int) -> bytes | None:
    """Return the bill of materials of that name in a wheel; None where it has none.

    Raises:
        BrokenWheel: the wheel is damaged, or the bill larger than `limit` bytes.
    """
    with open_wheel(wheel, any_platform=True) as opened:
        member = opened.archive.members.get(f"{opened.dist_info}/sboms/{name}")
        return None if member is None else opened.read(member, limit=limit)


def _paths(opened: OpenWheel, bill: str) -> list[str]:
    """Return the new wheel's members; signatures are of a RECORD that is written anew."""
    gone = record.own_paths(opened.dist_info)
    return order((opened.archive.members.keys() | {bill}) - gone, opened.dist_info)
