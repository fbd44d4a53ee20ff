"""A fused wheel's tags are true of all machine code in it."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions
from tensorflow_macos_build.wheels.fuse.rules import parse_rule
from tensorflow_macos_build.wheels.verify import Code, verify
from tests.fused_wheels import (
    INFO,
    Halves,
    fuse_halves,
    fused_wheel,
    with_files,
)
from tests.machos import llvm
from tests.wheelmaker import Thin, lipo, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain


def test_the_name_follows_the_true_minimum_of_the_slices(
    tmp_path: Path, halves: Halves, toolchain: Toolchain
) -> None:
    newer = {
        arch: toolchain.dylib("n.so", "int n;", arch, minimum=minimum).read_bytes()
        for arch, minimum in (("arm64", "13.3"), ("x86_64", "11.4"))
    }
    changed = with_files(halves, {"demo/n.so": newer["arm64"]}, {"demo/n.so": newer["x86_64"]})
    fused = fuse_halves(tmp_path, changed, FuseOptions(build="7"))
    assert fused.wheel.name == "demo-1.0-7-cp311-cp311-macosx_11_0_x86_64.macosx_13_0_arm64.whl"
    assert b"\nBuild: 7\n" in unpacked(fused.wheel)[f"{INFO}/WHEEL"]
    assert len(fused.notes) == 4
    assert "demo/n.so needs 13.3" in fused.notes[0]


def needs_of(wheel: Path, folder: Path) -> dict[str, set[tuple[int, ...]]]:
    """Read by llvm-otool what every slice of a wheel needs, by architecture."""
    minimums: dict[str, set[tuple[int, ...]]] = {"arm64": set(), "x86_64": set()}
    for content in unpacked(wheel).values():
        (folder / "judged").write_bytes(content)
        for arch in llvm("llvm-lipo", "-archs", folder / "judged", check=False).split():
            commands = llvm("llvm-otool", "-arch", arch, "-l", folder / "judged")
            for version in re.findall(r"^ +minos (\S+)$", commands, re.MULTILINE):
                minimums[arch].add(tuple(map(int, version.split(".")))[:2])
    return minimums


@pytest.mark.parametrize("kind", ["one-sided", "ruled", "dropped", "equal", "archive", "nested"])
def test_the_tag_is_true_of_all_machine_code(
    tmp_path: Path, toolchain: Toolchain, kind: str
) -> None:
    """Code that is not spliced counts too: llvm-otool and verify are the judges."""
    source = "int answer(void) { return 42; }"
    code = {
        arch: toolchain.dylib("n.so", source, arch, minimum=minimum).read_bytes()
        for arch, minimum in (("arm64", "14.0"), ("x86_64", "13.0"))
    }
    objects = {
        arch: toolchain.minimum_object(source, arch, minimum)
        for arch, minimum in (("arm64", "14.0"), ("x86_64", "13.0"))
    }
    archives = {arch: toolchain.archive("l.a", path) for arch, path in objects.items()}
    fat = lipo(tmp_path, *code.values())
    nested = toolchain.universal(*archives.values()).read_bytes()
    files, rules, expected = {
        "one-sided": (({"n.so": code["arm64"]}, {}), "n.so=either-side", ("14_0", "10_15")),
        "ruled": (({"n.so": code["arm64"]}, {"n.so": fat}), "n.so=x86_64", ("14_0", "13_0")),
        "dropped": (({"n.so": code["arm64"]}, {}), "n.so=drop", ("12_0", "10_15")),
        "equal": (({"n.so": fat}, {"n.so": fat}), "", ("14_0", "13_0")),
        "archive": (
            tuple({"l.a": archives[arch].read_bytes()} for arch in archives), "", ("14_0", "13_0"),
        ),
        "nested": (({"l.a": nested}, {"l.a": nested}), "", ("14_0", "13_0")),
    }[kind]  # fmt: skip
    pair = Thin("arm64", files[0]), Thin("x86_64", files[1])
    options = FuseOptions(rules=[parse_rule(rules)] if rules else ())
    wheel = fused_wheel(tmp_path, pair, options)
    tags = f"macosx_{expected[1]}_x86_64.macosx_{expected[0]}_arm64.whl"
    assert wheel.name.endswith(".".join(sorted(tags.removesuffix(".whl").split("."))) + ".whl")
    promised = {"arm64": expected[0], "x86_64": expected[1]}
    for arch, needs in needs_of(wheel, tmp_path).items():
        assert all(need <= tuple(map(int, promised[arch].split("_"))) for need in needs)
    assert verify(wheel).ok


def test_a_universal_file_that_is_its_own_slice_is_no_code(
    tmp_path: Path, images: dict[str, dict[str, bytes]]
) -> None:
    """Nothing loads such a file, and lipo takes none in another."""
    content = bytearray(lipo(tmp_path, *(files["demo/ext.so"] for files in images.values())))
    for entry in (8, 28):
        struct.pack_into(">2I", content, entry + 8, 0, len(content))
    same = {"demo/lib.dylib": bytes(content)}
    wheel = fused_wheel(tmp_path, (Thin("arm64", same), Thin("x86_64", same)))
    assert unpacked(wheel)["demo/lib.dylib"] == content
    assert Code.FAT_OVERLAP in {finding.code for finding in verify(wheel).findings}


def test_a_macos_that_there_is_not_is_refused_with_the_file_that_needs_it(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    late = {"demo/late.o": toolchain.minimum_object("int a;", "arm64", "99.0").read_bytes()}
    options = FuseOptions(rules=[parse_rule("demo/late.o=either-side")])
    with pytest.raises(UsageError, match="no installer asks") as refused:
        fused_wheel(tmp_path, (Thin("arm64", late), Thin("x86_64", {})), options)
    assert "demo/late.o needs 99.0" in refused.value.detail
