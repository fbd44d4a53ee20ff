"""A new wheel is held to what a wheel that comes in is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.wheels.archive.members import ArchiveLimits
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.new_wheel import new_wheel
from tensorflow_macos_build.wheels.thin.engine import thin
from tests.wheelmaker import Thin, rewritten, unpacked

if TYPE_CHECKING:
    from pathlib import Path

NAME = "demo-1.0-cp311-cp311-macosx_12_0_arm64.whl"
INFO = "demo-1.0.dist-info"
WHEEL = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-macosx_12_0_arm64\n"
METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
DIST_INFO = [(f"{INFO}/METADATA", METADATA), (f"{INFO}/WHEEL", WHEEL)]

REFUSED: dict[str, dict[str, bytes]] = {
    "case": {"Foo.txt": b"", "foo.txt": b""},
    "file-and-folder": {"pkg": b"", "pkg/a": b""},
    "normalisation": {"caf\u00e9": b"", "cafe\u0301": b""},
    "twice": {"a.txt": b""},
    "outside": {"../a.txt": b""},
    "absolute": {"/a.txt": b""},
    "two-dist-infos": {"other-1.0.dist-info/METADATA": b""},
    "two-data-folders": {"demo-1.0.data/a": b"", "Demo-1.0.data/b": b""},
}


def make(wheel: Path, members: list[tuple[str, bytes]]) -> None:
    with new_wheel(wheel) as made:
        for path, content in members:
            made.store(path, content)
        made.finish(f"{INFO}/RECORD")


@pytest.mark.parametrize("kind", REFUSED)
def test_a_wheel_that_would_be_refused_is_not_made(tmp_path: Path, kind: str) -> None:
    members = [*REFUSED[kind].items(), *DIST_INFO]
    wrong = [*members[:1], *members] if kind == "twice" else members
    wheel = tmp_path / "out" / NAME
    with pytest.raises(WorkFailed, match="not be one that installers take"):
        make(wheel, wrong)
    assert list(wheel.parent.iterdir()) == []
    make(wheel, [("a.txt", b""), *DIST_INFO])
    assert wheel.is_file()


@pytest.mark.parametrize("left", DIST_INFO, ids=lambda member: member[0].rpartition("/")[2])
def test_a_wheel_without_its_dist_info_is_not_made(tmp_path: Path, left: tuple[str, bytes]) -> None:
    with pytest.raises(WorkFailed, match="has no such file"):
        make(tmp_path / "out" / NAME, [("a.txt", b""), left])


def test_a_wheel_that_is_larger_than_is_taken_is_not_made(tmp_path: Path) -> None:
    pair = Thin("arm64", {"a": bytes(9)}), Thin("x86_64", {"a": bytes(9)})
    first, second = (half.write(tmp_path) for half in pair)
    limits = ArchiveLimits(members=4)
    with pytest.raises(WorkFailed, match="members, more than 4"):
        fuse(first, second, tmp_path / "out", FuseOptions(limits=limits))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["a.txt", "A.TXT", "../a.txt", "a.txt/b"])
def test_a_record_cannot_make_thin_write_such_a_wheel(tmp_path: Path, name: str) -> None:
    sbom = f"{INFO}/sboms/b.json"
    pair = (
        Thin("arm64", {"a.txt": b"", sbom: b'{"serialNumber": "1"}'}),
        Thin("x86_64", {"a.txt": b"", sbom: b'{"serialNumber": "2"}'}),
    )
    first, second = (half.write(tmp_path) for half in pair)
    wheel = fuse(first, second, tmp_path / "fused", FuseOptions()).wheel
    record = f"{INFO}/fused.json"
    renamed = unpacked(wheel)[record].replace(f'"{sbom}"'.encode(), f'"{name}"'.encode())
    changed = rewritten(wheel, {record: renamed})
    with pytest.raises(WorkFailed):
        thin(changed, "arm64", tmp_path / "out")
    assert not list(tmp_path.glob("out/*"))
    assert not (tmp_path / "a.txt").exists()
