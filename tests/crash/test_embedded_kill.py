"""Law 8 for the embedded upstream: a kill -9 at any moment leaves no repository or a whole one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream import embedded

MAKER = """
import shutil, sys, time
from pathlib import Path
from tensorflow_macos_build.upstream import embedded
folder = Path(sys.argv[1])
print("ready", flush=True)
while True:
    embedded.create(folder)
    time.sleep(0.03)
    shutil.rmtree(folder.rename(folder.with_name("old")))
"""


def test_a_killed_maker_leaves_no_repository_or_a_whole_one(tmp_path: Path) -> None:
    chance = random.Random(11)
    for turn in range(10):
        folder = tmp_path / str(turn) / "up.git"
        argv = [sys.executable, "-c", MAKER, str(folder)]
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0.01, 0.25))
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if folder.exists():
            assert Git(folder).line("rev-parse", "main") == embedded.MAIN
            assert Git(folder).run("fsck", "--full").stderr == b""
        assert embedded.create(folder).line("rev-parse", "main") == embedded.MAIN
