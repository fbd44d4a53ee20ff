"""A file is flushed while it grows, and a flush that fails is never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.archive.write_behind import WriteBehind

if TYPE_CHECKING:
    from pathlib import Path

MANY = 1 << 30


def write_on(behind: WriteBehind) -> None:
    while True:
        behind.written(MANY)


def test_a_failed_flush_stops_who_goes_on_writing(tmp_path: Path) -> None:
    with WriteBehind(tmp_path / "gone") as behind, pytest.raises(FileNotFoundError):
        write_on(behind)


def test_a_failed_flush_is_told_at_the_end(tmp_path: Path) -> None:
    with WriteBehind(tmp_path / "gone") as behind:
        behind.written(MANY)
        with pytest.raises(FileNotFoundError):
            behind.wait()
        with pytest.raises(FileNotFoundError):
            behind.finish()


def test_a_small_file_is_left_to_who_puts_it_in_place(tmp_path: Path) -> None:
    with WriteBehind(tmp_path / "gone") as behind:
        behind.written(1 << 20)
        behind.finish()
        behind.wait()


def test_what_is_there_is_flushed_as_often_as_it_grows(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    with WriteBehind(file) as behind:
        for _ in range(100):
            behind.written(MANY)
        behind.finish()
        behind.wait()
    assert file.read_bytes() == b"content"
