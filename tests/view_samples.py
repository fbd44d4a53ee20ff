"""A value of every kind that a view shows, and a call of every view with one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from tensorflow_macos_build import config, locks
from tensorflow_macos_build.errors import WorkFailed, refusals
from tensorflow_macos_build.git.diffs import DiffHunk, FileDiff, LineRange
from tensorflow_macos_build.patchqueue.audit.model import (
    AuditFinding,
    AuditResult,
    NameKind,
    NameUse,
    UsedName,
)
from tensorflow_macos_build.patchqueue.edit.step import EditProgress
from tensorflow_macos_build.patchqueue.exchange.exporting import Exported, ExportForm
from tensorflow_macos_build.patchqueue.exchange.sources import Imported
from tensorflow_macos_build.patchqueue.forecast.bisection import BreakKind
from tensorflow_macos_build.patchqueue.forecast.forecast import (
    Break,
    Forecast,
    ForecastColumn,
    PatchForecast,
)
from tensorflow_macos_build.patchqueue.picking.pin import Pinned
from tensorflow_macos_build.patchqueue.picking.upstream_report import DueCondition, UpstreamReport
from tensorflow_macos_build.patchqueue.picking.watch import PickState, WatchedPick
from tensorflow_macos_build.patchqueue.proof.fates import FatedUnit, UnitFate
from tensorflow_macos_build.patchqueue.proof.model import (
    ConflictProof,
    FileProof,
    HunkProof,
    ProofClass,
)
from tensorflow_macos_build.patchqueue.proof.units import PatchUnit
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
from tensorflow_macos_build.patchqueue.queue.picks import Pick
from tensorflow_macos_build.patchqueue.queue.storage import Saved
from tensorflow_macos_build.patchqueue.rebase.engine import RebaseRequest, RebaseResult
from tensorflow_macos_build.patchqueue.rebase.hunks import HunksRequest, PatchHunks
from tensorflow_macos_build.patchqueue.rebase.step import RebaseProgress
from tensorflow_macos_build.patchqueue.review import report
from tensorflow_macos_build.patchqueue.review.lint import LintFinding
from tensorflow_macos_build.patchqueue.review.queue_lint import LintResult
from tensorflow_macos_build.patchqueue.verdict.status import (
    ConflictReport,
    Evidence,
    HunkReport,
    PatchStatus,
    Status,
)
from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit
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
from tensorflow_macos_build.pipeline.releasing.check import (
    CheckedRelease,
    CheckState,
    ReleaseCheck,
)
from tensorflow_macos_build.pipeline.releasing.prepare import Preparation
from tensorflow_macos_build.pipeline.rounds.budget import Deadline, TimeBox
from tensorflow_macos_build.pipeline.rounds.folder import StateReport
from tensorflow_macos_build.pipeline.rounds.model import Round, RoundEnd, State
from tensorflow_macos_build.pipeline.stage import FinishedStage
from tensorflow_macos_build.pipeline.stages import prove, publish
from tensorflow_macos_build.pipeline.stages.build import ARM64
from tensorflow_macos_build.pipeline.stages.source import SOURCE
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.release.hosted.issue import ForecastIssue, IssueChange, PublishedIssue
from tensorflow_macos_build.release.hosted.rounds import (
    NextStep,
    PartOutcome,
    RoundDecision,
    RoundTitle,
)
from tensorflow_macos_build.release.hosted.states import FetchedStates, StatesRequest
from tensorflow_macos_build.release.index.model import (
    IndexedProject,
    IndexRequest,
    PublishedIndex,
    ReleasedFile,
)
from tensorflow_macos_build.release.model import (
    FileKind,
    Gate,
    GateOutcome,
    Manifest,
    ReleaseFile,
)
from tensorflow_macos_build.release.prepared import PreparedFolder, PublishedFile
from tensorflow_macos_build.release.publishing import plan as publishing
from tensorflow_macos_build.release.publishing.destinations import PublishPlan
from tensorflow_macos_build.release.workflows import RoundLimits, StagedRelease
from tensorflow_macos_build.site.model import (
    PublishedSite,
    Shelf,
    SiteRequest,
    SourceDocument,
)
from tensorflow_macos_build.smoke import CheckOutcome, SmokeCheck, SmokeReport
from tensorflow_macos_build.smoke.compare import compare
from tensorflow_macos_build.smoke.sweep import (
    ExcludedOp,
    Exclusion,
    RegistrationFault,
    SweepCase,
    SweepOutcome,
    SweepReport,
    SweepResult,
)
from tensorflow_macos_build.tasks import docs
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.upstream.releases import (
    Distance,
    ReleaseBranch,
    UpstreamBase,
    UpstreamRelease,
    UpstreamStatus,
)
from tensorflow_macos_build.views import (
    audit,
    bench,
    bench_chart,
    build,
    build_summary,
    contents,
    doctor,
    edit,
    evidence,
    exchange,
    forecast,
    forecast_page,
    fuse,
    group_needs,
    hosted,
    hunks,
    markdown,
    matrix,
    matrix_picture,
    picks,
    proofs,
    queue_list,
    rangediff_page,
    rebase,
    rebase_progress,
    reference,
    release,
    release_index,
    relocate,
    review,
    rounds,
    saved,
    shapes,
    site,
    smoke,
    smoke_compare,
    smoke_junit,
    smoke_page,
    sweep,
    sweep_picture,
    tables,
    time_spent,
    upstream,
    verify,
    wheelhouse,
)
from tensorflow_macos_build.views import config as config_view
from tensorflow_macos_build.wheels.contents import FolderContents, WheelContents
from tensorflow_macos_build.wheels.dist_info.tags import parse_name
from tensorflow_macos_build.wheels.fuse.engine import Fused
from tensorflow_macos_build.wheels.fuse.verdicts import Verdict
from tensorflow_macos_build.wheels.matrix import Cell, Matrix, MatrixWheel
from tensorflow_macos_build.wheels.relocate.engine import Copied, Relocated
from tensorflow_macos_build.wheels.retag import Retagged
from tensorflow_macos_build.wheels.thin.engine import Thinned
from tensorflow_macos_build.wheels.verify import Code, Finding, Verification
from tensorflow_macos_build.wheels.verify.plugin_link import MissingSymbol, PluginLink
from tensorflow_macos_build.wheels.verify.plugins import LinkedPlugin
from tensorflow_macos_build.wheels.verify.symbol_binding import SymbolCounts
from tensorflow_macos_build.wheels.wheelhouse import (
    EntryKind,
    Wheelhouse,
    WheelhouseEntry,
    WheelhouseOptions,
    WheelhouseRequest,
)
from tests import bench_times

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "patches/demo"
ID = "0123456789abcdef0123456789abcdef01234567"
SHA256 = "0" * 64
FLAGS = ("--queue", "demo")

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

QUEUE = storage.load(DEMO)
COMMIT = UpstreamCommit(ID, "A <a@example.org>", "2024-05-08T17:30:29+02:00", "Say", "")
HUNK = HunkReport(1, 2, (), ("ours",), ("theirs",) * 20, (COMMIT,))
CONFLICTS = (
    ConflictReport("a.py", "CONFLICT (contents)", "Merge conflict", (HUNK,), (COMMIT,), "b.py", ()),
    ConflictReport("c.py", "CONFLICT (modify/delete)", "gone", (), (COMMIT,), "", ("other",)),
)
EVIDENCE = Evidence(
    (COMMIT,), "mention", (COMMIT,), CONFLICTS, ("other",), ("a.py",), (COMMIT,), ("r.yaml",)
)
STATUSES = tuple(
    PatchStatus(f"{status.value}.patch", "S", ID, status, EVIDENCE, in_tree=False)
    for status in Status
)
LOOKED_FOR = AuditFinding(
    "a.patch", UsedName(NameKind.IDENTIFIER, "old"), NameUse("a.py", 3, "old()"), 2, "b.py"
)
AUDIT = AuditResult(
    (
        LOOKED_FOR,
        replace(LOOKED_FOR, removed_by=(COMMIT,), renamed_to="new"),
        replace(LOOKED_FOR, used=UsedName(NameKind.FILE, "b.py"), looked_at="it is well"),
    ),
    4,
    1,
)
SAVED = Saved(QUEUE, ("kept",), ("written",), ("removed",))
REQUEST = RebaseRequest(DEMO, "v2", Path("build/mirrors"), write=True)
PROOF = ConflictProof(
    "conflict.patch",
    (
        FileProof("a.py", (*(HunkProof(proof, (b"x\n",) * 20) for proof in ProofClass), None)),
        FileProof("b.py", deleted=True),
    ),
    is_whole=False,
)
CHANGED = FileDiff("a.py", (), (DiffHunk(LineRange(0, 1), LineRange(0, 1), (b"-a\n", b"+b\n")),))
HUNKS_REQUEST = HunksRequest(DEMO, "conflict", "v2", Path("build/mirrors"))
HUNKS = PatchHunks(
    STATUSES[0],
    ID,
    tuple(
        FatedUnit(PatchUnit(number, CHANGED, CHANGED.hunks[0] if number % 2 else None), fate, more)
        for number, (fate, more) in enumerate(
            ((fate, commits) for fate in UnitFate for commits in ((), (COMMIT,))), 1
        )
    ),
)
NO_PROOF = ConflictProof("a.patch", (), is_whole=False)
CONFLICTING = RebaseResult(ID, ID, ID, STATUSES, ("custom",), audit=AUDIT, proofs=(PROOF,))
CLEAN = RebaseResult(ID, ID, ID, STATUSES[:1], (), SAVED)
STOPPED = RebaseProgress("v2", CONFLICTING, "conflict.patch", Path("build/rebase/demo"), ("a.py",))
ENDED = RebaseProgress("v2", CLEAN, "", Path("build/rebase/demo"), ())
EDITING = EditProgress(None, (), Path("build/edit/demo/tree"), "S", ("a.py",))
EDITED = EditProgress(SAVED, ("emptied",))
WATCHED = tuple(
    WatchedPick(Pick(ID, "7", ID, "backport", "never"), state, ID, added=(COMMIT,), gone=(COMMIT,))
    for state in PickState
)
IMPORTED = Imported(
    (PatchStep(QUEUE.patches[0].patch.header, ID, ID),),
    (("empty.patch", "S"),),
    ((ID, "Merge"),),
    upstream_merges=((ID, "Merge v2"),),
    conflicted=((ID, "S"),),
    notes=("2 commits changed files of several topics, and are named in each",),
)
EXPORTED = Exported(QUEUE, ExportForm.MAILBOX, "out.mbox")
FATES = tuple(
    PatchForecast(
        status,
        EVIDENCE,
        Break(BreakKind.PRESENT, COMMIT, ID) if status is Status.CONFLICT else None,
    )
    for status in Status
)
FORECAST = Forecast(
    "demo",
    QUEUE.base,
    tuple((f"{status.value}.patch", "S") for status in Status),
    (ForecastColumn("v2", ID, 3, FATES, AUDIT),),
    1,
)
REPORT = replace(report.compare(str(DEMO), str(DEMO)), audit=AUDIT)
LINT = LintResult(
    "demo",
    "demo",
    tuple(LintFinding("trailer-missing", "a", at, "no Owner") for at in range(1, 13)),
)

FUSED = Fused(Path("a.whl"), SHA256, dict.fromkeys(Verdict, ("a",) * 20), ("note",))
THINNED = Thinned(Path("a.whl"), SHA256, 1, 2, ("a",))
RETAGGED = Retagged(Path("a.whl"), SHA256)
RELOCATED = Relocated(Path("a.whl"), SHA256, True, (Copied("/l.dylib", ("arm64",), ("a",)),))
FINDINGS = tuple(Finding(code, "evidence", "a.so", "arm64") for code in Code)
LINKED = PluginLink(
    "tensorflow-plugins/libp.dylib",
    "arm64",
    ("@rpath/lost.so",),
    ("_TF_One",),
    (MissingSymbol("_TF_Two", "", True, ()), MissingSymbol("_x", "@rpath/a", False, ("a.so",))),
    3,
)
VERIFIED = Verification(
    Path("a.whl"), FINDINGS, 3, 2, 4, SymbolCounts(),
    (LinkedPlugin(Path("p.whl"), (LINKED,), ()),),
)  # fmt: skip
PLUGIN = MatrixWheel("plug", "1.0", "arm64", "p.whl", SHA256)
TENSORFLOWS = tuple(
    MatrixWheel(project, version, "arm64", f"{version}.whl", SHA256)
    for project, version in (("tensorflow-macos", "2.9.2"), ("tensorflow", "2.20.0"))
)
NONE = frozenset[str]()
WEIGHED = WheelContents(
    Path("a.whl"),
    9,
    SHA256,
    {"a": FolderContents(2, 9, 3, Counter({"arm64": 4})), "": FolderContents(1)},
)
MATRIX = Matrix(
    (PLUGIN,),
    TENSORFLOWS,
    (
        Cell(PLUGIN, TENSORFLOWS[0], (), frozenset({"_a"}), NONE, frozenset({"_b"}), NONE),
        Cell(PLUGIN, TENSORFLOWS[1], ("@rpath/x",), NONE, frozenset({"_a"}), NONE, NONE),
    ),
    {TENSORFLOWS[0]: frozenset({"_a"}), TENSORFLOWS[1]: NONE},
    ("empty.whl",),
)
WHEELHOUSE = Wheelhouse(
    Path("wheelhouse"),
    Path("wheelhouse/lock.txt"),
    (
        WheelhouseEntry(
            "a", "1", "a.whl", SHA256, 9, EntryKind.FUSED, ("arm64",), ("https://example.org/a",)
        ),
    ),
    ("note",),
)
WANTED = WheelhouseRequest(("a==1",), WheelhouseOptions(Path("build/wheelhouse")))
SMOKE = SmokeReport(
    "a.whl",
    "GPU:0",
    "CPU:0",
    "full",
    True,
    (
        SmokeCheck("arm64", "install", CheckOutcome.PASSED, evidence={"wheel": "a.whl"}),
        SmokeCheck("arm64", "compute", CheckOutcome.FAILED, "why", {"on": {"op": "GPU"}, "l": [1]}),
    ),
)
COMPARISON = compare(
    smoke.as_document(SMOKE), smoke.as_document(replace(SMOKE, checks=SMOKE.checks[:1]))
)
SWEPT = SweepReport(
    "a.whl",
    "arm64",
    "2.16.2",
    "GPU:0",
    "CPU:0",
    tuple(
        SweepResult(SweepCase("Op", (("T", outcome.value),)), outcome, "why", "value", 3.5, 64.0)
        for outcome in SweepOutcome
    ),
    (ExcludedOp("ReadFile", Exclusion.FILES, 1),),
    (RegistrationFault("Op", "duplicate", "why"),),
    2.5,
    "it ended",
)
RELEASE = UpstreamRelease("v2", Version("2"), ID, 1_700_000_000)
BEHIND = UpstreamStatus(
    "embedded:",
    UpstreamBase("v1", ID, 1_600_000_000, Version("1")),
    (RELEASE,),
    (RELEASE,),
    Distance(3, 1, 100),
    (ReleaseBranch("r3", Version("3"), ID, 1_700_000_000, "v3rc0", False),),
)
WATCHING = UpstreamReport(BEHIND, WATCHED, (DueCondition("a.patch", "upstream >= 2", "v2"),))

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

MANIFEST = Manifest(
    release="demo",
    tag="v1",
    project="tensorflow",
    version="1",
    upstream={"url": "embedded:", "ref": "v1", "commit": ID},
    tool={"version": "1", "commit": ID},
    gates=tuple(Gate("smoked", outcome, "why", "remedy") for outcome in GateOutcome),
    files=(ReleaseFile("x.whl", 1, SHA256, FileKind.WHEEL),),
)
PREPARED = Preparation(Path("/out/v1"), MANIFEST, {}, (), MANIFEST.gates[1:2])
STATES = StatesRequest("arm64-3.12", "main", 7, Path("states"))
_NEXT = RoundTitle("demo", 2, 0, 7)
DECISIONS = [
    RoundDecision(NextStep.DISPATCH, "why", {"arm64-3.12": PartOutcome.PAUSED}, _NEXT),
    RoundDecision(NextStep.STOP, "why", {"arm64-3.12": PartOutcome.FAILED}),
]
_OFFERED = ReleasedFile(
    path=Path("dist/demo-1.0-py3-none-any.whl"),
    name=parse_name("demo-1.0-py3-none-any.whl"),
    sha256="0" * 64,
    size=100,
    metadata=b"",
    url="../../packages/demo/demo-1.0-py3-none-any.whl",
    metadata_is_served=True,
    yanked="[red]bad[/red]",
)
INDEX = PublishedIndex(
    IndexRequest((Path("dist"),), Path("site")),
    (IndexedProject("demo", "archived", "over", (_OFFERED,)),),
    {"index.json": 80},
    (_OFFERED.path.name,),
    ("demo-0.9-py3-none-any.whl",),
)
SITE = PublishedSite(
    SiteRequest((Path("dist"),), Path("dist/site"), "TensorFlow for Macs"),
    Shelf((SourceDocument("dist/a.json", "report.v1", SHA256, {}),), ("b.json is none of ours",)),
    {"index.html": b"<p>"},
)

BENCHED = bench_times.result()
SHAPES = [shapes.Box(1, 2, 30, 9, 200), shapes.Dot(5, 6), shapes.Words(9, 9, "<a&b>", "end", True)]
OUTGOING = PublishedFile("x.whl", 1, SHA256, Path("/out/x.whl"))
PUBLISHING = PublishPlan(
    PreparedFolder(Path("/out"), MANIFEST, SHA256, "notes", (OUTGOING,)),
    "github:o/r",
    (
        publishing.CreateDraft(),
        publishing.DescribeDraft("1"),
        publishing.DeleteDraft("2"),
        publishing.DeleteFile("1", publishing.PresentFile("3", "y", 1, None), "why"),
        publishing.Upload("1", OUTGOING),
        publishing.Publish("1"),
    ),
    "https://example.org",
    ("a note",),
)

CHECKED = CheckedRelease(
    Path("/out"),
    MANIFEST,
    tuple(ReleaseCheck("sbom", state, "x", "words") for state in CheckState),
)

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
    contents.as_document: [(WEIGHED,)],
    contents.as_lines: [(WEIGHED,)],
    config_view.as_document: [(LOADED,)],
    config_view.yaml_lines: [(LOADED,)],
    doctor.as_lines: [(HOST,)],
    doctor.rows: [(HOST,)],
    group_needs.as_document: [("demo", NEEDS, NEEDS[0])],
    group_needs.as_lines: [("demo", NEEDS)],
    edit.as_document: [("demo", EDITING), ("demo", EDITED)],
    edit.as_lines: [(EDITING, FLAGS), (EDITED, FLAGS)],
    evidence.as_document: [(EVIDENCE,)],
    evidence.commit_document: [(COMMIT,)],
    evidence.signed: [(COMMIT,)],
    evidence.conflict_lines: [(STATUSES[0],)],
    forecast.as_document: [(FORECAST,)],
    forecast.as_lines: [(FORECAST,)],
    forecast_page.is_quiet: [(FORECAST.rows[0],)],
    forecast_page.summary: [(FORECAST.columns[0],)],
    forecast_page.counted: [([Status.CLEAN, Status.CONFLICT],)],
    forecast_page.effect: [(kind,) for kind in BreakKind],
    forecast_page.html: [(FORECAST,)],
    fuse.fused_document: [(FUSED,)],
    fuse.fused_lines: [(FUSED,)],
    fuse.thinned_document: [(THINNED,)],
    fuse.thinned_lines: [(THINNED,)],
    fuse.retagged_document: [(RETAGGED,)],
    fuse.retagged_lines: [(RETAGGED,)],
    exchange.imported_document: [(IMPORTED, SAVED)],
    exchange.imported_lines: [(IMPORTED, SAVED)],
    exchange.exported_document: [(EXPORTED,)],
    exchange.exported_lines: [(EXPORTED,)],
    rangediff_page.summary: [(REPORT.pairs,)],
    rangediff_page.markdown: [("title", REPORT.pairs)],
    rangediff_page.html: [("title", REPORT.pairs), ("title", REPORT.pairs, ["note"])],
    review.needs_look: [(REPORT,)],
    hosted.states_planned: [(STATES,)],
    hosted.states_fetched: [
        (STATES, FetchedStates(("state-0001.tar",), ("run 1: [red]bad",))),
        (STATES, FetchedStates((), ())),
    ],
    hosted.round_planned: [(StagedRelease("r.yml", ("arm64-3.12",), RoundLimits(9, 2)),)],
    hosted.issues_planned: [((ForecastIssue("demo", "text\n", True),),)],
    hosted.issues_settled: [((PublishedIssue("demo", IssueChange.OPENED, "https://h/1"),),)],
    hosted.round_decided: [(decision,) for decision in DECISIONS],
    hunks.as_document: [("demo", HUNKS_REQUEST, HUNKS)],
    hunks.as_lines: [(HUNKS_REQUEST, HUNKS, FLAGS)],
    proofs.as_part: [(PROOF,)],
    proofs.as_lines: [(PROOF,), (replace(PROOF, is_whole=True),), (NO_PROOF,)],
    audit.as_part: [(AUDIT,)],
    audit.as_lines: [(AUDIT, FLAGS, "v2"), (AuditResult(not_done="no"), FLAGS, "v2")],
    audit.finding_lines: [(finding,) for finding in AUDIT.findings],
    audit.looked_at_document: [("demo", "v2", AUDIT.findings)],
    audit.looked_at_lines: [("demo", AUDIT.findings)],
    queue_list.as_document: [([QUEUE],)],
    queue_list.changes_lines: [(QUEUE,)],
    queue_list.queues_lines: [([QUEUE],)],
    rebase.plan_lines: [(REQUEST, QUEUE)],
    rebase.plan_document: [("demo", REQUEST, QUEUE)],
    rebase.as_document: [("demo", REQUEST, CONFLICTING), ("demo", REQUEST, CLEAN)],
    rebase.as_lines: [("demo", REQUEST, CONFLICTING, FLAGS), ("demo", REQUEST, CLEAN, FLAGS)],
    rebase.drivers_lines: [(CONFLICTING,)],
    picks.pinned_document: [("demo", Pinned(WATCHED, EDITED)), ("demo", Pinned((), None))],
    picks.pinned_lines: [(Pinned(WATCHED, EDITED), FLAGS), (Pinned((), None), FLAGS)],
    picks.watched_body: [(WATCHED[0],)],
    picks.watched_lines: [(WATCHED, FLAGS)],
    reference.config_page: [(config.schema(), docs.example_of(ROOT))],
    reference.tasks_page: [(tuple(docs.task_helps(ROOT, namespace)),)],
    reference.exit_codes_page: [(refusals(),)],
    release.prepared_document: [(PREPARED,)],
    release.prepared_parts: [(PREPARED,)],
    release.publish_document: [(PUBLISHING,)],
    release.publish_parts: [(PUBLISHING,)],
    release_index.as_document: [(INDEX,)],
    release_index.as_lines: [(INDEX,)],
    release.checked_document: [(CHECKED,)],
    release.checked_parts: [(CHECKED,)],
    relocate.as_document: [(RELOCATED,)],
    relocate.as_lines: [(RELOCATED,)],
    review.lint_document: [(LINT,)],
    review.lint_annotations: [(LINT, Path("patches/demo"))],
    review.lint_parts: [(LINT,)],
    review.report_document: [(REPORT,)],
    review.report_markdown: [(REPORT,)],
    review.report_table: [(REPORT,)],
    saved.files: [(SAVED,), (None,)],
    rebase_progress.as_document: [("demo", STOPPED), ("demo", ENDED)],
    rebase_progress.as_lines: [("demo", STOPPED, FLAGS), ("demo", ENDED, FLAGS)],
    bench.as_document: [(BENCHED,)],
    bench.as_lines: [(BENCHED, Path("build/bench"))],
    bench.plan_document: [(BENCHED.design,)],
    bench.plan_lines: [(BENCHED.design,)],
    bench.seconds: [(0.5,)],
    bench.sessions_of: [(BENCHED.design,)],
    bench_chart.svg: [(BENCHED,)],
    bench_chart.png: [(BENCHED,)],
    shapes.hatches: [(shapes.Box(0, 0, 20, 9, 255),)],
    shapes.as_svg: [(SHAPES, 90, 30)],
    shapes.as_png: [(SHAPES, 90, 30)],
    sweep.as_document: [(SWEPT,)],
    sweep.as_parts: [(SWEPT,)],
    sweep.as_markdown: [(SWEPT,)],
    sweep.by_error: [(SWEPT.ops(),)],
    sweep.error_text: [(0.5,)],
    sweep_picture.draw: [(SWEPT,)],
    site.as_document: [(SITE,)],
    site.as_lines: [(SITE,)],
    smoke.as_document: [(SMOKE,)],
    smoke.as_parts: [(SMOKE,)],
    smoke_compare.as_document: [(COMPARISON,)],
    smoke_compare.as_parts: [(COMPARISON,)],
    smoke_junit.as_xml: [(SMOKE,)],
    smoke_page.as_page: [(SMOKE,)],
    smoke.as_table: [(SMOKE,)],
    smoke.failures: [(SMOKE,)],
    upstream.as_document: [(UpstreamReport(BEHIND),), (WATCHING,)],
    upstream.as_lines: [(UpstreamReport(BEHIND), ()), (WATCHING, FLAGS)],
    matrix.as_document: [(MATRIX,)],
    matrix.as_lines: [(MATRIX,)],
    matrix.as_markdown: [(MATRIX,)],
    matrix.column_head: [(TENSORFLOWS[0],)],
    matrix.in_words: [(MATRIX.cells[0],), (MATRIX.cells[1],)],
    matrix_picture.draw: [(MATRIX,)],
    verify.as_document: [(VERIFIED,)],
    verify.as_lines: [(VERIFIED,), (VERIFIED, FINDINGS[0].code, "its page")],
    wheelhouse.as_document: [(WANTED, WHEELHOUSE)],
    wheelhouse.as_lines: [(WHEELHOUSE,)],
}
"""Every view, with the arguments of some calls; those that make pages call `pages.render`."""
