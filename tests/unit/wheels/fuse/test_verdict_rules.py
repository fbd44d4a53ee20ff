"""What decides about a path: a rule, a format, or nothing, which is refused."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.views import fuse as fuse_view
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, Undecided, Verdict
from tensorflow_macos_build.wheels.fuse.rules import parse_rule
from tensorflow_macos_build.wheels.thin.engine import thin
from tensorflow_macos_build.wheels.verify import verify
from tests.fused_wheels import (
    INFO,
    NAME,
    Halves,
    assert_thin_gives_back,
    fuse_halves,
    fused_wheel,
    with_files,
)
from tests.machos import TARGETS
from tests.wheelmaker import Thin, lipo, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain


def test_what_no_verdict_covers_is_refused_all_at_once_with_the_difference(
    tmp_path: Path, halves: Halves, images: dict[str, dict[str, bytes]]
) -> None:
    image = images["arm64"]["demo/libdemo.dylib"]
    arm = {"demo/v.py": b"a = 1\nb = 2\n", "demo/arm.so": image, "demo/x.bin": b"\0a"}
    intel = {
        "demo/v.py": b"a = 1\nb = 3\n",
        "demo/x.bin": b"\0b",
        "demo/swapped.so": images["arm64"]["demo/big.so"],
    }
    arm["demo/swapped.so"] = images["x86_64"]["demo/big.so"]
    arm["demo/two.so"] = images["arm64"]["demo/ext.so"]
    intel["demo/two.so"] = images["x86_64"]["demo/libdemo.dylib"]
    with pytest.raises(Undecided) as refused:
        fused_wheel(tmp_path, with_files(halves, arm, intel))
    faults = {at.path: at.reason for at in refused.value.paths}
    names = {"demo/v.py", "demo/arm.so", "demo/x.bin", "demo/swapped.so", "demo/two.so"}
    assert set(faults) == names
    assert "of two types: MH_BUNDLE, MH_DYLIB" in faults["demo/two.so"]
    assert "only the arm64 wheel has it" in faults["demo/arm.so"]
    assert "the arm64 wheel's is for x86_64" in faults["demo/swapped.so"]
    assert "-b = 2\n" in refused.value.detail.replace("    ", "")
    assert "+b = 3\n" in refused.value.detail.replace("    ", "")
    assert "different from offset 1" in refused.value.detail
    assert not (tmp_path / "out" / NAME).exists()


@pytest.mark.parametrize(
    ("rule", "content"),
    [
        ("demo/*.cfg=arm64", b"from arm"),
        ("**/v.cfg=x86_64", b"from intel"),
        ("demo/v.???=drop", None),
    ],
)
def test_a_rule_decides_whatever_the_order(
    tmp_path: Path, halves: Halves, rule: str, content: bytes | None
) -> None:
    changed = with_files(halves, {"demo/v.cfg": b"from arm"}, {"demo/v.cfg": b"from intel"})
    options = FuseOptions(rules=(parse_rule(rule), parse_rule("**=arm64")))
    for order in (changed, (changed[1], changed[0])):
        assert unpacked(fused_wheel(tmp_path, order, options)).get("demo/v.cfg") == content


def test_rules_keep_machine_code_of_one_side_and_merge_texts(
    tmp_path: Path, halves: Halves, images: dict[str, dict[str, bytes]]
) -> None:
    image = images["arm64"]["demo/libdemo.dylib"]
    changed = with_files(halves, {"demo/arm.so": image, "demo/config": b"A"}, {"demo/config": b"B"})
    rules = ("demo/arm.so=either-side", "demo/config=by-architecture", "nothing/**=arm64")
    options = FuseOptions(rules=[parse_rule(rule) for rule in rules])
    fused = fuse_halves(tmp_path, changed, options)
    content = unpacked(fused.wheel)
    assert content["demo/arm.so"] == image
    assert b"A\n#elif" in content["demo/config"]
    assert [note.split(" by the")[0] for note in fused.notes] == [
        "the rule `nothing/**=arm64` decided nothing",
        "demo/arm.so is machine code for arm64 alone,",
    ]


def test_a_rule_may_forbid_what_a_format_would_allow(tmp_path: Path, halves: Halves) -> None:
    with pytest.raises(Undecided) as refused:
        fused_wheel(tmp_path, halves, FuseOptions(rules=[parse_rule("**/*.h=identical")]))
    faults = [at.path for at in refused.value.paths]
    assert faults == ["demo/only_intel.h", "demo/size.h"]


@pytest.mark.parametrize(
    ("name", "verdict", "is_taken"),
    [
        ("METADATA", "drop", False),
        ("METADATA", "both", False),
        ("METADATA", "by-architecture", False),
        ("METADATA", "x86_64", True),
        ("entry_points.txt", "both", False),
        ("entry_points.txt", "by-architecture", False),
        ("entry_points.txt", "drop", True),
    ],
)
def test_no_rule_takes_from_a_wheel_what_installers_act_on(
    tmp_path: Path, name: str, verdict: str, *, is_taken: bool
) -> None:
    about = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: "
    scripts = f"{INFO}/entry_points.txt"
    pair = (
        Thin("arm64", {scripts: b"[other]\na = b\n"}, metadata=about + b"one\n"),
        Thin("x86_64", {scripts: b"[other]\na = c\n"}, metadata=about + b"two\n"),
    )
    others = [f"{INFO}/{other}=arm64" for other in ("METADATA", "entry_points.txt")]
    rules = [parse_rule(rule) for rule in (f"{INFO}/{name}={verdict}", *others)]
    if is_taken:
        assert verify(fused_wheel(tmp_path, pair, FuseOptions(rules=rules))).ok
    else:
        with pytest.raises(Undecided) as refused:
            fused_wheel(tmp_path, pair, FuseOptions(rules=rules))
        assert [at.path for at in refused.value.paths] == [f"{INFO}/{name}"]


def test_metadata_and_entry_points_must_be_equal(tmp_path: Path, halves: Halves) -> None:
    entry = f"{INFO}/entry_points.txt"
    changed = with_files(halves, {entry: b"[console_scripts]\n"}, {})
    with pytest.raises(Undecided, match="no verdict") as refused:
        fused_wheel(tmp_path, changed)
    assert "installers act on it" in refused.value.detail
    with pytest.raises(Undecided) as refused:
        fused_wheel(
            tmp_path, (replace(halves[0], metadata=b"Name: demo\nVersion: 1.0\n"), halves[1])
        )
    assert refused.value.paths[0].path == f"{INFO}/METADATA"


def test_universal_files_that_differ_are_refused(
    tmp_path: Path, halves: Halves, images: dict[str, dict[str, bytes]]
) -> None:
    fat = lipo(tmp_path, *(images[arch]["demo/libdemo.dylib"] for arch in images))
    other = lipo(tmp_path, *(images[arch]["demo/big.so"] for arch in images))
    same = unpacked(
        fused_wheel(tmp_path, with_files(halves, {"demo/f.so": fat}, {"demo/f.so": fat}))
    )
    assert same["demo/f.so"] == fat
    with pytest.raises(Undecided, match="universal file already"):
        fused_wheel(tmp_path, with_files(halves, {"demo/f.so": fat}, {"demo/f.so": other}))


def test_a_universal_file_of_one_slice_counts_as_that_slice(tmp_path: Path, halves: Halves) -> None:
    """gfortran's libgcc_s is such a file in the wheels of numpy and scipy."""
    name = "demo/libgcc.dylib"
    (arm, intel), wide = halves, {name: halves[0].files["demo/libdemo.dylib"]}
    fused = unpacked(fused_wheel(tmp_path, (replace(arm, files={**arm.files, **wide}), intel)))
    assert fused[name] == lipo(tmp_path, wide[name], intel.files[name])
    trailing = {name: arm.files[name] + bytes(8)}
    with pytest.raises(Undecided, match="universal file already"):
        fused_wheel(tmp_path, (replace(arm, files={**arm.files, **trailing}), intel))


ARCHIVES = {
    "ir": (("ir", "own"), ("ir", "own")),
    "object-then-ir": (("object", "own"), ("ir", "own")),
    "ir-then-object": (("ir", "own"), ("object", "own")),
    "object-and-other-ir": (("object", "own"), ("ir", "other")),
    "two-irs": (("ir", "own"), ("ir", "other")),
    "ir-for-linux": (("object", "own"), ("ir", "linux")),
    "text": (("object", "own"), ("text", "own")),
}
"""Kinds of static archives: what each object is, and which architecture's."""


def static_archive(toolchain: Toolchain, arch: str, objects: tuple[tuple[str, str], ...]) -> bytes:
    """Make an archive of Mach-O objects, LLVM IR objects and other files."""
    other = {"arm64": "x86_64", "x86_64": "arm64"}
    paths = []
    for number, (kind, whose) in enumerate(objects):
        source = f"int f{number}(void) {{ return {number}; }}"
        target = TARGETS[other[arch] if whose == "other" else arch]
        target = "x86_64-linux-gnu" if whose == "linux" else target
        path = toolchain.path(f"{number}.o")
        if kind == "text":
            path.write_bytes(b"text")
        elif kind == "ir":
            path = toolchain.bitcode(source, target, f"{number}.o")
        else:
            path = toolchain.object(source, arch, f"{number}.o")
        paths.append(path)
    return toolchain.archive("lib.a", *paths).read_bytes()


@pytest.mark.parametrize("kind", ARCHIVES)
def test_static_archives_are_joined_or_refused_as_by_lipo(
    tmp_path: Path, toolchain: Toolchain, kind: str
) -> None:
    """Link-time optimisation leaves LLVM IR objects in them, beside others or alone."""
    made = {arch: static_archive(toolchain, arch, ARCHIVES[kind]) for arch in TARGETS}
    halves = Thin("arm64", {"l.a": made["arm64"]}), Thin("x86_64", {"l.a": made["x86_64"]})
    try:
        expected = lipo(tmp_path, made["arm64"], made["x86_64"])
    except subprocess.CalledProcessError:
        with pytest.raises(Undecided) as refused:
            fused_wheel(tmp_path, halves)
        (undecided,) = refused.value.paths
        assert "lipo" in undecided.reason or "different processors" in undecided.reason
        assert fused_wheel(tmp_path, halves, FuseOptions(rules=[parse_rule("l.a=arm64")])).is_file()
    else:
        assert unpacked(fused_wheel(tmp_path, halves))["l.a"] == expected


def test_an_error_of_a_damaged_library_is_one_sentence(tmp_path: Path, halves: Halves) -> None:
    damaged = b"!<arch>\n" + b"a".ljust(48) + b"99".ljust(10) + b"`\n"
    changed = with_files(halves, {"l.a": damaged}, {"l.a": damaged + b"\n"})
    with pytest.raises(BrokenWheel, match="it is malformed") as refused:
        fused_wheel(tmp_path, changed)
    assert "hint" not in refused.value.what


CYCLONEDX = b"""{"bomFormat": "CycloneDX", "serialNumber": "urn:uuid:%d", "version": 1,
"metadata": {"timestamp": "2026-11-06T14:37:2%dZ"}, "components": [{"name": "a%s"}]}"""


@pytest.mark.parametrize("extra", [b"", b"rm"], ids=["serial-and-time", "components-too"])
def test_bills_of_materials_are_kept_for_both_architectures(tmp_path: Path, extra: bytes) -> None:
    """PEP 770 keeps them in dist-info/sboms, where nothing looks for a name."""
    path = f"{INFO}/sboms/demo.cyclonedx.json"
    arm, intel = CYCLONEDX % (1, 1, extra), CYCLONEDX % (2, 2, b"")
    pair = Thin("arm64", {path: arm, "a": b""}), Thin("x86_64", {path: intel, "a": b""})
    fused = fuse_halves(tmp_path, pair)
    names = [f"{INFO}/sboms/{arch}-demo.cyclonedx.json" for arch in ("arm64", "x86_64")]
    assert fused.files[Verdict.BOTH] == tuple(names)
    content = unpacked(fused.wheel)
    assert [content[name] for name in names] == [arm, intel]
    assert path not in content
    assert verify(fused.wheel).findings == ()
    documents.check(fuse_view.fused_document(fused))
    for half in pair:
        assert_thin_gives_back(half, thin(fused.wheel, half.arch, tmp_path / "thin").wheel)


def test_a_bill_of_materials_of_one_side_keeps_its_name(tmp_path: Path) -> None:
    path = f"{INFO}/sboms/demo.spdx.json"
    pair = Thin("arm64", {path: b"{}"}), Thin("x86_64", {"a": b""})
    with pytest.raises(Undecided):
        fused_wheel(tmp_path, (pair[0], replace(pair[1], files={f"{INFO}/entry_points.txt": b""})))
    wheel = fused_wheel(tmp_path, pair)
    assert unpacked(wheel)[path] == b"{}"
    for half in pair:
        assert_thin_gives_back(half, thin(wheel, half.arch, tmp_path / "thin").wheel)


def test_documents_that_differ_in_serial_and_time_alone_are_kept_where_no_program_reads_them(
    tmp_path: Path,
) -> None:
    arm, intel = CYCLONEDX % (1, 1, b""), CYCLONEDX % (2, 2, b"")
    inside = f"{INFO}/build.json"
    pair = Thin("arm64", {inside: arm}), Thin("x86_64", {inside: intel})
    assert fuse_halves(tmp_path, pair).files[Verdict.BOTH]
    pair = Thin("arm64", {"demo/bom.json": arm}), Thin("x86_64", {"demo/bom.json": intel})
    with pytest.raises(Undecided) as refused:
        fused_wheel(tmp_path, pair)
    assert "serial numbers and times alone" in refused.value.paths[0].reason
    fused = fuse_halves(tmp_path, pair, FuseOptions(rules=[parse_rule("**/bom.json=both")]))
    assert fused.files[Verdict.BOTH] == ("demo/arm64-bom.json", "demo/x86_64-bom.json")
    for half in pair:
        assert_thin_gives_back(half, thin(fused.wheel, half.arch, tmp_path / "thin").wheel)
