"""entry_points.txt: installers make a program of each script that it names.

Source: PyPA's "Entry points specification"; what pip 23 and uv 0.9 refuse beyond it.
"""

from __future__ import annotations

import configparser
import re
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.verify.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "entry_points.txt"

_LIMIT = 1 << 18
"""Most bytes that are read: the parser keeps an error for each line that is none of its format."""

_SCRIPTS = ("console_scripts", "gui_scripts")
"""The groups of which installers make programs; others are read by whoever knows them."""

_SCRIPT = re.compile(r"[\w.]+:[\w.]+\s*(\[.*\])?")
"""A script needs a callable; pip takes no space around the colon, and no hyphen."""

_NO_FILE_NAME = re.compile(r"[/\\]")
"""What leads out of the folder of programs: an installer must not write where a wheel likes."""


# Raw: to ConfigParser a `%` in a value begins an interpolation, and mostly an error.
class _EntryPointsParser(configparser.RawConfigParser):
    """The parser that the specification gives: "=" alone delimits, and names keep their case."""

    def __init__(self) -> None:
        super().__init__(delimiters=("=",))

    def optionxform(self, optionstr: str) -> str:
        """Keep a name as it is: the format knows upper and lower case."""
        return optionstr


def check(path: str, content: bytes) -> Iterator[Finding]:
    """Find what keeps installers from reading the file, or from making its scripts."""
    parser = _EntryPointsParser()
    try:
        if len(content) > _LIMIT:
            raise ValueError(f"{len(content)} bytes are more than the {_LIMIT} that are read")
        parser.read_string(content.decode("utf-8"))
    except UnicodeDecodeError:
        yield Finding(Code.ENTRY_POINTS, "it is not UTF-8", path)
    except (configparser.Error, ValueError) as error:
        reason = str(error).partition("\n")[0]  # further lines quote the file, however long it is
        yield Finding(Code.ENTRY_POINTS, f"it cannot be read: {reason}", path)
    else:
        for group in _SCRIPTS:
            yield from _scripts(path, parser, group)


def _scripts(path: str, parser: _EntryPointsParser, group: str) -> Iterator[Finding]:
    for name, value in parser[group].items() if group in parser else ():
        if _NO_FILE_NAME.search(name):
            yield Finding(Code.ENTRY_POINTS, f"the script `{name}` is no file's name", path)
        if not _SCRIPT.fullmatch(value):
            message = f"the script `{name}` is `{value}`, no MODULE:CALLABLE"
            yield Finding(Code.ENTRY_POINTS, message, path)
