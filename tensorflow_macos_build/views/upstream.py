"""An upstream's releases against a base: a document, and a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from tensorflow_macos_build import documents
from tensorflow_macos_build.views import picks
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.picking.upstream_report import UpstreamReport
    from tensorflow_macos_build.upstream.releases import (
        ReleaseBranch,
        UpstreamRelease,
        UpstreamStatus,
    )
    from tensorflow_macos_build.views.lines import Part


def as_document(report: UpstreamReport) -> documents.Json:
    """Return a report as a document of the schema upstream-status.v1."""
    status = report.status
    base, behind = status.base, status.behind
    return documents.document(
        "upstream-status",
        1,
        {
            "upstream": status.origin,
            "base": {
                "ref": base.ref,
                "commit": base.commit,
                "date": base.date,
                "version": str(base.version) if base.version else None,
            },
            "newer": [_release(release) for release in status.newer],
            "previews": [_release(release) for release in status.previews],
            # null where nothing is newer: zeros would be a measurement.
            "behind": behind
            and {
                "releases": len(status.newer),
                "commits": behind.commits,
                "own": behind.own,
                "days": behind.days,
            },
            "branches": [_branch(branch) for branch in status.branches],
            "picks": [picks.watched_body(watched) for watched in report.picks],
            "due": [vars(condition) for condition in report.due],
        },
    )


def as_lines(report: UpstreamReport, flags: Sequence[str]) -> Iterator[Part]:
    """Yield the releases as a table, the newest first, a sentence, and what a queue waits for.

    Args:
        report: what upstream has.
        flags: how a command line names the queue; none without one.
    """
    status = report.status
    yield _table(status)
    yield Line(_sentence(status))
    yield from picks.watched_lines(report.picks, flags)
    for condition in report.due:
        words = f"`{condition.condition}` has come true at {condition.ref}"
        yield Line(f"{condition.name}: {words}", "green")


def _table(status: UpstreamStatus) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("tag", "date", "commit", ""):
        table.add_column(title)
    for branch in reversed(status.coming):
        newest = f"a branch, not released; newest: {branch.newest or 'nothing'}"
        table.add_row(branch.name, branch.date, branch.commit[:12], newest)
    for release in reversed(status.previews):
        table.add_row(release.tag, release.date, release.commit[:12], "pre-release")
    for release in reversed(status.newer):
        table.add_row(release.tag, release.date, release.commit[:12], "")
    table.add_row(status.base.ref, status.base.date, status.base.commit[:12], "the base")
    return table


def _sentence(status: UpstreamStatus) -> str:
    if status.behind is None:
        return "no release is newer than the base"
    # A base off the release's line, such as a release branch's tag, has commits that it lacks.
    own = f"; the base has {status.behind.own} of its own" if status.behind.own else ""
    return (
        f"{len(status.newer)} releases behind {status.newer[-1].tag}: "
        f"{status.behind.commits} commits, {status.behind.days} days{own}"
    )


def _branch(branch: ReleaseBranch) -> documents.Json:
    return {
        "name": branch.name,
        "version": str(branch.version),
        "commit": branch.commit,
        "date": branch.date,
        "newest": branch.newest,
        "released": branch.is_released,
    }


def _release(release: UpstreamRelease) -> documents.Json:
    return {
        "tag": release.tag,
        "version": str(release.version),
        "commit": release.commit,
        "date": release.date,
    }
