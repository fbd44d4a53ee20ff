"""What an index holds, as values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.version import Version

    from tensorflow_macos_build.wheels.dist_info.tags import WheelName

FILES_LIMIT = 200_000
"""Most wheels of one index: twenty times what is measured in docs/release-index.md."""


@dataclass(frozen=True)
class ReleasedFile:
    """A wheel as an index offers it.

    Attributes:
        path: where it lies now.
        name: its file name's parts.
        sha256: the digest of its bytes, in hexadecimal digits.
        size: its bytes.
        metadata: the bytes of its METADATA.
        url: its address; relative ones count from the page of its project.
        metadata_is_served: whether METADATA is at `url` with `.metadata` behind it.
        requires_python: what METADATA says under Requires-Python; None: nothing.
        uploaded: when it was published, as RFC 3339 writes it in UTC; None: not known.
        yanked: why it is withdrawn, which may be ""; None: it is not.
        provenance: the object that holds its attestations, as JSON; b"" for none.
    """

    path: Path
    name: WheelName
    sha256: str
    size: int
    metadata: bytes
    url: str
    metadata_is_served: bool
    requires_python: str | None = None
    uploaded: str | None = None
    yanked: str | None = None
    provenance: bytes = b""

    @cached_property
    def metadata_sha256(self) -> str:
        """The digest of its METADATA, in hexadecimal digits."""
        return hashlib.sha256(self.metadata).hexdigest()

    @property
    def order(self) -> tuple[Version, int, str, str]:
        """Its rank in a page: by version, and of one version those of fewer platforms first.

        pip takes the last of wheels whose best tags tie, and so a joined one before a thin one.
        """
        name = self.name
        return (name.parsed_version, len(name.platforms), name.build or "", self.path.name)


@dataclass(frozen=True)
class IndexedProject:
    """A project of an index.

    Attributes:
        name: normalised.
        status: one of PEP 792's: active, archived, quarantined, deprecated.
        reason: why, for people; "" where nothing is to be said.
        files: its wheels, in the order of the page.
    """

    name: str
    status: str
    reason: str
    files: tuple[ReleasedFile, ...]

    @property
    def versions(self) -> list[str]:
        """Its versions, the oldest first."""
        return list(dict.fromkeys(str(file.name.parsed_version) for file in self.files))


@dataclass(frozen=True)
class IndexRequest:
    """What an index is made of.

    Attributes:
        folders: folders of wheels, and of what belongs to them, by name.
        out: the folder that is served; `simple/` and `packages/` in it are the index's.
        settings: a file that says what wheels do not: what is yanked, since when there is a
            version, who attests; None for none.
        files_at: where the wheels are served, if not beside the pages: an address in which
            `{folder}` stands for the name of a wheel's folder. "" for beside the pages.
        drop: whether what the index offered and is in no folder any more may go.
        plan: whether nothing is written.
    """

    folders: tuple[Path, ...]
    out: Path
    settings: Path | None = None
    files_at: str = ""
    drop: bool = False
    plan: bool = False


@dataclass(frozen=True)
class PublishedIndex:
    """An index that was made, or that would be.

    Attributes:
        request: what was asked for.
        projects: what it offers, by name.
        pages: each page's path below `simple/`, and its bytes.
        added: file names that the index before did not offer.
        dropped: file names that it offered, and this one does not.
    """

    request: IndexRequest
    projects: tuple[IndexedProject, ...]
    pages: dict[str, int]
    added: tuple[str, ...]
    dropped: tuple[str, ...]
