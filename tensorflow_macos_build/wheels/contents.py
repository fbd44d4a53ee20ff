"""What a wheel weighs, by folder and architecture: its structure is read, and nothing inflated.

But for the load commands of thin binaries, which say whose they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.binaries import skim

if TYPE_CHECKING:
    from pathlib import Path

DEPTH = 2
"""How many folders deep files are told apart: `tensorflow/python`, `tensorflow/include`."""


@dataclass
class FolderContents:
    """What lies in a folder.

    Attributes:
        count: how many files.
        size: their bytes, unpacked.
        compressed: what these take in the wheel.
        slices: bytes of machine code by architecture, unpacked; they are part of `size`.
    """

    count: int = 0
    size: int = 0
    compressed: int = 0
    slices: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class WheelContents:
    """What lies in a wheel.

    Attributes:
        wheel: its file.
        size: its bytes.
        sha256: of its file.
        folders: what lies in each folder, by its path; "" is the wheel's own.
    """

    wheel: Path
    size: int
    sha256: str
    folders: dict[str, FolderContents]


def read(wheel: Path) -> WheelContents:
    """Return what lies in a wheel, the largest folder first.

    Raises:
        UsageError: there is no such file.
        BrokenWheel: it is no sound zip file, or a binary of it is malformed.
    """
    folders: dict[str, FolderContents] = {}
    with open_archive(wheel) as archive:
        for name, member in archive.members.items():
            contents = folders.setdefault(_folder(name), FolderContents())
            contents.count += 1
            contents.size += member.size
            contents.compressed += member.compressed
            contents.slices.update(skim.slice_sizes(archive, member))
    ordered = dict(sorted(folders.items(), key=lambda item: (-item[1].size, item[0])))
    return WheelContents(wheel, wheel.stat().st_size, files.sha256(wheel), ordered)


def as_document(contents: WheelContents) -> documents.Json:
    """Return what lies in a wheel as a document of the schema wheel-contents.v1."""
    folders = [
        {
            "folder": name,
            "files": folder.count,
            "size": folder.size,
            "compressed": folder.compressed,
            "slices": dict(sorted(folder.slices.items())),
        }
        for name, folder in contents.folders.items()
    ]
    wheel = {"name": contents.wheel.name, "size": contents.size, "sha256": contents.sha256}
    return documents.document("wheel-contents", 1, {"wheel": wheel, "folders": folders})


def _folder(name: str) -> str:
    return "/".join(PurePosixPath(name).parent.parts[:DEPTH])
