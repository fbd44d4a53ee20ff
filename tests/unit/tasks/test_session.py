"""What the tasks of work on a queue do around the call that each of them makes."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import invoke
import pytest

from tensorflow_macos_build.tasks.command import present
from tensorflow_macos_build.tasks.session import SessionTasks
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags

HELP = {"queue": "The queue.", "cache": "The mirrors.", "json": "A document."}
C = invoke.Context()


@dataclass
class State:
    done: bool
    note: str = ""


@dataclass
class Work:
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def shown(self, progress: State, /) -> None:
        self.calls.append(("shown", progress))

    def abort(self) -> str:
        self.calls.append(("abort",))
        return ""


class Tasks(SessionTasks[Work, State]):
    def __init__(self) -> None:
        super().__init__("work", "the work", HELP)
        self.work = Work()

    def open(self, flags: QueueFlags, ticker: Ticker, *, onto: str = "") -> Work:
        self.work.calls.append(("open", flags.queue, flags.cache, onto))
        return self.work

    def open_to_abort(self, flags: QueueFlags, ticker: Ticker) -> Work:
        self.work.calls.append(("open to abort", flags.queue))
        return self.work

    def present(self, flags: QueueFlags, progress: State, *, json: bool) -> None:
        self.work.calls.append(("present",))
        present({"done": progress.done}, [Line(f"done: {progress.done}")], json=json)

    def is_settled(self, progress: State) -> bool:
        return progress.done


def test_a_task_has_its_own_flags_and_those_of_all() -> None:
    @Tasks().step(positional=["name"], help={"name": "Its name.", "into": "Another."})
    def fold(work: Work, name: str, *, into: str, often: bool = False) -> State:
        """Make one of two."""
        return State(True)

    assert list(inspect.signature(fold.body).parameters) == [
        *("_context", "name", "queue"),
        *("into", "often", "cache", "json"),
    ]
    assert fold.required == ("name", "queue", "into")
    assert fold.__doc__ == "Make one of two."
    assert {argument.name: argument.help for argument in fold.get_arguments()} == {
        **HELP,
        "name": "Its name.",
        "into": "Another.",
        "often": None,
    }


def test_people_are_told_before_the_session_is(capsys: pytest.CaptureFixture[str]) -> None:
    tasks = Tasks()
    state = State(True, "it was done before")

    @tasks.step()
    def start(work: Work, *, onto: str) -> State:
        """Begin."""
        work.calls.append(("start", onto))
        return state

    start(C, queue="q", onto="v2", cache="c", json=True)
    assert tasks.work.calls == [
        ("open", "q", "c", "v2"),
        ("start", "v2"),
        ("present",),
        ("shown", state),
    ]
    printed = capsys.readouterr()
    assert printed.out == '{\n  "done": true\n}\n'
    assert printed.err == "it was done before\n"


def test_what_is_left_to_settle_fails(capsys: pytest.CaptureFixture[str]) -> None:
    tasks = Tasks()

    @tasks.step()
    def status(work: Work) -> State:
        """Show it."""
        return State(False)

    with pytest.raises(invoke.Exit) as ended:
        status(C, queue="q")
    assert ended.value.code == 1
    assert capsys.readouterr().out == "done: False\n"


def test_work_is_given_up_without_its_base(capsys: pytest.CaptureFixture[str]) -> None:
    tasks = Tasks()
    abort = tasks.abort("Give it up.")
    assert abort.required == ("queue",)
    assert list(inspect.signature(abort.body).parameters) == ["_context", "queue", "cache"]
    abort(C, queue="q")
    assert tasks.work.calls == [("open to abort", "q"), ("abort",)]
    assert capsys.readouterr().out == "the work of q is given up; the queue is as it was\n"
