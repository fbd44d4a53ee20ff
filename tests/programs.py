"""Which programs tests may start: what every machine has, and what an install step brings."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tensorflow_macos_build.pipeline import tools

ROOT = Path(__file__).resolve().parents[1]

ENVIRONMENTS = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    / "tensorflow-macos-build"
    / "test-environments"
)
"""Where environments of a real TensorFlow stay from run to run: 1.3 GB, which no test changes."""

ESSENTIAL = frozenset(
    {
        *("base64", "bash", "cat", "cmp", "env", "false", "ldconfig", "mkfifo", "readlink", "sh"),
        *("sha256sum", "sleep", "true", "uname"),
        *(("ps", "shasum") if sys.platform == "darwin" else ()),
    }
)
"""Of Debian's packages that are marked Essential, and on every Mac. `ps` is of none of them."""

_TRIED = frozenset({"cc", "gcc", "ld", "objdump"})
"""`ctypes.util.find_library` asks them for what ldconfig does not know, and does without them."""

_BROUGHT = frozenset(program for tool in tools.TOOLS.values() for program in tool.programs)


def refuse_unknown(event: str, args: tuple[Any, ...]) -> None:
    """Be an audit hook that lets no program start which a new machine may lack.

    Raises:
        AssertionError: the program is neither essential, nor in `pipeline.tools.TOOLS`, nor of the
            environment or the checkout, nor made by a test.
    """
    if event == "subprocess.Popen" and not is_known(os.fsdecode(args[0])):
        raise AssertionError(
            f"a test starts `{os.fsdecode(args[0])}`, which no install step brings: add it to "
            "TOOLS in pipeline/tools.py, or do without"
        )


def is_known(program: str) -> bool:
    """Whether every machine that has been set up has a program."""
    if Path(program).name in ESSENTIAL | _BROUGHT | _TRIED:
        return True
    # a bare name that is not on PATH is no file of the current folder
    file = program if os.sep in program else shutil.which(program)
    return file is not None and (
        any(map(Path(file).absolute().is_relative_to, _own_folders())) or _is_python(Path(file))
    )


def _is_python(file: Path) -> bool:
    """Whether a file is the interpreter, or lies beside it under such a name."""
    # Debian's interpreter lies in /usr/bin, with everything else.
    beside = file.absolute().parent == Path(sys.executable).resolve().parent
    return beside and file.name.startswith("python")


def _own_folders() -> tuple[str | Path, ...]:
    temporary = Path(tempfile.gettempdir())
    return ROOT, sys.prefix, temporary, temporary.resolve(), ENVIRONMENTS
