"""What a wheel weighs, beside zipfile's directory and the slices that lipo takes out."""

from __future__ import annotations

import subprocess
import zipfile
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.wheels import contents
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tests.fused_wheels import fused_wheel
from tests.machos import llvm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fused_wheels import Halves


def _slices(content: bytes, folder: Path) -> Counter[str]:
    """Return the bytes of each architecture of a universal file, as lipo takes them out."""
    sizes: Counter[str] = Counter()
    path, out = folder / "file", folder / "slice"
    path.write_bytes(content)
    try:
        architectures = llvm("llvm-lipo", path, "-archs").split()
    except subprocess.CalledProcessError:
        return sizes
    for arch in architectures:
        llvm("llvm-lipo", path, "-thin", arch, "-output", out)
        sizes[arch] = out.stat().st_size
    return sizes


def test_a_fused_wheel_has_the_slices_that_lipo_takes_out(halves: Halves, tmp_path: Path) -> None:
    wheel = fused_wheel(tmp_path, halves)
    read = contents.read(wheel)
    sizes: Counter[tuple[str, str]] = Counter()
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            folder = member.filename.rpartition("/")[0]
            sizes[folder, "size"] += member.file_size
            sizes[folder, "compressed"] += member.compress_size
            sizes[folder, "count"] += 1
            content = archive.read(member)
            if content[:4] == b"\xca\xfe\xba\xbe":  # FAT_MAGIC
                for arch, size in _slices(content, tmp_path).items():
                    sizes[folder, arch] += size
    for name, folder_contents in read.folders.items():
        assert folder_contents.count == sizes[name, "count"]
        assert folder_contents.size == sizes[name, "size"]
        assert folder_contents.compressed == sizes[name, "compressed"]
        assert folder_contents.slices == {
            arch: sizes[name, arch] for arch in ("arm64", "x86_64") if sizes[name, arch]
        }
    assert sizes["demo", "arm64"] > 200_000
    assert {folder for folder, _ in sizes} == set(read.folders)


def test_a_thin_binary_counts_as_its_architectures(halves: Halves, tmp_path: Path) -> None:
    half = halves[0]
    read = contents.read(half.write(tmp_path))
    images = ("libdemo.dylib", "big.so", "ext.so", "unit.o")
    expected = sum(len(half.files[f"demo/{name}"]) for name in images)
    universal = _slices(half.files["demo/libgcc.dylib"], tmp_path)
    assert read.folders["demo"].slices == {"arm64": expected + universal["arm64"]}


def test_folders_are_told_apart_two_deep(tmp_path: Path) -> None:
    wheel = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("top.py", "a/b.py", "a/b/c.py", "a/b/c/d.py", "a/b/c/d/e.py"):
            archive.writestr(name, name)
    read = contents.read(wheel)
    assert {name: each.count for name, each in read.folders.items()} == {"a/b": 3, "a": 1, "": 1}
    body = contents.as_document(read)
    documents.check(body)
    assert body["wheel"] == {
        "name": wheel.name,
        "size": wheel.stat().st_size,
        "sha256": files.sha256(wheel),
    }


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a-1-py3-none-any.whl"
    path.write_bytes(b"PK\x05\x06 and no more")
    with pytest.raises(BrokenWheel):
        contents.read(path)
