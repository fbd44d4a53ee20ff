"""The programs that tasks need beyond Python: where they are, and what installs them.

A program that is older than what tasks can use counts as missing. On Debian and Ubuntu as root,
and on a Mac with Homebrew, they are installed without a question.
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
from tensorflow_macos_build.pipeline import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tensorflow_macos_build.pipeline.versions import Version

_SOME_MANAGER = "your system's package manager"

_APT_GET = ("apt-get", "-o", "DPkg::Lock::Timeout=600")
"""apt-get waits for another one (a fresh machine's own updates) for ten minutes; else it fails."""

_LLVM_FOLDERS = (
    "/usr/lib/llvm-19/bin",
    *(
        f"{prefix}/opt/{formula}/bin"
        for prefix in ("/opt/homebrew", "/usr/local")
        for formula in ("llvm", "lld")
    ),
)
"""Where LLVM's programs are off PATH: Debian's own folder of llvm-19, which has them all under
their plain names, and Homebrew's, which keeps LLVM from shadowing Apple's compilers."""

_LLVM = (19,)
"""One release for all of LLVM's programs, because one package brings them. llvm-lipo 14 writes no
64-bit universal headers, and llvm-objdump 14 refuses export tries that dyld takes."""


@dataclass(frozen=True)
class Tool:
    """A program that tasks need.

    Attributes:
        name: what tasks call it.
        programs: its names, the best first; any one of them will do.
        debian: the package of Debian and Ubuntu that brings it.
        homebrew: the formula of Homebrew that brings it.
        oldest: the oldest version that will do; empty: every one.
        may_be_silent: whether it will do when it does not tell its version.
        bare: whether it is run by its bare name, so that only the first on PATH counts.
        folders: where else to look than on PATH.
    """

    name: str
    programs: tuple[str, ...]
    debian: str
    homebrew: str
    oldest: Version = ()
    may_be_silent: bool = False
    bare: bool = False
    folders: tuple[str, ...] = ()


def _llvm(name: str, *, debian: str = "llvm-19", homebrew: str = "llvm") -> Tool:
    programs = (f"{name}-19", name, *(f"{name}-{newer}" for newer in range(20, 24)))
    return Tool(name, programs, debian, homebrew, oldest=_LLVM, folders=_LLVM_FOLDERS)


TOOLS = {
    tool.name: tool
    for tool in (
        # `git merge-tree --write-tree` came with 2.38.
        Tool("git", ("git",), debian="git", homebrew="git", oldest=(2, 38), bare=True),
        # 4.2 is Debian's, the oldest that the demo is built by; that one prints `no_version`.
        Tool(
            "bazel",
            ("bazel", "bazelisk"),
            debian="bazel-bootstrap",
            homebrew="bazelisk",
            oldest=(4, 2),
            may_be_silent=True,
        ),
        # Older ones know fewer checks; 0.9 is Debian 12's and that of the runners of GitHub.
        Tool(
            "shellcheck",
            ("shellcheck",),
            debian="shellcheck",
            homebrew="shellcheck",
            oldest=(0, 9),
        ),
        # GNU's, of any age; a Mac's own will do.
        Tool("patch", ("patch",), debian="patch", homebrew="gpatch", bare=True),
        _llvm("ld64.lld", debian="lld-19", homebrew="lld"),
        _llvm("llvm-ar"),
        _llvm("llvm-as"),
        _llvm("llvm-lipo"),
        _llvm("llvm-otool"),
        _llvm("llvm-nm"),
        _llvm("llvm-objdump"),
    )
}
"""Every tool, by its name."""

TEST_TOOLS = tuple(TOOLS)
"""What the tests need: independent judges of what this package does."""


@dataclass(frozen=True)
class Candidate:
    """A program of this machine that may be a tool.

    Attributes:
        path: where it is.
        version: its version; empty when it does not tell, or when nothing depends on it.
        will_do: whether tasks can use it.
    """

    path: Path
    version: Version
    will_do: bool


def locate(name: str) -> Path | None:
    """Return the path of the tool `name` of `TOOLS`, or None when no program of it will do."""
    return find(TOOLS[name])


def find(tool: Tool) -> Path | None:
    """Return the path of a tool, or None when this machine has none that will do."""
    return next((program.path for program in candidates(tool) if program.will_do), None)


def candidates(tool: Tool) -> Iterator[Candidate]:
    """Yield the programs that may be a tool, the best names first, each in the order of PATH."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    for program in tool.programs:
        # Folder by folder: `which` ends at the first on PATH, which may be the one that is too old.
        located = [shutil.which(program, path=folder) for folder in (*path, *tool.folders)]
        # PATH may have a folder twice.
        paths = [Path(path) for path in dict.fromkeys(located) if path]
        # A bare name starts the first on PATH, so that a newer one behind it is of no use.
        for candidate in paths[:1] if tool.bare else paths:
            yield _candidate(tool, candidate)


def _candidate(tool: Tool, path: Path) -> Candidate:
    if not tool.oldest:
        return Candidate(path, (), will_do=True)
    version = versions.version_of(path)
    will_do = version >= tool.oldest if version else tool.may_be_silent
    return Candidate(path, version, will_do)


def shortcoming(tool: Tool) -> str:
    """Return what is wrong with the programs that are here but will not do; "" when none is here.

    It names the version that was seen and the one that is needed.
    """
    for candidate in candidates(tool):
        if not candidate.will_do:
            seen = versions.shown(candidate.version) or "of unknown version"
            return f"{candidate.path} is {seen}, needed is {versions.shown(tool.oldest)} or newer"
    return ""


def install_line(names: Iterable[str]) -> str:
    """Return the command that installs the tools `names` of `TOOLS` on this system."""
    return line_for(TOOLS[name] for name in names)


def install_hint(names: Iterable[str]) -> str:
    """Return what to do to get the tools `names`: a line to type, where this system has one."""
    line = install_line(names)
    return f"use {line}" if line.startswith(_SOME_MANAGER) else f"type: {line}"


def line_for(tools: Iterable[Tool]) -> str:
    """Return the command that a person types on this system to install some tools."""
    lacking = tuple(tools)
    if shutil.which("apt-get"):
        sudo = "" if os.geteuid() == 0 else "sudo "
        return f"{sudo}apt-get install {' '.join(sorted({tool.debian for tool in lacking}))}"
    formulae = " ".join(sorted({tool.homebrew for tool in lacking}))
    if sys.platform == "darwin":
        return f"brew install {formulae}"
    return f"{_SOME_MANAGER}, for: {formulae}"


def provide(names: Sequence[str], announce: Callable[[str], None]) -> None:
    """Make sure that the tools `names` are here; install those that are not, where that is free.

    Args:
        names: names in `TOOLS`.
        announce: takes a line for the user, before something is installed.

    Raises:
        UsageError: a tool is missing or too old, and this system's packages cannot be installed
            without a person; the hint is the line to type.
    """
    missing = _missing(names)
    if not missing:
        return
    install = _installer(missing)
    if install is not None:
        announce(f"installing {', '.join(missing)}: {install_line(missing)}")
        install()
    # Looked for again: a package manager may have failed, or have brought one that is too old.
    if still := _missing(missing):
        raise UsageError(
            f"not on this machine, and needed: {', '.join(still)}",
            detail="\n".join(filter(None, (shortcoming(TOOLS[name]) for name in still))),
            hint=install_hint(still),
        )


def _missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if locate(name) is None]


def _installer(names: Sequence[str]) -> Callable[[], None] | None:
    # Homebrew refuses to run as root, and apt-get needs root: neither is asked for a password.
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
    # Without this, packages with questions (tzdata) wait for an answer.
    completed = process.run(argv, env={"DEBIAN_FRONTEND": "noninteractive"}, expected=())
    return completed.status == 0


def debian_packages(names: Iterable[str]) -> list[str]:
    """Return the packages of Debian and Ubuntu that bring the tools `names`, sorted."""
    return sorted({TOOLS[name].debian for name in names})
