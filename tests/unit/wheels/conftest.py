"""Two wheels with every verdict in them that needs no rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from tests.fused_wheels import Halves
    from tests.machos import Toolchain


@pytest.fixture(scope="session")
def images(toolchain: Toolchain) -> dict[str, dict[str, bytes]]:
    """Real Mach-O files: dylibs (one in a universal file of its own), a bundle, an archive…"""
    big = "const char big[200000] = {1, 2, 3};"
    by_arch: dict[str, dict[str, bytes]] = {"arm64": {}, "x86_64": {}}
    for arch, files in by_arch.items():
        small = f"int answer(void) {{ return {len(arch)}; }}"
        made = toolchain.object(small, arch), toolchain.object("int two(void){return 2;}", arch)
        files["demo/libdemo.dylib"] = toolchain.dylib("libdemo.dylib", small, arch).read_bytes()
        files["demo/big.so"] = toolchain.dylib("big.so", big, arch).read_bytes()
        files["demo/ext.so"] = toolchain.bundle("ext.so", small, arch).read_bytes()
        files["demo/unit.o"] = made[0].read_bytes()
        dylib = toolchain.dylib("libgcc.dylib", small, arch)
        files["demo/libgcc.dylib"] = toolchain.universal(dylib).read_bytes()
        files["demo/libstatic.a"] = toolchain.archive("libstatic.a", *made).read_bytes()
    return by_arch


@pytest.fixture
def halves(images: dict[str, dict[str, bytes]]) -> Halves:
    """Two wheels with every verdict in them that needs no rule."""
    common = {"demo/__init__.py": b"", "demo/data.txt": b"same\n" * 999}
    arm = {"demo/only_arm.txt": b"arm", "demo/size.h": b"#define SIZE 8\n"}
    intel = {"demo/only_intel.h": b"/* intel */\n", "demo/size.h": b"#define SIZE 16"}
    return (
        Thin("arm64", {**common, **images["arm64"], **arm}),
        Thin("x86_64", {**common, **images["x86_64"], **intel}, executables=("demo/data.txt",)),
    )
