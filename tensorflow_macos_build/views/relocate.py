"""How a relocation is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.console import Console

if TYPE_CHECKING:
    from tensorflow_macos_build.wheels.relocate.engine import Relocated


def as_document(done: Relocated) -> documents.Json:
    """Return a relocation as a document of the schema relocation.v1."""
    copied = [
        {"library": one.library, "archs": list(one.archs), "users": list(one.users)}
        for one in done.copied
    ]
    body = {
        "wheel": str(done.wheel),
        "sha256": files.sha256(done.wheel),
        "changed": done.changed,
        "copied": copied,
    }
    return documents.document("relocation", 1, body)


def show(done: Relocated) -> None:
    """Print what was copied, and where the wheel is."""
    console = Console(stderr=False)
    for one in done.copied:
        console.line(f"copied {one.library} ({', '.join(one.archs)}) for {len(one.users)} files")
    if not done.changed:
        console.line("it needs only the system's libraries, and is as it was")
    console.line(str(done.wheel), "bold")
