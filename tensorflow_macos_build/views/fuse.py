"""Wheels that were fused, thinned or given other tags: documents, and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.wheels.fuse.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.wheels.fuse.engine import Fused
    from tensorflow_macos_build.wheels.retag import Retagged
    from tensorflow_macos_build.wheels.thin.engine import Thinned

_SHOWN = 12
"""Files of one verdict that people are shown; the document has all."""

_EXPECTED = (Verdict.IDENTICAL, Verdict.UNIVERSAL, Verdict.WRITTEN)
"""Verdicts whose files are counted only: most files have them, and nobody has to look at them."""


def fused_document(fused: Fused) -> documents.Json:
    """Return a fusion as a document of the schema fusion.v1."""
    body = {
        "wheel": str(fused.wheel),
        "sha256": fused.sha256,
        "files": {verdict.value: list(paths) for verdict, paths in fused.files.items()},
        "notes": list(fused.notes),
    }
    return documents.document("fusion", 1, body)


def fused_lines(fused: Fused) -> Iterator[str]:
    """Yield where the fused wheel is, and what became of its files."""
    yield from _file(fused)
    for verdict, paths in fused.files.items():
        if not paths:
            continue
        yield f"{len(paths):7} {verdict.value}"
        if verdict not in _EXPECTED:
            yield from (f"          {path}" for path in paths[:_SHOWN])
            if len(paths) > _SHOWN:
                yield f"          … and {len(paths) - _SHOWN} more"
    yield from (f"note: {note}" for note in fused.notes)


def thinned_document(thinned: Thinned) -> documents.Json:
    """Return a thin wheel as a document of the schema thinned.v1."""
    body = {
        "wheel": str(thinned.wheel),
        "sha256": thinned.sha256,
        "slices": {"copied": thinned.copied, "deflated": thinned.deflated},
        "left_out": list(thinned.left_out),
    }
    return documents.document("thinned", 1, body)


def thinned_lines(thinned: Thinned) -> Iterator[str]:
    """Yield where the thin wheel is, and what became of the slices."""
    yield from _file(thinned)
    yield f"{thinned.copied:7} slices copied, {thinned.deflated} deflated anew"
    yield f"{len(thinned.left_out):7} files of the other architecture left out"


def retagged_document(retagged: Retagged) -> documents.Json:
    """Return a renamed wheel as a document of the schema retagged.v1."""
    body = {"wheel": str(retagged.wheel), "sha256": retagged.sha256}
    return documents.document("retagged", 1, body)


def retagged_lines(retagged: Retagged) -> Iterator[str]:
    """Yield where the renamed wheel is."""
    yield from _file(retagged)


def _file(made: Fused | Thinned | Retagged) -> Iterator[str]:
    # Strings, which no terminal wraps: both are copied.
    yield str(made.wheel)
    yield f"sha256 {made.sha256}"
