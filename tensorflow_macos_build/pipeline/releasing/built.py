"""What a build left in dist/, read and compared with its own documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents, files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline.stages.publish import PROVENANCE, REPORT
from tensorflow_macos_build.pipeline.stages.publish import SUMS as DIST_SUMS
from tensorflow_macos_build.release import checksums, gates
from tensorflow_macos_build.release.model import ReleaseBroken
from tensorflow_macos_build.release.sbom import NAME as BILL
from tensorflow_macos_build.smoke import CheckOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.pipeline.workspace import Workspace

_MOST = 64 << 20
"""Largest document that is read, in bytes; a report of TensorFlow's has 1 MB."""


@dataclass(frozen=True)
class BuiltRelease:
    """A release as it was built.

    Attributes:
        folder: dist/<release>.
        report: the report of the build, a document of the schema report.v1.
        provenance: what the wheel was made of, a document of the schema provenance.v1.
    """

    folder: Path
    report: Json
    provenance: Json

    @property
    def wheel(self) -> Path:
        """The wheel."""
        return self.folder / str(self.provenance["wheel"]["name"])

    @property
    def digest(self) -> str:
        """The SHA-256 that the wheel should have."""
        return str(self.provenance["wheel"]["sha256"])

    @property
    def plugins(self) -> tuple[Path, ...]:
        """The wheels of plugins that were built beside it."""
        return tuple(self.folder / row["name"] for row in self.provenance["plugins"])

    @property
    def bill(self) -> Path:
        """The bill of materials, as it is inside the wheel too."""
        return self.folder / BILL

    def shipped(self) -> tuple[Path, ...]:
        """Return the files that a release has of these."""
        return (self.wheel, *self.plugins, self.bill)

    def altered(self) -> Iterator[str]:
        """Yield which files are not what the build made, in words."""
        where = self.folder / DIST_SUMS
        try:
            sums = checksums.parse_sums(files.read_small_text(where, _MOST))
        except (ReleaseBroken, OSError, UsageError) as error:
            yield f"{DIST_SUMS}: {error}"
            return
        for path in (*self.shipped(), self.folder / PROVENANCE):
            if path.name not in sums:
                yield f"{path.name} is not in {DIST_SUMS}"
            elif not path.is_file():
                yield f"{path.name} is missing"
            elif files.sha256(path) != sums[path.name]:
                yield f"{path.name} is not what {DIST_SUMS} says"
        if {sums.get(self.wheel.name), self.report["wheel"]["sha256"]} != {self.digest}:
            yield f"{REPORT}, {PROVENANCE} and {DIST_SUMS} are of different wheels"


def load(workspace: Workspace) -> BuiltRelease:
    """Read what is in dist/ of a release.

    Raises:
        UsageError: it is not built, or its documents are none.
    """
    folder = workspace.dist
    if not (folder / PROVENANCE).is_file():
        raise UsageError(
            "the release is not built",
            where=str(checkout.shown(folder)),
            hint=checkout.command("build", "--config", workspace.release.name),
        )
    return BuiltRelease(
        folder, _document(folder / REPORT, "report"), _document(folder / PROVENANCE, "provenance")
    )


def _document(path: Path, name: str) -> Json:
    try:
        return documents.read(files.read_small(path, _MOST), name, 1)
    except documents.NotTheDocument as error:
        raise UsageError(f"it is no {name}: {error.what}", where=str(path)) from None


def smoke_rows(built: BuiltRelease, reports: Sequence[Path]) -> list[Json]:
    """Return the checks of this very wheel: those of the build, and of reports made elsewhere.

    Raises:
        UsageError: a report is none, or is of another wheel.
    """
    rows = [
        {"machine": "the build's", **{key: row[key] for key in row if key != "wheel"}}
        for row in built.report["smoke"]
        if row["wheel"] == built.wheel.name
    ]
    for path in reports:
        document = _smoke_report(path, built.digest)
        checks = document.get("checks", [])
        rows += [{"machine": path.stem, "leg": row.get("target"), **row} for row in checks]
    return rows


def _smoke_report(path: Path, digest: str) -> Json:
    try:
        document = documents.read(files.read_small(path, _MOST), "smoke", 2)
    except documents.NotTheDocument as error:
        raise UsageError(
            f"it is no report of a smoke test: {error.what}", where=str(path)
        ) from None
    if document["sha256"] != digest:
        raise UsageError(
            "it is the report of another wheel, or does not say of which",
            where=str(path),
            hint=f"the wheel of this release has the SHA-256 {digest}",
        )
    return document


def count(rows: Sequence[Json]) -> gates.SmokeCount:
    """Return how many checks passed, failed, or said nothing of the wheel."""
    known = {outcome.value: outcome for outcome in CheckOutcome}
    # What is no outcome of this version counts as a failure: it must not let a release pass.
    outcomes = [known.get(str(row.get("outcome")), CheckOutcome.FAILED) for row in rows]
    passed = outcomes.count(CheckOutcome.PASSED)
    failed = sum(outcome.is_failure for outcome in outcomes)
    return gates.SmokeCount(passed, failed, len(outcomes) - passed - failed)
