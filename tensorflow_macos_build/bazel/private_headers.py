"""Headers that hold credentials: told to Bazel in a file that only its owner can read.

Every user of a machine sees command lines (ps(1)), and before it had credential helpers (5.4) Bazel
took headers as flags only. It repeats the flags of its rc files: in its server's log, in the event
stream and in the explanation (4.2.3). So their values are taken out of these files afterwards.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

# What RFC 9110 lets stand in a value, without what shells and JSON write in several ways, so that
# a value is found again wherever Bazel repeats it; and so long that nothing else is equal to it.
_VALUE = re.compile(r"[!-~][ -~]{6,8190}[!-~]")
_MANIFOLD = frozenset("'\"\\")

_SPECIAL, _ESCAPED = re.compile(r"([^A-Za-z0-9_./:=-])"), r"\\\1"

_ESCAPED_BY_GSON = "<>&="
"""What Bazel's JSON has as `\\u003d` and so on (Gson's HtmlSafe escapes)."""


@dataclass(frozen=True)
class PrivateHeader:
    """A header whose value is in a variable of the caller's.

    Attributes:
        flag: Bazel's flag for it, without dashes.
        name: the header's name.
        variable: the variable's.
    """

    flag: str
    name: str
    variable: str

    def value(self) -> str:
        """Return the value.

        Raises:
            UsageError: the variable is not set, or holds what no header can.
        """
        value = os.environ.get(self.variable, "")
        where = f"the variable {self.variable}"
        if not value:
            what = f"it is not set, and the config's cache or farm needs it for `{self.name}`"
            raise UsageError(what, where=where, hint=f"export {self.variable}=…")
        if not _VALUE.fullmatch(value) or _MANIFOLD & {*value}:
            what = f"its value cannot be that of the header `{self.name}`"
            hint = "it must be 8 or more of ASCII's visible letters, without quotes and backslashes"
            raise UsageError(what, where=where, hint=hint)
        return value

    def line(self) -> str:
        """Return the line of an rc file that tells Bazel the header."""
        argument = f"--{self.flag}={self.name}={self.value()}"
        # Bazel's reader of rc files takes a letter after a backslash as it is.
        return f"build {_SPECIAL.sub(_ESCAPED, argument)}\n"


@dataclass(frozen=True)
class PrivateHeaders:
    """The headers of one run of Bazel, and the rc file that holds them meanwhile."""

    headers: tuple[PrivateHeader, ...]
    rc: Path

    @contextlib.contextmanager
    def written(self, repeating: Callable[[], Iterable[Path]]) -> Iterator[None]:
        """Have the rc file there; delete it at the end, and take its values out of other files.

        Args:
            repeating: returns, at the end, the files in which Bazel may repeat what it reads.

        Raises:
            UsageError: a variable is not set, or holds what no header can.
        """
        lines = [header.line() for header in self.headers]
        values = [header.value().encode() for header in self.headers]
        self.rc.unlink(missing_ok=True)
        self.rc.parent.mkdir(parents=True, exist_ok=True)
        # With its mode from the first moment on.
        descriptor = os.open(self.rc, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.writelines(lines)
        try:
            yield
        finally:
            self.rc.unlink(missing_ok=True)
            for path in repeating():
                blot_out(path, values)


def blot_out(path: Path, values: Iterable[bytes]) -> None:
    """Overwrite every occurrence of some values in a file by asterisks; its size stays.

    In place, for Bazel's server has its log open, and goes on writing at its end.
    """
    try:
        stream = path.open("r+b")
    except FileNotFoundError:
        return
    with stream:
        if not stream.seek(0, os.SEEK_END):  # nothing can be mapped of an empty file
            return
        with mmap.mmap(stream.fileno(), 0) as content:
            for form in {form for value in values for form in (value, _as_json(value))}:
                start = content.find(form)
                while start >= 0:
                    content[start : start + len(form)] = b"*" * len(form)
                    start = content.find(form, start + len(form))


def _as_json(value: bytes) -> bytes:
    text = value.decode("ascii")
    escaped = (f"\\u{ord(letter):04x}" if letter in _ESCAPED_BY_GSON else letter for letter in text)
    return "".join(escaped).encode("ascii")
