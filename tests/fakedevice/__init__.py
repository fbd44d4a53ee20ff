"""A device of the tests' own, in the host's memory: compiled, made a wheel, its faults planted.

Two forms, both plugins of TensorFlow as a vendor's are. The first has kernels of its own, through
the C API, and is compiled by what the lock brings (ziglang). The second runs every kernel that the
CPU has, and needs the host's g++ and the C++ API: one build a release, for benchmarks.
"""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
import zipfile
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent

LIBRARY = "tensorflow-plugins/libfakedevice.so"
"""Where TensorFlow looks for plugins, below site-packages."""

_RECORD = struct.Struct("120sQ")  # `Record` of faults.c
_COUNT = struct.Struct("Q")

_C = ("executor.c", "faults.c")
_C_FLAGS = ("-std=gnu11", "-O2", "-fPIC", "-fvisibility=hidden")
_CXX_FLAGS = ("-std=c++17", "-O1", "-fPIC", "-fvisibility=hidden", "-D_GLIBCXX_USE_CXX11_ABI=1")
# Where the wheel's libraries are, seen from where the device is installed.
_LINK_FLAGS = ("-shared", "-Wl,-rpath,$ORIGIN/../tensorflow")

_LONGEST_COMPILATION_S = 900


class Form(Enum):
    """Which kernels the device has."""

    OWN_KERNELS = "own"
    """Those of dense and small convolutional networks, by the C API."""
    EVERY_KERNEL = "every"
    """All that the CPU has, by the C++ API."""


class Plan:
    """What is planted in the device of processes, and what has become of it.

    Attributes:
        environment: what the processes have to be given.
        faults: what is planted by now.
    """

    def __init__(self, folder: Path, *faults: str) -> None:
        """Plant faults, as faults.h describes them, such as `MatMul:wrong:batch>=20`."""
        self._text, self._counts = folder / "faults", folder / "counts"
        self.environment = {
            "FAKEDEVICE_COUNTS": str(self._counts),
            "FAKEDEVICE_FAULTS": f"@{self._text}",
        }
        self.plant(*faults)

    def plant(self, *faults: str) -> None:
        """Plant these faults and no others, in processes yet to be forked, and count anew."""
        self.faults = faults
        self._text.write_text(",".join(faults), encoding="ascii")
        if self._counts.exists():
            # Not truncated: the processes have mapped it.
            records = bytearray(self._counts.read_bytes())
            for at in range(0, len(records), _RECORD.size):
                _COUNT.pack_into(records, at + _RECORD.size - _COUNT.size, 0)
            with self._counts.open("r+b") as opened:
                opened.write(records)

    @property
    def runs(self) -> dict[str, int]:
        """How often each op ran on the device, for those that did."""
        counted = self._counted("run ")
        return {op: count for op, count in counted.items() if op != "CopyToHost"}

    @property
    def fired(self) -> dict[str, int]:
        """How often each planted fault fired; one that never did is 0."""
        counted = self._counted("fault ")
        return {fault: counted.get(fault, 0) for fault in self.faults}

    def _counted(self, kind: str) -> dict[str, int]:
        content = self._counts.read_bytes() if self._counts.exists() else b""
        named = [(name.rstrip(b"\0").decode(), n) for name, n in _RECORD.iter_unpack(content)]
        return {name.removeprefix(kind): n for name, n in named if n and name.startswith(kind)}


def library(site: Path, cache: Path, form: Form = Form.OWN_KERNELS) -> Path:
    """Return the device's library for the TensorFlow below site-packages, compiled where needed."""
    built = cache / f"{_key(site, form)}.so"
    if not built.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = cache / f"{built.stem}.{os.getpid()}"
        for argv in commands(site, unfinished, form):
            subprocess.run(argv, check=True, cwd=HERE, timeout=_LONGEST_COMPILATION_S)
        unfinished.rename(built)  # two at once make the same bytes
        for compiled in cache.glob(f"{unfinished.name}.*.o"):
            compiled.unlink()
    return built


def commands(site: Path, output: Path, form: Form) -> Sequence[Sequence[str]]:
    """Return the command lines that compile and link the device."""
    tensorflow = site / "tensorflow"
    include = f"-I{tensorflow / 'include'}"
    libraries = [
        str(tensorflow / name)
        for name in ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")
        if (tensorflow / name).exists()
    ]
    if form is Form.OWN_KERNELS:
        compiler = [sys.executable, "-m", "ziglang", "cc", *_C_FLAGS, include, *_LINK_FLAGS]
        return [[*compiler, *_C, "kernels.c", "windows.c", *libraries, "-o", str(output)]]
    objects = [f"{output}.{index}.o" for index in range(len(_C) + 1)]
    return [
        *(
            ["gcc", *_C_FLAGS, include, "-c", source, "-o", compiled]
            for source, compiled in zip(_C, objects, strict=False)
        ),
        ["g++", *_CXX_FLAGS, "-w", "-I.", include, "-c", "every_kernel.cc", "-o", objects[-1]],
        ["g++", *_LINK_FLAGS, *objects, *libraries, "-o", str(output)],
    ]


def wheel(site: Path, cache: Path, form: Form = Form.OWN_KERNELS) -> Path:
    """Return a wheel that installs the device beside the TensorFlow below site-packages."""
    compiled = library(site, cache, form)
    info = "fakedevice-1.0.dist-info"
    tag = "py3-none-linux_x86_64"
    members = {
        LIBRARY: compiled.read_bytes(),
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: fakedevice\nVersion: 1.0\n",
        f"{info}/WHEEL": (
            f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: false\nTag: {tag}\n"
        ).encode(),
    }
    record = "".join(f"{name},,\n" for name in (*members, f"{info}/RECORD"))
    folder = cache / compiled.stem
    folder.mkdir(exist_ok=True)
    made = folder / f"fakedevice-1.0-{tag}.whl"
    with zipfile.ZipFile(made.with_suffix(f".{os.getpid()}"), "w") as archive:
        for name, content in {**members, f"{info}/RECORD": record.encode()}.items():
            # The date is a zip's first: the same library gives the same wheel.
            archive.writestr(zipfile.ZipInfo(name), content)
    made.with_suffix(f".{os.getpid()}").replace(made)
    return made


def site_packages(python: Path) -> Path:
    """Return the folder of an environment's packages."""
    query = "import sysconfig; print(sysconfig.get_path('platlib'))"
    asked = subprocess.run([python, "-I", "-c", query], check=True, capture_output=True, text=True)
    return Path(asked.stdout.strip())


def _key(site: Path, form: Form) -> str:
    """Return a name that says of what a library is made."""
    digest = hashlib.sha256(form.value.encode())
    for source in sorted(HERE.glob("*.[ch]*")):
        digest.update(source.read_bytes())
    for name in ("tensorflow", "tensorflow_cpu", "tensorflow_cpu_aws", "tf_nightly"):
        digest.update(" ".join(sorted(p.name for p in site.glob(f"{name}-*"))).encode())
    return digest.hexdigest()[:16]
