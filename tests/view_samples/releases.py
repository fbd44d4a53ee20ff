"""Releases, their index and their site, and calls of the views that show them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.pipeline.releasing.check import CheckedRelease, CheckState, ReleaseCheck
from tensorflow_macos_build.pipeline.releasing.prepare import Preparation
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
from tensorflow_macos_build.release.model import FileKind, Gate, GateOutcome, Manifest, ReleaseFile
from tensorflow_macos_build.release.prepared import PreparedFolder, PublishedFile
from tensorflow_macos_build.release.publishing import plan as publishing
from tensorflow_macos_build.release.publishing.destinations import PublishPlan
from tensorflow_macos_build.release.workflows import RoundLimits, StagedRelease
from tensorflow_macos_build.site.model import PublishedSite, Shelf, SiteRequest, SourceDocument
from tensorflow_macos_build.views import hosted, release, release_index, site
from tensorflow_macos_build.wheels.dist_info.tags import parse_name
from tests.view_samples.identifiers import ID, SHA256

if TYPE_CHECKING:
    from collections.abc import Callable

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

CALLS: dict[Callable[..., Any], list[tuple[Any, ...]]] = {
    hosted.states_planned: [(STATES,)],
    hosted.states_fetched: [
        (STATES, FetchedStates(("state-0001.tar",), ("run 1: [red]bad",))),
        (STATES, FetchedStates((), ())),
    ],
    hosted.round_planned: [(StagedRelease("r.yml", ("arm64-3.12",), RoundLimits(9, 2)),)],
    hosted.issues_planned: [((ForecastIssue("demo", "text\n", True),),)],
    hosted.issues_settled: [((PublishedIssue("demo", IssueChange.OPENED, "https://h/1"),),)],
    hosted.round_decided: [(decision,) for decision in DECISIONS],
    release.prepared_document: [(PREPARED,)],
    release.prepared_parts: [(PREPARED,)],
    release.publish_document: [(PUBLISHING,)],
    release.publish_parts: [(PUBLISHING,)],
    release_index.as_document: [(INDEX,)],
    release_index.as_lines: [(INDEX,)],
    release.checked_document: [(CHECKED,)],
    release.checked_parts: [(CHECKED,)],
    site.as_document: [(SITE,)],
    site.as_lines: [(SITE,)],
}
