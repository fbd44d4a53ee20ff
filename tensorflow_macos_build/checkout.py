"""Where the checkout is, and how a person types this program.

Relative paths that a person gives count from that person's folder, in which this process stays.
What belongs to the checkout (patches/, build/, dist/) is found by `path`. scripts/inv says both, in
variables that are taken out of the environment so that no child inherits them; without it the
current folder is the checkout's.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

# Taken out: a program that this one starts may be another checkout's.
_ROOT = os.environ.pop("INV_CHECKOUT", "")
_PROGRAM = os.environ.pop("INV_PROGRAM", "") or "scripts/inv"


def program() -> str:
    """Return this program for a shell: `scripts/inv`, a path or link to it, or its bare name.

    A shell that has found it on PATH hands over its whole path, which nobody has typed.
    """
    name = Path(_PROGRAM).name
    is_found = Path(_PROGRAM).is_absolute() and shutil.which(name) == _PROGRAM
    return shlex.quote(name if is_found else _PROGRAM)


def script() -> str:
    """Return the path of scripts/inv, as it was typed; "" where something else started this."""
    return _PROGRAM if _ROOT else ""


def command(*words: str | os.PathLike[str]) -> str:
    """Return a command line of this program that can be typed as it stands, quoted where needed."""
    return " ".join([program(), shlex.join(os.fspath(word) for word in words)])


def root() -> Path:
    """Return the checkout's folder."""
    return Path(_ROOT) if _ROOT else Path.cwd()


def path(inside: str | os.PathLike[str]) -> Path:
    """Return a path of the checkout, as a person types it."""
    return shown(Path(_ROOT) / inside)


def shown(target: Path) -> Path:
    """Return a path as a person types it: relative where it is below the current folder."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the current folder was deleted
        return target
    return target.relative_to(here) if target.is_relative_to(here) else target


def recorded(source: str) -> str:
    """Return a folder as files of the checkout may name it: from the checkout, or absolute.

    What is no folder, such as an address, stays as it is.
    """
    absolute = Path.cwd() / source
    if Path.cwd() == root() or not absolute.is_dir():
        return source
    return os.path.normpath(absolute)
