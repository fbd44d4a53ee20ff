"""Tasks that move a queue of patches to another upstream revision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks import flag_help
from tensorflow_macos_build.tasks.command import choice, command, present
from tensorflow_macos_build.tasks.folders import MIRRORS, REBASES
from tensorflow_macos_build.tasks.session import SessionTasks

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseRequest
    from tensorflow_macos_build.patchqueue.rebase.session import RebaseSession
    from tensorflow_macos_build.patchqueue.rebase.step import RebaseProgress
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags


@command(
    needs=("git",),
    default=True,
    help={
        "queue": flag_help.QUEUE,
        "onto": "The upstream revision to move it to: a tag, a branch, an id.",
        "on_conflict": "What to do at a conflict: `provisional` goes on with the patch's side,"
        " `skip` leaves the patch out, `stop` stops.",
        "write": "Write the queue back on its new base when nothing conflicts.",
        "audit": "Whether to look for names that patches use and upstream took away: `local` where"
        " nothing has to be fetched for it, `always`, `never`.",
        "propose": "Show the answers to conflicts that can be proven.",
        "plan": "Print what would be done; nothing is fetched or written.",
        "cache": flag_help.CACHE,
        "json": "Print one JSON document (schema rebase.v1, with --plan rebase-plan.v1).",
    },
)
def rebase(
    _context: invoke.Context,
    *,
    queue: str,
    onto: str,
    on_conflict: str = "provisional",
    write: bool = False,
    audit: str = "local",
    propose: bool = False,
    plan: bool = False,
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Replay a queue on another upstream revision, and show what became of every patch."""
    from tensorflow_macos_build.patchqueue.audit.engine import AuditWhen
    from tensorflow_macos_build.patchqueue.rebase import engine
    from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags

    flags = QueueFlags(queue, cache)
    policy = choice("--on-conflict", on_conflict, OnConflict)
    when = choice("--audit", audit, AuditWhen)
    request = engine.RebaseRequest(flags.folder, onto, Path(cache), policy, write, when, propose)
    return _plan(flags, request, json=json) if plan else _run(flags, request, json=json)


def _plan(flags: QueueFlags, request: RebaseRequest, *, json: bool) -> ExitCode:
    from tensorflow_macos_build.patchqueue.queue import storage
    from tensorflow_macos_build.views import rebase as view

    # The queue's files alone: to open its upstream is to fetch.
    queue = storage.load(request.folder)
    document = view.plan_document(flags.name, request, queue)
    present(document, view.plan_lines(request, queue), json=json)
    return ExitCode.DONE


def _run(flags: QueueFlags, request: RebaseRequest, *, json: bool) -> ExitCode:
    from tensorflow_macos_build.patchqueue.rebase import engine
    from tensorflow_macos_build.views import rebase as view

    with Console().progress("rebase") as ticker:
        result = engine.run(request, ticker, Console().line)
    lines = view.as_lines(flags.name, request, result, flags.words)
    present(view.as_document(flags.name, request, result), lines, json=json)
    return ExitCode.DONE if result.ok else ExitCode.FAILED


_PATCH = (
    "The patch that is meant: its file's name or a part of it; by default the one that was shown"
    " last. With it the same command does nothing where it was done before."
)


class _RebaseTasks(SessionTasks["RebaseSession", "RebaseProgress"]):
    def open(self, flags: QueueFlags, ticker: Ticker, *, onto: str = "") -> RebaseSession:
        from tensorflow_macos_build.patchqueue.rebase import session

        return session.open(flags.session_request(REBASES, onto), ticker, Console().line)

    def open_to_abort(self, flags: QueueFlags, ticker: Ticker) -> RebaseSession:
        from tensorflow_macos_build.patchqueue.rebase import session

        return session.open_to_abort(flags.session_request(REBASES), ticker, Console().line)

    def present(self, flags: QueueFlags, progress: RebaseProgress, *, json: bool) -> None:
        from tensorflow_macos_build.views import rebase_progress as view

        lines = view.as_lines(flags.name, progress, flags.words)
        present(view.as_document(flags.name, progress), lines, json=json)

    def is_settled(self, progress: RebaseProgress) -> bool:
        return progress.done


_TASKS = _RebaseTasks(
    "rebase",
    "the rebase",
    {
        "queue": flag_help.QUEUE,
        "work": "The folder for the conflict's work tree; build/rebase/QUEUE by default.",
        "cache": flag_help.CACHE,
        "json": "Print one JSON document (schema rebase-progress.v1).",
    },
)


_ACCEPT = "Settle the conflicts whose answer is proven (`rebase --propose` shows them)."


@_TASKS.step(help={"onto": "The upstream revision to move the queue to.", "accept_proven": _ACCEPT})
def start(session: RebaseSession, *, onto: str, accept_proven: bool = False) -> RebaseProgress:
    """Begin to settle a rebase's conflicts, one by one, each in a small work tree."""
    return session.start(onto, accept_proven=accept_proven)


@_TASKS.step()
def status(session: RebaseSession) -> RebaseProgress:
    """Show how far a rebase is, and which files are in conflict."""
    return session.status()


@_TASKS.step(name="continue", help={"patch": _PATCH, "accept_proven": _ACCEPT})
def continue_(
    session: RebaseSession, *, patch: str = "", accept_proven: bool = False
) -> RebaseProgress:
    """Take the work tree as the conflict's resolution, and go on to the next one or to the end."""
    return session.go_on(patch, accept_proven=accept_proven)


@_TASKS.step(help={"patch": _PATCH})
def skip(session: RebaseSession, *, patch: str = "") -> RebaseProgress:
    """Leave the patch in conflict out of the queue, and go on."""
    return session.skip(patch)


abort = _TASKS.abort("Give a rebase up; the queue stays as it was.")

namespace = invoke.Collection("rebase", rebase, start, status, continue_, skip, abort)
