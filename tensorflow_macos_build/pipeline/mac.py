"""What a Mac says of itself. This is the only module that runs a Mac's own programs.

Every function returns None, or nothing, on a machine that has not got the program that it runs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import process

if TYPE_CHECKING:
    from collections.abc import Sequence

SW_VERS = ("sw_vers", "-productVersion")
XCODEBUILD = ("xcodebuild", "-version")
SDK_VERSION = ("xcrun", "--sdk", "macosx", "--show-sdk-version")
# Every Mac has it, universal; where no Intel program runs, arch(1) fails.
ROSETTA = ("arch", "-x86_64", "/usr/bin/true")
DEVELOPER_DIR = ("xcode-select", "--print-path")
TRANSLATED = ("sysctl", "-n", "sysctl.proc_translated")
REALPATH = ("realpath", "--version")
DISPLAYS = ("system_profiler", "-json", "SPDisplaysDataType")

_TIMEOUT = 60.0
"""Seconds for one answer; the first xcrun after an update of Xcode fills a cache."""


def macos_version() -> str | None:
    """Return the version of macOS, such as "15.1"."""
    return _first_line(SW_VERS)


def xcode_version() -> str | None:
    """Return the version of the selected Xcode, such as "16.2"."""
    # xcodebuild fails when only the Command Line Tools are selected; they are not Xcode.
    line = _first_line(XCODEBUILD)
    return line.removeprefix("Xcode ") if line else None


def sdk_version() -> str | None:
    """Return the version of the macOS SDK that compilers get."""
    return _first_line(SDK_VERSION)


def developer_dir() -> Path | None:
    """Return the folder of the selected Xcode, or of the Command Line Tools."""
    line = _first_line(DEVELOPER_DIR)
    return Path(line) if line else None


def runs_intel_programs() -> bool:
    """Whether Intel programs run: always on an Intel Mac, by Rosetta on Apple silicon."""
    return _answer(ROSETTA) is not None


def is_translated() -> bool:
    """Whether this very process is an Intel one that runs under Rosetta."""
    # An Intel Mac has no such value and sysctl fails; a native process gets 0 (Apple, "About the
    # Rosetta translation environment").
    return _first_line(TRANSLATED) == "1"


def has_gnu_realpath() -> bool:
    """Whether the first realpath on PATH is GNU's; macOS 13 and later bring BSD's."""
    # BSD's knows no --version and fails.
    return "GNU coreutils" in (_first_line(REALPATH) or "")


def gpus() -> tuple[str, ...]:
    """Return the models of the GPUs that support Metal."""
    answer = _answer(DISPLAYS)
    if answer is None:
        return ()
    gpus_listed = json.loads(answer).get("SPDisplaysDataType", [])
    # The key's name changed with macOS 13; an old GPU without Metal has neither.
    metal = ("spdisplays_mtlgpufamilysupport", "spdisplays_metal")
    with_metal = [gpu for gpu in gpus_listed if any(key in gpu for key in metal)]
    return tuple(gpu.get("sppci_model", "unnamed") for gpu in with_metal)


def _first_line(argv: Sequence[str]) -> str | None:
    answer = _answer(argv)
    return answer.strip().partition("\n")[0] if answer else None


def _answer(argv: Sequence[str]) -> str | None:
    try:
        return process.run(argv, timeout=_TIMEOUT).stdout.decode("utf-8", "replace")
    except (process.ProgramMissing, process.ProgramFailed):
        return None
