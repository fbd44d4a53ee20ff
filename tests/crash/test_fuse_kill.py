"""A fused wheel appears only when it is whole, whatever is killed when."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import files
from tensorflow_macos_build.wheels.fuse import FuseOptions, fuse
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from pathlib import Path

FUSER = """
import sys
from pathlib import Path
from tensorflow_macos_build.wheels.fuse import FuseOptions, fuse
first, second, out = map(Path, sys.argv[1:])
print("ready", flush=True)
while True:
    wheel = fuse(first, second, out, FuseOptions()).wheel
    print(wheel, flush=True)
    wheel.unlink()
"""


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    noise = {"demo/noise": random.Random(5).randbytes(6_000_000), "demo/a.txt": b"a"}
    first, second = (Thin(arch, noise).write(tmp_path) for arch in ("arm64", "x86_64"))
    return first, second


def test_a_killed_fuse_leaves_no_wheel_or_a_whole_one(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    expected = fuse(*pair, tmp_path / "expected", FuseOptions()).wheel
    out, chance = tmp_path / "out", random.Random(3)
    for _ in range(8):
        argv = [sys.executable, "-c", FUSER, *map(str, (*pair, out))]
        child = subprocess.Popen(argv, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0.01, 0.25))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        for path in out.glob("*"):
            if path.name.startswith(files.TEMPORARY_PREFIX):
                continue
            assert path.read_bytes() == expected.read_bytes()
            path.unlink()
    fuse(*pair, out, FuseOptions())
    files.sweep(out)
    assert [path.name for path in out.iterdir()] == [expected.name]


def test_a_full_disk_leaves_no_wheel(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """RLIMIT_FSIZE stands for the full disk: the write fails in the midst."""
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000));"
        "from pathlib import Path; from tensorflow_macos_build.wheels.fuse import *; import sys;"
        "from tensorflow_macos_build.errors import WorkFailed\n"
        "try: fuse(*map(Path, sys.argv[1:]), FuseOptions())\n"
        "except WorkFailed as error: print(error.what)"
    )
    argv = [sys.executable, "-c", program, *map(str, (*pair, tmp_path / "out"))]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert done.stdout == "the wheel cannot be written: File too large\n"
    assert list((tmp_path / "out").iterdir()) == []
