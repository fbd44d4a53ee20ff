"""A release built in rounds, each on another machine, some of them killed: by real Bazel."""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager, nullcontext
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config, console, documents
from tensorflow_macos_build.bazel.disk_cache import DiskCache
from tensorflow_macos_build.errors import BudgetReached, ExitCode
from tensorflow_macos_build.pipeline import plan as planning
from tensorflow_macos_build.pipeline import run as running
from tensorflow_macos_build.pipeline.rounds.budget import Deadline, TimeBox
from tensorflow_macos_build.pipeline.rounds.folder import StateFolder
from tensorflow_macos_build.pipeline.rounds.store import Store
from tensorflow_macos_build.pipeline.workspace import Workspace
from tests import command_line
from tests.projects import Project, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.pipeline.rounds.model import Round


class Follower:
    """Follows a build in rounds, and keeps what it is told of them."""

    def __init__(self) -> None:
        self.rounds: list[Round] = []
        self.notes: list[str] = []

    waiting_for = plan_made = looked_at = stage_done = lambda *_: None

    def stage_started(self, _stage: object) -> AbstractContextManager[console.Ticker]:
        return nullcontext(console.silent)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def round_ended(self, rounds: Sequence[Round], _state: Path) -> None:
        self.rounds = list(rounds)


def workspace(project: Project) -> Workspace:
    return Workspace(config.load("demo", root=project.folder), in_rounds=True)


def new_actions(project: Project) -> int:
    """Return how many actions the round at work has run."""
    store = workspace(project).disk_cache
    assert store is not None
    mark = Store(store)._mark()
    if mark is None or mark.open is None:
        return 0
    return len(DiskCache(store).inodes().keys() - set(mark.open.known))


def run_round(project: Project, states: Path, actions: int) -> Follower:
    """Build until so many actions have run: the clock counts them."""
    follower = Follower()
    deadline = Deadline(actions, lambda: new_actions(project), fixed_reserve=0.0)
    request = planning.BuildRequest("arm64", time_box=TimeBox(states, deadline))
    with pytest.raises(BudgetReached, match="is saved"):
        running.build(workspace(project), request, follower)
    return follower


def test_rounds_on_changing_machines_run_disjoint_sets_of_actions_and_all_of_them(
    tmp_path: Path, built_project: Project
) -> None:
    states = tmp_path / "states"
    flags = ("--arch", "arm64", "--state-dir", str(states))
    first, second, third = (Project(tmp_path / name) for name in ("one", "two", "three"))
    assert run_round(first, states, 6).rounds[-1].run >= 6
    follower = run_round(second, states, 6)
    assert [row.end.value for row in follower.rounds] == ["budget", "budget"]
    # The third machine's build is killed, and goes on from what is on that machine.
    child = third.start(*flags, "--time-budget", "2h")
    wait_until(lambda: new_actions(third) >= 3, 240)
    child.kill()
    assert child.communicate()
    document = third.build(*flags)
    (state,) = (report.state for report in StateFolder(states).report(check=True)[:1])
    assert state is not None
    assert [row.end.value for row in state.rounds] == ["budget", "budget", "broken off", "done"]
    # What each round ran: sets of keys, of which no two share one, and all of them are the build.
    runs = [{action.key for action in run} for run in state.runs.values()]
    assert all(not one & other for one, other in combinations(runs, 2))
    assert set().union(*runs) == set(state.entries)
    assert [row.run for row in state.rounds] == [len(run) for run in runs]
    assert all((row.overlap, row.remade) == (0, 0) for row in state.rounds)
    effort = document["stages"][2]["result"]["effort"]
    internal = effort["runners"]["internal"]
    assert effort["actions"] - internal == len(state.entries)
    assert state.rounds[-1].hits == effort["cache_hits"]
    wheels = [_digest(project, "build/demo/build-arm64") for project in (third, built_project)]
    assert wheels[0] == wheels[1]
    check_report(states, len(state.entries))


def _digest(project: Project, folder: str) -> str:
    (wheel,) = (project.folder / folder).glob("*/*.whl")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def check_report(states: Path, actions: int) -> None:
    """See that the task tells what is there."""
    shown = command_line.run("build.rounds", "--state-dir", states, "--check", "--json")
    assert shown.returncode == 0, shown.stderr
    document = json.loads(shown.stdout)
    documents.check(document)
    assert [row["fault"] for row in document["states"]] == ["", ""]
    assert document["states"][0]["actions"] == actions
    lines = command_line.run("build.rounds", "--state-dir", states).stdout.splitlines()
    assert sum(line.split()[-2:] == ["0", "0"] for line in lines) == 4


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--time-budget", "5 hours"), "write it as 90s, 45m or 5h20m"),
        (("--time-budget", "5h", "--set", "remote.address=grpc://farm.example"), "its own cache"),
        (
            (
                *("--state-dir", "x", "--set", "cache.address=http://cache.example"),
                *("--set", "cache.upload=false"),
            ),
            "Bazel 4 keeps nothing",
        ),
        (("--time-budget", "5h", "--set", "time_box.max_gb=0"), "max_gb"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    tmp_path: Path, flags: tuple[str, ...], words: str
) -> None:
    project = Project(tmp_path / "fresh")
    ended = project.run(*flags, "--plan")
    assert ended.returncode == ExitCode.USAGE
    assert words in " ".join(ended.stderr.split())


def test_a_budget_without_room_for_saving_ends_and_does_not_ask_to_be_run_again(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path / "fresh")
    ended = project.run("--time-budget", "2s")
    assert ended.returncode == ExitCode.FAILED
    assert "larger --time-budget" in " ".join(ended.stderr.split())
    assert not StateFolder(project.folder / "build/demo/rounds").numbers()


def test_a_plan_in_rounds_names_its_own_disk_cache_and_not_the_config_s(tmp_path: Path) -> None:
    project = Project(tmp_path / "fresh")
    flags = ("--set", "cache.disk=mine", "--set", "cache.address=http://127.0.0.1:1")
    plan = json.loads(project.run("--plan", "--json", "--time-budget", "5h", *flags).stdout)
    documents.check(plan)
    for stage in plan["stages"][2:5]:
        argv = stage["commands"][1]["argv"]
        (disk,) = (word for word in argv if word.startswith("--disk_cache="))
        assert disk == f"--disk_cache={project.folder}/build/demo/bazel/store"
        assert "--remote_cache=http://127.0.0.1:1" in argv
    assert plan["time_box"]["seconds"] == 5 * 3600
