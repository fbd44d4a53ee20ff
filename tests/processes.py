"""The processes of this machine, as the kernel lists them; a Mac has `ps` for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_PROC = Path("/proc")
"""proc(5)"""


def command_lines() -> list[str]:
    """Return the words of every process's command line, with spaces between them."""
    if not _PROC.is_dir():
        return _listed("args=")
    lines = [_read(folder / "cmdline") for folder in _folders()]
    return [line.replace("\0", " ") for line in lines]


def of_bazel(folder: Path) -> dict[str, int]:
    """Return the ids of the `client` and the `server` whose output base is a folder, or below it.

    The server's command line begins as Java's does, with flags of the virtual machine. A program
    that the server is just starting still has that line.
    """
    if _PROC.is_dir():
        rows = [(process.name, _read(process / "cmdline").split("\0")) for process in _folders()]
    else:
        rows = [(pid, words) for pid, *words in map(str.split, _listed("pid=,args="))]
    flag = f"--output_base={folder}"
    own = {
        int(pid): "server" if "-jar" in words else "client"
        for pid, words in rows
        if any(f"{word}/".startswith(f"{flag}/") for word in words)
    }
    above = parents()
    return {kind: pid for pid, kind in own.items() if own.get(above.get(pid, 0)) != kind}


def actions_of_bazel(folder: Path) -> list[int]:
    """Return the ids of what the server of an output base there has started and not waited for yet.

    Bazel's own lines show a running action twice a second only: a fast machine has done it by then.
    """
    server = of_bazel(folder).get("server")
    return [pid for pid, above in parents().items() if above == server]


def parents() -> dict[int, int]:
    """Return the parent's id of every process."""
    if not _PROC.is_dir():
        pairs = [line.split() for line in _listed("pid=,ppid=")]
    else:
        stats = [_read(folder / "stat") for folder in _folders()]
        # The name in parentheses may hold anything; the state and the parent's id follow it.
        pairs = [[stat.split()[0], stat.rpartition(")")[2].split()[1]] for stat in stats if stat]
    return {int(pid): int(above) for pid, above in pairs}


def _folders() -> list[Path]:
    """Return the processes below this one's root: another's may have folders of the same paths."""
    root = (_PROC / "self/root").stat()
    return [folder for folder in _PROC.glob("[0-9]*") if _is_below(folder, root)]


def _is_below(folder: Path, root: os.stat_result) -> bool:
    try:
        return os.path.samestat((folder / "root").stat(), root)
    except OSError:  # it has ended, or is another person's
        return False


def _listed(columns: str) -> list[str]:
    argv = ["ps", "-A", "-ww", "-o", columns]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
