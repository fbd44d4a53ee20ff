"""The programs that tasks need beyond Python: where they are found, and what installs them.

On Debian and Ubuntu as root, and on a Mac with Homebrew, they are installed without a question.
Elsewhere the user is told the one line to type.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_APT_GET = ("apt-get", "-o", "DPkg::Lock::Timeout=600")

_HOMEBREW_LLVM = tuple(
    f"{prefix}/opt/{formula}/bin"
    for prefix in ("/opt/homebrew", "/usr/local")
    for formula in ("llvm", "lld")
)
"""Homebrew keeps LLVM off PATH, because it would shadow Apple's compilers."""


@dataclass(frozen=True)
class Tool:
    """A program that tasks need.

    Attributes:
        name: what tasks call it.
        programs: its names on PATH, the best first; any one of them will do.
        debian: the package of Debian and Ubuntu that brings it.
        homebrew: the formula of Homebrew that brings it.
    """

    name: str
    programs: tuple[str, ...]
    debian: str
    homebrew: str


def _llvm(name: str) -> Tool:
    return Tool(name, (f"{name}-19", f"{name}-14", name), debian="llvm-19", homebrew="llvm")


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("git", ("git",), debian="git", homebrew="git"),
        Tool("bazel", ("bazel", "bazelisk"), debian="bazel-bootstrap", homebrew="bazelisk"),
        Tool("shellcheck", ("shellcheck",), debian="shellcheck", homebrew="shellcheck"),
        Tool("ld64.lld", ("ld64.lld-19", "ld64.lld"), debian="lld-19", homebrew="lld"),
        _llvm("llvm-lipo"),
        _llvm("llvm-otool"),
        _llvm("llvm-nm"),
        _llvm("llvm-objdump"),
    )
}
"""Every tool, by its name."""

TEST_TOOLS = tuple(TOOLS)
"""What the tests need: independent judges of what this package does."""


def locate(name: str) -> Path | None:
    """Give the path of the tool `name` of `TOOLS`, or None when it is not on this machine."""
    return find(TOOLS[name])


def find(tool: Tool) -> Path | None:
    """Give the path of a tool, or None when it is not on this machine."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_HOMEBREW_LLVM))
    found = (shutil.which(program, path=path) for program in tool.programs)
    return next((Path(program) for program in found if program), None)


def install_line(names: Iterable[str]) -> str:
    """Give the command that installs the tools `names` of `TOOLS` on this system."""
    return line_for(TOOLS[name] for name in names)


def line_for(tools: Iterable[Tool]) -> str:
    """Give the command that a person types on this system to install some tools."""
    wanted = tuple(tools)
    if shutil.which("apt-get"):
        sudo = "" if os.geteuid() == 0 else "sudo "
        return f"{sudo}apt-get install {' '.join(sorted({tool.debian for tool in wanted}))}"
    formulae = " ".join(sorted({tool.homebrew for tool in wanted}))
    if sys.platform == "darwin":
        return f"brew install {formulae}"
    return f"your system's package manager, for: {formulae}"


def provide(names: Sequence[str], say: Callable[[str], None]) -> None:
    """Make sure that the tools `names` are here; install those that are not, where that is free.

    Args:
        names: names in `TOOLS`.
        say: takes a line for the user.

    Raises:
        UsageError: a tool is missing and this system's packages cannot be installed without a
            person; the hint is the line to type.
    """
    missing = _missing(names)
    if not missing:
        return
    install = _installer(missing)
    if install is not None:
        say(f"installing {', '.join(missing)}: {install_line(missing)}")
        install()
    if still := _missing(missing):
        raise UsageError(
            f"not on this machine, and needed: {', '.join(still)}",
            hint=f"type: {install_line(still)}",
        )


def _missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if locate(name) is None]


def _installer(names: Sequence[str]) -> Callable[[], None] | None:
    if shutil.which("apt-get"):
        return (lambda: _apt_get(debian_packages(names))) if os.geteuid() == 0 else None
    if sys.platform == "darwin" and shutil.which("brew"):
        formulae = sorted({TOOLS[name].homebrew for name in names})
        return lambda: _run("brew", "install", "--quiet", *formulae)
    return None


def _apt_get(packages: Sequence[str]) -> None:
    """Install packages; on a machine that has no package lists yet, fetch them and try again."""
    if not _run(*_APT_GET, "install", "--yes", "-qq", "--no-install-recommends", *packages):
        _run(*_APT_GET, "update", "-qq")
        _run(*_APT_GET, "install", "--yes", "-qq", "--no-install-recommends", *packages)


def _run(*argv: str) -> bool:
    ended = process.run(argv, env={"DEBIAN_FRONTEND": "noninteractive"}, expected=())
    return ended.status == 0


def debian_packages(names: Iterable[str]) -> list[str]:
    """Give the packages of Debian and Ubuntu that bring the tools `names`, sorted."""
    return sorted({TOOLS[name].debian for name in names})
