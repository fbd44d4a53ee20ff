"""Bazel's build event protocol, as far as a build's caller needs it, as typed values.

The source is `--build_event_json_file`: one JSON object a line, proto3's JSON form of
`build_event_stream.proto`. Zero, false and empty fields are left out there, and 64-bit integers
are strings; so every field is read with a default. Events of other kinds are passed over.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_RUNNER = re.compile(r"\b([0-9]{1,18}) ([^,.]+)")
_INTEGER = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True)
class ActionFailed:
    """An action that failed.

    Attributes:
        label: the target it belongs to.
        mnemonic: its kind, such as `CppCompile`.
        output: the primary output it should have made, below the execution root.
        status: the exit status of the tool itself.
        stderr: the file that holds what the tool wrote to standard error, if it wrote anything.
        stdout: likewise for standard output.
        message: Bazel's own words about the failure.
    """

    label: str
    mnemonic: str
    output: str
    status: int
    stderr: Path | None
    stdout: Path | None
    message: str


@dataclass(frozen=True)
class FileSet:
    """A named set of files, which may include other sets by their ids."""

    id: str
    files: tuple[Path, ...]
    sets: tuple[str, ...]


@dataclass(frozen=True)
class TargetCompleted:
    """A requested target that is finished.

    Attributes:
        label: its label.
        success: whether all of it was built.
        sets: ids of the file sets of its default output group.
        files: its important outputs, where this Bazel still lists them.
        message: Bazel's words about its failure.
    """

    label: str
    success: bool
    sets: tuple[str, ...]
    files: tuple[Path, ...]
    message: str


@dataclass(frozen=True)
class Aborted:
    """Something that was not reached, and why.

    Attributes:
        reason: a name of `Aborted.AbortReason`, such as LOADING_FAILURE.
        description: Bazel's words; empty when another event tells the cause.
    """

    reason: str
    description: str


@dataclass(frozen=True)
class Metrics:
    """How many actions ran in the build, by the runner that ran them.

    Attributes:
        executed: all of them, internal ones and cache hits too.
        runners: counts by runner, such as `remote cache hit` and `linux-sandbox`.
    """

    executed: int
    runners: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ToolLogs:
    """What Bazel says about the whole build at its end.

    Attributes:
        runners: counts of processes by runner, from the text `process stats`.
    """

    runners: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Finished:
    """The build's own exit code: a name such as `SUCCESS`, and its number."""

    name: str
    code: int


Event: TypeAlias = (
    ActionFailed | FileSet | TargetCompleted | Aborted | Metrics | ToolLogs | Finished
)


def parse(line: bytes) -> list[Event]:
    """Read one line of the stream; return the events that matter in it.

    A field of another type than the protocol's counts as left out: the stream is a program's, and
    what follows from it (a count, a path, a message) is only shown or looked for.

    Raises:
        ValueError: the line is not a JSON object.
    """
    try:
        content = json.loads(line)
    except RecursionError:
        raise ValueError("a build event is not nested so deep") from None
    if not isinstance(content, dict):
        raise ValueError("a build event is a JSON object")
    event = _Message(content)
    return [made for name, read in _READERS.items() if name in content for made in read(event)]


class _Message:
    """A message of the protocol, of which each field is read as the type that it has there."""

    def __init__(self, fields: object) -> None:
        self._fields = fields if isinstance(fields, dict) else {}

    def text(self, name: str) -> str:
        """Return a string; lone surrogates, which no UTF-8 holds, as question marks."""
        value = self._fields.get(name)
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """Return a truth value."""
        return self._fields.get(name) is True

    def number(self, name: str) -> int:
        """Return an integer of at most 64 bits, which JSON may hold as a string."""
        value = self._fields.get(name)
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            return 0
        return value if abs(value) < 1 << 63 else 0

    def message(self, *names: str) -> _Message:
        """Return the message at a path of fields."""
        inner: object = self._fields
        for name in names:
            inner = inner.get(name) if isinstance(inner, dict) else None
        return _Message(inner)

    def messages(self, name: str) -> list[_Message]:
        """Return the messages of a repeated field."""
        value = self._fields.get(name)
        return [_Message(each) for each in value] if isinstance(value, list) else []


def _action(event: _Message) -> Iterator[ActionFailed]:
    identity, action = event.message("id", "actionCompleted"), event.message("action")
    if action.flag("success"):
        return
    detail = action.message("failureDetail")
    spawn = detail.message("spawn")
    yield ActionFailed(
        label=identity.text("label") or action.text("label"),
        mnemonic=action.text("type"),
        output=identity.text("primaryOutput"),
        status=spawn.number("spawnExitCode") or action.number("exitCode"),
        stderr=_path(action.message("stderr")),
        stdout=_path(action.message("stdout")),
        message=detail.text("message"),
    )


def _file_set(event: _Message) -> Iterator[FileSet]:
    identity, named = event.message("id", "namedSet"), event.message("namedSetOfFiles")
    yield FileSet(
        id=identity.text("id"),
        files=_paths(named.messages("files")),
        sets=tuple(inner.text("id") for inner in named.messages("fileSets")),
    )


def _completed(event: _Message) -> Iterator[TargetCompleted]:
    identity, completed = event.message("id", "targetCompleted"), event.message("completed")
    groups = completed.messages("outputGroup")
    default = [group for group in groups if group.text("name") == "default"]
    yield TargetCompleted(
        label=identity.text("label"),
        success=completed.flag("success"),
        sets=tuple(each.text("id") for group in default for each in group.messages("fileSets")),
        files=_paths(completed.messages("importantOutput")),
        message=completed.message("failureDetail").text("message"),
    )


def _aborted(event: _Message) -> Iterator[Aborted]:
    aborted = event.message("aborted")
    yield Aborted(aborted.text("reason") or "UNKNOWN", aborted.text("description"))


def _metrics(event: _Message) -> Iterator[Metrics]:
    """Read counts; Bazel 5 and later name the runners here, earlier ones in the tool logs only."""
    summary = event.message("buildMetrics", "actionSummary")
    rows = summary.messages("runnerCount")
    runners = tuple((row.text("name"), row.number("count")) for row in rows)
    yield Metrics(
        summary.number("actionsExecuted"), tuple(each for each in runners if each[0] != "total")
    )


def _tool_logs(event: _Message) -> Iterator[ToolLogs]:
    """Read `22 processes: 21 remote cache hit, 1 internal.`; there is no other form in Bazel 4."""
    logs = event.message("buildToolLogs").messages("log")
    contents = (log.text("contents") for log in logs if log.text("name") == "process stats")
    try:
        text = base64.b64decode(next(contents, "")).decode("utf-8", "replace")
    except ValueError:  # not base64: binascii.Error, or letters beyond ASCII
        text = ""
    _, _, counted = text.partition(":")
    yield ToolLogs(tuple((name, int(count)) for count, name in _RUNNER.findall(counted)))


def _finished(event: _Message) -> Iterator[Finished]:
    code = event.message("finished", "exitCode")
    yield Finished(code.text("name"), code.number("code"))


_READERS: dict[str, Callable[[_Message], Iterator[Event]]] = {
    "action": _action,
    "namedSetOfFiles": _file_set,
    "completed": _completed,
    "aborted": _aborted,
    "buildMetrics": _metrics,
    "buildToolLogs": _tool_logs,
    "finished": _finished,
}
"""Readers of an event's payload, by its name in `BuildEvent.payload`."""


def _paths(files: Sequence[_Message]) -> tuple[Path, ...]:
    return tuple(path for path in map(_path, files) if path is not None)


def _path(file: _Message) -> Path | None:
    """Return the local path of a `File`; None when it is elsewhere or nowhere."""
    try:
        parts = urllib.parse.urlsplit(file.text("uri"))
    except ValueError:  # brackets that hold no IPv6 address
        return None
    path = urllib.parse.unquote(parts.path)
    return Path(path) if parts.scheme == "file" and "\0" not in path else None
