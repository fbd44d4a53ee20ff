"""A wheelhouse as a document, and as a table and lines for people."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.views.lines import Part
    from tensorflow_macos_build.wheels.wheelhouse import Wheelhouse, WheelhouseRequest

_MEGABYTE = 1_000_000


def as_document(request: WheelhouseRequest, wheelhouse: Wheelhouse) -> documents.Json:
    """Return a wheelhouse as a document of the schema wheelhouse.v1."""
    macos = request.options.macos
    wheels = [
        {
            "name": entry.name,
            "version": entry.version,
            "file": entry.file,
            "sha256": entry.sha256,
            "size": entry.size,
            # The field's name is wheelhouse.v1's, which scripts read.
            "how": entry.kind.value,
            "archs": list(entry.archs),
            "sources": list(entry.sources),
        }
        for entry in wheelhouse.wheels
    ]
    body = {
        "folder": str(wheelhouse.folder),
        "lock": str(wheelhouse.lock),
        "requirements": list(request.requirements),
        "python": _dotted(request.options.python),
        "macos": {arch: _dotted(macos[arch]) for arch in sorted(macos)},
        "wheels": wheels,
        "notes": list(wheelhouse.notes),
    }
    return documents.document("wheelhouse", 1, body)


def as_lines(wheelhouse: Wheelhouse) -> Iterator[Part]:
    """Yield what a wheelhouse holds, the notes, and how to install from it."""
    yield Table.of(
        ("wheel", "how", "MB"),
        (
            (entry.file, entry.kind.value, f"{entry.size / _MEGABYTE:.1f}")
            for entry in wheelhouse.wheels
        ),
    )
    for note in wheelhouse.notes:
        yield Line(f"note: {note}", "yellow")
    total = sum(entry.size for entry in wheelhouse.wheels) / _MEGABYTE
    number = len(wheelhouse.wheels)
    counts = f"{number} wheel{'' if number == 1 else 's'}, {total:.1f} MB"
    yield Line(f"{counts} in {wheelhouse.folder}", "bold")
    folder, lock = str(wheelhouse.folder), str(wheelhouse.lock)
    # the lock has the hash of every wheel, so that pip takes these and nothing else
    flags = ("--no-index", "--find-links", folder, "--require-hashes", "-r", lock)
    # Quoted where a shell needs it: a line to copy, whatever the folder is called.
    yield Line(shlex.join(["pip", "install", *flags]))


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
