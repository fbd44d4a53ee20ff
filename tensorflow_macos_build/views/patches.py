"""How the tasks about queues read their flags and show what was done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.quarantine import quarantine
from tensorflow_macos_build.patchqueue.exchange import exporting, importing
from tensorflow_macos_build.patchqueue.formats.people import parse_identity
from tensorflow_macos_build.patchqueue.queue import commit_range, opening, storage
from tensorflow_macos_build.patchqueue.queue.locate import output, queue_folder
from tensorflow_macos_build.views import saved as saved_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.exchange.sources import Imported
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase
    from tensorflow_macos_build.patchqueue.queue.storage import Saved

_FORMS = ("branch", "mailbox", "quilt")


def load(queue: str) -> Queue:
    """Read a queue that is named, or given by its path."""
    return storage.load(queue_folder(queue))


def source(
    places: Mapping[str, str], upstream: str, against: str, author: str, said: Metadata
) -> importing.ImportSource:
    """Return the one source that the flags of `patches.import` name.

    Raises:
        UsageError: they name none, or several, or say not what it applies to; the author has no
            address.
    """
    named = [(kind, place) for kind, place in places.items() if place]
    if len(named) != 1:
        flags = ", ".join(f"--{kind}" for kind in places)
        raise UsageError(f"give one of {flags}; {len(named)} were given")
    kind, place = importing.SourceKind(named[0][0]), named[0][1]
    if kind is importing.SourceKind.RANGE:
        against = against or importing.ends(place)[0]
    if not against:
        raise UsageError(f"--{kind.value} needs --against, the release that it applies to")
    identity = parse_identity(author) if author else None
    if identity is not None and not identity.email:
        raise UsageError(f"--author `{author}` has no address", hint="write `Name <address>`")
    return importing.ImportSource(kind, place, checkout.recorded(upstream), against, identity, said)


def form(to: str, out: str, repository: str) -> str:
    """Check the flags of `patches.export` that depend on each other; give the form.

    Raises:
        UsageError: the form is unknown, or it lacks its place.
    """
    if to not in _FORMS:
        raise UsageError(f"--to takes {', '.join(_FORMS)}, not `{to}`")
    if to == "branch" and not repository:
        raise UsageError("--to branch needs --repository, where the branch is made")
    if to != "branch" and not out:
        raise UsageError(f"--to {to} needs --out, where it is written")
    return to


def export_branch(queue: Queue, repository: str, branch: str, *, force: bool) -> str:
    """Make a branch of a queue; give its last commit's id."""
    git = commit_range.repository(Path(repository))
    return exporting.to_branch(queue, git, branch or queue.name, force=force)


def export_mailbox(queue: Queue, out: str, *, force: bool) -> str:
    """Write a queue as one mailbox; give its path."""
    exporting.to_mailbox(queue, output(out), force=force)
    return out


def export_quilt(queue: Queue, out: str, cache: Path, ticker: Ticker, *, force: bool) -> str:
    """Write a queue as a quilt series; give its folder."""
    target = output(out)
    opened = opening.open(queue.folder, cache, ticker)
    opened.prepare(ticker=ticker)
    with quarantine(opened.mirror) as pen:
        exporting.to_quilt(queue, pen.git, target, force=force)
    return out


def imported_document(found: Imported, saved: Saved) -> documents.Json:
    """Return an import as a document of the schema patches-import.v1."""
    body = {
        "queue": str(saved.queue.folder),
        "base": _base(saved.queue.base),
        "patches": [
            {"name": patch.name, "subject": patch.patch.header.subject}
            for patch in saved.queue.patches
        ],
        **saved_view.files(saved),
        "empty": [{"name": name, "subject": subject} for name, subject in found.empty],
        "merges": [{"name": name, "subject": subject} for name, subject in found.merges],
        "tree": found.steps[-1].after,
    }
    return documents.document("patches-import", 1, body)


def show_imported(found: Imported, saved: Saved) -> None:
    """Tell people what an import made, and name everything that became no patch of its own."""
    console = Console(stderr=False)
    for name, subject in found.empty:
        console.line(f"left out, it changes nothing: {name}  {subject}", "yellow")
    for name, subject in found.merges:
        console.line(f"a merge, taken as one patch: {name[:12]}  {subject}", "yellow")
    base = saved.queue.base
    console.line(
        f"{saved.queue.folder}: {len(saved.queue.patches)} patches on {base.ref} "
        f"({base.commit[:12]}), {len(saved.written)} written, {len(saved.kept)} as they were; "
        f"they make the tree {found.steps[-1].after}"
    )


def exported_document(queue: Queue, to: str, where: str) -> documents.Json:
    """Return an export as a document of the schema patches-export.v1."""
    body = {"queue": str(queue.folder), "to": to, "patches": len(queue.patches), "where": where}
    return documents.document("patches-export", 1, body)


def show_exported(queue: Queue, where: str) -> None:
    """Tell people what an export made."""
    Console(stderr=False).line(f"{len(queue.patches)} patches of {queue.name} are in {where}")


def _base(base: QueueBase) -> documents.Json:
    return {"upstream": base.upstream, "ref": base.ref, "commit": base.commit}
