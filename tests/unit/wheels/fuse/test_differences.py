"""What no verdict covers is shown in a way that a person can decide it by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, Undecided, fuse
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from pathlib import Path


def refusal(folder: Path, name: str, arm: bytes, intel: bytes) -> str:
    """Fuse two wheels that differ in one file, and give what is said of it, unindented."""
    first = Thin("arm64", {name: arm}).write(folder)
    second = Thin("x86_64", {name: intel}, method=0).write(folder)
    with pytest.raises(Undecided) as refused:
        fuse(first, second, folder / "out", FuseOptions())
    return refused.value.detail.replace("    ", "")


def test_a_difference_deep_in_a_large_text_is_shown_alone(tmp_path: Path) -> None:
    """scipy's cython_lapack.pyx differs in one line, 500 KB from its start."""
    same = b"".join(b"line %d\n" % number for number in range(40_000))
    shown = refusal(tmp_path, "large.pyx", same + b"arm\n" + same, same + b"intel\n" + same)
    position = f"from offset {len(same) - 1024}"
    assert shown.startswith(
        "large.pyx: it differs, and no format says how to join it\n"
        f"--- arm64 {position}\n+++ x86_64 {position}\n"
    )
    assert shown.endswith("line 39999\n-arm\n+intel\n line 0")
    assert shown.count("@@") == 2


def test_a_difference_cannot_command_a_terminal(tmp_path: Path) -> None:
    shown = refusal(tmp_path, "a.py", b"a\n", b"\tb\x1b]0;title\x07\xe2\x80\xae\n")
    assert shown.endswith("-a\n+\tb\\x1b]0;title\\x07\\u202e")


def test_all_differences_of_a_small_text_are_shown(tmp_path: Path) -> None:
    lines = [b"line %d\n" % number for number in range(99)]
    changed = [*lines[:9], b"one\n", *lines[10:80], b"two\n", *lines[81:]]
    shown = refusal(tmp_path, "small.py", b"".join(lines), b"".join(changed))
    assert "--- arm64\n+++ x86_64\n@@ -9,3 +9,3 @@\n line 8\n-line 9\n+one\n line 10\n" in shown
    assert shown.endswith("-line 80\n+two\n line 81")


@pytest.mark.parametrize("at", [0, 1, 262_143, 262_144, 999_999])
def test_the_first_byte_is_told_in_which_binary_files_differ(tmp_path: Path, at: int) -> None:
    table = bytes(1_000_000)
    shown = refusal(tmp_path, "t.bin", table, table[:at] + b"\1" + table[at + 1 :])
    assert shown.endswith(f"1000000 bytes, different from offset {at}")


def test_a_file_that_goes_on_differs_from_the_other_s_end(tmp_path: Path) -> None:
    shown = refusal(tmp_path, "t.bin", bytes(300_000), bytes(300_001))
    assert shown.endswith("different from offset 300000")
