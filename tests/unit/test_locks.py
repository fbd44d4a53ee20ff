"""Who gets a lock, and what is no lock."""

import fcntl
import threading
from pathlib import Path

import pytest

from tensorflow_macos_build import locks


def test_a_lock_can_be_taken_again_by_who_holds_it_and_by_nobody_else(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    waits = threading.Event()

    def other() -> None:
        with locks.held(lock, waits.set):
            order.append("other")

    order: list[str] = []
    with locks.held(lock):
        thread = threading.Thread(target=other)
        thread.start()
        with locks.held(lock, busy=lambda: pytest.fail("it waits for itself")):
            assert waits.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "other"]


def test_a_lock_file_that_is_deleted_while_somebody_waits_is_no_lock(tmp_path: Path) -> None:
    lock, waits = tmp_path / "lock", threading.Event()
    got = threading.Event()

    def other() -> None:
        with locks.held(lock, waits.set):
            got.set()

    with locks.held(lock):
        thread = threading.Thread(target=other)
        thread.start()
        assert waits.wait(10)
        lock.unlink()
        with lock.open("w") as third:
            fcntl.flock(third, fcntl.LOCK_EX)
    assert lock.exists()
    thread.join(10)
    assert got.is_set()
