"""Packages that only some tasks need: pyproject.toml's dependency groups, and who has them.

scripts/inv makes an environment of the package's dependencies alone. A task that needs more says so
by `require`; then the same command line is run again, in an environment that has the group, too.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VARIABLE = "INV_GROUPS"
"""What scripts/inv reads the names of further groups from."""


class GroupsMissing(UsageError):
    """The environment lacks the packages of some dependency groups.

    Attributes:
        groups: their names.
    """

    def __init__(self, groups: Sequence[str]) -> None:
        names = " ".join(groups)
        super().__init__(
            f"packages are missing here, those of {' and '.join(groups)}",
            hint=f"type: export {VARIABLE}='{names}', and run the same command again",
        )
        self.groups = tuple(groups)


def require(groups: Iterable[str]) -> None:
    """Make sure that the environment has the packages of some groups.

    Raises:
        GroupsMissing: it has not.
    """
    if missing := lacking(groups):
        raise GroupsMissing(missing)


def lacking(groups: Iterable[str]) -> list[str]:
    """Return those of some groups whose packages the environment has not.

    One that scripts/inv has not made is not looked into.
    """
    try:
        origin = (Path(sys.prefix) / "stamp/origin").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    locks = origin[-1].split()
    return [group for group in groups if f"{group}.txt" not in locks]


def run_again(groups: Sequence[str]) -> None:
    """Replace this process by the same command line, in an environment that has `groups`, too.

    It returns where scripts/inv did not start this process, and so cannot do it again.
    """
    if script := checkout.script():
        os.execve(  # noqa: S606 - what is replaced is this process, and scripts/inv is the checkout's
            script, [script, *sys.argv[1:]], {**os.environ, VARIABLE: " ".join(groups)}
        )


def version(package: str, group: str) -> str:
    """Return the version of a package here, or that the lock of its group brings, or `missing`.

    Both are the same where scripts/inv makes the environment; only the first is known elsewhere.
    """
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    try:
        text = (checkout.root() / f"scripts/locks/{group}.txt").read_text("utf-8")
    except OSError:
        return "missing"
    pin = re.search(rf"^{re.escape(package)}==(\S+)", text, re.MULTILINE)
    return pin.group(1) if pin else "missing"


def uv() -> str:
    """Return the path of uv, which the lock brings for most machines.

    Raises:
        UsageError: it is not here.
    """
    try:
        module = importlib.import_module("uv")
        return str(module.find_uv_bin())
    except (ImportError, FileNotFoundError):
        raise UsageError(
            "uv is not here, and this task cannot do without",
            hint=f"type: rm {checkout.path('.venv')}; the same command again fetches it, where it"
            " has a wheel for this machine",
        ) from None


def install_line(package: str) -> str:
    """Return the command that installs a package into this environment, as it can be typed."""
    try:
        words = [uv(), "pip", "install", "--python", sys.executable]
    except UsageError:
        words = [sys.executable, "-m", "pip", "install"]
    return shlex.join([*words, package])
