"""How the writing of a queue is shown in documents: which files stayed, came and went."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_macos_build import documents
    from tensorflow_macos_build.patchqueue.queue.storage import Saved


def files(saved: Saved | None) -> documents.Json:
    """Return what writing a queue did to its files; nothing where none was written."""
    return {
        "kept": list(saved.kept) if saved else [],
        "written": list(saved.written) if saved else [],
        "removed": list(saved.removed) if saved else [],
    }
