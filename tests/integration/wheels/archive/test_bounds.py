"""What a small wheel may claim is bounded: memory does not grow with it."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INFO = "demo-1.0.dist-info"
MEGABYTES = 90
"""What a whole process may take; Python with this package alone takes 35."""

OBJECT = b"x".ljust(48) + b"0".ljust(10) + b"`\n"

BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "RECORD": (lambda: "".join(f"r{number},,\n" for number in range(700_000)).encode(), "fuse"),
    "WHEEL": (lambda: b"Tag: cp311-cp311-macosx_12_0_arm64\n" * 400_000, "fuse"),
    "METADATA": (lambda: b"Requires-Dist: a\n" * 600_000, "needs"),
    "fused.json": (lambda: b"[" + b"[]," * 3_000_000 + b"[]]", "thin"),
    "lib.a": (lambda: b"!<arch>\n" + OBJECT * 400_000, "fuse"),
}
"""By file: what makes what it goes on with (or is), and who reads it."""

PROGRAM = """
import sys, resource
from pathlib import Path
from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.thin.engine import thin
from tensorflow_macos_build.wheels.wheelhouse.needs import refuse_differing_needs
command, first, second, out = sys.argv[1], *map(Path, sys.argv[2:])
try:
    if command == "fuse":
        fuse(first, second, out, FuseOptions())
    elif command == "thin":
        thin(first, "arm64", out)
    else:
        refuse_differing_needs(first, second)
except MacosBuildError as error:
    print(error.where, error.what, error.detail)
if sys.platform == "darwin":
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20)
else:  # there ru_maxrss begins with that of the process that forked this
    status = Path("/proc/self/status").read_text().split("VmHWM:")[1]
    print(int(status.split()[0]) >> 10)
"""


def bomb(folder: Path, name: str) -> Path:
    """Write a wheel of a few MB in which one file claims very much; RECORD is right."""
    made_of, command = BOMBS[name]
    platform = "macosx_12_0_universal2" if command == "thin" else ""
    half = Thin("arm64", {"a.txt": b""}, platform=platform)
    files = half.content()
    path = name if name == "lib.a" else f"{INFO}/{name}"
    files[path] = files.get(path, b"") + made_of()
    if name != "RECORD":
        rows = [f"{member},{digest(data)},{len(data)}\n" for member, data in files.items()]
        own = f"{INFO}/RECORD"
        kept = [row for row in rows if not row.startswith(own)]
        files[own] = "".join([*kept, f"{own},,\n"]).encode()
    with zipfile.ZipFile(folder / half.name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for member, data in files.items():
            made.writestr(member, data)
    return folder / half.name


def digest(content: bytes) -> str:
    encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"sha256={encoded.rstrip(b'=').decode()}"


@pytest.mark.parametrize("name", BOMBS)
def test_memory_does_not_grow_with_what_a_small_wheel_claims(tmp_path: Path, name: str) -> None:
    wheel = bomb(tmp_path, name)
    other = Thin("x86_64", {"a.txt": b"", **({"lib.a": OBJECT} if name == "lib.a" else {})})
    argv = [sys.executable, "-c", PROGRAM, BOMBS[name][1], str(wheel)]
    argv += [str(other.write(tmp_path)), str(tmp_path / "out")]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    *lines, peak = done.stdout.splitlines()
    assert name in "\n".join(lines)
    assert int(peak) < MEGABYTES
    assert not list(tmp_path.glob("out/*"))
