"""A fused wheel holds what lipo or a stated verdict says, whatever the circumstances."""

from __future__ import annotations

import json
import os
import re
import stat
import struct
import subprocess
import sys
import time
import unicodedata
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.views import fuse as fuse_view
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.dist_info import fused_json
from tensorflow_macos_build.wheels.fuse.engine import Fused, FuseOptions, Undecided, Verdict, fuse
from tensorflow_macos_build.wheels.fuse.pair import Mismatch
from tensorflow_macos_build.wheels.fuse.rules import parse_rule
from tensorflow_macos_build.wheels.thin import thin
from tensorflow_macos_build.wheels.verify import Code, verify
from tests.machos import TARGETS, llvm
from tests.wheelmaker import Thin, lipo, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain

INFO = "demo-1.0.dist-info"
NAME = "demo-1.0-cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64.whl"

Halves = tuple[Thin, Thin]


@pytest.fixture(scope="session")
def images(toolchain: Toolchain) -> dict[str, dict[str, bytes]]:
    """Real Mach-O files: dylibs (one in a universal file of its own), a bundle, an archive…"""
    big = "const char big[200000] = {1, 2, 3};"
    found: dict[str, dict[str, bytes]] = {"arm64": {}, "x86_64": {}}
    for arch, files in found.items():
        small = f"int answer(void) {{ return {len(arch)}; }}"
        made = toolchain.object(small, arch), toolchain.object("int two(void){return 2;}", arch)
        files["demo/libdemo.dylib"] = toolchain.dylib("libdemo.dylib", small, arch).read_bytes()
        files["demo/big.so"] = toolchain.dylib("big.so", big, arch).read_bytes()
        files["demo/ext.so"] = toolchain.bundle("ext.so", small, arch).read_bytes()
        files["demo/unit.o"] = made[0].read_bytes()
        dylib = toolchain.dylib("libgcc.dylib", small, arch)
        files["demo/libgcc.dylib"] = toolchain.universal(dylib).read_bytes()
        files["demo/libstatic.a"] = toolchain.archive("libstatic.a", *made).read_bytes()
    return found


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


def fused_of(folder: Path, halves: Halves, options: FuseOptions | None = None) -> Fused:
    first, second = (half.write(folder) for half in halves)
    return fuse(first, second, folder / "out", options or FuseOptions())


def run(folder: Path, halves: Halves, options: FuseOptions | None = None) -> Path:
    return fused_of(folder, halves, options).wheel


def test_each_universal_file_is_what_lipo_makes(tmp_path: Path, halves: Halves) -> None:
    fused = unpacked(run(tmp_path, halves))
    universal = [name for name in halves[0].files if name.endswith((".so", ".dylib", ".o", ".a"))]
    assert len(universal) == 6
    for name in universal:
        arm, intel = (half.files[name] for half in halves)
        assert fused[name] == lipo(tmp_path, arm, intel), name


def test_every_path_has_its_verdict_and_content(tmp_path: Path, halves: Halves) -> None:
    arm, intel = (half.write(tmp_path) for half in halves)
    found = fuse(arm, intel, tmp_path, FuseOptions())
    assert found.wheel.name == NAME
    assert found.files[Verdict.IDENTICAL] == (
        "demo-1.0.dist-info/METADATA",
        "demo/__init__.py",
        "demo/data.txt",
    )
    assert found.files[Verdict.HEADER] == ("demo/size.h",)
    assert found.files[Verdict.ONLY_ARM64] == ("demo/only_arm.txt",)
    assert found.files[Verdict.ONLY_X86_64] == ("demo/only_intel.h",)
    assert len(found.files[Verdict.UNIVERSAL]) == 6
    content = unpacked(found.wheel)
    listed = [path for paths in found.files.values() for path in paths]
    assert sorted(listed) == sorted(content)
    assert content["demo/data.txt"] == b"same\n" * 999
    assert content["demo/only_arm.txt"] == b"arm"
    documents.check(fuse_view.fused_document(found))


def test_wheel_and_record_obey_their_specifications(tmp_path: Path, halves: Halves) -> None:
    wheel = run(tmp_path, halves)
    content = unpacked(wheel)
    assert list(content)[-1] == f"{INFO}/RECORD"
    tags = re.findall(r"^Tag: (.*)$", content[f"{INFO}/WHEEL"].decode(), re.MULTILINE)
    assert tags == ["cp311-cp311-macosx_10_15_x86_64", "cp311-cp311-macosx_12_0_arm64"]
    argv = [sys.executable, "-m", "wheel", "unpack", str(wheel), "-d", str(tmp_path / "unpacked")]
    subprocess.run(argv, check=True, capture_output=True)
    assert (tmp_path / "unpacked/demo-1.0/demo/data.txt").read_bytes() == b"same\n" * 999
    with zipfile.ZipFile(wheel) as made:
        assert made.getinfo("demo/data.txt").external_attr >> 16 == stat.S_IFREG | 0o755
        assert made.getinfo("demo/size.h").external_attr >> 16 == stat.S_IFREG | 0o644
    documents.check(json.loads(content[f"{INFO}/{fused_json.NAME}"]))


def test_the_bytes_depend_on_the_wheels_alone(
    tmp_path: Path, halves: Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm, intel = (half.write(tmp_path) for half in halves)
    expected = fuse(arm, intel, tmp_path / "1", FuseOptions()).sha256
    assert fuse(intel, arm, tmp_path / "2", FuseOptions(threads=1)).sha256 == expected
    assert fuse(intel, arm, tmp_path / "3", FuseOptions(threads=5)).sha256 == expected
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    time.tzset()
    before = os.umask(0o077)
    try:
        assert fuse(arm, intel, tmp_path / "4", FuseOptions()).sha256 == expected
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()
    program = (
        "import sys; from pathlib import Path;"
        "from tensorflow_macos_build.wheels.fuse.engine import *;"
        "print(fuse(*map(Path, sys.argv[1:]), FuseOptions()).sha256)"
    )
    for seed in ("1", "2"):
        argv = [sys.executable, "-c", program, str(intel), str(arm), str(tmp_path / seed)]
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."}
        done = subprocess.run(argv, check=True, capture_output=True, text=True, env=env)
        assert done.stdout.strip() == expected


@pytest.mark.parametrize("methods", [(0, 0), (0, 8), (8, 0), (8, 8)])
@pytest.mark.parametrize("level", [1, 9])
def test_the_content_does_not_depend_on_how_the_halves_are_deflated(
    tmp_path: Path, halves: Halves, methods: tuple[int, int], level: int
) -> None:
    changed = [
        replace(half, method=method, level=level)
        for half, method in zip(halves, methods, strict=True)
    ]
    (tmp_path / "plain").mkdir()
    expected = unpacked(run(tmp_path / "plain", halves))
    found = unpacked(run(tmp_path, (changed[0], changed[1])))
    own = f"{INFO}/{fused_json.NAME}"
    for content in (expected, found):
        del content[own], content[f"{INFO}/RECORD"]
    assert found == expected


def test_a_merged_header_compiles_for_both_architectures(
    tmp_path: Path, halves: Halves, toolchain: Toolchain
) -> None:
    header = unpacked(run(tmp_path, halves))["demo/size.h"].decode()
    for arch, size in (("arm64", 8), ("x86_64", 16)):
        toolchain.object(f'{header}\n_Static_assert(SIZE == {size}, "");', arch)


def with_files(halves: Halves, arm: dict[str, bytes], intel: dict[str, bytes]) -> Halves:
    first, second = halves
    return (
        replace(first, files={**first.files, **arm}),
        replace(second, files={**second.files, **intel}),
    )


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
        run(tmp_path, with_files(halves, arm, intel))
    faults = {fault.path: fault.reason for fault in refused.value.paths}
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
        assert unpacked(run(tmp_path, order, options)).get("demo/v.cfg") == content


def test_rules_keep_machine_code_of_one_side_and_merge_texts(
    tmp_path: Path, halves: Halves, images: dict[str, dict[str, bytes]]
) -> None:
    image = images["arm64"]["demo/libdemo.dylib"]
    changed = with_files(halves, {"demo/arm.so": image, "demo/config": b"A"}, {"demo/config": b"B"})
    rules = ("demo/arm.so=either-side", "demo/config=by-architecture", "nothing/**=arm64")
    options = FuseOptions(rules=[parse_rule(rule) for rule in rules])
    found = fused_of(tmp_path, changed, options)
    content = unpacked(found.wheel)
    assert content["demo/arm.so"] == image
    assert b"A\n#elif" in content["demo/config"]
    assert [note.split(" by the")[0] for note in found.notes] == [
        "the rule `nothing/**=arm64` decided nothing",
        "demo/arm.so is machine code for arm64 alone,",
    ]


def test_a_rule_may_forbid_what_a_format_would_allow(tmp_path: Path, halves: Halves) -> None:
    with pytest.raises(Undecided) as refused:
        run(tmp_path, halves, FuseOptions(rules=[parse_rule("**/*.h=identical")]))
    faults = [fault.path for fault in refused.value.paths]
    assert faults == ["demo/only_intel.h", "demo/size.h"]


@pytest.mark.parametrize("text", ["demo/v.py", "=arm64", "demo/v.py=newest"])
def test_a_malformed_rule_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        parse_rule(text)


def test_universal_files_that_differ_are_refused(
    tmp_path: Path, halves: Halves, images: dict[str, dict[str, bytes]]
) -> None:
    fat = lipo(tmp_path, *(images[arch]["demo/libdemo.dylib"] for arch in images))
    other = lipo(tmp_path, *(images[arch]["demo/big.so"] for arch in images))
    same = unpacked(run(tmp_path, with_files(halves, {"demo/f.so": fat}, {"demo/f.so": fat})))
    assert same["demo/f.so"] == fat
    with pytest.raises(Undecided, match="universal file already"):
        run(tmp_path, with_files(halves, {"demo/f.so": fat}, {"demo/f.so": other}))


def test_wheels_that_do_not_belong_together_are_refused_with_all_reasons(
    tmp_path: Path, halves: Halves
) -> None:
    other = replace(halves[1], project="other", version="2.0", python="cp312-cp312", purelib="true")
    other = replace(other, wheel_version="1.1")
    with pytest.raises(Mismatch) as refused:
        run(tmp_path, (halves[0], other))
    fields = ("Root-Is-Purelib", "Wheel-Version")
    for reason in ("names", "versions", "Python tags", "ABI tags", *fields):
        assert f"their {reason} differ" in refused.value.detail
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("platform", "reason"),
    [
        ("macosx_12_0_arm64", "both are for arm64"),
        ("macosx_12_0_universal2", "is for both architectures already"),
        ("any", "is not macOS"),
        ("win_amd64", "is not macOS"),
        ("macosx_10_6_intel", "neither arm64 nor x86_64"),
    ],
)
def test_a_wheel_that_is_no_half_is_refused(
    tmp_path: Path, halves: Halves, platform: str, reason: str
) -> None:
    other = replace(halves[1], platform=platform, build="2")
    with pytest.raises(UsageError) as refused:
        run(tmp_path, (halves[0], other))
    assert reason in str(refused.value)


def test_halves_of_two_projects_go_by_the_name_that_is_asked_for(
    tmp_path: Path, halves: Halves
) -> None:
    arm = replace(halves[0], project="demo_macos")
    arm = replace(arm, files={**arm.files, "demo_macos-1.0.data/scripts/tool": b"#!python\n"})
    intel = replace(
        halves[1], files={**halves[1].files, "demo-1.0.data/scripts/tool": b"#!python\n"}
    )
    with pytest.raises(Mismatch, match="not the halves of one"):
        run(tmp_path, (arm, intel))
    wheel = run(tmp_path, (arm, intel), FuseOptions(alias="Demo"))
    content = unpacked(wheel)
    assert wheel.name == NAME
    assert b"\nName: demo\n" in content[f"{INFO}/METADATA"]
    assert content["demo-1.0.data/scripts/tool"] == b"#!python\n"
    assert not [name for name in content if name.startswith("demo_macos")]
    stub = replace(arm, metadata=b"Metadata-Version: 2.1\nName: demo_macos\nVersion: 1.0\nX: y\n")
    with pytest.raises(Undecided, match="no verdict"):
        run(tmp_path, (stub, intel), FuseOptions(alias="demo"))
    with pytest.raises(Mismatch) as refused:
        run(tmp_path, (arm, intel), FuseOptions(alias="third"))
    assert "neither is of the project third" in refused.value.detail


def test_a_universal_file_of_one_slice_counts_as_that_slice(tmp_path: Path, halves: Halves) -> None:
    """gfortran's libgcc_s is such a file in the wheels of numpy and scipy."""
    name = "demo/libgcc.dylib"
    (arm, intel), wide = halves, {name: halves[0].files["demo/libdemo.dylib"]}
    fused = unpacked(run(tmp_path, (replace(arm, files={**arm.files, **wide}), intel)))
    assert fused[name] == lipo(tmp_path, wide[name], intel.files[name])
    trailing = {name: arm.files[name] + bytes(8)}
    with pytest.raises(Undecided, match="universal file already"):
        run(tmp_path, (replace(arm, files={**arm.files, **trailing}), intel))


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
        assert verify(run(tmp_path, pair, FuseOptions(rules=rules))).ok
    else:
        with pytest.raises(Undecided) as refused:
            run(tmp_path, pair, FuseOptions(rules=rules))
        assert [fault.path for fault in refused.value.paths] == [f"{INFO}/{name}"]


def test_a_half_without_metadata_is_refused(tmp_path: Path) -> None:
    """pip and uv refuse such a wheel, and so it would be with the fused one."""
    wheels = []
    for half in (Thin("arm64", {}), Thin("x86_64", {})):
        with zipfile.ZipFile(half.write(tmp_path)) as whole:
            kept = {name: whole.read(name) for name in whole.namelist() if "METADATA" not in name}
        rows = kept[f"{INFO}/RECORD"].splitlines(keepends=True)
        kept[f"{INFO}/RECORD"] = b"".join(row for row in rows if b"METADATA" not in row)
        wheels.append(tmp_path / half.name)
        with zipfile.ZipFile(wheels[-1], "w") as cut:
            for name, content in kept.items():
                cut.writestr(name, content)
    with pytest.raises(BrokenWheel, match="METADATA: the wheel has no such file"):
        fuse(wheels[0], wheels[1], tmp_path / "out", FuseOptions())


def test_metadata_and_entry_points_must_be_equal(tmp_path: Path, halves: Halves) -> None:
    entry = f"{INFO}/entry_points.txt"
    changed = with_files(halves, {entry: b"[console_scripts]\n"}, {})
    with pytest.raises(Undecided, match="no verdict") as refused:
        run(tmp_path, changed)
    assert "installers act on it" in refused.value.detail
    with pytest.raises(Undecided) as refused:
        run(tmp_path, (replace(halves[0], metadata=b"Name: demo\nVersion: 1.0\n"), halves[1]))
    assert refused.value.paths[0].path == f"{INFO}/METADATA"


def test_a_record_that_lies_is_refused_with_the_member_named(
    tmp_path: Path, halves: Halves
) -> None:
    for path in ("demo/big.so", "demo/data.txt", "demo/only_arm.txt", "demo/size.h"):
        record_mismatch = replace(halves[0], lies={path: halves[0].files[path] + b"!"})
        with pytest.raises(BrokenWheel, match="RECORD") as refused:
            run(tmp_path, (record_mismatch, halves[1]))
        assert refused.value.where == f"{record_mismatch.name}: {path}"
        assert not (tmp_path / "out" / NAME).exists()


def test_a_record_that_is_incomplete_is_refused(tmp_path: Path, halves: Halves) -> None:
    path = halves[0].write(tmp_path)
    with zipfile.ZipFile(path, "a") as made:
        made.writestr("demo/smuggled.py", b"")
    with pytest.raises(BrokenWheel, match="does not describe") as refused:
        fuse(path, halves[1].write(tmp_path), tmp_path, FuseOptions())
    assert "`demo/smuggled.py` is in the wheel and has no hash" in refused.value.detail


def test_what_a_record_says_cannot_command_a_terminal(tmp_path: Path, halves: Halves) -> None:
    content = halves[0].content()
    content[f"{INFO}/RECORD"] += b"\x1b[2J,,\n"
    path = tmp_path / halves[0].name
    with zipfile.ZipFile(path, "w") as made:
        for name, text in content.items():
            made.writestr(name, text)
    with pytest.raises(BrokenWheel) as refused:
        fuse(path, halves[1].write(tmp_path), tmp_path, FuseOptions())
    assert "`\\x1b[2J` is in RECORD and not in the wheel" in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_a_damaged_slice_is_refused_with_the_member_named(tmp_path: Path, halves: Halves) -> None:
    paths = halves[0].write(tmp_path), halves[1].write(tmp_path)
    with zipfile.ZipFile(paths[0]) as made:
        info = made.getinfo("demo/big.so")
    raw = bytearray(paths[0].read_bytes())
    raw[info.header_offset + 30 + len(info.filename) + info.compress_size - 20] ^= 0x10
    paths[0].write_bytes(raw)
    with pytest.raises(BrokenWheel) as refused:
        fuse(*paths, tmp_path, FuseOptions())
    assert refused.value.where == f"{halves[0].name}: demo/big.so"


@pytest.mark.parametrize("method", [0, 8])
def test_a_slice_of_another_crc_is_refused_with_the_member_named(
    tmp_path: Path, halves: Halves, method: int
) -> None:
    paths = replace(halves[0], method=method).write(tmp_path), halves[1].write(tmp_path)
    with zipfile.ZipFile(paths[0]) as made:
        crc = made.getinfo("demo/big.so").CRC
    raw = paths[0].read_bytes()
    paths[0].write_bytes(raw.replace(crc.to_bytes(4, "little"), (crc ^ 1).to_bytes(4, "little")))
    with pytest.raises(BrokenWheel, match=f"of CRC-32 {crc:08x} and declares") as refused:
        fuse(*paths, tmp_path, FuseOptions())
    assert refused.value.where == f"{halves[0].name}: demo/big.so"


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
            run(tmp_path, halves)
        (fault,) = refused.value.paths
        assert "lipo" in fault.reason or "different processors" in fault.reason
        assert run(tmp_path, halves, FuseOptions(rules=[parse_rule("l.a=arm64")])).is_file()
    else:
        assert unpacked(run(tmp_path, halves))["l.a"] == expected


def test_an_error_of_a_damaged_library_is_one_sentence(tmp_path: Path, halves: Halves) -> None:
    damaged = b"!<arch>\n" + b"a".ljust(48) + b"99".ljust(10) + b"`\n"
    changed = with_files(halves, {"l.a": damaged}, {"l.a": damaged + b"\n"})
    with pytest.raises(BrokenWheel, match="it is malformed") as refused:
        run(tmp_path, changed)
    assert "hint" not in refused.value.what


def test_the_name_follows_the_true_minimum_of_the_slices(
    tmp_path: Path, halves: Halves, toolchain: Toolchain
) -> None:
    newer = {
        arch: toolchain.dylib("n.so", "int n;", arch, minimum=minimum).read_bytes()
        for arch, minimum in (("arm64", "13.3"), ("x86_64", "11.4"))
    }
    changed = with_files(halves, {"demo/n.so": newer["arm64"]}, {"demo/n.so": newer["x86_64"]})
    found = fused_of(tmp_path, changed, FuseOptions(build="7"))
    assert found.wheel.name == "demo-1.0-7-cp311-cp311-macosx_11_0_x86_64.macosx_13_0_arm64.whl"
    assert b"\nBuild: 7\n" in unpacked(found.wheel)[f"{INFO}/WHEEL"]
    assert len(found.notes) == 4
    assert "demo/n.so needs 13.3" in found.notes[0]


def needs_of(wheel: Path, folder: Path) -> dict[str, set[tuple[int, ...]]]:
    """Read by llvm-otool what every slice of a wheel needs, by architecture."""
    found: dict[str, set[tuple[int, ...]]] = {"arm64": set(), "x86_64": set()}
    for content in unpacked(wheel).values():
        (folder / "judged").write_bytes(content)
        for arch in llvm("llvm-lipo", "-archs", folder / "judged", check=False).split():
            told = llvm("llvm-otool", "-arch", arch, "-l", folder / "judged")
            for version in re.findall(r"^ +minos (\S+)$", told, re.MULTILINE):
                found[arch].add(tuple(map(int, version.split(".")))[:2])
    return found


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
    wheel = run(tmp_path, pair, options)
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
    wheel = run(tmp_path, (Thin("arm64", same), Thin("x86_64", same)))
    assert unpacked(wheel)["demo/lib.dylib"] == content
    assert Code.FAT_OVERLAP in {one.code for one in verify(wheel).findings}


def test_a_macos_that_there_is_not_is_refused_with_the_file_that_needs_it(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    late = {"demo/late.o": toolchain.minimum_object("int a;", "arm64", "99.0").read_bytes()}
    options = FuseOptions(rules=[parse_rule("demo/late.o=either-side")])
    with pytest.raises(UsageError, match="no installer asks") as refused:
        run(tmp_path, (Thin("arm64", late), Thin("x86_64", {})), options)
    assert "demo/late.o needs 99.0" in refused.value.detail


def test_halves_of_two_build_tags_want_to_be_told_one(tmp_path: Path, halves: Halves) -> None:
    pair = halves[0], replace(halves[1], build="1")
    with pytest.raises(Mismatch, match="build tags differ: 1, none; see --build-tag"):
        run(tmp_path, pair)
    assert run(tmp_path, pair, FuseOptions(build="2")).name.startswith("demo-1.0-2-cp311")


def test_a_build_tag_must_be_one(tmp_path: Path, halves: Halves) -> None:
    with pytest.raises(UsageError, match="not a build tag"):
        run(tmp_path, halves, FuseOptions(build="x"))


def test_a_pure_pair_needs_no_machine_code(tmp_path: Path) -> None:
    """The halves may hold none, as wheels that only carry data for a platform do."""
    pair = (Thin("arm64", {"demo.py": b""}), Thin("x86_64", {"demo.py": b""}))
    assert unpacked(run(tmp_path, pair))["demo.py"] == b""


@pytest.mark.parametrize(
    "files",
    [
        {"a/__init__.py": b"", "b.txt": b"b"},
        {"a.py": b"", "b.py": b"", "c.py": b""},
        {f"{number:03}.py": b"" for number in range(130)},
        {"a.py": b"", "large": bytes(5 << 20), "z.py": b""},
        {"half": bytes(2 << 20), "other": bytes(2 << 20), "z": b"z"},
        {"only": b"x"},
        {},
    ],
    ids=["first", "all", "many", "around-a-large-one", "full-batches", "one", "none"],
)
def test_empty_files_are_files_like_others(tmp_path: Path, files: dict[str, bytes]) -> None:
    """tensorflow-metal 1.0.0's first file is an empty __init__.py."""
    content = unpacked(run(tmp_path, (Thin("arm64", files), Thin("x86_64", files))))
    own = {f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", fused_json.NAME)}
    assert {path: data for path, data in content.items() if path not in own} == files


COLLISIONS = {
    "case": ("Foo.txt", "foo.txt"),
    "case-of-a-folder": ("Pkg/a.txt", "pkg/A.txt"),
    "file-and-folder": ("pkg", "pkg/a.txt"),
    "folder-and-file": ("pkg/a.txt", "PKG"),
    "normalisation": ("caf\u00e9.txt", "cafe\u0301.txt"),
    "sharp-s": ("stra\u00dfe.txt", "STRASSE.txt"),
    "long-s": ("\u017f.txt", "s.txt"),
    "the-record": ("a.txt", "demo-1.0.dist-info/fused.JSON"),
    "folder-of-the-record": ("a.txt", "demo-1.0.dist-info/fused.json/a"),
    "kept-beside": ("a.txt", "demo-1.0.dist-info/sboms/arm64-a.json"),
}
"""Names that the arm64 and the x86_64 wheel may have each alone."""


@pytest.mark.parametrize("kind", COLLISIONS)
def test_files_that_a_mac_takes_for_one_are_refused_with_the_halves_named(
    tmp_path: Path, kind: str
) -> None:
    """APFS and HFS+ ignore case and normalisation as they are delivered."""
    sbom = f"{INFO}/sboms/a.json"
    arm, intel = COLLISIONS[kind]
    pair = (
        Thin("arm64", {arm: b"arm", sbom: b'{"a": 1}', "same": b""}),
        Thin("x86_64", {intel: b"intel", sbom: b'{"a": 2}', "same": b""}),
    )
    with pytest.raises(Undecided) as refused:
        run(tmp_path, pair)
    (fault,) = refused.value.paths
    assert "cannot be unpacked on a Mac beside" in fault.reason
    assert "x86_64 wheel" in fault.reason
    assert not list((tmp_path / "out").glob("*"))
    settled = run(tmp_path, pair, FuseOptions(rules=[parse_rule(str(fault.rule))]))
    keys = {unicodedata.normalize("NFD", name.casefold()) for name in unpacked(settled)}
    assert len(keys) == len(unpacked(settled))
    argv = [sys.executable, "-m", "zipfile", "-e", str(settled), str(tmp_path / "unpacked")]
    subprocess.run(argv, check=True, capture_output=True)


def test_a_name_may_be_spelled_in_two_ways(tmp_path: Path) -> None:
    """The data folder's spelling counts for uv, so all of a fused wheel's folders are of one."""
    script = "scripts/tool"
    arm = Thin("arm64", {f"my_pkg-1.0.data/{script}": b"#!python\n"}, project="My_Pkg")
    intel = Thin("x86_64", {f"my_pkg-1.0.data/{script}": b"#!python\n"}, project="my_pkg")
    about = b"Metadata-Version: 2.1\nName: my-pkg\nVersion: 1.0\n"
    pair = replace(arm, metadata=about), replace(intel, metadata=about)
    wheel = run(tmp_path, pair)
    tops = {name.partition("/")[0] for name in unpacked(wheel)}
    assert tops == {"My_Pkg-1.0.dist-info", "My_Pkg-1.0.data"}
    for half in pair:
        assert_thin_gives_back(half, thin(wheel, half.arch, tmp_path / "thin").wheel)


def test_a_wheel_has_one_data_folder_and_one_dist_info(tmp_path: Path, halves: Halves) -> None:
    for name, reason in (
        ("demo-1.data/data/x", "2 data folders"),
        ("other-1.0.dist-info/METADATA", "2 dist-info folders"),
        ("other-1.0.dist-info", "2 dist-info folders"),
    ):
        files = {"demo-1.0.data/data/x": b"", name: b""}
        wrong = replace(halves[0], files={**halves[0].files, **files})
        with pytest.raises(BrokenWheel, match=reason):
            run(tmp_path, (wrong, halves[1]))


CYCLONEDX = b"""{"bomFormat": "CycloneDX", "serialNumber": "urn:uuid:%d", "version": 1,
"metadata": {"timestamp": "2026-11-06T14:37:2%dZ"}, "components": [{"name": "a%s"}]}"""


@pytest.mark.parametrize("extra", [b"", b"rm"], ids=["serial-and-time", "components-too"])
def test_bills_of_materials_are_kept_for_both_architectures(tmp_path: Path, extra: bytes) -> None:
    """PEP 770 keeps them in dist-info/sboms, where nothing looks for a name."""
    path = f"{INFO}/sboms/demo.cyclonedx.json"
    arm, intel = CYCLONEDX % (1, 1, extra), CYCLONEDX % (2, 2, b"")
    pair = Thin("arm64", {path: arm, "a": b""}), Thin("x86_64", {path: intel, "a": b""})
    found = fused_of(tmp_path, pair)
    names = [f"{INFO}/sboms/{arch}-demo.cyclonedx.json" for arch in ("arm64", "x86_64")]
    assert found.files[Verdict.BOTH] == tuple(names)
    content = unpacked(found.wheel)
    assert [content[name] for name in names] == [arm, intel]
    assert path not in content
    assert verify(found.wheel).findings == ()
    documents.check(fuse_view.fused_document(found))
    for half in pair:
        assert_thin_gives_back(half, thin(found.wheel, half.arch, tmp_path / "thin").wheel)


def test_a_bill_of_materials_of_one_side_keeps_its_name(tmp_path: Path) -> None:
    path = f"{INFO}/sboms/demo.spdx.json"
    pair = Thin("arm64", {path: b"{}"}), Thin("x86_64", {"a": b""})
    with pytest.raises(Undecided):
        run(tmp_path, (pair[0], replace(pair[1], files={f"{INFO}/entry_points.txt": b""})))
    wheel = run(tmp_path, pair)
    assert unpacked(wheel)[path] == b"{}"
    for half in pair:
        assert_thin_gives_back(half, thin(wheel, half.arch, tmp_path / "thin").wheel)


def test_documents_that_differ_in_serial_and_time_alone_are_kept_where_no_program_reads_them(
    tmp_path: Path,
) -> None:
    arm, intel = CYCLONEDX % (1, 1, b""), CYCLONEDX % (2, 2, b"")
    inside = f"{INFO}/build.json"
    pair = Thin("arm64", {inside: arm}), Thin("x86_64", {inside: intel})
    assert fused_of(tmp_path, pair).files[Verdict.BOTH]
    pair = Thin("arm64", {"demo/bom.json": arm}), Thin("x86_64", {"demo/bom.json": intel})
    with pytest.raises(Undecided) as refused:
        run(tmp_path, pair)
    assert "serial numbers and times alone" in refused.value.paths[0].reason
    found = fused_of(tmp_path, pair, FuseOptions(rules=[parse_rule("**/bom.json=both")]))
    assert found.files[Verdict.BOTH] == ("demo/arm64-bom.json", "demo/x86_64-bom.json")
    for half in pair:
        assert_thin_gives_back(half, thin(found.wheel, half.arch, tmp_path / "thin").wheel)


def assert_thin_gives_back(half: Thin, wheel: Path) -> None:
    assert wheel.name == half.name
    content, expected = unpacked(wheel), half.content()
    fused_json = f"{half.dist_info}/RECORD"
    assert sorted(content.pop(fused_json).split()) == sorted(expected.pop(fused_json).split())
    assert content == expected


@pytest.mark.parametrize("name", ["demo-2.0", "other-1.0"])
def test_a_wheel_that_is_not_what_its_name_says_is_refused(
    tmp_path: Path, halves: Halves, name: str
) -> None:
    path = halves[0].write(tmp_path)
    renamed = path.rename(tmp_path / path.name.replace("demo-1.0", name))
    with pytest.raises(BrokenWheel, match="not what the wheel's name says") as refused:
        fuse(renamed, halves[1].write(tmp_path), tmp_path, FuseOptions())
    assert refused.value.where == f"{renamed.name}: {INFO}"


def test_signatures_of_record_are_dropped_and_listed(tmp_path: Path, halves: Halves) -> None:
    paths = halves[0].write(tmp_path), halves[1].write(tmp_path)
    with zipfile.ZipFile(paths[0], "a") as made:
        made.writestr(f"{INFO}/RECORD.jws", b"{}")
    found = fuse(*paths, tmp_path, FuseOptions())
    assert found.files[Verdict.DROPPED] == (f"{INFO}/RECORD.jws",)
    assert f"{INFO}/RECORD.jws" not in unpacked(found.wheel)


def test_a_missing_wheel_is_an_error_of_its_own(tmp_path: Path, halves: Halves) -> None:
    with pytest.raises(UsageError, match="cannot be opened"):
        fuse(tmp_path / NAME, halves[0].write(tmp_path), tmp_path, FuseOptions())
