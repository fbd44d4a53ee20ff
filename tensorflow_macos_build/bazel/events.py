"""Bazel's build event protocol, as far as a build's caller needs it, as typed values.

The source is `--build_event_json_file`: one JSON object a line, proto3's JSON form of the message
`BuildEvent` of `build_event_stream.proto`, with field names in lowerCamelCase. Zero, false and
empty fields are left out there, and 64-bit integers are strings; so every field is read with a
default. Events of other kinds are passed over.
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

# The digits of a 64-bit integer: `int` refuses text of more than 4,300 digits by a ValueError.
_RUNNER = re.compile(r"\b([0-9]{1,18}) ([^,.]+)")
_INTEGER = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True)
class ActionFailed:
    """An action that failed (`ActionExecuted` without `success`).

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
class NamedSetOfFiles:
    """A named set of files, which may include other sets by their ids.

    Bazel keeps outputs as a graph of sets (depset) and names each set once, before those that
    include it; two targets that share files share a set.
    """

    id: str
    files: tuple[Path, ...]
    sets: tuple[str, ...]


@dataclass(frozen=True)
class TargetComplete:
    """A requested target that is finished.

    Attributes:
        label: its label.
        success: whether all of it was built.
        sets: ids of the file sets of its default output group.
        files: its important outputs, where this Bazel still lists them: the protocol keeps the
            field for old clients alone.
        message: Bazel's words about its failure.
    """

    label: str
    success: bool
    sets: tuple[str, ...]
    files: tuple[Path, ...]
    message: str


@dataclass(frozen=True)
class Aborted:
    """Something that was not reached; why, in Bazel's words, which may be none."""

    description: str


@dataclass(frozen=True)
class BuildFinished:
    """The server's own word on how the build ended.

    Attributes:
        code: the exit status that it has given to the client.
        name: its name, such as `BUILD_FAILURE`.
    """

    code: int
    name: str


@dataclass(frozen=True)
class BuildStarted:
    """The build has begun.

    Attributes:
        version: Bazel's version; "" of one that was built without (Debian's).
    """

    version: str


@dataclass(frozen=True)
class OptionsParsed:
    """All options of the build, those of rc files too, in the order in which they count."""

    options: tuple[str, ...]


@dataclass(frozen=True)
class LastMessage:
    """The stream is whole: nothing comes after this event."""


@dataclass(frozen=True)
class BuildMetrics:
    """How many actions ran in the build, by the runner that ran them.

    Attributes:
        executed: all of them, internal ones and cache hits too.
        runners: counts by runner, such as `remote cache hit` and `linux-sandbox`.
        misses: for how many actions the output base's action cache did not do, by Bazel's name of
            the reason; empty before Bazel counts them (4.2.3 does not).
    """

    executed: int
    runners: tuple[tuple[str, int], ...]
    misses: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class BuildToolLogs:
    """What Bazel says about the whole build at its end.

    Attributes:
        runners: counts of processes by runner, from the text `process stats`.
    """

    runners: tuple[tuple[str, int], ...]


Event: TypeAlias = (
    ActionFailed
    | NamedSetOfFiles
    | TargetComplete
    | Aborted
    | BuildFinished
    | BuildStarted
    | OptionsParsed
    | BuildMetrics
    | BuildToolLogs
    | LastMessage
)

# What Bazel prints, in pieces: most of a stream's bytes, and read where Bazel prints it. An event's
# id is its first field, and Bazel writes fields in their order.
_PROGRESS = b'{"id":{"progress":'


def parse(line: bytes) -> list[Event]:
    """Read one line of the stream; return the events that matter in it.

    A field of another type than the protocol's counts as left out: the stream is a program's, and
    what follows from it (a count, a path, a message) is only shown or looked for.

    Raises:
        ValueError: the line is not a JSON object.
    """
    if line.startswith(_PROGRESS) and b'"lastMessage"' not in line:
        return []
    try:
        content = json.loads(line)
    except RecursionError:  # which is no ValueError, and a line may be anything
        raise ValueError("a build event is not nested so deep") from None
    if not isinstance(content, dict):
        raise ValueError("a build event is a JSON object")
    event = _ProtoMessage(content)
    return [value for name, read in _READERS.items() if name in content for value in read(event)]


class _ProtoMessage:
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

    def message(self, *names: str) -> _ProtoMessage:
        """Return the message at a path of fields."""
        inner: object = self._fields
        for name in names:
            inner = inner.get(name) if isinstance(inner, dict) else None
        return _ProtoMessage(inner)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the strings of a repeated field."""
        value = self._fields.get(name)
        items = value if isinstance(value, list) else []
        return tuple(_ProtoMessage({name: item}).text(name) for item in items)

    def messages(self, name: str) -> list[_ProtoMessage]:
        """Return the messages of a repeated field."""
        value = self._fields.get(name)
        return [_ProtoMessage(message) for message in value] if isinstance(value, list) else []


def _action(event: _ProtoMessage) -> Iterator[ActionFailed]:
    identity, action = event.message("id", "actionCompleted"), event.message("action")
    if action.flag("success"):  # the protocol does not promise that only failures are posted
        return
    detail = action.message("failureDetail")
    spawn = detail.message("spawn")
    yield ActionFailed(
        # The label has moved from the action to the event's id; the action's is deprecated.
        label=identity.text("label") or action.text("label"),
        mnemonic=action.text("type"),
        output=identity.text("primaryOutput"),  # the action's is given for a success only
        # The tool's own status, where the action ran one; `exitCode` is the action's.
        status=spawn.number("spawnExitCode") or action.number("exitCode"),
        stderr=_path(action.message("stderr")),
        stdout=_path(action.message("stdout")),
        message=detail.text("message"),
    )


def _file_set(event: _ProtoMessage) -> Iterator[NamedSetOfFiles]:
    identity, named = event.message("id", "namedSet"), event.message("namedSetOfFiles")
    yield NamedSetOfFiles(
        id=identity.text("id"),
        files=_paths(named.messages("files")),
        sets=tuple(inner.text("id") for inner in named.messages("fileSets")),
    )


def _completed(event: _ProtoMessage) -> Iterator[TargetComplete]:
    identity, completed = event.message("id", "targetCompleted"), event.message("completed")
    groups = completed.messages("outputGroup")
    default = [group for group in groups if group.text("name") == "default"]
    yield TargetComplete(
        label=identity.text("label"),
        success=completed.flag("success"),
        sets=tuple(inner.text("id") for group in default for inner in group.messages("fileSets")),
        files=_paths(completed.messages("importantOutput")),
        message=completed.message("failureDetail").text("message"),
    )


def _aborted(event: _ProtoMessage) -> Iterator[Aborted]:
    aborted = event.message("aborted")
    yield Aborted(aborted.text("description"))


def _metrics(event: _ProtoMessage) -> Iterator[BuildMetrics]:
    """Read counts; Bazel 5 and later name the runners here, earlier ones in the tool logs only."""
    summary = event.message("buildMetrics", "actionSummary")
    rows = summary.messages("runnerCount")
    counts = ((row.text("name"), row.number("count")) for row in rows)
    runners = tuple((name, count) for name, count in counts if name != "total")
    yield BuildMetrics(summary.number("actionsExecuted"), runners, _misses(summary))


def _misses(summary: _ProtoMessage) -> tuple[tuple[str, int], ...]:
    rows = summary.message("actionCacheStatistics").messages("missDetails")
    # Zero of the enumeration MissReason (action_cache.proto) is left out like any other zero.
    named = ((row.text("reason") or "DIFFERENT_ACTION_KEY", row.number("count")) for row in rows)
    return tuple((reason, count) for reason, count in named if count > 0)


def _finished(event: _ProtoMessage) -> Iterator[BuildFinished]:
    end = event.message("finished", "exitCode")
    yield BuildFinished(end.number("code"), end.text("name"))


def _started(event: _ProtoMessage) -> Iterator[BuildStarted]:
    yield BuildStarted(event.message("started").text("buildToolVersion"))


def _options(event: _ProtoMessage) -> Iterator[OptionsParsed]:
    yield OptionsParsed(event.message("optionsParsed").texts("cmdLine"))


def _last(event: _ProtoMessage) -> Iterator[LastMessage]:
    if event.flag("lastMessage"):
        yield LastMessage()


def _tool_logs(event: _ProtoMessage) -> Iterator[BuildToolLogs]:
    """Read `22 processes: 21 remote cache hit, 1 internal.`; there is no other form in Bazel 4."""
    logs = event.message("buildToolLogs").messages("log")
    contents = (log.text("contents") for log in logs if log.text("name") == "process stats")
    try:
        text = base64.b64decode(next(contents, "")).decode("utf-8", "replace")
    except ValueError:  # not base64: binascii.Error, or letters beyond ASCII
        text = ""
    _, _, counted = text.partition(":")
    yield BuildToolLogs(tuple((name, int(count)) for count, name in _RUNNER.findall(counted)))


_READERS: dict[str, Callable[[_ProtoMessage], Iterator[Event]]] = {
    "action": _action,
    "namedSetOfFiles": _file_set,
    "completed": _completed,
    "aborted": _aborted,
    "finished": _finished,
    "started": _started,
    "optionsParsed": _options,
    "buildMetrics": _metrics,
    "buildToolLogs": _tool_logs,
    "lastMessage": _last,
}
"""Readers by field: those of the oneof `BuildEvent.payload`, and the mark of the last event."""


def _paths(files: Sequence[_ProtoMessage]) -> tuple[Path, ...]:
    return tuple(path for path in map(_path, files) if path is not None)


def _path(file: _ProtoMessage) -> Path | None:
    """Return the local path of a `File`; None when it is elsewhere or nowhere."""
    try:
        parts = urllib.parse.urlsplit(file.text("uri"))
    except ValueError:  # brackets that hold no IPv6 address
        return None
    path = urllib.parse.unquote(parts.path)
    return Path(path) if parts.scheme == "file" and "\0" not in path else None
