"""What a time budget may be written as, and when it is reached."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline.rounds import budget
from tensorflow_macos_build.pipeline.rounds.budget import Deadline
from tensorflow_macos_build.pipeline.workspace import Workspace
from tests import command_line

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("45m", 2700),
        ("5h20m", 19200),
        ("1h0m30s", 3630),
        ("2h", 7200),
        ("120h", 432e3),
    ],
)
def test_a_budget_is_hours_minutes_and_seconds(text: str, seconds: float) -> None:
    assert budget.parse(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5.5h",
        "-5m",
        "+5m",
        "20m5h",
        "5h 20m",
        "5H",
        "1d",
        "0s",
        "0h0m",
        "121h",
        "9" * 99,
        "٣m",
        "5m\n",
        "5minutes",
    ],
)
def test_anything_else_is_refused_with_what_is_right(text: str) -> None:
    with pytest.raises(UsageError, match="is no time budget") as caught:
        budget.parse(text)
    assert "5h20m" in caught.value.hint


class Clock:
    """A clock that stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_end_leaves_the_time_that_saving_takes() -> None:
    clock = Clock()
    deadline = Deadline(100.0, clock)
    deadline.watch(lambda: 1000, 0.01)  # 10 s for all of it, if nothing has changed
    assert deadline.reserve == budget.STOPPING_SECONDS + 15
    clock.now = 79.9
    assert not deadline.is_reached()
    clock.now = 80.0
    assert deadline.is_reached()


def test_the_size_is_looked_at_again_only_when_that_costs_little() -> None:
    clock, looks = Clock(), list[float]()

    def size() -> int:
        looks.append(clock.now)
        clock.now += 2  # so long does it take to add up
        return 0

    deadline = Deadline(1e6, clock)
    for _ in range(1000):
        deadline.watch(size, 1.0)
        clock.now += 1
    assert len(looks) == 5
    assert all(later - earlier >= 200 for earlier, later in itertools.pairwise(looks))


def test_a_reserve_of_the_config_is_taken_as_it_is() -> None:
    clock = Clock()
    deadline = Deadline(100.0, clock, fixed_reserve=0.0)
    deadline.watch(lambda: 10**12, 1.0)
    clock.now = 99.9
    assert not deadline.is_reached()


def test_without_a_budget_there_is_no_end() -> None:
    clock = Clock()
    deadline = Deadline(None, clock)
    clock.now = 1e9
    assert not deadline.is_reached()


@pytest.mark.parametrize("inside", ["", "below"])
def test_a_file_is_no_folder_of_states_in_a_plan_either(tmp_path: Path, inside: str) -> None:
    file = tmp_path / "file"
    file.write_text("")
    plan = command_line.run("build", "--plan", "--state-dir", file / inside)
    assert (plan.returncode, plan.stdout) == (2, "")
    assert f"{file} is no folder" in plan.stderr
    workspace = Workspace(config.load("demo", {}))
    assert budget.time_box("", tmp_path / "new/below", workspace) is not None


def test_a_check_of_bad_states_says_no(tmp_path: Path) -> None:
    flags = ("build.rounds", "--state-dir", tmp_path)
    assert command_line.run(*flags, "--check").returncode == 0
    (tmp_path / "state-0001.tar").write_text("no state")
    assert [command_line.run(*flags, *more).returncode for more in ((), ("--check",))] == [0, 1]
