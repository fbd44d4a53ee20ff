"""What tells this machine's compilers from another's: a part of every key in a cache.

Bazel's own keys have an action's command and its inputs in them. A machine's compilers, headers and
SDK are neither, so that without this a cache gives what another Xcode has compiled.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import dependency_groups
from tensorflow_macos_build.pipeline import fingerprints, mac, versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.config import Release

_COMPILERS = ("clang", "gcc")
"""What Bazel's and upstream's toolchains look for on PATH."""

_LLVM = Path("/usr/lib")
"""Where Debian has a folder for each release of LLVM, as upstream's toolchains name them."""

_LETTERS = 16
"""How much of a digest is shown: 64 bits tell more toolchains apart than there are machines."""


def digest(release: Release) -> str:
    """Return a short name for what `identity` returns."""
    text = json.dumps(identity(release), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LETTERS]


def identity(release: Release) -> dict[str, str]:
    """Return what of this machine decides what actions make, and is no input of theirs.

    No path and no time is among it: two machines that were set up alike are the same.
    """
    python = fingerprints.located_python(release)
    return {
        "system": _system(),
        "machine": platform.machine(),
        "sdk": (mac.sdk_version() or "") if sys.platform == "darwin" else "",
        "python": versions.shown(versions.version_of(python)) if python else "",
        "ziglang": dependency_groups.version("ziglang", "demo"),  # it compiles the miniature
        **dict(_compilers()),
    }


def _compilers() -> Iterator[tuple[str, str]]:
    """Yield compilers and the first line of what each says of itself; "" of one that is not."""
    for name in _COMPILERS:
        path = shutil.which(name)
        # On a Mac it names the build of Xcode's clang, too.
        yield name, versions.first_line(Path(path)) if path else ""
    for program in sorted(_LLVM.glob("llvm-*/bin/clang")):
        yield str(program), versions.first_line(program)


def _system() -> str:
    """Return the system as far as compiled code can tell it from another."""
    if sys.platform == "darwin":
        # The headers are the SDK's; a fix of the system in use changes none of them.
        return f"macOS {(mac.macos_version() or '').partition('.')[0]}"
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    name = f"{release.get('ID', sys.platform)} {release.get('VERSION_ID', '')}"
    return f"{name} {' '.join(platform.libc_ver())}"
