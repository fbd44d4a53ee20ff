"""Law 8 for the ground: a kill -9 at any moment leaves the old content or the new, never half."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import files, locks, temporary
from tests.kills import ended_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WRITER = """
import sys
from pathlib import Path
from tensorflow_macos_build import files
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    files.write_bytes(Path(sys.argv[1]), bytes([turn % 256]) * 3_000_000)
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "result"
    chance = random.Random(7)
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0.01, 0.12))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if target.exists():
            content = target.read_bytes()
            assert len(content) == 3_000_000
            assert len(set(content)) == 1
    files.write_bytes(target, b"the next run")
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


SWAPPER = """
import sys
from pathlib import Path
from tensorflow_macos_build import files
turn = 0
while True:
    turn += 1
    with files.atomic_folder(Path(sys.argv[1])) as unfinished:
        (unfinished / "one").write_text(str(turn))
        (unfinished / "two").write_text(str(turn))
    if turn == 1:
        print("ready", flush=True)
"""


def test_a_folder_is_always_there_and_whole_while_it_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "result"
    chance = random.Random(3)
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", SWAPPER, target], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0.01, 0.08))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert (target / "one").read_text() == (target / "two").read_text()
    temporary.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


HOLDER = """
import sys, time
from pathlib import Path
from tensorflow_macos_build import locks
with locks.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    child = subprocess.Popen([sys.executable, "-c", HOLDER, lock], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    child.kill()
    child.wait()
    child.stdout.close()
    with locks.held(lock):
        assert lock.exists()


def put_file(folder: Path) -> None:
    files.write_bytes(folder / "result", b"whole")


def put_folder(folder: Path) -> None:
    with files.atomic_folder(folder / "result") as unfinished:
        (unfinished / "whole").touch()


def use_scratch(folder: Path) -> None:
    tempfile.tempdir = str(folder)
    with temporary.scratch("work") as scratch:
        (scratch / "half").touch()


@pytest.mark.parametrize("work", [put_file, put_folder, use_scratch])
def test_the_next_run_sweeps_whatever_a_kill_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    step = 1
    while ended_at(step, tmp_path, lambda: work(tmp_path)):
        work(tmp_path)
        left = [path.name for path in tmp_path.iterdir()]
        assert left == ([] if work is use_scratch else ["result"]), step
        step += 1
    assert step > 5


RIVAL = """
import sys, tempfile
from pathlib import Path
from tensorflow_macos_build import files, temporary
tempfile.tempdir = sys.argv[1]
for turn in range(300):
    with temporary.scratch("work") as folder:
        (folder / "mine").touch()
        temporary.sweep(folder.parent, temporary.SCRATCH_PREFIX)
        assert (folder / "mine").exists(), turn
        with files.atomic_path(Path(sys.argv[1]) / sys.argv[2]) as unfinished:
            unfinished.touch()
"""


def test_runs_at_once_never_sweep_what_the_other_uses(tmp_path: Path) -> None:
    rivals = [
        subprocess.Popen([sys.executable, "-c", RIVAL, tmp_path, name]) for name in ("a", "b", "c")
    ]
    assert [rival.wait(60) for rival in rivals] == [0, 0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]
