"""What programs say of their version, and when they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.pipeline import versions

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.pipeline.versions import Version


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("git version 2.39.5 (Apple Git-154)", (2, 39, 5)),
        ("bazel 6.5.0", (6, 5, 0)),
        ("bazel no_version", ()),
        ("ShellCheck - shell script analysis tool\nversion: 0.9.0\nlicense: GPL 3", (0, 9, 0)),
        ("Debian LLD 19.1.7", (19, 1, 7)),
        ("/opt/llvm-19.1/bin/llvm-nm:\n  Homebrew LLVM version 14.0.6", (14, 0, 6)),
        ("LLVM version 22", (22,)),
        ("Python 3.13.0rc1", (3, 13, 0)),
        ("9" * 5000, ()),
    ],
)
def test_a_version_is_read_from_what_programs_answer(answer: str, version: Version) -> None:
    assert versions.parse(answer) == version


def test_a_program_is_started_once_and_its_successor_again(tmp_path: Path) -> None:
    program, log = tmp_path / "tool", tmp_path / "log"
    for version, starts in (("1.2", 1), ("1.20", 2)):
        program.write_text(f"#!/bin/sh\necho >>'{log}'\necho tool {version}\n")
        program.chmod(0o755)
        for _ in range(2):
            assert versions.shown(versions.version_of(program)) == version
        assert log.read_text().count("\n") == starts


def test_bazelisk_is_not_started(tmp_path: Path) -> None:
    real = tmp_path / "bazelisk-1.2"
    real.write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bazel").symlink_to(real)
    assert versions.is_bazelisk(tmp_path / "bazel")
    assert versions.version_of(tmp_path / "bazel") == ()
