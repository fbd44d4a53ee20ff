"""When temporary files are in memory, and what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tensorflow_macos_build.pipeline import memory_folder

PREFIX = "in-memory-"

NOEXEC = getattr(os, "ST_NOEXEC", 8)

HOLDER = """
import sys, pathlib
from tensorflow_macos_build.pipeline import memory_folder
memory_folder.SHARED_MEMORY, memory_folder._MACHINE = map(pathlib.Path, sys.argv[1:])
with memory_folder.made("in-memory-", 1) as folder:
    (folder / "file").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file system in memory of a machine with 8 GiB to spare, in no container."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(memory_folder, "SHARED_MEMORY", folder)
    described = tmp_path / "meminfo"
    described.write_text("MemTotal:  9000000 kB\nMemAvailable:  8388608 kB\nBuffers:  1 kB\n")
    monkeypatch.setattr(memory_folder, "_MACHINE", described)
    monkeypatch.setattr(memory_folder, "_CONTAINER", tmp_path / "container")
    return folder


def test_a_folder_goes_with_its_body_and_what_a_kill_left_with_the_next(
    memory: Path, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, memory, tmp_path / "meminfo"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        text=True,
    ) as holder:
        assert holder.stdout is not None
        left = Path(holder.stdout.readline().strip())
        with memory_folder.made(PREFIX, 1) as folder:
            assert folder is not None
            assert {folder, left} == set(memory.iterdir())
            assert list(folder.iterdir()) == []
            assert (left / "file").is_file()
        holder.kill()
    assert list(memory.iterdir()) == [left]
    with memory_folder.made(PREFIX, 1) as folder:
        assert list(memory.iterdir()) == [folder]
    assert list(memory.iterdir()) == []


@pytest.mark.parametrize(
    ("needed", "limit", "used", "expected"),
    [
        (4 << 30, "max", 0, True),
        ((4 << 30) + 1, "max", 0, False),
        (1 << 30, str(4 << 30), 2 << 30, True),
        (1 << 30, str(4 << 30), (2 << 30) + 1, False),
        (4 << 30, str(99 << 30), 0, True),
    ],
)
def test_twice_as_much_memory_has_to_be_free_on_the_machine_and_in_the_container(
    needed: int, limit: str, used: int, expected: bool, tmp_path: Path
) -> None:
    container = tmp_path / "container"
    container.mkdir()
    (container / "memory.max").write_text(f"{limit}\n")
    (container / "memory.current").write_text(f"{used}\n")
    assert memory_folder.has_room(tmp_path, needed) is expected


@pytest.mark.parametrize(
    ("blocks_and_flags", "free", "expected"),
    [
        ((256, 0), 0, True),
        ((255, 0), 0, False),
        ((256, NOEXEC), 0, False),
        ((512, 0), 2 << 20, True),
        ((511, 0), 2 << 20, False),
    ],
)
def test_the_file_system_has_to_have_room_and_to_run_programs(
    blocks_and_flags: tuple[int, int],
    free: int,
    expected: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocks, flags = blocks_and_flags
    fields = (4096, 4096, 9999, 9999, blocks, 99, 99, 99, flags, 255)
    monkeypatch.setattr(os, "statvfs", lambda _folder: os.statvfs_result(fields))
    assert memory_folder.has_room(tmp_path, 1 << 20, free) is expected


@pytest.mark.parametrize("described", [None, "", "MemTotal: 9000000 kB\n"])
def test_a_system_that_does_not_say_what_is_free_has_none(
    described: str | None, memory: Path, tmp_path: Path
) -> None:
    (tmp_path / "meminfo").unlink()
    if described is not None:
        (tmp_path / "meminfo").write_text(described)
    with memory_folder.made(PREFIX, 1) as folder:
        assert folder is None
        assert list(memory.iterdir()) == []


def test_there_is_no_folder_where_there_is_no_file_system_in_memory(memory: Path) -> None:
    memory.rmdir()
    with memory_folder.made(PREFIX, 1) as folder:
        assert folder is None
