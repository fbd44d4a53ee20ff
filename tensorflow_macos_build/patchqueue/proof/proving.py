"""Proofs of a whole conflict: file by file, and what follows from all of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import contents, markers, trees
from tensorflow_macos_build.git.markers import ConflictHunk
from tensorflow_macos_build.patchqueue.proof import regions
from tensorflow_macos_build.patchqueue.proof.model import (
    ConflictProof,
    FileProof,
    HunkProof,
    ProofClass,
)
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.resolutions import RecordedResolution, ResolvedPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.merges import ConflictedPath, MergeOutcome, MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine

_CONTENTS, _GONE = "CONFLICT (contents)", "CONFLICT (modify/delete)"
"""git-merge-tree(1)'s stable names of the conflicts that are looked at; renames, modes and folders
in conflict have no lines to prove anything by."""

_ONE_SIDE = (ProofClass.UPSTREAM_HAS_IT, ProofClass.PATCH_HAS_MORE)


def prove(quarantine: Quarantine, patch: str, merged: MergeResult) -> ConflictProof:
    """Return what is proven of a patch's conflict."""
    kinds = {message.kind for message in merged.messages if message.is_conflict}
    if not kinds <= {_CONTENTS, _GONE}:
        return ConflictProof(patch, (), is_whole=False)
    files = tuple(_file(quarantine, merged, file) for file in merged.conflicted)
    return ConflictProof(patch, files, bool(files) and all(file.is_whole for file in files))


def resolution(proof: ConflictProof, merged: MergeOutcome) -> RecordedResolution:
    """Return what settles a conflict that is proven as a whole, marked as that."""
    results = tuple(
        ResolvedPath(file.path, file.mode, file.content)
        for file in sorted(proof.files, key=lambda file: file.path)
    )
    classes = ", ".join(proof_class.value for proof_class in proof.classes)
    return RecordedResolution(proof.patch, resolutions.met_in(merged), results, classes)


def _file(quarantine: Quarantine, merged: MergeResult, file: ConflictedPath) -> FileProof:
    if file.ours is None or file.theirs is None:
        return FileProof(file.path, deleted=_stays_deleted(quarantine, merged, file))
    left = file.left
    modes = {entry.mode for entry in (file.base, file.ours, file.theirs) if entry}
    if left is None or not left.is_file or len(modes) != 1:
        return FileProof(file.path)
    marked = quarantine.objects.blob(left.oid)
    if markers.are_nested(marked):
        return FileProof(file.path)
    parts = markers.parse(marked)
    entries = (file.base, file.ours, file.theirs)
    base, *sides = [quarantine.objects.blob(side.oid) if side else b"" for side in entries]
    # git ends a region's last line even where a side's file has no line end there.
    if isinstance(parts[-1], ConflictHunk) and not all(side.endswith(b"\n") for side in sides):
        return FileProof(file.path)
    whole = ConflictHunk(*(tuple(markers.split_lines(side)) for side in (base, *sides)))
    return _proven(file.path, left.mode, parts, whole)


def _proven(
    path: str, mode: str, parts: Sequence[ConflictHunk | bytes], whole: ConflictHunk
) -> FileProof:
    """Return the proof of a file that git left in parts; `whole` has the three sides' files."""
    upstream: list[bytes] = []  # its lines above a region, as upstream has them
    lines: list[bytes] = []
    hunks: list[HunkProof | None] = []
    for at, part in enumerate(parts):
        if isinstance(part, ConflictHunk):
            proof = regions.prove(path, part, upstream, _upstreams(parts[at + 1 :]))
            if proof and proof.proof in _ONE_SIDE and regions.comes_back(proof.proof, part, whole):
                proof = None
            hunks.append(proof)
            lines += proof.lines if proof else ()
            upstream += part.ours
        else:
            lines.append(part)
            upstream.append(part)
    if not hunks or not all(hunks):
        return FileProof(path, tuple(hunks))
    return FileProof(path, tuple(hunks), b"".join(lines), mode)


def _upstreams(parts: Sequence[ConflictHunk | bytes]) -> list[bytes]:
    """Return the lines of parts as upstream has them."""
    lines: list[bytes] = []
    for part in parts:
        lines += part.ours if isinstance(part, ConflictHunk) else [part]
    return lines


def _stays_deleted(quarantine: Quarantine, merged: MergeResult, file: ConflictedPath) -> bool:
    """Whether upstream deleted a file from which the patch takes lines away, and adds none.

    And whether it brought none of those lines elsewhere: the patch would take them away there.
    """
    if file.ours is not None or file.base is None or file.theirs is None:
        return False
    if not (file.base.is_file and file.theirs.mode == file.base.mode):
        return False
    texts = [quarantine.objects.blob(side.oid) for side in (file.base, file.theirs)]
    before, after = (markers.split_lines(text) for text in texts)
    rest = iter(before)
    # All that the patch leaves stood there before, in this order: it only took lines away.
    if len(after) >= len(before) or not all(line in rest for line in after):
        return False
    taken = {line.strip() for line in Counter(before) - Counter(after)}
    return not _came_elsewhere(quarantine, merged, {line for line in taken if line})


def _came_elsewhere(quarantine: Quarantine, merged: MergeResult, lines: set[bytes]) -> bool:
    """Whether a file that upstream added holds one of some lines, or cannot be read."""
    (changes,) = trees.between(quarantine.git, [(merged.base, merged.ours)])
    added = {change.new.oid for change in changes if change.old is None and change.new is not None}
    texts = contents.stream(quarantine.git, sorted(added))
    return any(
        text is None or not lines.isdisjoint(map(bytes.strip, text.split(b"\n"))) for text in texts
    )
