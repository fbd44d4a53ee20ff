"""Where a wheel that was built again differs: which members, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.pipeline.releasing import rebuild
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.pipeline.releasing.check import ReleaseCheck

TOOLS = "toolchain.gcc was 12, is 13"


def test_each_member_that_differs_is_named_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    same = {"demo/same.py": b"1", "demo/x.so": b"one", "demo/old.py": b"1"}
    released = Thin("arm64", same).write(tmp_path / "a")
    changed = {"demo/same.py": b"1", "demo/x.so": b"two", "demo/new.py": b"1"}
    made = Thin("arm64", changed).write(tmp_path / "b")
    rows: list[ReleaseCheck] = list(rebuild.differences(released, made, TOOLS))
    assert {row.file: row.words for row in rows} == {
        "demo/new.py": "the release has not got it",
        "demo/old.py": "the build does not give it",
        "demo/x.so": f"machine code differs: {TOOLS}",
        "demo-1.0.dist-info/RECORD": "it differs as the other members do",
    }


def test_two_zip_files_around_the_same_members_differ_as_such(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = {"demo/same.py": b"1" * 1000}
    pair = [
        Thin("arm64", files, level=level).write(tmp_path / name)
        for name, level in (("a", 0), ("b", 9))
    ]
    (row,) = rebuild.differences(pair[0], pair[1], TOOLS)
    assert "the zip file around them is not" in row.words
