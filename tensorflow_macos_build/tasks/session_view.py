"""How work on a rebase's conflicts is shown: what is in conflict, where, and what to type next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.patchqueue import storage
from tensorflow_macos_build.patchqueue.locate import queue_folder
from tensorflow_macos_build.patchqueue.session import Session
from tensorflow_macos_build.patchqueue.status import Status
from tensorflow_macos_build.tasks import rebase_view
from tensorflow_macos_build.tasks.command import emit
from tensorflow_macos_build.upstream import mirror

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.session import Progress

_WORK = Path("build/rebase")


@dataclass(frozen=True)
class Place:
    """The queue, the conflict's work tree and the mirrors, as the command line names them."""

    queue: str
    work: str
    cache: str


def step(place: Place, take: Callable[[Session], Progress], *, json: bool) -> ExitCode:
    """Take one step of a rebase and show where it is then; FAILED while a conflict is left."""
    with Console().progress("rebase") as ticker:
        found = take(_session(place, ticker))
    emit(as_document(place, found)) if json else show(place, found)
    return ExitCode.DONE if found.done else ExitCode.FAILED


def abort(place: Place) -> None:
    """Give a rebase up, and say so."""
    with Console().progress("rebase") as ticker:
        _session(place, ticker).abort()
    Console().line(f"the rebase of {place.queue} is given up; the queue is as it was")


def as_document(place: Place, found: Progress) -> documents.Json:
    """Give a rebase's progress as a document of the schema rebase-progress.v1."""
    result = found.result
    body = {
        "queue": place.queue,
        "onto": {"ref": found.onto_ref, "commit": result.onto},
        "done": found.done,
        "patch": found.patch,
        "folder": "" if found.done else str(found.folder),
        "paths": list(found.paths),
        "tree": result.tree,
        "patches": [{"name": one.name, "status": one.status.value} for one in result.patches],
    }
    return documents.document("rebase-progress", 1, body)


def show(place: Place, found: Progress) -> None:
    """Print a rebase's progress."""
    console = Console()
    if found.done:
        _show_end(console, place, found)
        return
    patches = found.result.patches
    number = next(at for at, one in enumerate(patches, 1) if one.name == found.patch)
    console.line(f"patch {number} of {len(patches)} is in conflict: {found.patch}", "bold")
    for line in rebase_view.trouble(patches[number - 1]):
        console.line(line)
    console.line("")
    console.line(f"its files are in {found.folder}; edit them there:")
    for path in found.paths:
        console.line(f"  {found.folder / path}")
    for verb, meaning in (
        ("continue", "takes them as they are then"),
        ("skip", "leaves the patch out"),
        ("abort", "gives the rebase up"),
    ):
        console.line(f"invoke rebase.{verb} --queue {place.queue}{_work(place)}: {meaning}")


def _show_end(console: Console, place: Place, found: Progress) -> None:
    saved = found.result.saved
    if saved is None:
        console.line(
            f"nothing is in conflict; invoke rebase.continue --queue {place.queue} ends it"
        )
        return
    gone = [
        f"{one.name}: {one.status.value}"
        for one in found.result.patches
        if not one.in_tree and one.status is not Status.CLEAN
    ]
    for line in gone:
        console.line(f"no longer in the queue: {line}", "yellow")
    counts = f"{len(saved.kept)} files kept, {len(saved.written)} written"
    console.line(f"{place.queue} now stands on {found.onto_ref}: {counts}", "green")


def _work(place: Place) -> str:
    return f" --work {place.work}" if place.work else ""


def _session(place: Place, ticker: Ticker) -> Session:
    queue = storage.load(queue_folder(place.queue))
    git = mirror.open(queue.base.upstream, Path(place.cache), ticker)
    git.resolve(queue.base.commit, ticker)
    folder = Path(place.work) if place.work else _WORK / queue.name
    return Session(queue, git, folder.absolute(), ticker)
