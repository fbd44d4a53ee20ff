import json
from pathlib import Path
from typing import Any

import pytest

from tensorflow_macos_build.bazel import failures
from tensorflow_macos_build.bazel.build_events import BuildEvents, Failure
from tensorflow_macos_build.errors import Interrupted, MacosBuildError, UsageError, WorkFailed

LAST = {"buildToolLogs": {}, "lastMessage": True}


def fed(*events: dict[str, Any]) -> tuple[BuildEvents, list[Failure]]:
    messages: list[Failure] = []
    collected = BuildEvents(messages.append)
    for event in events:
        collected.feed(json.dumps(event).encode())
    return collected, messages


def file_set(name: str, *files: str, sets: tuple[str, ...] = ()) -> dict[str, Any]:
    named = {
        "files": [{"uri": f"file://{file}"} for file in files],
        "fileSets": [{"id": inner} for inner in sets],
    }
    return {"id": {"namedSet": {"id": name}}, "namedSetOfFiles": named}


def target(label: str, *sets: str) -> dict[str, Any]:
    group = {"name": "default", "fileSets": [{"id": name} for name in sets]}
    completed = {"success": True, "outputGroup": [group]}
    return {"id": {"targetCompleted": {"label": label}}, "completed": completed}


def failed(number: int) -> dict[str, Any]:
    action = {"type": "CppCompile", "failureDetail": {"message": f"error {number}"}}
    return {
        "id": {"actionCompleted": {"label": "//:x", "primaryOutput": f"{number}.o"}},
        "action": {"exitCode": 1, **action},
    }


def error(status: int, *events: dict[str, Any], log: Path = Path("/none")) -> MacosBuildError:
    raised = failures.error_of(status, fed(*events)[0], log, ["//:x"])
    assert raised is not None
    return raised


def test_outputs_are_those_of_the_sets_a_target_names_and_of_theirs() -> None:
    events, _ = fed(
        file_set("0", "/a"),
        file_set("1", "/b", sets=("0", "1", "nowhere")),
        file_set("2", "/c"),
        target("//:x", "1"),
    )
    assert events.outputs() == {"//:x": (Path("/a"), Path("/b"))}


def test_failures_are_passed_on_and_no_number_of_them_is_kept() -> None:
    events, messages = fed(*map(failed, range(100)))
    assert [str(failure) for failure in messages] == [
        f"{number}.o (CppCompile of //:x):\nerror {number}" for number in range(3)
    ]
    assert events.failures == messages
    raised = error(1, *map(failed, range(100)))
    assert isinstance(raised, WorkFailed)
    assert raised.detail.splitlines()[-1] == "and 97 more failed actions"


def test_no_number_of_outputs_and_reasons_takes_the_memory() -> None:
    many = [file_set(str(number), f"/{number}") for number in range(60_000)]
    events, _ = fed(*many, target("//:x", "1"), LAST)
    assert events.too_many
    assert events.outputs() == {}
    assert isinstance(failures.error_of(0, events, Path("/none"), ["//:x"]), UsageError)
    reasons = [{"aborted": {"description": f"reason {number % 50}"}} for number in range(1000)]
    events, _ = fed(*reasons)
    assert len(events.reasons) == 20


def test_a_build_that_succeeded_has_the_end_of_its_stream() -> None:
    events, _ = fed(target("//:x"), LAST)
    assert failures.error_of(0, events, Path("/none"), ["//:x"]) is None
    cut = error(0, target("//:x"))
    assert isinstance(cut, failures.BazelBroken)
    assert "end too early" in cut.what


@pytest.mark.parametrize(
    ("status", "events", "kind", "words"),
    [
        (37, (), failures.BazelBroken, "server died in the middle"),
        (
            37,
            ({"finished": {"exitCode": {"name": "BLAZE_INTERNAL_ERROR", "code": 37}}}, LAST),
            failures.BazelBroken,
            "failed in itself (BLAZE_INTERNAL_ERROR)",
        ),
        (34, (), failures.RemoteLost, "does not answer"),
        (39, (), failures.RemoteLost, "dropped what the build still needs"),
        (-9, (), failures.BazelBroken, "ended by signal 9"),
        (8, (LAST,), Interrupted, "was interrupted"),
        (2, (), UsageError, "does not take its flags"),
        (7, ({"aborted": {"description": "no such target"}},), WorkFailed, "could not analyse"),
    ],
)
def test_what_ended_a_build_is_told_apart(
    status: int, events: tuple[dict[str, Any], ...], kind: type[MacosBuildError], words: str
) -> None:
    raised = error(status, *events)
    assert type(raised) is kind
    assert words in raised.what


def test_bazels_last_words_are_shown_without_the_command_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("cd /x && bazel build\nERROR: no space\n")
    assert error(36, log=log).detail == "ERROR: no space"
    assert error(36, log=tmp_path / "missing").detail == ""
