import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tensorflow_macos_build.bazel import events


def parse(**event: Any) -> list[events.Event]:
    return events.parse(json.dumps(event).encode())


def test_the_tools_own_status_is_preferred_to_the_actions() -> None:
    failed = parse(
        id={"actionCompleted": {"primaryOutput": "bazel-out/x.o", "label": "//:x"}},
        action={
            "exitCode": 1,
            "type": "CppCompile",
            "stderr": {"uri": "file:///t/a%20b"},
            "stdout": {"uri": "bytestream://cache/blobs/1"},
            "failureDetail": {"message": "m", "spawn": {"spawnExitCode": 7}},
        },
    )
    assert failed == [
        events.ActionFailed("//:x", "CppCompile", "bazel-out/x.o", 7, Path("/t/a b"), None, "m")
    ]


def test_an_action_that_succeeded_is_no_failure() -> None:
    assert parse(id={"actionCompleted": {}}, action={"success": True}) == []


def test_fields_that_proto3_leaves_out_are_zero() -> None:
    assert parse(id={"targetCompleted": {"label": "//:x"}}, completed={}) == [
        events.TargetComplete("//:x", success=False, sets=(), files=(), message="")
    ]

    assert parse(buildMetrics={}) == [events.BuildMetrics(0, ())]


def test_runners_are_read_from_the_text_of_bazel_4_and_the_counts_of_later_ones() -> None:
    text = base64.b64encode(b"22 processes: 21 remote cache hit, 1 internal.").decode()
    logs = {"log": [{"name": "process stats", "contents": text}]}
    assert parse(buildToolLogs=logs) == [
        events.BuildToolLogs((("remote cache hit", 21), ("internal", 1)))
    ]
    rows = [{"name": "total", "count": 3}, {"name": "disk cache hit", "count": "3"}]
    metrics = parse(buildMetrics={"actionSummary": {"actionsExecuted": "3", "runnerCount": rows}})
    assert metrics == [events.BuildMetrics(3, (("disk cache hit", 3),))]


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b"\xff"])
def test_a_torn_line_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        events.parse(line)


STRANGE: list[Any] = [
    None,
    True,
    -1,
    1.5,
    10**30,
    "x",
    "9" * 5000,
    "\ud800",
    "file://[::1/x",
    [],
    [[]],
    {},
    "ä=",
]
"""Values of every type of JSON, some of them what a field's reader may stumble over."""


def _shapes(value: Any) -> list[dict[str, Any]]:
    """Return events in which `value` stands in the place of every field that is read."""
    spawn = {"message": value, "spawn": {"spawnExitCode": value}}
    action = {"success": value, "exitCode": value, "type": value, "label": value}
    files = [{"uri": value}, {"uri": "file:///a%00b"}, value]
    group = {"name": "default", "fileSets": [{"id": value}, value]}
    log = {"name": "process stats", "contents": value}
    return [
        {"id": value, "action": action, "namedSetOfFiles": value, "completed": value},
        {"action": {**action, "failureDetail": spawn, "stderr": {"uri": value}, "stdout": value}},
        {"action": {"failureDetail": value, "success": value}, "id": {"actionCompleted": value}},
        {"namedSetOfFiles": {"files": files, "fileSets": value}, "id": {"namedSet": value}},
        {"namedSetOfFiles": {"files": value, "fileSets": [{"id": value}, value]}},
        {"completed": {"outputGroup": [group, value], "importantOutput": files}},
        {"completed": {"outputGroup": value, "success": value, "failureDetail": value}},
        {"aborted": {"description": value}},
        {"aborted": value, "buildMetrics": value, "buildToolLogs": value},
        {"finished": value, "lastMessage": value},
        {"finished": {"exitCode": value}},
        {"finished": {"exitCode": {"code": value, "name": value}}},
        {"buildMetrics": {"actionSummary": {"actionCacheStatistics": value}}},
        {"buildMetrics": {"actionSummary": {"actionCacheStatistics": {"missDetails": value}}}},
        {"buildMetrics": {"actionSummary": {"actionCacheStatistics": {"missDetails": [value]}}}},
        {"buildMetrics": {"actionSummary": value}, "buildToolLogs": {"log": value}},
        {"buildMetrics": {"actionSummary": {"runnerCount": value, "actionsExecuted": value}}},
        {"buildMetrics": {"actionSummary": {"runnerCount": [{"name": value, "count": value}]}}},
        {"buildToolLogs": {"log": [log, value, {"name": value}]}},
    ]


@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
def test_a_field_of_another_type_counts_as_left_out(value: Any) -> None:
    for event in _shapes(value):
        for read in parse(**event):
            str(read).encode()
    reasons = {"missDetails": [{"reason": value, "count": value}]}
    for read in parse(buildMetrics={"actionSummary": {"actionCacheStatistics": reasons}}):
        str(read).encode()
    (odd,) = parse(action={"type": value, "exitCode": value, "success": False})
    assert isinstance(odd, events.ActionFailed)
    assert isinstance(odd.mnemonic, str)
    assert isinstance(odd.status, int)


@pytest.mark.parametrize("line", [b"", b"[]", b"3", b"\xff", b"9" * 5000, b'{"a":' * 100_000])
def test_a_line_that_is_no_object_is_no_event(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        events.parse(line)


def test_the_end_of_a_build_and_of_its_stream_are_told_apart() -> None:
    assert parse(finished={"exitCode": {"name": "INTERRUPTED", "code": 8}}) == [
        events.BuildFinished(8, "INTERRUPTED")
    ]
    assert parse(finished={"exitCode": {"name": "SUCCESS"}}) == [events.BuildFinished(0, "SUCCESS")]
    assert parse(buildToolLogs={}, lastMessage=True) == [
        events.BuildToolLogs(()),
        events.LastMessage(),
    ]
    assert parse(id={"progress": {}}, progress={}, lastMessage=True) == [events.LastMessage()]


def test_what_bazel_prints_is_passed_over_unread() -> None:
    assert events.parse(b'{"id":{"progress":{}},"progress":{"stderr":"torn') == []


def test_reasons_of_later_bazels_are_read_and_their_zero_is_one_of_them() -> None:
    rows = [{"count": 2}, {"reason": "NOT_CACHED", "count": 3}, {"reason": "DIFFERENT_DEPS"}]
    summary = {"actionCacheStatistics": {"missDetails": rows}}
    assert parse(buildMetrics={"actionSummary": summary}) == [
        events.BuildMetrics(0, (), (("DIFFERENT_ACTION_KEY", 2), ("NOT_CACHED", 3)))
    ]
