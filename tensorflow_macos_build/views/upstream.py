"""An upstream's releases against a base: a document, and a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.views import picks
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table

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
    rows = [
        (branch.name, branch.date, branch.commit, _newest(branch.newest))
        for branch in reversed(status.coming)
    ]
    rows += [(r.tag, r.date, r.commit, "pre-release") for r in reversed(status.previews)]
    rows += [(r.tag, r.date, r.commit, "") for r in reversed(status.newer)]
    rows.append((status.base.ref, status.base.date, status.base.commit, "the base"))
    shortened = ((tag, date, commit[:12], note) for tag, date, commit, note in rows)
    return Table.of(("tag", "date", "commit", ""), shortened)


def _newest(tag: str) -> str:
    return f"a branch, not released; newest: {tag or 'nothing'}"


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
