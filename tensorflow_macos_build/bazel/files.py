"""The files that tell of a build: Bazel's log, its events, its profile, its explanation.

Bazel writes where it works, for it cannot open an event file below a folder with letters other than
ASCII (4.2.3). Afterwards they are put beside the log, where a person looks for them.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 3
"""How many builds' files are kept: the newest, and those before it with a number in their names."""

_EVENTS = ".events.json"
_PROFILE = ".profile.gz"
_EXPLANATION = ".explanation.txt"

# An equals sign is `\u003d` there, as Gson writes it.
_EQUALS = rb"(?:=|\\u003d)"
_REST_OF_STRING = rb'(?:[^"\\]|\\.)*'  # RFC 8259, section 7
_IN_WORD = re.compile(rb"(--client_env" + _EQUALS + rb"\w+" + _EQUALS + rb")" + _REST_OF_STRING)
_IN_STRUCTURE = re.compile(
    rb'("optionName": ?"client_env", ?"optionValue": ?"\w+' + _EQUALS + rb")" + _REST_OF_STRING
)


@dataclass(frozen=True)
class BuildFiles:
    """Where Bazel writes what tells of a build.

    Attributes:
        events: the build event stream, as lines of JSON.
        profile: the trace of all that took time; gzipped, as its name ends in `.gz`.
        explanation: why each action ran.
    """

    events: Path
    profile: Path
    explanation: Path

    @classmethod
    def at(cls, stem: Path) -> BuildFiles:
        """Return the files whose names begin with the last part of a path."""
        beside = [stem.with_name(stem.name + end) for end in (_EVENTS, _PROFILE, _EXPLANATION)]
        return cls(*beside)

    def make_ready(self) -> None:
        """Make their folder, and delete another build's: Bazel may fail before it replaces them."""
        self.events.parent.mkdir(parents=True, exist_ok=True)
        for path in (self.events, self.profile, self.explanation):
            path.unlink(missing_ok=True)


def make_room(log: Path) -> None:
    """Rename the newest build's files by the next number, and delete the oldest ones.

    They are `log` and what `keep` has put beside it.
    """
    for suffix in (log.suffix, _EVENTS, _PROFILE, _EXPLANATION):
        names = [log.with_suffix(suffix)]
        names += [log.with_suffix(f".{number}{suffix}") for number in range(1, KEPT)]
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)


def keep(files: BuildFiles, log: Path) -> None:
    """Put what Bazel has written beside the log."""
    kept = BuildFiles.at(log.with_suffix(""))
    with contextlib.suppress(FileNotFoundError):
        _move_events(files.events, kept.events)
    for source, target in (
        (files.profile, kept.profile),
        (files.explanation, kept.explanation),
    ):
        # Not renamed: Bazel's folder may be on another file system (`Workspace.bazel`).
        with contextlib.suppress(FileNotFoundError):
            shutil.move(source, target)


def _move_events(source: Path, target: Path) -> None:
    with source.open("rb") as events, target.open("wb") as kept:
        for line in events:
            kept.write(without_environment(line))
    source.unlink()


def without_environment(line: bytes) -> bytes:
    """Return a line of the event stream without the values of the client's variables.

    They are in the events on the command line, for Bazel's client hands each on to its server as a
    hidden `--client_env=NAME=VALUE`; a proxy's password or a token of GitHub may be among them.
    """
    if b"client_env" not in line:
        return line
    return _IN_STRUCTURE.sub(rb"\1***", _IN_WORD.sub(rb"\1***", line))
