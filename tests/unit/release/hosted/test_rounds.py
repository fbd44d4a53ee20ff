"""A staged build over many rounds: whatever is lost, it comes to its end or says why not."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import ExitCode, WorkFailed
from tensorflow_macos_build.release.hosted import following
from tensorflow_macos_build.release.hosted.rounds import NextStep, RoundDecision, RoundTitle
from tensorflow_macos_build.release.workflows import RoundLimits, StagedRelease
from tests.hosted_rounds import ACTIONS, PER_ROUND, HostedRounds, hosted, random_faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTS = ("arm64-3.12", "x86_64-3.12")
RELEASE = StagedRelease("release-demo.yml", PARTS, RoundLimits(rounds=24, failures=2))
FIRST = str(RoundTitle("demo", 1, 0, 0))


@pytest.fixture
def world() -> Iterator[HostedRounds]:
    with hosted(PARTS, RELEASE.workflow) as world:
        yield world


def _round(world: HostedRounds, tmp_path: Path, **faults: str) -> RoundDecision:
    """Run the round that waits, with faults by architecture; return what comes after it."""
    named = {part: faults.get(part.partition("-")[0], "") for part in PARTS}
    number = world.waiting[0]
    world.run_round(number, tmp_path, named)
    decision = following.settle(world.repository, RELEASE, "main", number)
    world.runs[number]["status"] = "completed"
    return decision


def test_rounds_go_on_until_all_parts_are_built(world: HostedRounds, tmp_path: Path) -> None:
    world.start(FIRST)
    steps = [_round(world, tmp_path).step for _ in range(ACTIONS // PER_ROUND)]
    assert steps == [NextStep.DISPATCH, NextStep.DISPATCH, NextStep.FINISH]
    assert world.ran == dict.fromkeys(PARTS, ACTIONS)
    assert not world.waiting


@pytest.mark.parametrize("fault", ["gone", "upload", "changed", "cut", "hostile", "spoiled"])
def test_a_lost_or_damaged_state_costs_its_round_alone(
    fault: str, world: HostedRounds, tmp_path: Path
) -> None:
    world.start(FIRST)
    _round(world, tmp_path)
    _round(world, tmp_path, arm64=fault)
    while _round(world, tmp_path).step is NextStep.DISPATCH:
        pass
    assert world.ran == {PARTS[0]: ACTIONS + PER_ROUND, PARTS[1]: ACTIONS}
    assert not list(tmp_path.rglob("evil*"))


def test_what_a_fork_s_pull_request_leaves_is_not_taken(
    world: HostedRounds, tmp_path: Path
) -> None:
    world.start(FIRST)
    _round(world, tmp_path)
    own = world.repository.artifacts(f"state-{PARTS[0]}")
    world.upload(world.waiting[0], PARTS[0], "state-0009.tar", b"evil", "fork")
    assert world.repository.artifacts(f"state-{PARTS[0]}") == own
    assert len(own) == 1
    del world.artifacts[-1][0]["workflow_run"]["head_repository_id"]
    assert world.repository.artifacts(f"state-{PARTS[0]}") == own


def test_lost_rounds_in_a_row_end_it(world: HostedRounds, tmp_path: Path) -> None:
    world.start(FIRST)
    decisions = [_round(world, tmp_path, x86_64="upload") for _ in range(3)]
    assert [decision.step for decision in decisions][1:] == [NextStep.DISPATCH, NextStep.STOP]
    assert "3 rounds in a row" in decisions[-1].reason
    assert following.exit_code(decisions[-1]) is ExitCode.FAILED


def test_a_round_without_progress_ends_it(world: HostedRounds, tmp_path: Path) -> None:
    world.start(FIRST)
    assert _round(world, tmp_path, arm64="stuck").reason == "the build failed: arm64-3.12"
    assert not world.waiting


def test_a_dispatch_that_is_lost_is_made_good_by_the_watch(
    world: HostedRounds, tmp_path: Path
) -> None:
    world.start(FIRST)
    number = world.waiting[0]
    world.run_round(number, tmp_path, {})
    world.refuse = 99
    with pytest.raises(WorkFailed):
        following.settle(world.repository, RELEASE, "main", number)
    world.refuse = 0
    assert following.settle(world.repository, RELEASE, "main", None).step is NextStep.NOTHING
    world.runs[number]["status"] = "completed"
    assert following.settle(world.repository, RELEASE, "main", None).step is NextStep.DISPATCH
    assert following.settle(world.repository, RELEASE, "main", None).step is NextStep.NOTHING
    assert len(world.waiting) == 1


def test_two_dispatches_at_once_build_everything_once(world: HostedRounds, tmp_path: Path) -> None:
    world.start(FIRST)
    world.lose_answer = 1  # it worked, the answer was lost, and it is asked for again
    _round(world, tmp_path)
    assert len(world.waiting) == 2
    assert _round(world, tmp_path).step is NextStep.NOTHING
    assert _round(world, tmp_path).step is NextStep.FINISH
    assert world.ran == dict.fromkeys(PARTS, ACTIONS)


def test_a_cold_release_takes_no_earlier_state(world: HostedRounds, tmp_path: Path) -> None:
    world.start(FIRST)
    _round(world, tmp_path)
    world.waiting.clear()
    cold = world.start("")
    world.runs[cold]["display_title"] = str(RoundTitle("demo", 1, 0, since=cold))
    assert _round(world, tmp_path).following == RoundTitle("demo", 2, 0, cold)
    while _round(world, tmp_path).step is NextStep.DISPATCH:
        pass
    assert world.ran == dict.fromkeys(PARTS, ACTIONS + PER_ROUND)


def test_random_faults_lose_rounds_and_never_the_build(world: HostedRounds, tmp_path: Path) -> None:
    for seed in range(4):
        chance = random.Random(seed)
        world.ran.clear()
        begun = world.start("")
        world.runs[begun]["display_title"] = str(RoundTitle("demo", 1, 0, since=begun))
        decision = RoundDecision(NextStep.DISPATCH, "", {})
        lost = 0
        while decision.step is NextStep.DISPATCH or world.waiting:
            faults = random_faults(chance, PARTS)
            lost += any(faults.values())
            world.lose_answer = chance.random() < 0.2
            number = world.waiting[0]
            world.run_round(number, tmp_path, faults)
            decision = following.settle(world.repository, RELEASE, "main", number)
        assert decision.step in (NextStep.FINISH, NextStep.STOP)
        for part, ran in world.ran.items():
            if decision.step is NextStep.FINISH:
                assert ACTIONS <= ran <= ACTIONS + lost * 2 * PER_ROUND, part
            else:
                assert "in a row" in decision.reason or "suffice" in decision.reason


def test_titles_are_read_as_they_are_written() -> None:
    title = RoundTitle("tf-2.21", 3, 1, 77, "v2.21.0+macos.1")
    assert RoundTitle.parse(str(title)) == title
    for wrong in ("", "release x", f"{title} ", "release x round 1 failures 0 since -1 tag -"):
        assert RoundTitle.parse(wrong) is None
