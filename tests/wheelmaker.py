"""Thin wheels for tests, made by zipfile, and the judge of fused ones: unpack, lipo, compare."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.new_wheel import new_wheel
from tensorflow_macos_build.wheels.open_wheel import open_wheel
from tests.machos import llvm

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PLATFORM = {"arm64": "macosx_12_0_arm64", "x86_64": "macosx_10_15_x86_64"}


@dataclass
class Thin:
    """A wheel of one architecture, to be written by `write`."""

    arch: str
    files: Mapping[str, bytes]
    project: str = "demo"
    version: str = "1.0"
    python: str = "cp311-cp311"
    platform: str = ""
    build: str = ""
    metadata: bytes | None = None
    purelib: str = "false"
    wheel_version: str = "1.0"
    executables: tuple[str, ...] = ()
    method: int = zipfile.ZIP_DEFLATED
    level: int = 6
    lies: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def dist_info(self) -> str:
        return f"{self.project}-{self.version}.dist-info"

    @property
    def name(self) -> str:
        build = [self.build] if self.build else []
        platform = self.platform or PLATFORM[self.arch]
        return "-".join([self.project, self.version, *build, self.python, platform]) + ".whl"

    def content(self) -> dict[str, bytes]:
        """Return every file of the wheel, RECORD last."""
        platform = self.platform or PLATFORM[self.arch]
        about = f"Metadata-Version: 2.1\nName: {self.project}\nVersion: {self.version}\n"
        wheel = (
            f"Wheel-Version: {self.wheel_version}\nGenerator: test (1)\n"
            f"Root-Is-Purelib: {self.purelib}\nTag: {self.python}-{platform}\n"
        )
        members = {
            **self.files,
            f"{self.dist_info}/METADATA": self.metadata or about.encode(),
            f"{self.dist_info}/WHEEL": wheel.encode(),
        }
        rows = [
            f"{path},sha256={_digest(self.lies.get(path, content))},{len(content)}\n"
            for path, content in members.items()
        ]
        record = f"{self.dist_info}/RECORD"
        return {**members, record: "".join([*rows, f"{record},,\n"]).encode()}

    def write(self, folder: Path) -> Path:
        """Write the wheel into a folder, under its name."""
        path = folder / self.name
        with zipfile.ZipFile(path, "w", self.method, compresslevel=self.level) as made:
            for name, content in self.content().items():
                info = zipfile.ZipInfo(name, (2021, 3, 4, 5, 6, 8))
                info.compress_type = self.method
                mode = 0o100755 if name in self.executables else 0o100664
                info.external_attr = mode << 16
                made.writestr(info, content, compresslevel=self.level)
        return path


def _digest(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def unpacked(wheel: Path) -> dict[str, bytes]:
    """Read all of a wheel by zipfile."""
    with zipfile.ZipFile(wheel) as made:
        assert made.testzip() is None
        return {name: made.read(name) for name in made.namelist()}


def lipo(folder: Path, *slices: bytes) -> bytes:
    """Join files by llvm-lipo."""
    paths = []
    for index, content in enumerate(slices):
        paths.append(folder / f"slice{index}")
        paths[-1].write_bytes(content)
    llvm("llvm-lipo", "-create", *paths, "-output", folder / "fat")
    return (folder / "fat").read_bytes()


def rewritten(wheel: Path, changes: Mapping[str, bytes]) -> Path:
    """Change members of a wheel and set its RECORD right; other members' data stays."""
    target = wheel.parent / "changed" / wheel.name
    target.parent.mkdir(exist_ok=True)
    with open_wheel(wheel) as opened, new_wheel(target) as made:
        record = f"{opened.dist_info}/RECORD"
        for path, member in opened.archive.members.items():
            if path in changes:
                made.store(path, changes[path])
            elif path != record:
                made.copy(opened, member, path)
        made.finish(record)
    return target
