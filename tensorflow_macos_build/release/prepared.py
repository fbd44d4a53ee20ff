"""A release's folder as `release.prepare` made it: read whole, and compared with its documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release import checksums, model
from tensorflow_macos_build.release.model import (
    ATTESTATION_SUFFIX,
    MANIFEST,
    MOST,
    NOTES,
    SUMS,
    ReleaseBroken,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.release.model import Manifest


@dataclass(frozen=True)
class PublishedFile:
    """A file that is to be published: its name, bytes by size and SHA-256, and where it lies."""

    name: str
    size: int
    sha256: str
    path: Path


@dataclass(frozen=True)
class PreparedFolder:
    """A release that is ready.

    Attributes:
        folder: where it lies.
        manifest: what release.json says.
        mark: the SHA-256 of SHA256SUMS, which names this very release.
        notes: the text of the release notes.
        files: all that is published of it, sorted by name.
    """

    folder: Path
    manifest: Manifest
    mark: str
    notes: str
    files: tuple[PublishedFile, ...]


def read(folder: Path) -> PreparedFolder:
    """Read a release's folder, every byte of it.

    Raises:
        UsageError: there is no such folder, or it is none of a release.
        ReleaseBroken: a file of it is missing, too many, or another than its documents say.
    """
    if not (folder / SUMS).is_file() or not (folder / MANIFEST).is_file():
        raise UsageError(
            "it is no folder that `release.prepare` has made",
            where=str(folder),
            hint=f"such a folder has {MANIFEST} and {SUMS}",
        )
    sums = checksums.parse_sums(files.read_small_text(folder / SUMS, MOST, where=SUMS))
    manifest = model.parse(files.read_small(folder / MANIFEST, MOST, where=MANIFEST))
    _compare_names(folder, manifest, sums)
    published = tuple(_file(path) for path in sorted(folder.iterdir()))
    for file in published:
        if file.name in sums and sums[file.name] != file.sha256:
            raise ReleaseBroken(f"it is not the file that {SUMS} names", where=file.name)
    _compare_manifest(manifest, published)
    notes = files.read_small_text(folder / NOTES, MOST, where=NOTES)
    return PreparedFolder(folder, manifest, files.sha256(folder / SUMS), notes, published)


def _compare_names(folder: Path, manifest: Manifest, sums: Mapping[str, str]) -> None:
    listed = {file.name for file in manifest.files} | {MANIFEST}
    if listed != set(sums):
        odd = sorted(listed ^ set(sums))
        raise ReleaseBroken(f"{MANIFEST} and {SUMS} differ in {odd[0]}", where=str(folder))
    there = {path.name for path in folder.iterdir() if not path.name.endswith(ATTESTATION_SUFFIX)}
    if missing := sorted(listed - there):
        raise ReleaseBroken("it is missing", where=missing[0])
    if stray := sorted(there - listed - {SUMS}):
        raise ReleaseBroken(f"it is not in {MANIFEST}", where=stray[0])


def _compare_manifest(manifest: Manifest, published: tuple[PublishedFile, ...]) -> None:
    by_name = {file.name: file for file in published}
    for stated in manifest.files:
        file = by_name[stated.name]
        if (file.sha256, file.size) != (stated.sha256, stated.size):
            raise ReleaseBroken(f"it is not the file that {MANIFEST} names", where=stated.name)


def _file(path: Path) -> PublishedFile:
    if not path.is_file() or not model.is_name(path.name):
        raise ReleaseBroken("it is no file that can be published", where=path.name)
    return PublishedFile(path.name, path.stat().st_size, files.sha256(path), path)
