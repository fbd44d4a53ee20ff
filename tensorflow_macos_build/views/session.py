"""How work on a rebase's conflicts is shown: what is in conflict, where, and what to type next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.patchqueue.queue.model import work_name
from tensorflow_macos_build.patchqueue.rebase.session import RebaseSession
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.tasks.command import emit
from tensorflow_macos_build.views import rebase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.queue.opening import OpenedQueue
    from tensorflow_macos_build.patchqueue.rebase.step import RebaseProgress
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags

_WORK = checkout.path("build/rebase")


def start(flags: QueueFlags, onto: str, *, json: bool) -> ExitCode:
    """Begin a rebase, and show its first conflict; FAILED where there is one."""
    return _step(flags, lambda session: session.start(onto), [onto], json=json)


def step(
    flags: QueueFlags, take: Callable[[RebaseSession], RebaseProgress], *, json: bool
) -> ExitCode:
    """Take one step of a rebase and show where it is then; FAILED while a conflict is left."""
    return _step(flags, take, (), json=json)


def _step(
    flags: QueueFlags,
    take: Callable[[RebaseSession], RebaseProgress],
    onto: Sequence[str],
    *,
    json: bool,
) -> ExitCode:
    with Console().progress("rebase") as ticker:
        opened = flags.open(ticker)
        opened.prepare(onto, ticker)
        session = _session(flags, opened, ticker)
        found = take(session)
    if found.note:
        Console().line(found.note, "yellow")
    emit(as_document(flags, found)) if json else show(flags, found)
    session.shown(found)  # last: what a kill keeps from people is shown again by the next run
    return ExitCode.DONE if found.done else ExitCode.FAILED


def abort(flags: QueueFlags) -> None:
    """Give a rebase up, and say so."""
    with Console().progress("rebase") as ticker:
        note = _session(flags, flags.open(ticker, needs_base=False), ticker).abort()
    given_up = f"the rebase of {flags.name} is given up; the queue is as it was"
    Console(stderr=False).line(note or given_up)


def as_document(flags: QueueFlags, found: RebaseProgress) -> documents.Json:
    """Return a rebase's progress as a document of the schema rebase-progress.v1."""
    result = found.result
    body = {
        "queue": flags.name,
        "onto": {"ref": found.onto_ref, "commit": result.onto},
        "done": found.done,
        "patch": found.patch,
        "folder": "" if found.done else str(found.folder),
        "paths": list(found.paths),
        "tree": result.tree,
        "patches": [{"name": one.name, "status": one.status.value} for one in result.patches],
    }
    return documents.document("rebase-progress", 1, body)


def show(flags: QueueFlags, found: RebaseProgress) -> None:
    """Print a rebase's progress."""
    console = Console(stderr=False)
    for line in rebase.not_run(found.result):
        console.line(line)
    if found.done:
        _show_end(console, flags, found)
        return
    patches = found.result.patches
    number = next(at for at, one in enumerate(patches, 1) if one.name == found.patch)
    console.line(f"patch {number} of {len(patches)} is in conflict: {found.patch}", "bold")
    for line in rebase.trouble(patches[number - 1]):
        console.line(line)
    console.line("")
    folder = checkout.shown(found.folder)
    console.line(f"its files are in {folder}; edit them there:")
    for path in found.paths:
        console.line(f"  {folder / path}")
    named = ("--patch", found.patch)
    for verb, patch, meaning in (
        ("continue", named, "takes them as they are then"),
        ("skip", named, "leaves the patch out"),
        ("abort", (), "gives the rebase up"),
    ):
        line = checkout.command(f"rebase.{verb}", *flags.words, *patch)
        console.line(f"{line}: {meaning}")


def _show_end(console: Console, flags: QueueFlags, found: RebaseProgress) -> None:
    saved = found.result.saved
    if saved is None and found.note:
        return
    if saved is None:
        ends = checkout.command("rebase.continue", *flags.words)
        console.line(f"nothing is in conflict; {ends} ends it")
        return
    gone = [
        f"{one.name}: {one.status.value}"
        for one in found.result.patches
        if not one.in_tree and one.status is not Status.CLEAN
    ]
    for line in gone:
        console.line(f"no longer in the queue: {line}", "yellow")
    counts = f"{len(saved.kept)} files kept, {len(saved.written)} written"
    console.line(f"{flags.name} now stands on {found.onto_ref}: {counts}", "green")


def _session(flags: QueueFlags, opened: OpenedQueue, ticker: Ticker) -> RebaseSession:
    folder = Path(flags.work) if flags.work else _WORK / work_name(opened.folder)
    return RebaseSession(opened.queue, opened.mirror, folder, ticker, Console().line, flags.words)
