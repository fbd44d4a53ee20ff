"""The end user's installer on simulated Macs.

`uname`, `sw_vers`, `sysctl` and the Pythons on PATH are stand-ins that say what those of the Mac in
question would; pip's own tags, the index, the environment and the installation are real.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pip
import pytest

from tensorflow_macos_build.release.index import IndexRequest, publish
from tests.dripping import Drip, dripping
from tests.index_server import served
from tests.named_wheels import wheel_of
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALLER = Path(__file__).parents[3] / "scripts/install_tensorflow_macos"
FUSED = "cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64"
ARM = "cp312-cp312-macosx_12_0_arm64"

GOOD = "odd-1.0-py3-none-any.whl"
HASHES = {"sha256": "a" * 64}
HOSTILE: dict[str, list[dict[str, Any]]] = {
    "names": [{"filename": "x.whl"}, {"filename": "x-1.0.whl"}],
    "numbers": [{"filename": 1}],
    "hashes": [{"hashes": ["sha256"]}],
    "sizes": [{"size": "large", "hashes": HASHES}],
    "escapes": [{"url": "https://h.example/\x1b[2J", "hashes": HASHES}],
}

_TENSORFLOW = b"""
__version__ = "2.21.0"
class config:
    list_physical_devices = staticmethod(lambda: [])
class _Product:
    numpy = lambda self: self
    tolist = lambda self: RESULT
class linalg:
    matmul = staticmethod(lambda a, b: _Product())
"""
"""So much of TensorFlow as the quick trial asks for."""

_PATCH = """
import contextlib, platform, sys, sysconfig
with contextlib.suppress(ImportError):  # its patterns are for the Python that really runs
    import pip._vendor.packaging.version
platform.system = lambda: "Darwin"
platform.machine = lambda: {machine!r}
platform.mac_ver = lambda *_: ({macos!r}, ("", "", ""), {machine!r})
sysconfig.get_platform = lambda: "macosx-11.0-universal2"
sys.version_info = (3, {minor}, 1, "final", 0)
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An index: for Macs, for Apple silicon alone, and for any machine (to be installed here)."""
    root = tmp_path_factory.mktemp("index")
    (root / "dist").mkdir()
    for name, version, tag in (
        *(("demo", "2.20.0", FUSED), ("demo", "2.21.0", FUSED), ("demo", "2.21.0", ARM)),
        *(("demo", "2.22.0", FUSED), ("silicon", "1.0", ARM), ("plain", "1.0", "py3-none-any")),
    ):
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
        info = f"{name}-{version}.dist-info"
        wheel_of(root / "dist", f"{name}-{version}", info, tag, about=about)
    for name, result in (("tensorflow", b"[[17.0], [39.0]]"), ("wrong", b"[[0.0]]")):
        module = _TENSORFLOW.replace(b"RESULT", result)
        WheelFiles({"tensorflow.py": module}, name, "2.21.0", "py3-none-any").write(root / "dist")
    (root / "index.yaml").write_text("projects: {demo: {yanked: {2.22.0: crashes}}}\n")
    publish(IndexRequest((root / "dist",), root / "out", root / "index.yaml"))
    spoiled = root / "out/packages/plain/plain-1.0-py3-none-any.whl"
    content = spoiled.read_bytes()
    spoiled.unlink()
    spoiled.write_bytes(content[:-1] + b"!")
    for project, rows in HOSTILE.items():
        (root / "out/simple" / project).mkdir()
        page = {"files": [{"filename": GOOD, "url": "https://h.example/w", **row} for row in rows]}
        (root / "out/simple" / project / "index.json").write_text(json.dumps(page))
    with served(root / "out") as address:
        yield address


class SimulatedMac:
    """Stand-ins in a folder that is first on PATH."""

    def __init__(self, folder: Path, arch: str, macos: str, *, uname: str = "") -> None:
        self.folder, self.macos = folder, macos
        self.venv = folder / "venv"
        silicon = "echo 1" if arch == "arm64" else "exit 1"
        self._write("uname", f'[ "$1" = -s ] && echo Darwin || echo {uname or arch}')
        self._write("sw_vers", f"echo {macos}")
        self._write("sysctl", f'case "$2" in hw.optional.arm64) {silicon};; *) echo 0;; esac')

    def python(self, name: str, minor: int, machine: str) -> None:
        """Put a Python on PATH that takes itself for one of a Mac."""
        site = self.folder / f"site-{name}"
        site.mkdir()
        text = _PATCH.format(machine=machine, macos=self.macos, minor=minor)
        (site / "sitecustomize.py").write_text(text)
        # venv without pip of its own, which would take seconds; it has this environment's.
        inside = f"lib/python3.{sys.version_info.minor}/site-packages/this_environment.pth"
        self._write(
            name,
            f'shift; [ "$1" = -m ] && {{ {sys.executable} -m venv --without-pip "$3"'
            f' && echo {Path(pip.__file__).parents[1]} > "$3/{inside}"; exit; }}; '
            f'PYTHONPATH={site} exec {sys.executable} "$@"',
        )

    def _write(self, name: str, body: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def install(self, address: str, *flags: str) -> subprocess.CompletedProcess[str]:
        """Run the installer."""
        argv: list[str | Path] = [
            sys.executable,
            INSTALLER,
            "--index",
            address,
            "--venv",
            self.venv,
            *flags,
        ]
        env = {"PATH": f"{self.folder}", "HOME": str(self.folder)}
        return subprocess.run(
            argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )


@pytest.mark.parametrize(
    ("mac", "pythons", "flags", "says"),
    [
        (("arm64", "14.5"), [("python3", 11, "arm64")], (), f"demo-2.21.0-{FUSED}.whl"),
        (("arm64", "26.0"), [("python3", 12, "arm64")], (), f"demo-2.21.0-{ARM}.whl"),
        (("x86_64", "10.15.7"), [("python3", 11, "x86_64")], (), f"demo-2.21.0-{FUSED}.whl"),
        (
            ("arm64", "14.5"),
            [("python3", 9, "arm64"), ("python3.11", 11, "arm64")],
            ("--version", "2.20.0"),
            f"demo-2.20.0-{FUSED}.whl",
        ),
        # by the processor's own word, for `uname -m` says x86_64 under Rosetta
        (
            ("arm64", "14.5", "x86_64"),
            [("python3", 11, "x86_64"), ("python3.11", 11, "arm64")],
            (),
            "python3.11 3.11.1 (arm64)",
        ),
    ],
)
def test_a_mac_gets_its_wheel(
    *,
    mac: tuple[str, ...],
    pythons: list[tuple[str, int, str]],
    flags: tuple[str, ...],
    says: str,
    address: str,
    tmp_path: Path,
) -> None:
    simulated = SimulatedMac(tmp_path, mac[0], mac[1], uname=mac[-1] if len(mac) > 2 else "")
    for python in pythons:
        simulated.python(*python)
    done = simulated.install(address, "--project", "demo", "--plan", *flags)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
    assert not simulated.venv.exists()


@pytest.mark.parametrize(
    ("mac", "python", "flags", "says"),
    [
        (("arm64", "11.6"), (11, "arm64"), (), "macOS 12.0 or newer is needed, and this is Apple"),
        (("x86_64", "10.14.6"), (11, "x86_64"), (), "macOS 10.15 or newer is needed"),
        (("arm64", "14.5"), (9, "arm64"), (), "there are wheels for Python 3.11, 3.12, and"),
        (("x86_64", "14.5"), (12, "x86_64"), (), "of Python 3.12 there is no wheel for Intel"),
        (
            ("arm64", "14.5"),
            (12, "x86_64"),
            (),
            "runs translated by Rosetta, as x86_64; a Python 3",
        ),
        (("x86_64", "14.5"), (12, "x86_64"), ("--project", "silicon"), "only for Macs with Apple"),
        (("arm64", "14.5"), (11, "arm64"), ("--version", "9.9"), "has no wheel of demo 9.9"),
        (("arm64", "14.5"), (11, "arm64"), ("--plugin", "silicon"), "no wheel of silicon fits"),
        (("arm64", "14.5"), (11, "arm64"), ("--python", "python9"), "python9 cannot be used"),
        (("arm64", "14.5"), (11, "arm64"), ("--index", "http://h.example"), "only https:// is"),
        (("arm64", "14.5"), (11, "arm64"), (), "nobody is here to ask"),
    ],
)
def test_what_does_not_fit_is_said_and_what_would(
    *,
    mac: tuple[str, str],
    python: tuple[int, str],
    flags: tuple[str, ...],
    says: str,
    address: str,
    tmp_path: Path,
) -> None:
    simulated = SimulatedMac(tmp_path, *mac)
    simulated.python("python3", *python)
    done = simulated.install(address, "--project", "demo", *flags)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not simulated.venv.exists()


@pytest.mark.parametrize(
    ("project", "says"),
    [
        ("names", "has no wheel of names 1.0"),
        ("numbers", "is no page of an index"),
        ("hashes", "names no SHA-256 of odd-1.0"),
        ("sizes", "nobody is here to ask"),
        ("escapes", "names no address of odd-1.0"),
    ],
)
def test_a_page_of_odd_rows_ends_in_a_sentence(
    project: str, says: str, address: str, tmp_path: Path
) -> None:
    simulated = SimulatedMac(tmp_path, "arm64", "14.5")
    simulated.python("python3", 11, "arm64")
    done = simulated.install(address, "--project", project, "--version", "1.0")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert not simulated.venv.exists()


def test_another_machine_is_told_that_it_is_no_mac(address: str, tmp_path: Path) -> None:
    simulated = SimulatedMac(tmp_path, "arm64", "14.5")
    simulated._write("uname", "echo Linux")
    done = simulated.install(address)
    assert (done.returncode, done.stdout) == (2, "")
    assert "this machine is none" in done.stderr


def test_an_installation_is_tried_and_a_failed_one_leaves_nothing(
    address: str, tmp_path: Path
) -> None:
    simulated = SimulatedMac(tmp_path, "arm64", "14.5")
    simulated.python("python3", 11, "arm64")
    for project, says in (("wrong", "the trial failed"), ("plain", "its SHA-256 differs")):
        done = simulated.install(address, "--project", project, "--yes")
        assert done.returncode == 1
        assert says in done.stderr
        assert not simulated.venv.exists()
    done = simulated.install(address, "--yes")
    assert done.returncode == 0, done.stderr
    assert "Verified: tensorflow-2.21.0-py3-none-any.whl" in done.stdout
    assert "TensorFlow 2.21.0" in done.stdout
    again = simulated.install(address, "--yes")
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    assert (simulated.venv / "bin/python").exists()


_FETCH = """
import runpy, sys
fetched = runpy.run_path(sys.argv[1])["fetched"]
fetched.__globals__["STEP_SECONDS"] = 0.3
print(sum(map(len, fetched(sys.argv[2], 1 << 30))))
"""


@pytest.mark.parametrize("drip", Drip)
def test_an_answer_that_drips_is_left(drip: Drip) -> None:
    with dripping(drip) as url:
        argv = [sys.executable, "-c", _FETCH, str(INSTALLER), url]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert f"{url} cannot be fetched: it comes too slowly" in done.stderr


def test_a_person_is_asked(address: str, tmp_path: Path) -> None:
    simulated = SimulatedMac(tmp_path, "arm64", "14.5")
    simulated.python("python3", 11, "arm64")
    ours, theirs = pty.openpty()
    argv: list[str | Path] = [
        sys.executable,
        INSTALLER,
        "--index",
        address,
        "--venv",
        simulated.venv,
    ]
    env = {"PATH": str(simulated.folder), "HOME": str(simulated.folder)}
    os.write(ours, b"n\n")
    done = subprocess.run(argv, env=env, stdin=theirs, capture_output=True, text=True, check=False)
    assert (done.returncode, "nothing was done" in done.stderr) == (2, True)
    assert not simulated.venv.exists()
    os.close(ours)
    os.close(theirs)
