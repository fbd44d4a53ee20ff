"""Wheels that an index on this machine offers, and how a wheelhouse is made of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tensorflow_macos_build.retry import Retry
from tensorflow_macos_build.wheels.fuse.engine import fuse
from tensorflow_macos_build.wheels.fuse.plan import FuseOptions
from tensorflow_macos_build.wheels.wheelhouse import WheelhouseOptions
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain
    from tests.package_index import Index

CODE = "int answer(void) { return 42; }"
MACS = {"arm64": "macosx_12_0_arm64", "x86_64": "macosx_10_15_x86_64"}
TAGS = {"arm64": "macosx_11_0_arm64", "x86_64": "macosx_10_9_x86_64"}
ANY = "any"


def metadata(project: str, version: str, *needs: str) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {project}", f"Version: {version}"]
    return "\n".join([*lines, *(f"Requires-Dist: {need}" for need in needs), ""]).encode()


class Shop:
    """Makes the wheels that an index offers."""

    def __init__(self, folder: Path, toolchain: Toolchain) -> None:
        self.folder = folder
        self._toolchain = toolchain

    def code(self, arch: str, minimum: str = "") -> bytes:
        low = minimum or {"arm64": "11.0", "x86_64": "10.9"}[arch]
        return self._toolchain.dylib("_code.so", CODE, arch, minimum=low).read_bytes()

    def thin(
        self,
        project: str,
        version: str,
        arch: str,
        *needs: str,
        extra: dict[str, bytes] | None = None,
        minimum: str = "",
    ) -> Path:
        files = {f"{project}/_code.so": self.code(arch, minimum), f"{project}/__init__.py": b""}
        about = metadata(project, version, *needs)
        made = Thin(
            arch, {**files, **(extra or {})}, project, version, platform=TAGS[arch], metadata=about
        )
        return made.write(self.folder)

    def pair(self, project: str, version: str, *needs: str) -> None:
        for arch in MACS:
            self.thin(project, version, arch, *needs)

    def pure(self, project: str, version: str, *needs: str, size: int = 0) -> Path:
        about = metadata(project, version, *needs)
        noise = random.Random(5).randbytes(size)
        files = {f"{project}/__init__.py": b"", f"{project}/noise": noise}
        made = Thin("", files, project, version, "py3-none", ANY, metadata=about, purelib="true")
        return made.write(self.folder)

    def universal(self, project: str, version: str, scratch: Path) -> None:
        wheels = []
        for arch in MACS:
            path = self.thin(project, version, arch)
            wheels.append(path.rename(scratch / path.name))
        fuse(wheels[0], wheels[1], self.folder, FuseOptions())


def options(index: Index, tmp_path: Path, **changes: object) -> WheelhouseOptions:
    base: dict[str, object] = {
        "cache": tmp_path / "cache",
        "index": index.url,
        "retry": Retry(first_pause=0.02),
    }
    return WheelhouseOptions(**{**base, **changes})  # type: ignore[arg-type] # the tests' own words


def task(index: Index, tmp_path: Path, *more: str) -> list[str]:
    """Return the words of a command line that makes a wheelhouse."""
    folders = ("--out", str(tmp_path / "wheelhouse"), "--cache", str(tmp_path / "cache"))
    return ["wheelhouse", *more, "--index", index.url, *folders]
