"""How a rebase is asked for and shown: a table and the conflicts for people, or a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.queue.locate import name_of
from tensorflow_macos_build.patchqueue.replay.replay import OnConflict
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.tasks.command import emit, print_lines
from tensorflow_macos_build.tasks.queue_flags import QueueFlags
from tensorflow_macos_build.views import saved as saved_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseRequest, RebaseResult
    from tensorflow_macos_build.patchqueue.verdict.status import (
        ConflictReport,
        Evidence,
        HunkReport,
        PatchStatus,
    )
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit

_LINES_SHOWN = 12
_STYLES = {
    Status.CLEAN: "dim",
    Status.ADAPTED: "cyan",
    Status.UPSTREAM_IDENTICAL: "green",
    Status.UPSTREAM_CHANGED: "green",
    Status.UPSTREAM_IN_PART: "green",
    Status.EMPTY: "yellow",
    Status.RESOLVED: "cyan",
    Status.LEFT_OUT: "yellow",
    Status.CONFLICT: "bold red",
    Status.KNOCK_ON: "red",
    Status.NOT_REACHED: "dim",
}
_SAYS = {
    "same changes": "upstream made its very changes, which its files no longer hold",
    "recorded": "its message names commits of upstream, but upstream's files do not hold all of it",
    "same subject": "upstream has a change of this subject: the same one, in another form?",
    "mention": "upstream speaks of the same issue or commit",
}
"""What is said of a conflicting patch's evidence, by how it was found."""


def way(name: str) -> OnConflict:
    """Read `--on-conflict`.

    Raises:
        UsageError: there is no such way.
    """
    try:
        return OnConflict(name)
    except ValueError:
        known = ", ".join(each.value for each in OnConflict)
        raise UsageError(f"`--on-conflict {name}`: it is one of {known}") from None


def plan(request: RebaseRequest, *, json: bool) -> None:
    """Print what a rebase would do; nothing is opened but the queue."""
    queue = storage.load(request.folder)
    emit(plan_document(request, queue)) if json else show_plan(request, queue)


def show_plan(request: RebaseRequest, queue: Queue) -> None:
    """Print what a rebase would do, as far as the queue on disk tells."""
    base = queue.base
    lines = [
        f"open {base.upstream} (mirrors in {request.cache})",
        f"replay {len(queue.patches)} patches of {queue.name} from {base.ref} "
        f"({base.commit[:12]}) on {request.onto}; at a conflict: {request.on_conflict.value}",
        *(f"  {patch.name}" for patch in queue.patches),
    ]
    if request.write:
        lines.append(f"write {queue.folder} on its new base, when nothing conflicts")
    print_lines(lines)


def plan_document(request: RebaseRequest, queue: Queue) -> documents.Json:
    """Return what a rebase would do as a document of the schema rebase-plan.v1."""
    base = queue.base
    body = {
        "queue": name_of(request.folder),
        "upstream": base.upstream,
        "cache": str(request.cache),
        "base": {"ref": base.ref, "commit": base.commit},
        "onto": request.onto,
        "on_conflict": request.on_conflict.value,
        "patches": [
            {"name": patch.name, "subject": patch.patch.header.subject} for patch in queue.patches
        ],
        "write": request.write,
    }
    return documents.document("rebase-plan", 1, body)


def as_document(request: RebaseRequest, found: RebaseResult) -> documents.Json:
    """Return a rebase as a document of the schema rebase.v1."""
    saved = found.saved
    body = {
        "queue": name_of(request.folder),
        "base": found.base,
        "onto": {"ref": request.onto, "commit": found.onto},
        "on_conflict": request.on_conflict.value,
        "ok": found.ok,
        "tree": found.tree,
        "patches": [_patch(patch) for patch in found.patches],
        "merge_drivers_not_run": list(found.drivers),
        "saved": saved and saved_view.files(saved),
    }
    return documents.document("rebase", 1, body)


def _patch(patch: PatchStatus) -> documents.Json:
    return {
        "name": patch.name,
        "subject": patch.subject,
        "status": patch.status.value,
        "in_tree": patch.in_tree,
        "evidence": _evidence(patch.evidence),
    }


def _evidence(evidence: Evidence) -> documents.Json:
    return {
        "upstream": _commits(evidence.upstream),
        "found_by": evidence.found_by,
        "reverted_by": _commits(evidence.reverted_by),
        "changed_files": list(evidence.changed_files),
        "changed_by": _commits(evidence.changed_by),
        "knock_on_of": list(evidence.knock_on_of),
        "refused_resolutions": list(evidence.refused),
        "conflicts": [_conflict(conflict) for conflict in evidence.conflicts],
    }


def _conflict(conflict: ConflictReport) -> documents.Json:
    return {
        "path": conflict.path,
        "kind": conflict.kind,
        "message": conflict.words,
        "moved_to": conflict.moved_to,
        "knock_on_of": list(conflict.knock_on_of),
        "culprits": _commits(conflict.culprits),
        "hunks": [_hunk(hunk) for hunk in conflict.hunks],
    }


def _hunk(hunk: HunkReport) -> documents.Json:
    return {
        "base_line": hunk.base_line,
        "line": hunk.line,
        "base": list(hunk.base),
        "upstream": list(hunk.ours),
        "patch": list(hunk.theirs),
        "culprits": _commits(hunk.culprits),
    }


def _commits(commits: Sequence[UpstreamCommit]) -> list[documents.Json]:
    return [
        {
            "commit": commit.oid,
            "author": commit.author,
            "date": commit.date,
            "subject": commit.subject,
            "link": commit.link,
        }
        for commit in commits
    ]


def show(request: RebaseRequest, found: RebaseResult) -> None:
    """Print a rebase: a line for each patch that is not clean, its conflicts, what to do next."""
    console = Console(stderr=False)
    table = Table(box=None, pad_edge=False)
    for title in ("patch", "status", "evidence"):
        table.add_column(title, overflow="fold")
    for patch in found.patches:
        if patch.status is not Status.CLEAN:
            style = _STYLES[patch.status]
            status = Text(patch.status.value, style)
            table.add_row(patch.name, status, _told(patch.evidence))
    console.table(table)
    for patch in found.patches:
        if patch.status.is_trouble:
            for line in trouble(patch):
                console.line(line)
    for line in not_run(found):
        console.line(line)
    clean = sum(patch.status is Status.CLEAN for patch in found.patches)
    console.line(f"{clean} of {len(found.patches)} patches are clean; tree {found.tree}")
    console.line(_next(request, found), "green" if found.ok else "bold")


def not_run(found: RebaseResult) -> Iterator[str]:
    """Return a line on the merge drivers that stayed off, where there are any."""
    if found.drivers:
        names = ", ".join(found.drivers)
        yield f"merge drivers that .gitattributes name are programs, and not run: {names}"


def _told(evidence: Evidence) -> str:
    """Say why a patch has its status, in one line."""
    parts = []
    if evidence.upstream:
        parts.append(f"{_short(evidence.upstream)} ({evidence.found_by})")
    if evidence.reverted_by:
        parts.append(f"reverted in {_short(evidence.reverted_by)}")
    if evidence.knock_on_of:
        parts.append(f"follows from {', '.join(evidence.knock_on_of)}")
    if evidence.conflicts:
        parts.append(", ".join(conflict.path for conflict in evidence.conflicts))
    if evidence.changed_files:
        parts.append(f"text changed in {', '.join(evidence.changed_files)}")
    if evidence.changed_by:
        parts.append(f"by {_short(evidence.changed_by)}")
    if evidence.refused:
        parts.append(f"recorded for another context: {', '.join(evidence.refused)}")
    return "; ".join(parts)


def _short(commits: Sequence[UpstreamCommit]) -> str:
    return ", ".join(f"{commit.oid[:12]} {commit.subject}" for commit in commits)


def trouble(patch: PatchStatus) -> Iterator[str]:
    """Return the lines on a conflicting patch: each file, hunk and culprit; what upstream had."""
    evidence = patch.evidence
    if evidence.upstream:
        yield ""
        yield f"{patch.name}: {_SAYS[evidence.found_by]}"
        yield from _named("in", evidence.upstream)
        yield from _named("taken back in", evidence.reverted_by)
    for conflict in patch.evidence.conflicts:
        yield ""
        yield f"{patch.name}: {conflict.path}"
        yield f"  {conflict.words}"
        if conflict.moved_to:
            yield f"  upstream moved it to {conflict.moved_to}"
        for hunk in conflict.hunks:
            yield f"  at line {hunk.line} (line {hunk.base_line} of the file it was made for)"
            yield from _lines("  | expects ", hunk.base)
            yield from _lines("  < finds   ", hunk.ours)
            yield from _lines("  > makes   ", hunk.theirs)
            yield from _blamed(hunk.culprits)
        if not conflict.hunks:
            yield from _blamed(conflict.culprits)
        if conflict.knock_on_of:
            yield f"  it follows from {', '.join(conflict.knock_on_of)}"


def _lines(prefix: str, lines: Sequence[str]) -> Iterator[str]:
    if not lines:
        yield f"{prefix}(no line)"
    for line in lines[:_LINES_SHOWN]:
        yield f"{prefix}{line}"
    if len(lines) > _LINES_SHOWN:
        yield f"{prefix}… {len(lines) - _LINES_SHOWN} more lines"


def _named(how: str, commits: Sequence[UpstreamCommit]) -> Iterator[str]:
    for commit in commits:
        yield f"  {how} {commit.oid[:12]} {commit.subject} {commit.link}".rstrip()


def _blamed(commits: Sequence[UpstreamCommit]) -> Iterator[str]:
    for commit in commits:
        yield f"  changed by {commit.oid[:12]} {commit.subject}"
        yield f"             {commit.author}, {commit.date} {commit.link}".rstrip()


def _next(request: RebaseRequest, found: RebaseResult) -> str:
    """Say what to type next."""
    queue = name_of(request.folder)
    flags = (*QueueFlags(queue, str(request.cache)).words, "--onto", request.onto)
    if found.saved is not None:
        written, removed = len(found.saved.written), len(found.saved.removed)
        return f"{queue} now stands on {request.onto}: {written} written, {removed} removed"
    if found.ok:
        return f"next: {checkout.command('rebase', *flags, '--write')}"
    return f"next: {checkout.command('rebase.start', *flags)}"
