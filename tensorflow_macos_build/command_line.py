"""A program as it will be run, as a value: `process` runs it, a plan shows it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PINNED = {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "LANGUAGE": "", "TZ": "UTC"}
"""Variables that every program gets, so that locale and time zone change no output.

LC_ALL counts before all others (locale(7)), and LANGUAGE before it where gettext looks for
messages. C.UTF-8 and not C, in which some programs take no file names but ASCII ones.
"""


@dataclass(frozen=True)
class CommandLine:
    """A program with its arguments, its folder, and what it finds in its environment.

    Attributes:
        argv: the program's name or path, and its arguments.
        cwd: the folder to run in.
        env: changes to the caller's environment; None takes a variable away.
        inherited: the only variables of the caller's that it gets; None: it gets all of them.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str | None]
    inherited: tuple[str, ...] | None = None

    @property
    def changes(self) -> dict[str, str | None]:
        """All that the program's environment has other than what it gets of the caller's."""
        return {**PINNED, **self.env}

    def typed(self) -> str:
        """Return it as one line for a shell, which does the same in any folder.

        What is inherited is the shell's to fill in: a proxy's address may have a password in it.
        """
        given = {name: value for name, value in self.changes.items() if value is not None}
        words = [f"{name}={value}" for name, value in sorted(given.items())]
        env = " ".join(["env", *self._taken(), shlex.join([*words, *self.argv])])
        return f"cd {shlex.quote(str(self.cwd))} && {env}"

    def _taken(self) -> list[str]:
        """Return the words for a shell that take away what is not to be inherited."""
        if self.inherited is not None:
            kept = sorted(set(self.inherited) - set(self.changes))
            # Not quoted singly like all else, for the shell is to fill them in.
            return ["-i", *(f'"{name}=${name}"' for name in kept)]
        gone = sorted(name for name, value in self.changes.items() if value is None)
        return [word for name in gone for word in ("-u", name)]
