"""Bazel's build event protocol, as far as a build's caller needs it, as typed values.

The source is `--build_event_json_file`: one JSON object a line, proto3's JSON form of
`build_event_stream.proto`. Zero, false and empty fields are left out there, and 64-bit integers
are strings; so every field is read with a default. Events of other kinds are passed over.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

_RUNNER = re.compile(r"(\d+) ([^,.]+)")


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
    """Read one line of the stream; give the events that matter in it.

    Raises:
        ValueError: the line is not a JSON object.
    """
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("a build event is a JSON object")
    events: list[Event] = []
    identity = found.get("id", {})
    if "action" in found and not found["action"].get("success", False):
        events.append(_action(identity.get("actionCompleted", {}), found["action"]))
    if "namedSetOfFiles" in found:
        events.append(_file_set(identity.get("namedSet", {}), found["namedSetOfFiles"]))
    if "completed" in found:
        events.append(_completed(identity.get("targetCompleted", {}), found["completed"]))
    if "aborted" in found:
        aborted = found["aborted"]
        events.append(Aborted(aborted.get("reason", "UNKNOWN"), aborted.get("description", "")))
    if "buildMetrics" in found:
        events.append(_metrics(found["buildMetrics"].get("actionSummary", {})))
    if "buildToolLogs" in found:
        events.append(ToolLogs(_process_stats(found["buildToolLogs"].get("log", []))))
    if "finished" in found:
        code = found["finished"].get("exitCode", {})
        events.append(Finished(code.get("name", ""), int(code.get("code", 0))))
    return events


def _action(identity: dict[str, Any], action: dict[str, Any]) -> ActionFailed:
    detail = action.get("failureDetail", {})
    spawn = detail.get("spawn", {})
    return ActionFailed(
        label=identity.get("label") or action.get("label", ""),
        mnemonic=action.get("type", ""),
        output=identity.get("primaryOutput", ""),
        status=int(spawn.get("spawnExitCode", action.get("exitCode", 0))),
        stderr=_path(action.get("stderr", {})),
        stdout=_path(action.get("stdout", {})),
        message=detail.get("message", ""),
    )


def _file_set(identity: dict[str, Any], named: dict[str, Any]) -> FileSet:
    return FileSet(
        id=identity.get("id", ""),
        files=_paths(named.get("files", [])),
        sets=tuple(inner.get("id", "") for inner in named.get("fileSets", [])),
    )


def _completed(identity: dict[str, Any], completed: dict[str, Any]) -> TargetCompleted:
    groups = completed.get("outputGroup", [])
    default = [group for group in groups if group.get("name") == "default"]
    return TargetCompleted(
        label=identity.get("label", ""),
        success=completed.get("success", False),
        sets=tuple(found.get("id", "") for group in default for found in group.get("fileSets", [])),
        files=_paths(completed.get("importantOutput", [])),
        message=completed.get("failureDetail", {}).get("message", ""),
    )


def _metrics(summary: dict[str, Any]) -> Metrics:
    """Read counts; Bazel 5 and later name the runners here, earlier ones in the tool logs only."""
    rows = summary.get("runnerCount", [])
    runners = tuple((row.get("name", ""), int(row.get("count", 0))) for row in rows)
    return Metrics(
        int(summary.get("actionsExecuted", 0)), tuple(r for r in runners if r[0] != "total")
    )


def _process_stats(logs: list[dict[str, Any]]) -> tuple[tuple[str, int], ...]:
    """Read `22 processes: 21 remote cache hit, 1 internal.`; there is no other form in Bazel 4."""
    contents = next(
        (log.get("contents", "") for log in logs if log.get("name") == "process stats"), ""
    )
    try:
        text = base64.b64decode(contents).decode("utf-8", "replace")
    except binascii.Error:
        return ()
    _, _, counted = text.partition(":")
    return tuple((name, int(count)) for count, name in _RUNNER.findall(counted))


def _paths(files: list[dict[str, Any]]) -> tuple[Path, ...]:
    return tuple(path for path in map(_path, files) if path is not None)


def _path(file: dict[str, Any]) -> Path | None:
    """Give the local path of a `File`; None when it is elsewhere or nowhere."""
    parts = urllib.parse.urlsplit(file.get("uri", ""))
    return Path(urllib.parse.unquote(parts.path)) if parts.scheme == "file" else None
