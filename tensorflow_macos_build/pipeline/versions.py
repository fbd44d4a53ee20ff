"""What version a program of this machine says it is."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import MacosBuildError

Version = tuple[int, ...]
"""Numbers, the most significant first; empty: not known."""

_TIMEOUT = 30.0
"""Seconds for an answer; a program on a cold and busy disk takes some."""

_LIMIT = 1 << 16
"""Bytes of an answer; LLVM's programs list all their targets in two thousand."""

# `Debian LLVM version 14.0.6` and `version: 0.9.0` say what the number is; a line before may hold
# another. `git version 2.39.5` and `bazel 6.5.0` are the plain kind.
_NAMED = re.compile(r"\bversion:? v?(\d{1,9}(?:\.\d{1,9})*)")
_DOTTED = re.compile(r"\d{1,9}(?:\.\d{1,9})+")


def version_of(program: Path) -> Version:
    """Return what a program answers to `--version`; empty when it tells no version."""
    if is_bazelisk(program):
        return ()
    # Size and time are for the cache: what `tools.provide` has installed meanwhile is asked anew.
    status = program.stat()
    return parse(_answer(program.absolute(), status.st_size, status.st_mtime_ns))


def first_line(program: Path) -> str:
    """Return the first line of what a program answers to `--version`; "" when it does not."""
    status = program.stat()
    answer = _answer(program.absolute(), status.st_size, status.st_mtime_ns)
    return answer.partition("\n")[0].strip()


def is_bazelisk(program: Path) -> bool:
    """Whether a program is Bazelisk, which would download a Bazel to answer."""
    return "bazelisk" in str(program.resolve())


def parse(answer: str) -> Version:
    """Return the version in an answer to `--version`; empty when there is none."""
    match = _NAMED.search(answer)
    text = match.group(1) if match else ""
    if not text and (dotted := _DOTTED.search(answer)):
        text = dotted.group()
    return tuple(map(int, text.split("."))) if text else ()


def shown(version: Version) -> str:
    """Return a version as people write it; "" for one that is not known."""
    return ".".join(map(str, version))


@functools.cache
def _answer(program: Path, _size: int, _mtime_ns: int) -> str:
    """Return a program's answer; another file under its name is another program."""
    argv = (str(program), "--version")
    env = {"USE_BAZEL_VERSION": None}
    try:
        # In a folder where no .bazelversion sends Debian's Bazel after another version, and without
        # the variable that does; a build does not hand that on either.
        answer = process.first_bytes(argv, cwd=Path("/"), env=env, limit=_LIMIT, timeout=_TIMEOUT)
    except (MacosBuildError, OSError):
        return ""
    return answer.decode("utf-8", "replace")
