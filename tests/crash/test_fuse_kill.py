"""A fused wheel appears only when it is whole, whatever is killed when."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import temporary
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.relocate.engine import relocate
from tensorflow_macos_build.wheels.retag import RetagOptions, retag
from tensorflow_macos_build.wheels.thin.engine import thin
from tests.kills import ended_at
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.machos import Toolchain

FUSER = """
import sys
from pathlib import Path
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
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


@pytest.fixture
def small_pair(tmp_path: Path) -> tuple[Path, Path]:
    files = {"demo/a.txt": b"a", "demo/b.txt": b"b"}
    first, second = (Thin(arch, files).write(tmp_path) for arch in ("arm64", "x86_64"))
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
            if path.name.startswith(temporary.PREFIX):
                continue
            assert path.read_bytes() == expected.read_bytes()
            path.unlink()
    fuse(*pair, out, FuseOptions())
    temporary.sweep(out)
    assert [path.name for path in out.iterdir()] == [expected.name]


def commands(folder: Path, pair: tuple[Path, Path]) -> dict[str, Callable[[Path], Path]]:
    """Return every command that makes one wheel of others, by its name."""
    fused = fuse(*pair, folder / "given", FuseOptions()).wheel
    return {
        "fuse": lambda out: fuse(*pair, out, FuseOptions()).wheel,
        "thin": lambda out: thin(fused, "arm64", out).wheel,
        "retag": lambda out: retag(fused, out, RetagOptions(build="2")).wheel,
        "relocate": lambda out: relocate(fused, out).wheel,
    }


@pytest.mark.parametrize("name", ["fuse", "thin", "retag", "relocate"])
def test_a_kill_at_any_step_leaves_nothing_after_the_next_run(
    tmp_path: Path, small_pair: tuple[Path, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmpdir = tmp_path / "temporary"
    tmpdir.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmpdir))
    command = commands(tmp_path, small_pair)[name]
    expected, out = command(tmp_path / "expected"), tmp_path / "out"
    step = 1
    while ended_at(step, tmp_path, lambda: command(out)):
        wheels = list(out.glob("*.whl"))
        assert all(path.read_bytes() == expected.read_bytes() for path in wheels)
        step += 1
    assert step > 5
    command(out)
    assert [path.name for path in out.iterdir()] == [expected.name]
    assert list(tmpdir.iterdir()) == []


def test_a_kill_while_libraries_come_in_leaves_nothing_after_the_next_run(
    tmp_path: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not of the tool that brings them in, which is another process."""
    tmpdir = tmp_path / "temporary"
    tmpdir.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmpdir))
    library = tmp_path / "libdep.dylib"
    source = "int dep(void) { return 7; }"
    made = toolchain.dylib("libdep.dylib", source, "arm64", install_name=str(library))
    library.write_bytes(made.read_bytes())
    user = "int dep(void); int mod(void) { return dep(); }"
    room = "-headerpad_max_install_names"
    module = toolchain.bundle("mod.so", user, "arm64", library, room).read_bytes()
    wheel = Thin("arm64", {"demo/__init__.py": b"", "demo/mod.so": module}).write(tmp_path)
    expected, out = relocate(wheel, tmp_path / "expected").wheel, tmp_path / "out"
    for step in (4, 7, 10, 14):
        assert ended_at(step, tmp_path, lambda: relocate(wheel, out)), step
    assert relocate(wheel, out).wheel.read_bytes() == expected.read_bytes()
    assert [path.name for path in out.iterdir()] == [expected.name]
    assert list(tmpdir.iterdir()) == []


def test_two_at_once_end_as_each_alone(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    expected = fuse(*pair, tmp_path / "expected", FuseOptions()).wheel
    out = tmp_path / "out"
    program = FUSER.replace("while True:", "if True:").replace("    wheel.unlink()\n", "")
    argv = [sys.executable, "-c", program, *map(str, (*pair, out))]
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [child.communicate(timeout=60)[0] for child in running]
    assert [child.returncode for child in running] == [0, 0, 0]
    assert {text.splitlines()[-1] for text in outputs} == {str(out / expected.name)}
    assert [path.name for path in out.iterdir()] == [expected.name]
    assert (out / expected.name).read_bytes() == expected.read_bytes()


def test_a_full_disk_leaves_no_wheel(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """RLIMIT_FSIZE stands for the full disk: the write fails in the midst."""
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000));"
        "import sys; from pathlib import Path;"
        "from tensorflow_macos_build.wheels.fuse.engine import *;"
        "from tensorflow_macos_build.errors import WorkFailed\n"
        "try: fuse(*map(Path, sys.argv[1:]), FuseOptions())\n"
        "except WorkFailed as error: print(error.what)"
    )
    argv = [sys.executable, "-c", program, *map(str, (*pair, tmp_path / "out"))]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert done.stdout == "the file would be larger than is allowed\n"
    assert list((tmp_path / "out").iterdir()) == []
