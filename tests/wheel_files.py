"""Wheels for tests, whole and right, so that a test can break one thing."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FUSED_TAG = "cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64"
"""The tags of a wheel of both of `machos.MINIMUM`'s architectures."""


@dataclass
class WheelFiles:
    """A wheel's files, and what its name says; `write` adds dist-info and makes the file."""

    files: dict[str, bytes]
    name: str = "tiny"
    version: str = "1.0"
    tag: str = FUSED_TAG

    @property
    def dist_info(self) -> str:
        return f"{self.name}-{self.version}.dist-info"

    @property
    def wheel_text(self) -> str:
        python, abi, platforms = self.tag.split("-")
        tags = [f"Tag: {python}-{abi}-{platform}" for platform in platforms.split(".")]
        head = ["Wheel-Version: 1.0", "Generator: tests", "Root-Is-Purelib: false"]
        return "\n".join([*head, *tags, ""])

    def contents(self) -> dict[str, bytes]:
        """Return every member, dist-info last and RECORD at its end."""
        made = dict(self.files)
        metadata = f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n"
        made[f"{self.dist_info}/METADATA"] = metadata.encode()
        made[f"{self.dist_info}/WHEEL"] = self.wheel_text.encode()
        made[f"{self.dist_info}/RECORD"] = record_of(made, self.dist_info)
        return made

    def write(self, folder: Path, contents: dict[str, bytes] | None = None) -> Path:
        """Make the wheel of `contents`, by default `self.contents()`."""
        path = folder / f"{self.name}-{self.version}-{self.tag}.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (self.contents() if contents is None else contents).items():
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
        return path


def record_of(members: dict[str, bytes], dist_info: str) -> bytes:
    """Return the RECORD of a wheel that has these members and RECORD itself."""
    own = f"{dist_info}/RECORD"
    rows = [
        f"{name},sha256={record_hash(content)},{len(content)}"
        for name, content in members.items()
        if name != own
    ]
    return "\n".join([*rows, f"{own},,", ""]).encode()


def record_hash(content: bytes) -> str:
    """Return a SHA-256 as RECORD writes it."""
    digest = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
