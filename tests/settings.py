"""The variables that the installed git knows, as its own programs name them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


def _variables() -> list[str]:
    """Return the names of all variables that the installed git's programs hold."""
    answered = subprocess.run(["git", "--exec-path"], capture_output=True, check=True, text=True)
    programs = [Path(answered.stdout.strip()) / name for name in ("git", "git-remote-http")]
    held = b"".join(program.read_bytes() for program in programs if program.is_file())
    names = re.findall(rb"GIT_[A-Z][A-Z0-9_]+(?=\0)", held)
    return sorted({name.decode() for name in names})


VARIABLES = _variables()
