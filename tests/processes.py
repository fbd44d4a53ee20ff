"""The processes of this machine, as the kernel lists them; a Mac has `ps` for it."""

from __future__ import annotations

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


def of_bazel(output_base: Path) -> dict[str, int]:
    """Return the ids of the `client` and the `server` of an output base, as far as they are there.

    The server's command line begins as Java's does, with flags of the virtual machine.
    """
    if _PROC.is_dir():
        rows = [(folder.name, _read(folder / "cmdline").split("\0")) for folder in _folders()]
    else:
        rows = [(pid, words) for pid, *words in map(str.split, _listed("pid=,args="))]
    own = [(int(pid), words) for pid, words in rows if f"--output_base={output_base}" in words]
    return {"server" if "-jar" in words else "client": pid for pid, words in own}


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
    return list(_PROC.glob("[0-9]*"))


def _listed(columns: str) -> list[str]:
    argv = ["ps", "-A", "-ww", "-o", columns]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
