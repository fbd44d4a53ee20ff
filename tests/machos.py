"""Real Mach-O files for tests: compiled by zig's clang, linked by lld, joined by llvm-lipo."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.pipeline import tools

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = {"x86_64": "x86_64-macos.10.15", "arm64": "aarch64-macos.12.0"}
"""Architectures by lipo's name, with the target that zig's clang knows them by."""

MINIMUM = {"x86_64": "10.15", "arm64": "12.0"}
"""The deployment target that each architecture is linked for."""

LIBSYSTEM = """--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
current-version: 1319
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ dyld_stub_binder, _malloc, _free, _puts ]
...
"""
"""Enough of the system's library to link against, as a text-based stub."""


@cache
def tool(name: str) -> str:
    """Find a tool of `pipeline.tools.TOOLS`; skip the test, or fail it on CI, without it."""
    if (path := tools.locate(name)) is not None:
        return str(path)
    reason = f"{name} is missing; type: {tools.install_line([name])}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def llvm(name: str, *arguments: str | Path, check: bool = True) -> str:
    """Run an LLVM tool, such as "llvm-lipo", and give what it prints."""
    argv = [tool(name), *map(str, arguments)]
    return subprocess.run(argv, check=check, capture_output=True, text=True).stdout


@cache
def _compiled(
    source: str, target: str, folder: Path, language: str, flags: tuple[str, ...] = ()
) -> bytes:
    output = folder / "out.o"
    text = folder / f"in.{language}"
    text.write_text(source, encoding="utf-8")
    # Not by `python -m ziglang`, which costs as much again as the compiler itself.
    zig = str(resources.files("ziglang") / "zig")
    argv = [zig, "cc", "-target", target, "-O1", "-g0"]
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(folder / "zig")}
    quiet = ["-fno-sanitize=all", "-fno-stack-protector", "-fno-unwind-tables"]
    subprocess.run([*argv, *quiet, *flags, "-c", text, "-o", output], check=True, env=environment)
    return output.read_bytes()


class Toolchain:
    """Makes Mach-O files in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.libsystem = folder / "libSystem.tbd"
        self.libsystem.write_text(LIBSYSTEM, encoding="utf-8")
        self._count = 0

    def path(self, name: str) -> Path:
        """Return a path that no file of this folder has yet; its last part is `name`."""
        self._count += 1
        folder = self.folder / f"{self._count}"
        folder.mkdir()
        return folder / name

    def object(self, source: str, arch: str, name: str = "unit.o") -> Path:
        """Compile C to an object file."""
        output = self.path(name)
        output.write_bytes(_compiled(source, TARGETS[arch], self.folder, "c"))
        return output

    def minimum_object(self, source: str, arch: str, minimum: str) -> Path:
        """Compile C to an object file for a macOS of its own."""
        target = f"{TARGETS[arch].partition('.')[0]}.{minimum}"
        output = self.path("unit.o")
        output.write_bytes(_compiled(source, target, self.folder, "c"))
        return output

    def bitcode(self, source: str, target: str, name: str = "unit.o") -> Path:
        """Compile C to an LLVM IR object for a target as zig's clang knows it."""
        output = self.path(name)
        output.write_bytes(_compiled(source, target, self.folder, "c", ("-emit-llvm",)))
        return output

    def dylib(
        self,
        name: str,
        source: str,
        arch: str,
        *flags: str | Path,
        install_name: str | None = None,
        minimum: str | None = None,
    ) -> Path:
        """Compile C and link it to a dylib; `flags` go to lld, other dylibs' paths among them."""
        id_name = ("-install_name", install_name or f"@rpath/{name}")
        return self._link("-dylib", name, source, arch, minimum, *id_name, *flags)

    def bundle(self, name: str, source: str, arch: str, *flags: str | Path) -> Path:
        """Compile C and link it to a bundle, as extension modules mostly are."""
        return self._link("-bundle", name, source, arch, None, *flags)

    def _link(
        self, kind: str, name: str, source: str, arch: str, minimum: str | None, *flags: str | Path
    ) -> Path:
        output = self.path(name)
        argv: list[str | Path] = [
            tool("ld64.lld"), kind, "-arch", arch,
            "-platform_version", "macos", minimum or MINIMUM[arch], "13.3", "-o", output,
            self.object(source, arch), self.libsystem, *flags,
        ]  # fmt: skip
        subprocess.run(argv, check=True)
        return output

    def universal(self, *thin: Path, fat64: bool = False) -> Path:
        """Join thin files by llvm-lipo."""
        output = self.path(thin[0].name)
        llvm("llvm-lipo", "-create", *thin, *(["-fat64"] if fat64 else []), "-output", output)
        return output

    def archive(self, name: str, *objects: Path) -> Path:
        """Put objects into a static archive by llvm-ar, as Darwin's ar writes it."""
        output = self.path(name)
        llvm("llvm-ar", "--format=darwin", "rcs", output, *objects)
        return output
