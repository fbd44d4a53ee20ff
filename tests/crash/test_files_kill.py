"""Law 8 for the ground: a kill -9 at any moment leaves the old content or the new, never half."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tensorflow_macos_build import files

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
    files.sweep(tmp_path)
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
    files.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


HOLDER = """
import sys, time
from pathlib import Path
from tensorflow_macos_build import files
with files.locked(Path(sys.argv[1])):
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
    with files.locked(lock):
        assert lock.exists()
