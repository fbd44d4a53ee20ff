"""Builds: plans, finished stages, hosts and rounds, and calls of the views that show them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import config, locks
from tensorflow_macos_build.errors import WorkFailed, refusals
from tensorflow_macos_build.pipeline.doctor import Availability, HostFinding
from tensorflow_macos_build.pipeline.group_needs import GroupFindings
from tensorflow_macos_build.pipeline.plan import BuildPlan, BuildRequest, PlannedStage, StageState
from tensorflow_macos_build.pipeline.records import (
    CheckRecord,
    DistResult,
    Effort,
    FileRecord,
    SmokeResult,
    SourceResult,
    TimedAction,
    TimedKind,
    TimeSpent,
    WheelResult,
)
from tensorflow_macos_build.pipeline.rounds.budget import Deadline, TimeBox
from tensorflow_macos_build.pipeline.rounds.folder import StateReport
from tensorflow_macos_build.pipeline.rounds.model import Round, RoundEnd, State
from tensorflow_macos_build.pipeline.stage import FinishedStage
from tensorflow_macos_build.pipeline.stages import prove, publish
from tensorflow_macos_build.pipeline.stages.build import ARM64
from tensorflow_macos_build.pipeline.stages.source import SOURCE
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.tasks import docs
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.views import (
    build,
    build_summary,
    doctor,
    group_needs,
    markdown,
    reference,
    rounds,
    tables,
    time_spent,
)
from tensorflow_macos_build.views import config as config_view
from tests.view_samples.identifiers import ID, ROOT, SHA256

if TYPE_CHECKING:
    from collections.abc import Callable

LOADED = config.load("demo", root=ROOT)
WORKSPACE = Workspace(LOADED)
FINISHED = FinishedStage(
    SOURCE,
    SHA256,
    SourceResult(
        url="embedded:",
        ref="v1",
        commit=ID,
        git_dir="build/mirrors/x.git",
        head=FileRecord(path="build/mirrors/x.git/HEAD", size=1, sha256=SHA256),
    ),
    1.5,
    up_to_date=False,
)
COMPILED = TimedAction(description="Compiling a|b.cc", seconds=2.25)
EFFORT = Effort(
    actions=1234,
    cache_hits=12,
    needed=2468,
    runners={"linux-sandbox": 1222, "disk cache hit": 12},
    reasons={"action command has changed": 1},
    time=TimeSpent(
        kinds=(TimedKind(kind="CppCompile", actions=1, seconds=2.25),),
        slowest=(COMPILED,),
        critical_seconds=2.25,
        critical_path=(COMPILED,),
    ),
)
BUILT = FinishedStage(
    ARM64,
    SHA256,
    WheelResult(
        architecture="arm64",
        wheel=FileRecord(path="build/x.whl", size=1, sha256=SHA256),
        effort=EFFORT,
    ),
    61.5,
    up_to_date=False,
)
WHEEL = FileRecord(path="dist/demo/x.whl", size=1234, sha256=SHA256)
TRIED = FinishedStage(
    prove.SMOKE,
    SHA256,
    SmokeResult(
        checks=(
            CheckRecord(
                wheel="x.whl", leg="arm64", name="import", outcome="passed", why="", evidence={}
            ),
        )
    ),
    3.5,
    up_to_date=True,
)
PUBLISHED = FinishedStage(
    publish.stage(prove.SMOKE),
    SHA256,
    DistResult(folder="dist/demo", wheel=WHEEL, files=(WHEEL,)),
    0.5,
    up_to_date=False,
)
PLAN = BuildPlan(
    WORKSPACE,
    BuildRequest(),
    (
        PlannedStage(
            SOURCE, SOURCE.instructions(WORKSPACE), StageState.TO_RUN, "not made yet", SHA256
        ),
    ),
)
IN_ROUNDS = BuildPlan(
    WORKSPACE, BuildRequest(time_box=TimeBox(Path("/states"), Deadline(19200.0))), PLAN.stages
)
HOST = [
    HostFinding("bazel", "Bazel", state, needed=True, remedy="get it") for state in Availability
]
NEEDS = tuple(GroupFindings(group, tuple(HOST)) for group in ("build", "queue"))
STATE = State(
    2,
    "demo",
    {"clang": "19"},
    SHA256,
    tuple(
        Round(
            number=number,
            plan=SHA256,
            end=end,
            seconds=12.5 if number > 1 else None,
            run=1234,
            hits=5678 if number > 1 else None,
            overlap=0,
            remade=0,
            stages=("source",),
        )
        for number, end in enumerate(RoundEnd, 1)
    ),
)
REPORTS = [
    StateReport(3, Path("/states/state-0003.tar"), 100, "it is cut off", None),
    StateReport(2, Path("/states/state-0002.tar"), 10**9, "", STATE),
]
TABLE = tables.Table.of(
    ("patch", "n"), [("0001-a.patch", "12"), (tables.TableCell("b", "red"), "")]
)

CALLS: dict[Callable[..., Any], list[tuple[Any, ...]]] = {
    build.plan_document: [(PLAN,), (PLAN, HOST), (IN_ROUNDS,)],
    build.plan_lines: [(PLAN,), (PLAN, HOST), (IN_ROUNDS,)],
    build.planned_line: [(PLAN.stages[0],)],
    build.finished_line: [(FINISHED,), (BUILT, "changed: release.name")],
    build.summary: [(PLAN,)],
    build.waiting_line: [(None,), (locks.LockHolder(4242, 1_795_720_959, "inv build"),)],
    build.as_document: [(WORKSPACE, [FINISHED])],
    build.as_lines: [
        (WORKSPACE, [FINISHED]),
        (WORKSPACE, [BUILT]),
        (WORKSPACE, [TRIED, PUBLISHED]),
    ],
    rounds.as_document: [(REPORTS,), ([],)],
    rounds.as_lines: [(REPORTS,), ([],)],
    rounds.as_markdown: [(STATE.rounds,)],
    rounds.ended_lines: [(STATE.rounds, REPORTS[0].path)],
    markdown.escaped: [("a|b",)],
    markdown.verbatim: [("a\nb",)],
    markdown.table: [(("a", "b"), [("1", "2")])],
    build_summary.as_markdown: [("demo", [FINISHED, BUILT, TRIED, PUBLISHED])],
    markdown.failure: [(WorkFailed("x", where="a:1", detail="y", hint="z"),)],
    tables.in_style: [("red", "a", "b")],
    tables.lines: [(TABLE,), (TABLE, 60), (TABLE, 20), (tables.Table.of((), []), 20)],
    time_spent.in_short: [(EFFORT,)],
    time_spent.effort_of: [(FINISHED,), (BUILT,)],
    time_spent.title: [(BUILT,)],
    time_spent.as_lines: [(EFFORT,), (Effort(actions=1, cache_hits=0),)],
    time_spent.as_markdown: [(BUILT, EFFORT), (BUILT, Effort(actions=1, cache_hits=0))],
    config_view.as_document: [(LOADED,)],
    config_view.yaml_lines: [(LOADED,)],
    doctor.as_lines: [(HOST,)],
    doctor.rows: [(HOST,)],
    group_needs.as_document: [("demo", NEEDS, NEEDS[0])],
    group_needs.as_lines: [("demo", NEEDS)],
    reference.config_page: [(config.schema(), docs.example_of(ROOT))],
    reference.tasks_page: [(tuple(docs.task_helps(ROOT, namespace)),)],
    reference.exit_codes_page: [(refusals(),)],
}
