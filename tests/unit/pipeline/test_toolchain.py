from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.pipeline import mac, toolchain

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def release() -> config.Release:
    return config.load("demo", root=ROOT).release


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return a function that puts a compiler on PATH, which has no other program."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name: str, answer: str) -> None:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{answer}'\necho Copyright\n")
        program.chmod(0o755)

    return put


def test_each_compiler_has_its_own_key_and_its_place_has_none(
    release: config.Release,
    compiler: Callable[[str, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiler("gcc", "gcc (Debian 12.2.0-14) 12.2.0")
    first = toolchain.digest(release)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "gcc").rename(tmp_path / "elsewhere" / "gcc")
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert toolchain.digest(release) == first
    monkeypatch.setenv("PATH", str(tmp_path))
    compiler("gcc", "gcc (Debian 12.2.0-15) 12.2.0 ")
    assert toolchain.digest(release) != first


def test_a_mac_is_told_by_its_xcode_its_sdk_and_its_release(
    release: config.Release,
    compiler: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiler("clang", "Apple clang version 16.0.0 (clang-1600.0.26.6)")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(mac, "macos_version", lambda: "15.1.1")
    monkeypatch.setattr(mac, "sdk_version", lambda: "15.2")
    parts = toolchain.identity(release)
    assert parts["system"] == "macOS 15"
    assert parts["sdk"] == "15.2"
    assert parts["clang"] == "Apple clang version 16.0.0 (clang-1600.0.26.6)"
    assert json.dumps(parts)
    before = toolchain.digest(release)
    monkeypatch.setattr(mac, "macos_version", lambda: "15.2")
    assert toolchain.digest(release) == before
    monkeypatch.setattr(mac, "sdk_version", lambda: "15.4")
    assert toolchain.digest(release) != before
