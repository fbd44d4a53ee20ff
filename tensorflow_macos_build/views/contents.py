"""What a wheel weighs as a document, and as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.report.amounts import size
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table
from tensorflow_macos_build.wheels import contents as reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build import documents
    from tensorflow_macos_build.views.lines import Part
    from tensorflow_macos_build.wheels.contents import FolderContents, WheelContents


def as_document(contents: WheelContents) -> documents.Json:
    """Return what lies in a wheel as a document of the schema wheel-contents.v1."""
    return reading.as_document(contents)


def as_lines(contents: WheelContents) -> Iterator[Part]:
    """Yield a table of folders, the largest first, and the wheel's own size."""
    architectures = sorted({arch for each in contents.folders.values() for arch in each.slices})
    titles = ("folder", "files", "unpacked", "in the wheel", *architectures)
    rows = (_row(name, each, architectures) for name, each in contents.folders.items())
    yield Table.of(titles, rows)
    files = sum(each.count for each in contents.folders.values())
    total = f"{files:,} files, {size(contents.size)}"
    yield Line(f"{contents.wheel.name}: {total}", "bold")


def _row(name: str, folder: FolderContents, architectures: list[str]) -> tuple[str, ...]:
    slices = (size(folder.slices[arch]) if arch in folder.slices else "" for arch in architectures)
    return (name or ".", f"{folder.count:,}", size(folder.size), size(folder.compressed), *slices)
