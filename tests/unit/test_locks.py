"""Who gets a lock, and what is no lock."""

import fcntl
import json
import os
import subprocess
import sys
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


def holder_told(lock: Path, holds: subprocess.Popen[str] | None = None) -> locks.LockHolder | None:
    """Let somebody wait for a lock; return whom that one is told to wait for."""
    holders: list[locks.LockHolder | None] = []

    def busy(holder: locks.LockHolder | None) -> None:
        holders.append(holder)
        if holds is not None:
            holds.kill()

    with locks.held_openly(lock, "second", busy):
        pass
    (holder,) = holders
    return holder


HOLD = """
import sys
from pathlib import Path
from tensorflow_macos_build import locks
with locks.held_openly(Path(sys.argv[1]), "first", print):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding_child(lock: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, lock],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_who_waits_is_told_the_process_and_the_command_that_have_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with holding_child(lock) as child:
        holder = holder_told(lock, child)
    assert holder is not None
    assert (holder.pid, holder.command) == (child.pid, "first")


def test_a_killed_holder_is_not_named_and_the_next_one_is(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with holding_child(lock) as killed:
        killed.kill()
    assert json.loads(lock.read_text())["pid"] == killed.pid  # its record is still there
    with holding_child(lock) as child:
        holder = holder_told(lock, child)
    assert holder is not None
    assert holder.pid == child.pid


@pytest.mark.parametrize(
    "record", ["", "{", "[]", '{"pid": "x"}', '{"pid": 4194305, "since": 0, "command": ""}']
)
def test_a_holder_that_has_left_no_record_of_a_living_process_is_unknown(
    tmp_path: Path, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_RECORD_SECONDS", 0.0)
    lock = tmp_path / "lock"
    with holding_child(lock) as child:
        lock.write_text(record)
        assert holder_told(lock, child) is None


def test_who_has_let_a_lock_go_is_in_no_record(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with locks.held_openly(lock, "done", lambda holder: pytest.fail(f"{holder}")):
        assert json.loads(lock.read_text())["pid"] == os.getpid()
    assert lock.read_bytes() == b""
