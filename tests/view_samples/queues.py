"""Queues: statuses, forecasts, edits and upstream's news, and calls of the views that show them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from tensorflow_macos_build.git.diffs import FileDiff
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
from tensorflow_macos_build.patchqueue.forecast.model import (
    Break,
    Forecast,
    ForecastColumn,
    PatchForecast,
    Turn,
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
from tensorflow_macos_build.upstream.releases import (
    Distance,
    ReleaseBranch,
    UpstreamBase,
    UpstreamRelease,
    UpstreamStatus,
)
from tensorflow_macos_build.views import (
    audit,
    edit,
    evidence,
    exchange,
    forecast,
    forecast_page,
    hunks,
    picks,
    proofs,
    queue_list,
    rangediff_page,
    rebase,
    rebase_progress,
    review,
    saved,
    upstream,
)
from tests.view_samples.identifiers import FLAGS, ID, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

DEMO = ROOT / "patches/demo"
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
CHANGED = FileDiff("a.py", (), b"@@ -1 +1 @@\n-a\n+b\n")
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
        tuple(Turn(heals, kind, COMMIT) for kind in BreakKind for heals in (False, True)),
        all_tried=False,
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

CALLS: dict[Callable[..., Any], list[tuple[Any, ...]]] = {
    edit.as_document: [("demo", EDITING), ("demo", EDITED)],
    edit.as_lines: [(EDITING, FLAGS), (EDITED, FLAGS)],
    evidence.signed: [(COMMIT,)],
    evidence.conflict_lines: [(STATUSES[0],)],
    forecast.as_document: [(FORECAST,)],
    forecast.as_lines: [(FORECAST,)],
    forecast_page.is_quiet: [(FORECAST.rows[0],)],
    forecast_page.summary: [(FORECAST.columns[0],)],
    forecast_page.counted: [([Status.CLEAN, Status.CONFLICT],)],
    forecast_page.effect: [(kind,) for kind in BreakKind],
    forecast_page.before: [(blame.patches[0],) for blame in FORECAST.breaking_commits],
    forecast_page.html: [(FORECAST,)],
    exchange.imported_document: [(IMPORTED, SAVED)],
    exchange.imported_lines: [(IMPORTED, SAVED)],
    exchange.exported_document: [(EXPORTED,)],
    exchange.exported_lines: [(EXPORTED,)],
    rangediff_page.summary: [(REPORT.pairs,)],
    rangediff_page.markdown: [("title", REPORT.pairs)],
    rangediff_page.html: [("title", REPORT.pairs), ("title", REPORT.pairs, ["note"])],
    review.needs_look: [(REPORT,)],
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
    review.lint_document: [(LINT,)],
    review.lint_annotations: [(LINT, Path("patches/demo"))],
    review.lint_parts: [(LINT,)],
    review.report_document: [(REPORT,)],
    review.report_markdown: [(REPORT,)],
    review.report_table: [(REPORT,)],
    saved.files: [(SAVED,), (None,)],
    rebase_progress.as_document: [("demo", STOPPED), ("demo", ENDED)],
    rebase_progress.as_lines: [("demo", STOPPED, FLAGS), ("demo", ENDED, FLAGS)],
    upstream.as_document: [(UpstreamReport(BEHIND),), (WATCHING,)],
    upstream.as_lines: [(UpstreamReport(BEHIND), ()), (WATCHING, FLAGS)],
}
