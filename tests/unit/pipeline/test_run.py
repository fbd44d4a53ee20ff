"""The engine on small stages of its own: what is kept, what is swept, what a failure leaves."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import config, locks
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.pipeline import plan as planning
from tensorflow_macos_build.pipeline import preflight, run
from tensorflow_macos_build.pipeline.doctor import Availability, HostFinding
from tensorflow_macos_build.pipeline.plan import BuildPlan, BuildRequest, PlannedStage, StageState
from tensorflow_macos_build.pipeline.records import FileRecord, PatchResult, Record
from tensorflow_macos_build.pipeline.stage import (
    FinishedStage,
    Instructions,
    Results,
    Stage,
    StageJob,
)
from tensorflow_macos_build.pipeline.stages import build as bazel_builds
from tensorflow_macos_build.pipeline.stages.patch import PATCH
from tensorflow_macos_build.pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.pipeline.rounds.budget import TimeBox
    from tensorflow_macos_build.pipeline.rounds.model import Round

ROOT = Path(__file__).resolve().parents[3]


class Words(Record):
    text: str


class Written(Record):
    file: FileRecord


def write(job: StageJob[Words]) -> Written:
    path = job.folder / "text"
    path.write_text(job.inputs.text.upper())
    return Written(file=job.file(path))


class RecordingObserver:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.worked: list[str] = []

    def waiting_for(self, holder: locks.LockHolder | None) -> None:
        self.worked.append("waiting")

    def plan_made(self, plan: BuildPlan) -> None:
        pass

    def looked_at(self, findings: Sequence[HostFinding]) -> None:
        self.worked += [finding.code for finding in findings]

    @contextlib.contextmanager
    def stage_started(self, planned: PlannedStage) -> Iterator[Ticker]:
        self.worked.append(f"{planned.stage.name}: {planned.why}")
        yield silent

    def note(self, text: str) -> None:
        self.worked.append(text)

    def round_ended(self, rounds: Sequence[Round], state: Path) -> None:
        self.worked.append(str(state))

    def stage_done(self, finished: FinishedStage) -> None:
        pass


def stage(name: str, text: str, needs: tuple[Stage[Any, Any], ...] = ()) -> Stage[Words, Written]:
    def inputs(workspace: Workspace, results: Results) -> Words:
        return Words(text="+".join([text, *(results[need].file.sha256 for need in needs)]))

    return Stage(name, needs, inputs, write, Written, lambda value: value.file.path)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    loaded = config.load("demo", root=ROOT)
    return Workspace(dataclasses.replace(loaded, root=tmp_path))


def execute(
    workspace: Workspace, stages: tuple[Stage[Any, Any], ...], force: tuple[str, ...] = ()
) -> tuple[tuple[FinishedStage, ...], list[str]]:
    plan, results = [], Results()
    for member in stages:
        planned = planning.examine(
            workspace, member, Instructions(), results, forced=member.name in force
        )
        plan.append(planned)
        results = results.adding(planned.finished) if planned.finished else results
    observer = RecordingObserver()
    with run.space_is_needed(workspace):
        done = run.execute(BuildPlan(workspace, BuildRequest(force=force), tuple(plan)), observer)
    return done, observer.worked


def test_what_is_made_is_up_to_date_the_next_time(workspace: Workspace) -> None:
    first = stage("one", "a")
    stages = (first, stage("two", "b", (first,)))
    _, worked = execute(workspace, stages)
    assert worked == ["one: not made yet", "two: not made yet"]
    done, worked = execute(workspace, stages)
    assert worked == []
    assert all(finished.up_to_date for finished in done)


def test_a_change_is_named_and_reaches_only_what_it_changes(workspace: Workspace) -> None:
    first = stage("one", "a")
    execute(workspace, (first, stage("two", "b", (first,))))
    same = stage("one", "A")  # another input, and the same result
    _, worked = execute(workspace, (same, stage("two", "b", (same,))))
    assert worked == ["one: changed: text"]
    _, worked = execute(workspace, (same, stage("two", "b", (same,))), force=("one",))
    assert worked == ["one: forced"]


def test_going_back_finds_the_old_result(workspace: Workspace) -> None:
    for text in ("a", "b"):
        execute(workspace, (stage("one", text),))
    assert execute(workspace, (stage("one", "a"),))[1] == []


def test_old_results_are_forgotten_but_never_the_one_in_use(workspace: Workspace) -> None:
    for text in "abcdef":
        done, _ = execute(workspace, (stage("one", text),))
    folders = [path for path in (workspace.folder / "one").iterdir() if path.is_dir()]
    assert len(folders) == run.KEPT
    assert (workspace.root / done[0].value.file.path).read_text() == "F"  # type: ignore[attr-defined]  # it is Written


def test_a_stage_that_fails_leaves_nothing_and_those_before_it_stand(workspace: Workspace) -> None:
    def fail(job: StageJob[Words]) -> Written:
        (job.folder / "half").write_text("x")
        raise WorkFailed("it broke")

    first = stage("one", "a")
    second = dataclasses.replace(stage("two", "b", (first,)), work=fail)
    with pytest.raises(WorkFailed, match="it broke"):
        execute(workspace, (first, second))
    assert list((workspace.folder / "two").iterdir()) == []
    assert execute(workspace, (first, stage("two", "b", (first,))))[1] == ["two: not made yet"]


def test_a_full_device_is_told_with_what_to_do(workspace: Workspace) -> None:
    def fill(job: StageJob[Words]) -> Written:
        (job.folder / "half").write_text("x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(job.folder / "half"))

    full = dataclasses.replace(stage("one", "a"), work=fill)
    with pytest.raises(WorkFailed, match="no space left for the build") as caught:
        execute(workspace, (full,))
    assert "No space left on device" in caught.value.detail
    assert "du -sh" in caught.value.hint
    assert list((workspace.folder / "one").iterdir()) == []


def test_another_failure_of_the_system_is_not_hidden(workspace: Workspace) -> None:
    def fail(job: StageJob[Words]) -> Written:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(PermissionError):
        execute(workspace, (dataclasses.replace(stage("one", "a"), work=fail),))


def test_a_stage_waits_for_what_it_needs_and_its_state_is_told(workspace: Workspace) -> None:
    first = stage("one", "a")
    second = stage("two", "b", (first,))
    planned = planning.examine(workspace, second, Instructions(), Results(), forced=False)
    assert (planned.state, planned.why, planned.key) == (StageState.WAITS, "decided by one", None)


@pytest.mark.parametrize("is_told_later", [False, True])
@pytest.mark.parametrize("code", ["upstream", "upstream-target"])
def test_what_upstreams_files_could_not_tell_the_patched_tree_tells_before_bazel(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, code: str, is_told_later: bool
) -> None:
    looks: list[PatchResult | None] = []

    def examine(
        _: Workspace, ignore: tuple[str, ...], *, patched: PatchResult | None, box: TimeBox | None
    ) -> tuple[HostFinding, ...]:
        assert box is None
        looks.append(patched)
        missing = HostFinding(code, "files", Availability.NOT_LOOKED_AT, needed=True)
        fault = HostFinding("upstream-target", "t", Availability.DOES_NOT_FIT, needed=True)
        later = (dataclasses.replace(fault, ignored=fault.code in ignore),)
        return later if patched and is_told_later else (missing,)

    monkeypatch.setattr(preflight, "examine", examine)
    of_bazel = PlannedStage(bazel_builds.ARM64, Instructions(), StageState.WAITS, "why")
    before_it = PlannedStage(stage("one", "a"), Instructions(), StageState.TO_RUN, "why")
    holder = FileRecord(path="holder", size=0, sha256="")
    value = PatchResult(commit="c", tree="t", git_dir="g", patches=(), holder=holder)
    patched = Results().adding(FinishedStage(PATCH, "key", value, 0.0, up_to_date=False))
    for ignore in ((), ("upstream-target",)):
        looks.clear()
        request = BuildRequest(ignore=ignore)
        plan = BuildPlan(workspace, request, (before_it, of_bazel))
        gate = run._Preflight(plan, RecordingObserver())
        gate.before_all()
        gate.before(before_it, Results())
        assert looks == [None]
        if is_told_later and not ignore:
            with pytest.raises(UsageError, match="one finding speaks"):
                gate.before(of_bazel, patched)
            continue
        gate.before(of_bazel, patched)
        gate.before(of_bazel, patched)
        assert looks == [None, value]
