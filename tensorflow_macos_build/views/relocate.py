"""A relocation as a document, and as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.wheels.relocate.engine import Relocated


def as_document(relocated: Relocated) -> documents.Json:
    """Return a relocation as a document of the schema relocation.v1."""
    copied = [
        {"library": copy.library, "archs": list(copy.archs), "users": list(copy.users)}
        for copy in relocated.copied
    ]
    body = {
        "wheel": str(relocated.wheel),
        "sha256": relocated.sha256,
        "changed": relocated.changed,
        "copied": copied,
    }
    return documents.document("relocation", 1, body)


def as_lines(relocated: Relocated) -> Iterator[Line]:
    """Yield what was copied, and where the wheel is."""
    for copy in relocated.copied:
        users = len(copy.users)
        yield Line(f"copied {copy.library} ({', '.join(copy.archs)}) for {users} files")
    if not relocated.changed:
        yield Line("it needs only the system's libraries, and is as it was")
    yield Line(str(relocated.wheel), "bold")
