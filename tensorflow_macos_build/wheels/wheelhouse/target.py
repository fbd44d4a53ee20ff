"""The two kinds of Mac that a wheelhouse serves, and the wheels that each of them takes.

Source: PyPA's platform compatibility tags; the order of preference is packaging's, which is pip's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from packaging import tags
from packaging.utils import parse_wheel_filename

from tensorflow_macos_build.errors import UsageError

_UV_PLATFORM = {"arm64": "aarch64-apple-darwin", "x86_64": "x86_64-apple-darwin"}
"""Values of uv's --python-platform."""

# Bounded: int() refuses more than 4,300 digits (CVE-2020-10735).
_VERSION = re.compile(r"(\d{1,9})(?:\.(\d{0,9}))?", re.ASCII)


@dataclass(frozen=True)
class Target:
    """A Mac with a CPython.

    Attributes:
        arch: "arm64" or "x86_64", as platform.machine() says.
        macos: its version of macOS: (major, minor).
        python: CPython's version: (3, minor).
    """

    arch: str
    macos: tuple[int, int]
    python: tuple[int, int]

    @property
    def uv_platform(self) -> str:
        """What uv calls it."""
        return _UV_PLATFORM[self.arch]

    @property
    def deployment_target(self) -> str:
        """Its macOS as MACOSX_DEPLOYMENT_TARGET is written."""
        return ".".join(map(str, self.macos))

    def rank(self, file_name: str) -> int | None:
        """Return a wheel's rank in the order of preference, 0 the best; None: it is not taken."""
        wheel_tags = parse_wheel_filename(file_name)[3]
        return min((self._order[tag] for tag in wheel_tags if tag in self._order), default=None)

    @cached_property
    def _order(self) -> dict[tags.Tag, int]:
        platforms = list(tags.mac_platforms(self.macos, self.arch))
        interpreter = f"cp{self.python[0]}{self.python[1]}"
        native = tags.cpython_tags(self.python, platforms=platforms)
        generic = tags.compatible_tags(self.python, interpreter, platforms)
        # A tag that both yield has its first rank: pip's list is without repeats, too.
        return {tag: rank for rank, tag in enumerate(dict.fromkeys([*native, *generic]))}


def version(text: str, what: str) -> tuple[int, int]:
    """Return the two numbers of a version such as "3.11" or "12".

    Raises:
        UsageError: it is none; `what` names it.
    """
    match = _VERSION.fullmatch(text)
    if match is None:
        raise UsageError(f"`{text}` is no version", where=what, hint="write it like 3.11 or 12.0")
    return int(match[1]), int(match[2] or "0")
