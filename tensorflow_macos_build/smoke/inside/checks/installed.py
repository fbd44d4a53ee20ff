"""What is installed: for which processor, by which tags, and whether versions fit each other."""

import os
import platform
import re
import struct
import sys
from typing import Any, Dict, List, Tuple

from ..context import Context
from ..registry import CheckFailed, NotApplicable, check

Json = Dict[str, Any]

# mach/machine.h, elf.h
_MACHO_CPUS = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_ELF_MACHINES = {62: "x86_64", 183: "aarch64", 3: "i386"}
MH_MAGIC_64, FAT_MAGIC = 0xFEEDFACF, 0xCAFEBABE


def processors(header: bytes) -> "Tuple[str, ...]":
    """Return the processors that an executable or library is for, by its first bytes."""
    if header[:4] == b"\x7fELF":
        return (_ELF_MACHINES.get(struct.unpack_from("<H", header, 18)[0], "another"),)
    magic = struct.unpack_from("<I", header)[0]
    if magic == MH_MAGIC_64:
        return (_MACHO_CPUS.get(struct.unpack_from("<I", header, 4)[0], "another"),)
    magic, count = struct.unpack_from(">II", header)
    if magic == FAT_MAGIC and count <= 16:
        types = [struct.unpack_from(">I", header, 8 + 20 * number)[0] for number in range(count)]
        return tuple(_MACHO_CPUS.get(kind, "another") for kind in types)
    return ()


def processors_of(path: str) -> "Tuple[str, ...]":
    """Return the processors that a file is for; none if it is no executable or library."""
    with open(path, "rb") as opened:
        header = opened.read(4096)
    return processors(header) if len(header) >= 64 else ()


def libraries(folder: str) -> "List[str]":
    """Return the paths of the native libraries of an installed package, sorted."""
    return sorted(
        os.path.join(path, name)
        for path, _, names in os.walk(folder)
        for name in names
        if name.endswith((".so", ".dylib")) or ".so." in name
    )


@check("installed.architecture", group="installed", issue="apple#143", needs=())
def check_architecture(ctx: Context) -> Json:
    """Python's own executable and every native library are for the processor that runs them.

    On a Mac the shell's `uname -m` is no proof: an Intel Python runs under Rosetta, which has no
    AVX, and dies of an illegal instruction.
    """
    python = os.path.realpath(sys.executable)
    built, running = processors_of(python), platform.machine()
    wrong = []
    if built and running not in built:
        wrong.append("{} is for {}, and runs as {}".format(python, ", ".join(built), running))
    native = libraries(os.path.dirname(str(ctx.tf.__file__)))
    for path in native:
        kinds = processors_of(path)
        if kinds and running not in kinds:
            wrong.append("{} is for {}".format(os.path.basename(path), ", ".join(kinds)))
    if wrong:
        raise CheckFailed("; ".join(wrong[:8]), wrong=wrong)
    return {"python": built, "runs_as": running, "libraries": len(native)}


def tag_fits(tag: str, system: str, version: "Tuple[int, int]", machine: str, python: str) -> bool:
    """Whether a wheel's tag is for this system.

    Args:
        tag: such as `cp38-cp38-macosx_11_0_x86_64`.
        system: `Darwin` or `Linux`.
        version: of macOS, or of glibc.
        machine: `arm64`, `aarch64` or `x86_64`.
        python: such as `cp38`; an abi3 or none tag is for any.
    """
    interpreter, abi, where = tag.split("-", 2)
    if interpreter != python and abi not in ("abi3", "none"):
        return False
    if where == "any":
        return True
    # These have no version of glibc in their names (PEP 600).
    if re.match(r"manylinux(1|2010|2014)_", where):
        return system == "Linux" and where.endswith("_" + machine)
    matched = re.match(r"(macosx|manylinux|linux)(?:_(\d+)_(\d+))?_(.+)$", where)
    if matched is None:
        return False
    kind, major, minor, processor = matched.groups()
    if (kind == "macosx") != (system == "Darwin"):
        return False
    universal = processor == "universal2" and kind == "macosx"
    least = (int(major or 0), int(minor or 0))
    return (processor == machine or universal) and (kind == "linux" or version >= least)


def _tags(folder: str) -> "List[str]":
    """Return the tags of TensorFlow's wheels that are installed in a folder (WHEEL files)."""
    tags = []
    for name in sorted(os.listdir(folder)):
        if re.match(r"tensorflow([_-](cpu|macos|intel))?-.*\.dist-info$", name, re.IGNORECASE):
            path = os.path.join(folder, name, "WHEEL")
            if os.path.isfile(path):
                with open(path, encoding="utf-8") as opened:
                    tags += [line[5:].strip() for line in opened if line.startswith("Tag: ")]
    return tags


def _system_version() -> "Tuple[int, int]":
    text = platform.mac_ver()[0] if sys.platform == "darwin" else platform.libc_ver()[1]
    numbers = [int(part) for part in re.findall(r"\d+", text)[:2]]
    major, minor = [*numbers, 0, 0][:2]
    # What macOS 11 and later call themselves to a Python that was built with an older SDK.
    return (11, 0) if (major, minor) == (10, 16) else (major, minor)


@check("installed.tags", group="installed", issue="apple#46", needs=())
def check_tags(ctx: Context) -> Json:
    """One of the wheel's tags is for this system, its version, its processor, and this Python."""
    tags = _tags(os.path.dirname(os.path.dirname(str(ctx.tf.__file__))))
    if not tags:
        raise NotApplicable("no wheel of TensorFlow is beside the module")
    python = "cp{}{}".format(*sys.version_info[:2])
    here = (platform.system(), _system_version(), platform.machine(), python)
    if not any(tag_fits(tag, *here) for tag in tags):
        raise CheckFailed("{} is not for {}".format(", ".join(tags), here), tags=tags)
    return {"tags": tags, "here": here}


@check("installed.versions", group="installed", issue="tensorflow#48237")
def check_versions(ctx: Context) -> Json:
    """Arrays pass between NumPy and the module in both directions, whatever versions they have."""
    tf, np = ctx.tf, ctx.np
    facts = {"tensorflow": str(tf.__version__), "numpy": str(np.__version__)}
    facts["keras"] = str(getattr(ctx.keras, "__version__", ""))
    for dtype in ("float32", "float64", "int32", "int64", "bool", "uint8"):
        array = np.arange(6).reshape(2, 3).astype(dtype)
        back = tf.constant(array).numpy()
        if back.dtype != array.dtype or (back != array).any():
            raise CheckFailed("an array of {} comes back as {}".format(dtype, back), **facts)
    # NumPy 1.20 refused a symbolic tensor here, and no LSTM could be built.
    traced = tf.function(lambda x: tf.zeros([tf.shape(x)[0], 2]), autograph=False)(
        tf.ones([3, 1])
    ).numpy()
    if traced.shape != (3, 2):
        raise CheckFailed("a shape that is known when it runs is {}".format(traced.shape), **facts)
    return facts
