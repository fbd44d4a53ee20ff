"""zlib-ng reads wheels where it is installed; without it the same is made, more slowly."""

from __future__ import annotations

import _ctypes
import subprocess
import sys
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.inflate import engine
from tensorflow_macos_build.wheels.inflate.stream import Inflater

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fused_wheels import Halves


def test_zlib_ng_is_preferred() -> None:
    assert engine.preferred().name == engine.PACKAGE
    assert engine.standard().module is zlib


def test_it_is_imported_for_large_contents_alone() -> None:
    code = (
        "import sys\n"
        "from tensorflow_macos_build.wheels.inflate import engine\n"
        "for size in (1000, 1 << 20, 1000):\n"
        "    print(engine.for_size(size).name, 'zlib_ng' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "zlib False\nzlib-ng True\nzlib-ng True\n"


def test_without_its_package_python_s_own_is_taken() -> None:
    code = (
        "import sys; sys.modules['zlib_ng'] = None\n"
        "from tensorflow_macos_build.wheels.inflate import engine, stream\n"
        "inflater = stream.Inflater()\n"
        "print(engine.preferred().name, *map(bytes, inflater.run([b'\\x03\\x00'])), inflater.bits)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "zlib StreamBits(last_block=0, end=10)\n"


def test_where_its_module_hides_its_functions_the_system_s_are_called() -> None:
    """Any other extension module stands for one that exports nothing of zlib-ng."""
    faster = engine.faster()
    assert faster is not None
    data = zlib.compressobj(wbits=-15).flush()
    inflater = Inflater(by=replace(faster, module=_ctypes))
    assert list(inflater.run([data])) == []
    inflater.close()


def test_both_make_the_same_wheel(
    tmp_path: Path, halves: Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine.faster() is not None  # once it is imported, small contents are read by it, too
    paths = halves[0].write(tmp_path), halves[1].write(tmp_path)
    first = fuse(*paths, tmp_path / "zlib-ng", FuseOptions())
    monkeypatch.setattr(engine, "preferred", engine.standard)
    second = fuse(*paths, tmp_path / "zlib", FuseOptions())
    assert first.wheel.read_bytes() == second.wheel.read_bytes()
    assert first.files == second.files


def test_both_refuse_a_damaged_member_with_the_same_words(
    tmp_path: Path, halves: Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = halves[0].write(tmp_path)
    with open_archive(path) as archive:
        member = archive.members["demo/big.so"]
    raw = bytearray(path.read_bytes())
    raw[member.offset + member.compressed // 2] ^= 0x10
    path.write_bytes(raw)
    first = _refusal(path)
    monkeypatch.setattr(engine, "preferred", engine.standard)
    assert _refusal(path) == first


def _refusal(path: Path) -> str:
    with open_archive(path) as archive, pytest.raises(BrokenWheel) as refused:
        archive.sha256(archive.members["demo/big.so"])
    return str(refused.value)
