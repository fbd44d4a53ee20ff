"""thin undoes fuse, also where fused.json is not there or not true any more."""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.views import fuse as fuse_view
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.dist_info.fused_json import NAME as FUSED_JSON
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.thin.engine import thin
from tensorflow_macos_build.wheels.verify import verify
from tests.wheelmaker import Thin, lipo, rewritten, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain

INFO = "demo-1.0.dist-info"


@pytest.fixture(scope="module")
def images(toolchain: Toolchain) -> dict[str, dict[str, bytes]]:
    source = "int answer(void) { return 42; } const char table[90000] = {1};"
    return {
        arch: {
            "demo/lib.dylib": toolchain.dylib("lib.dylib", source, arch).read_bytes(),
            "demo/libgcc.dylib": toolchain.universal(
                toolchain.dylib("libgcc.dylib", source, arch)
            ).read_bytes(),
            "demo/lib.a": toolchain.archive(
                "lib.a", toolchain.object("int one;", arch)
            ).read_bytes(),
        }
        for arch in ("arm64", "x86_64")
    }


@pytest.fixture
def halves(images: dict[str, dict[str, bytes]]) -> tuple[Thin, Thin]:
    return (
        Thin("arm64", {**images["arm64"], "a.txt": b"arm", "s.h": b"int a; // \\\n", "same": b"="}),
        Thin("x86_64", {**images["x86_64"], "b.txt": b"intel", "s.h": b"", "same": b"="}),
    )


def fused(folder: Path, halves: tuple[Thin, Thin]) -> Path:
    first, second = (half.write(folder) for half in halves)
    return fuse(first, second, folder / "fused", FuseOptions()).wheel


@pytest.mark.parametrize("methods", [(8, 8), (8, 0), (0, 8), (0, 0)])
def test_thin_gives_back_the_halves(
    tmp_path: Path, halves: tuple[Thin, Thin], methods: tuple[int, int]
) -> None:
    made = [replace(half, method=method) for half, method in zip(halves, methods, strict=True)]
    wheel = fused(tmp_path, (made[0], made[1]))
    for half in made:
        thinned = thin(wheel, half.arch, tmp_path / "thin")
        assert thinned.wheel.name == half.name
        assert (thinned.copied, thinned.deflated) == (3, 0)
        content, expected = unpacked(thinned.wheel), half.content()
        record = f"{INFO}/RECORD"
        assert sorted(content.pop(record).split()) == sorted(expected.pop(record).split())
        assert content == expected
        documents.check(fuse_view.thinned_document(thinned))


def test_a_slice_that_is_written_after_the_record_is_recorded_too(
    tmp_path: Path, images: dict[str, dict[str, bytes]]
) -> None:
    """Of dist-info's own files, fused.json is not the last."""
    path = f"{INFO}/tool.dylib"
    halves = [Thin(arch, {path: files["demo/lib.dylib"]}) for arch, files in images.items()]
    wheel = fused(tmp_path, (halves[0], halves[1]))
    for half in halves:
        content = unpacked(thin(wheel, half.arch, tmp_path / "thin").wheel)
        assert content[path] == half.files[path]


@pytest.mark.parametrize(
    ("arm", "intel"),
    [
        ({"project": "My.Pkg"}, {"project": "my_pkg"}),
        ({"version": "1.0"}, {"version": "1.0.0"}),
        ({"python": "py3.cp311-none"}, {"python": "cp311.py3-none"}),
        ({"platform": "macosx_11_0_arm64.macosx_12_0_arm64"}, {"platform": "macosx_10_9_x86_64"}),
    ],
    ids=["project", "version", "pythons", "platforms"],
)
def test_thin_spells_each_half_as_it_was(
    tmp_path: Path, arm: dict[str, str], intel: dict[str, str]
) -> None:
    about = b"Metadata-Version: 2.1\nName: my-pkg\nVersion: 1.0\n"
    files = {"s.h": b"arm"}, {"s.h": b"intel"}
    plain = [
        Thin(arch, own, "my_pkg", metadata=about)
        for arch, own in zip(("arm64", "x86_64"), files, strict=True)
    ]
    halves = replace(plain[0], **arm), replace(plain[1], **intel)  # type: ignore[arg-type] # texts
    wheel = fused(tmp_path, halves)
    assert verify(wheel).ok
    for half in halves:
        thinned = thin(wheel, half.arch, tmp_path / "thin").wheel
        assert thinned.name == half.name
        content, expected = unpacked(thinned), half.content()
        record = f"{half.dist_info}/RECORD"
        assert sorted(content.pop(record).split()) == sorted(expected.pop(record).split())
        assert content == expected


def test_thin_gives_back_what_each_half_lets_be_executed(
    tmp_path: Path, halves: tuple[Thin, Thin]
) -> None:
    """delocate makes some libraries executable on one machine and not on the other."""
    arm, intel = ("demo/lib.dylib", "same", "a.txt"), ("same", "demo/lib.a", "s.h")
    pair = replace(halves[0], executables=arm), replace(halves[1], executables=intel)
    wheel = fused(tmp_path, pair)
    assert executables(wheel) == {*arm, *intel}
    for half in pair:
        assert executables(thin(wheel, half.arch, tmp_path / "thin").wheel) == {*half.executables}


def executables(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as made:
        return {info.filename for info in made.infolist() if info.external_attr >> 16 & 0o111}


def test_fusing_thinned_halves_gives_the_same_bytes(
    tmp_path: Path, halves: tuple[Thin, Thin]
) -> None:
    wheel = fused(tmp_path, halves)
    again = [thin(wheel, arch, tmp_path / "thin").wheel for arch in ("arm64", "x86_64")]
    fresh = fuse(again[0], again[1], tmp_path / "again", FuseOptions()).wheel
    first, second = unpacked(wheel), unpacked(fresh)
    for content in (first, second):  # offsets in it differ: an end takes two bytes more
        del content[f"{INFO}/{FUSED_JSON}"], content[f"{INFO}/RECORD"]
    assert first == second


def test_a_wheel_of_another_maker_is_split_by_deflating(
    tmp_path: Path, halves: tuple[Thin, Thin]
) -> None:
    fat = lipo(tmp_path, *(half.files["demo/lib.dylib"] for half in halves))
    maker = Thin("arm64", {"demo/lib.dylib": fat, "x": b"x"}, platform="macosx_10_9_universal2")
    wheel = maker.write(tmp_path)
    names = {"arm64": "macosx_11_0_arm64", "x86_64": "macosx_10_9_x86_64"}
    for half in halves:
        thinned = thin(wheel, half.arch, tmp_path / "thin")
        assert thinned.wheel.name == f"demo-1.0-cp311-cp311-{names[half.arch]}.whl"
        assert (thinned.copied, thinned.deflated) == (0, 1)
        content = unpacked(thinned.wheel)
        assert content["demo/lib.dylib"] == half.files["demo/lib.dylib"]
        assert content["x"] == b"x"
        assert f"Tag: cp311-cp311-{names[half.arch]}\n" in content[f"{INFO}/WHEEL"].decode()


def record_of(wheel: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(unpacked(wheel)[f"{INFO}/{FUSED_JSON}"])
    return record


@pytest.mark.parametrize("change", [{"crc": 1}, {"size": 5}])
def test_a_record_of_another_wheel_is_refused(
    tmp_path: Path, halves: tuple[Thin, Thin], change: dict[str, int]
) -> None:
    wheel = fused(tmp_path, halves)
    record = record_of(wheel)
    record["universal"]["demo/lib.dylib"]["arm64"].update(change)
    changed = rewritten(wheel, {f"{INFO}/{FUSED_JSON}": json.dumps(record).encode()})
    with pytest.raises(BrokenWheel, match="not about this file") as refused:
        thin(changed, "arm64", tmp_path / "thin")
    assert refused.value.where.endswith(": demo/lib.dylib")
    assert not list((tmp_path / "thin").iterdir())


@pytest.mark.parametrize("offset", ["first", "second"])
def test_a_universal_file_of_overlapping_slices_is_refused(
    tmp_path: Path, halves: tuple[Thin, Thin], offset: str
) -> None:
    """fat_header has 8 bytes, each fat_arch 20, and its offset stands at the ninth."""
    wheel = fused(tmp_path, halves)
    content = bytearray(unpacked(wheel)["demo/lib.dylib"])
    struct.pack_into(">I", content, {"first": 16, "second": 36}[offset], 99)
    with pytest.raises(BrokenWheel, match="not about this file"):
        thin(rewritten(wheel, {"demo/lib.dylib": bytes(content)}), "arm64", tmp_path / "thin")


@pytest.mark.parametrize("content", [b"int b;\n", b"", b"#if 0\n#endif\n" * 20])
@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_a_header_that_was_changed_since_is_refused(
    tmp_path: Path, halves: tuple[Thin, Thin], content: bytes, arch: str
) -> None:
    changed = rewritten(fused(tmp_path, halves), {"s.h": content})
    with pytest.raises(BrokenWheel, match="not about this file") as refused:
        thin(changed, arch, tmp_path / "thin")
    assert refused.value.where.endswith(": s.h")


@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
@pytest.mark.parametrize(
    "change", [{"start": 3}, {"end": 10**9}, {"start": 9, "end": 9}, {"start": 900, "end": 20}]
)
def test_offsets_that_are_not_true_are_not_believed(
    tmp_path: Path, halves: tuple[Thin, Thin], arch: str, change: dict[str, int]
) -> None:
    wheel = fused(tmp_path, halves)
    record = record_of(wheel)
    record["universal"]["demo/lib.dylib"][arch].update(change)
    changed = rewritten(wheel, {f"{INFO}/{FUSED_JSON}": json.dumps(record).encode()})
    thinned = thin(changed, arch, tmp_path / "thin")
    assert (thinned.copied, thinned.deflated) == (2, 1)
    expected = next(half for half in halves if half.arch == arch).files["demo/lib.dylib"]
    assert unpacked(thinned.wheel)["demo/lib.dylib"] == expected


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"schema": 1}', b'{"schema": {"name": "fused", "version": 1}}']
)
def test_a_malformed_record_is_refused(
    tmp_path: Path, halves: tuple[Thin, Thin], text: bytes
) -> None:
    changed = rewritten(fused(tmp_path, halves), {f"{INFO}/{FUSED_JSON}": text})
    with pytest.raises(BrokenWheel, match=r"cannot be read|another tool"):
        thin(changed, "arm64", tmp_path / "thin")


def test_thin_wants_a_wheel_for_both_and_an_architecture_it_has(
    tmp_path: Path, halves: tuple[Thin, Thin]
) -> None:
    with pytest.raises(UsageError, match="no architecture `ppc`"):
        thin(fused(tmp_path, halves), "ppc", tmp_path)
    with pytest.raises(UsageError, match="nothing is to be taken out"):
        thin(halves[0].write(tmp_path), "arm64", tmp_path)


def test_a_wheel_changed_by_another_tool_is_not_split_wrongly(
    tmp_path: Path, halves: tuple[Thin, Thin]
) -> None:
    """Zipping anew moves the slices' streams: fused.json stays, and is no longer true."""
    wheel = fused(tmp_path, halves)
    again = tmp_path / "again" / wheel.name
    again.parent.mkdir()
    with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name, content in unpacked(wheel).items():
            made.writestr(name, content)
    for half in halves:
        thinned = thin(again, half.arch, tmp_path / "thin")
        assert (thinned.copied, thinned.deflated) == (0, 3)
        assert unpacked(thinned.wheel).items() >= half.files.items()
