"""How an upstream's releases are shown: a table for people, a document for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.queue.locate import queue_folder
from tensorflow_macos_build.upstream import mirror, releases

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker


def status(
    queue: str | None, upstream: str, base: str, cache: str, ticker: Ticker
) -> releases.UpstreamStatus:
    """Open an upstream and compare its releases with a base; a queue tells what is left out.

    Raises:
        UsageError: neither a queue nor both of the others are given.
    """
    called = base
    if queue is not None:
        told = storage.load(queue_folder(queue)).base
        upstream = upstream or told.upstream
        base, called = base or told.commit, base or told.ref
    if not upstream or not base:
        raise UsageError(
            "neither a queue is given nor an upstream and a base",
            hint="give --queue NAME, or --upstream ADDRESS and --base REF",
        )
    opened = mirror.open(checkout.recorded(upstream), Path(cache), ticker)
    return releases.status(opened, base, ticker, called=called)


def as_document(found: releases.UpstreamStatus) -> documents.Json:
    """Return a status as a document of the schema upstream-status.v1."""
    base, behind = found.base, found.behind
    return documents.document(
        "upstream-status",
        1,
        {
            "upstream": found.origin,
            "base": {
                "ref": base.ref,
                "commit": base.commit,
                "date": base.date,
                "version": str(base.version) if base.version else None,
            },
            "newer": [_release(one) for one in found.newer],
            "previews": [_release(one) for one in found.previews],
            "behind": behind
            and {
                "releases": len(found.newer),
                "commits": behind.commits,
                "own": behind.own,
                "days": behind.days,
            },
        },
    )


def show(found: releases.UpstreamStatus) -> None:
    """Print a status as a table, newest release first, and a sentence."""
    console = Console(stderr=False)
    table = Table(box=None, pad_edge=False)
    for title in ("tag", "date", "commit", ""):
        table.add_column(title)
    for release in reversed(found.previews):
        table.add_row(release.tag, release.date, release.commit[:12], "pre-release")
    for release in reversed(found.newer):
        table.add_row(release.tag, release.date, release.commit[:12], "")
    table.add_row(found.base.ref, found.base.date, found.base.commit[:12], "the base")
    console.table(table)
    console.line(_sentence(found))


def _sentence(found: releases.UpstreamStatus) -> str:
    if found.behind is None:
        return "no release is newer than the base"
    own = f"; the base has {found.behind.own} of its own" if found.behind.own else ""
    return (
        f"{len(found.newer)} releases behind {found.newer[-1].tag}: "
        f"{found.behind.commits} commits, {found.behind.days} days{own}"
    )


def _release(release: releases.UpstreamRelease) -> documents.Json:
    return {
        "tag": release.tag,
        "version": str(release.version),
        "commit": release.commit,
        "date": release.date,
    }
