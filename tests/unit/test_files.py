import fcntl
import hashlib
import os
import tempfile
import threading
from pathlib import Path

import pytest

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError


class Broken(Exception):
    pass


def write_half_a_file(target: Path) -> None:
    with files.atomic_path(target) as unfinished:
        unfinished.write_text("half")
        raise Broken


def write_half_a_folder(target: Path) -> None:
    with files.atomic_folder(target) as unfinished:
        (unfinished / "half").touch()
        raise Broken


def test_a_body_that_ends_well_puts_its_file_in_place(tmp_path: Path) -> None:
    files.write_text(tmp_path / "deep" / "a", "ä\r\n")
    assert (tmp_path / "deep" / "a").read_bytes() == b"\xc3\xa4\r\n"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]


def test_a_body_that_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    with pytest.raises(Broken):
        write_half_a_file(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_body_that_raises_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(Broken):
        write_half_a_folder(target)
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with files.atomic_folder(tmp_path / "out") as unfinished:
            (unfinished / name).touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_sweep_deletes_what_was_left_unfinished_and_nothing_else(tmp_path: Path) -> None:
    left = f"{files.TEMPORARY_PREFIX}x"
    (tmp_path / left / "deep").mkdir(parents=True)
    (tmp_path / ".tmp-of-somebody").mkdir()
    (tmp_path / f"{files.TEMPORARY_PREFIX}link").symlink_to(tmp_path / ".tmp-of-somebody")
    (tmp_path / "kept").touch()
    assert [path.name for path in files.sweep(tmp_path)] == [left]
    names = {".tmp-of-somebody", f"{files.TEMPORARY_PREFIX}link", "kept"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert files.sweep(tmp_path / "not there") == []


def test_sha256_is_hashlibs(tmp_path: Path) -> None:
    content = bytes(range(256)) * 8192
    (tmp_path / "a").write_bytes(content)
    assert files.sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_sweep_leaves_what_is_in_use(tmp_path: Path) -> None:
    with files.atomic_folder(tmp_path / "out") as unfinished:
        (unfinished / "half").touch()
        assert files.sweep(tmp_path) == []
        with files.atomic_path(tmp_path / "other") as path:
            path.touch()
        assert (unfinished / "half").exists()
    assert (tmp_path / "out" / "half").exists()


def test_scratch_is_an_empty_folder_that_goes_with_its_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / f"{files.SCRATCH_PREFIX}killed-x"
    dead.mkdir()
    with files.scratch("first") as first, files.scratch("second") as second:
        assert not dead.exists()
        assert list(first.iterdir()) == list(second.iterdir()) == []
        assert {path.parent for path in (first, second)} == {tmp_path}
    assert list(tmp_path.iterdir()) == []


def test_a_lock_can_be_taken_again_by_who_holds_it_and_by_nobody_else(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    waits = threading.Event()

    def other() -> None:
        with files.locked(lock, waits.set):
            order.append("other")

    order: list[str] = []
    with files.locked(lock):
        thread = threading.Thread(target=other)
        thread.start()
        with files.locked(lock, busy=lambda: pytest.fail("it waits for itself")):
            assert waits.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "other"]


def test_a_lock_file_that_is_deleted_while_somebody_waits_is_no_lock(tmp_path: Path) -> None:
    lock, waits = tmp_path / "lock", threading.Event()
    got = threading.Event()

    def other() -> None:
        with files.locked(lock, waits.set):
            got.set()

    with files.locked(lock):
        thread = threading.Thread(target=other)
        thread.start()
        assert waits.wait(10)
        lock.unlink()
        with lock.open("w") as third:
            fcntl.flock(third, fcntl.LOCK_EX)
    assert lock.exists()
    thread.join(10)
    assert got.is_set()


def test_a_small_file_is_read_whole_and_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "right").write_bytes(b"x" * 10)
    assert files.read_small(tmp_path / "right", 10) == b"x" * 10
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(800 << 20)
    refused = [tmp_path / name for name in ("pipe", "link", "sparse")]
    for path in (*refused, Path("/dev/zero")):
        with pytest.raises(UsageError) as caught:
            files.read_small(path, 1 << 20)
        assert caught.value.where == str(path)
    with pytest.raises(UsageError):
        files.read_small(tmp_path, 10)


def test_the_folder_for_temporary_files_is_found_without_writing_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in-use").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "in-use"))
    chosen = tempfile.gettempdir()
    before = (tmp_path / "in-use").stat().st_mtime_ns
    monkeypatch.setattr(tempfile, "tempdir", None)
    files.sweep_scratch()
    assert tempfile.tempdir == chosen
    assert (tmp_path / "in-use").stat().st_mtime_ns == before
