"""What is proven of a conflict: a part of documents, and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.proof.model import ProofClass
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build import documents
    from tensorflow_macos_build.patchqueue.proof.model import ConflictProof, FileProof, HunkProof

_LINES_SHOWN = 12
"""Lines of an answer that people are shown; the document has all."""

_MEANINGS = {
    ProofClass.UPSTREAM_HAS_IT: "upstream has it; upstream's side stands",
    ProofClass.PATCH_HAS_MORE: (
        "the patch makes upstream's change and more; the patch's side stands"
    ),
    ProofClass.LIST_OF_BOTH: "both added to a list whose order does not matter; both stand",
    ProofClass.STAYS_DELETED: (
        "upstream deleted it, and the patch only takes lines away; it stays deleted"
    ),
}


def as_part(proof: ConflictProof) -> documents.Json:
    """Return what is proven of a patch's conflict as a part of a document."""
    return {
        "patch": proof.patch,
        "whole": proof.is_whole,
        "files": [
            {
                "path": file.path,
                "whole": file.is_whole,
                "deleted": file.deleted,
                "hunks": [hunk and _hunk(hunk) for hunk in file.hunks],
            }
            for file in proof.files
        ],
    }


def _hunk(hunk: HunkProof) -> documents.Json:
    lines = [line.rstrip(b"\n").decode("utf-8", "replace") for line in hunk.lines]
    return {"class": hunk.proof.value, "lines": lines}


def as_lines(proof: ConflictProof) -> Iterator[Line]:
    """Yield what is proven of a patch's conflict; nothing where nothing is."""
    if not proof.classes:
        return
    whole = "its whole conflict is proven" if proof.is_whole else "a part of its conflict is proven"
    yield Line("")
    yield Line(f"{proof.patch}: {whole}", "green" if proof.is_whole else "")
    for file in proof.files:
        yield from _file(file)


def _file(file: FileProof) -> Iterator[Line]:
    if file.deleted:
        yield Line(f"  {file.path}: {_MEANINGS[ProofClass.STAYS_DELETED]}")
    for number, hunk in enumerate(file.hunks, 1):
        where = f"  {file.path}, region {number} of {len(file.hunks)}"
        if hunk is None:
            yield Line(f"{where}: nothing is proven")
            continue
        yield Line(f"{where}: {_MEANINGS[hunk.proof]}")
        for line in _hunk(hunk)["lines"][:_LINES_SHOWN]:
            yield Line(f"    = {line}")
        if len(hunk.lines) > _LINES_SHOWN:
            yield Line(f"    = … {len(hunk.lines) - _LINES_SHOWN} more lines")
