"""An upstream's releases against a base: a document, and a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from tensorflow_macos_build import documents
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.upstream.releases import UpstreamRelease, UpstreamStatus
    from tensorflow_macos_build.views.lines import Part


def as_document(status: UpstreamStatus) -> documents.Json:
    """Return a status as a document of the schema upstream-status.v1."""
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
        },
    )


def as_lines(status: UpstreamStatus) -> Iterator[Part]:
    """Yield the releases as a table, the newest first, and a sentence."""
    table = Table(box=None, pad_edge=False)
    for title in ("tag", "date", "commit", ""):
        table.add_column(title)
    for release in reversed(status.previews):
        table.add_row(release.tag, release.date, release.commit[:12], "pre-release")
    for release in reversed(status.newer):
        table.add_row(release.tag, release.date, release.commit[:12], "")
    table.add_row(status.base.ref, status.base.date, status.base.commit[:12], "the base")
    yield table
    yield Line(_sentence(status))


def _sentence(status: UpstreamStatus) -> str:
    if status.behind is None:
        return "no release is newer than the base"
    # A base off the release's line, such as a release branch's tag, has commits that it lacks.
    own = f"; the base has {status.behind.own} of its own" if status.behind.own else ""
    return (
        f"{len(status.newer)} releases behind {status.newer[-1].tag}: "
        f"{status.behind.commits} commits, {status.behind.days} days{own}"
    )


def _release(release: UpstreamRelease) -> documents.Json:
    return {
        "tag": release.tag,
        "version": str(release.version),
        "commit": release.commit,
        "date": release.date,
    }
