"""The programs that a set-up runs, and the Debian packages that some of them need."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
from typing import TYPE_CHECKING

from progress import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from progress import Progress

_MISDIRECTIONS = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")
"""Settings that would send what pip installs elsewhere than into the environment."""

_PIECE = 1 << 16
"""How much of a program's output is read at once, and how much of its end a failure shows."""

_MARKS = " \t╰─▶├│×"  # noqa: RUF001 - uv's
"""What uv draws before the lines of an error."""


class Fault(Exception):
    """What stops the set-up: one line for the user, and the exit status.

    Attributes:
        status: the exit status.
        reason: the last line of a program that failed, else the message.
    """

    def __init__(self, message: str, status: int, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason or message


def run(
    argv: Sequence[str],
    what: str,
    progress: Progress,
    *,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end.

    Raises:
        Fault: it failed; the message has its last line, and names the file with what it printed.
    """
    with subprocess.Popen(
        argv,
        env={**(env or child_environment()), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # The lock of the store is among the descriptors: who takes it next waits for this program,
        # though its parent be killed.
        close_fds=False,
        start_new_session=True,  # so that Ctrl-C ends them here, and without their tracebacks
    ) as child:
        try:
            printed = _follow(child, progress)
        except BaseException:
            child.kill()  # what it has half made is in a folder that the next run deletes
            raise
    if child.returncode != 0:
        progress.clear()
        progress.log.write_text(printed, encoding="utf-8")
        reason = _last_line(printed)
        raise Fault(f"{what}: {reason} (all of it is in {progress.log})", 1, reason)


def _last_line(printed: str) -> str:
    """Return the last line of a text that says something, without a mark before it."""
    lines = [line.strip(_MARKS) for line in printed.splitlines()]
    return next(filter(None, reversed(lines)), "it said nothing").removeprefix("ERROR: ")


def _follow(child: subprocess.Popen[bytes], progress: Progress) -> str:
    """Read what a program prints until it ends; return the end of that."""
    assert child.stdout is not None
    text = ""
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ)
        while True:
            if waiting.select(1.0):
                piece = os.read(child.stdout.fileno(), _PIECE)
                if not piece:
                    return text
                text = (text + piece.decode("utf-8", "replace"))[-_PIECE:]
                for line in text.splitlines():
                    progress.read(line)
            progress.draw()


def succeeds(argv: Sequence[str]) -> bool:
    """Run a program in silence; return whether it ended well."""
    environment = {**child_environment(), "DEBIAN_FRONTEND": "noninteractive"}
    completed = subprocess.run(
        argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return completed.returncode == 0


def debian_install(package: str, otherwise: str) -> None:
    """Install a Debian package when this is root on Debian or Ubuntu.

    Raises:
        Fault: it is not, or apt-get failed; the message is `otherwise`.
    """
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Fault(otherwise, 2)
    say(f"installing the Debian package {package}")
    install = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "install", "--yes", "-qq", package]
    if not succeeds(install):
        succeeds(["apt-get", "update", "-qq"])
        if not succeeds(install):
            raise Fault(otherwise, 2)


def install_line(package: str) -> str:
    """Return the command that a person types on this system to install a package."""
    debian = shutil.which("apt-get") is not None
    return f"sudo apt-get install {package}" if debian else f"brew install {package}"


def child_environment() -> dict[str, str]:
    """Return the variables that programs run with."""
    return {name: value for name, value in os.environ.items() if name not in _MISDIRECTIONS}
