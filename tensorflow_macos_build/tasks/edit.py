"""Tasks that change a queue: its patches are dropped, folded, moved, cut and edited."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks import flag_help
from tensorflow_macos_build.tasks.command import present
from tensorflow_macos_build.tasks.folders import EDITS
from tensorflow_macos_build.tasks.session import SessionTasks

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.edit.session import EditSession
    from tensorflow_macos_build.patchqueue.edit.step import EditProgress
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags

TRAILERS = {
    "reason": "The trailer `Reason:`: fork-only, backport or upstreaming.",
    "drop_when": "The trailer `Drop-When:`, a condition such as `upstream >= v2.18` or `never`.",
    "owner": "The trailer `Owner:`, who looks after the patches.",
    "upstream": "The trailer `Upstream:`, a link or a commit.",
}
"""The flags for trailers of patches that lack them."""


_NUMBERS = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")
"""Of few digits: a range is made of them, which must stay small."""

_NAME = {"name": "The patch: its file's name, or a part of it that fits no other."}


class _EditTasks(SessionTasks["EditSession", "EditProgress"]):
    def open(self, flags: QueueFlags, ticker: Ticker, *, onto: str = "") -> EditSession:
        from tensorflow_macos_build.patchqueue.edit import session

        return session.open(flags.session_request(EDITS, onto), ticker, Console().line)

    def open_to_abort(self, flags: QueueFlags, ticker: Ticker) -> EditSession:
        from tensorflow_macos_build.patchqueue.edit import session

        # Not `open`, which reads the base: what is given up may be given up because that is gone.
        return session.open_to_abort(flags.session_request(EDITS), ticker, Console().line)

    def present(self, flags: QueueFlags, progress: EditProgress, *, json: bool) -> None:
        from tensorflow_macos_build.views import edit as view

        document = view.as_document(str(flags.folder), progress)
        present(document, view.as_lines(progress, flags.words), json=json)

    def is_settled(self, progress: EditProgress) -> bool:
        return not progress.conflicts


_TASKS = _EditTasks(
    "patches",
    "the change",
    {
        "queue": flag_help.QUEUE,
        "cache": flag_help.CACHE,
        "json": "Print one JSON document (schema patches-edit.v1).",
    },
)


@_TASKS.step(positional=["name"], help=_NAME)
def drop(session: EditSession, name: str) -> EditProgress:
    """Take a patch out of a queue; the patches after it follow."""
    from tensorflow_macos_build.patchqueue.edit import changes

    return changes.drop(session, name)


@_TASKS.step(
    positional=["name"],
    help={**_NAME, "into": "The patch that it becomes part of, whose message stays."},
)
def fold(session: EditSession, name: str, *, into: str) -> EditProgress:
    """Make a patch part of another one."""
    from tensorflow_macos_build.patchqueue.edit import changes

    return changes.fold(session, name, into)


@_TASKS.step(
    positional=["name"],
    help={
        **_NAME,
        "before": "The patch that it shall stand before.",
        "after": "The patch that it shall stand after.",
    },
)
def reorder(session: EditSession, name: str, *, before: str = "", after: str = "") -> EditProgress:
    """Move a patch to another place in a queue."""
    from tensorflow_macos_build.patchqueue.edit import changes

    return changes.reorder(session, name, before, after)


@_TASKS.step(
    positional=["name"],
    iterable=["path"],
    help={
        **_NAME,
        "path": "A pattern of files that go into the new patch; may be repeated.",
        "subject": "The new patch's subject.",
    },
)
def split(session: EditSession, name: str, *, path: list[str], subject: str) -> EditProgress:
    """Cut a patch in two by its files; `patches.edit` cuts within files."""
    from tensorflow_macos_build.patchqueue.edit import changes

    return changes.split(session, name, path, subject)


@_TASKS.step(
    positional=["name"],
    help={
        **_NAME,
        "keep": "The numbers of the hunks that stay, as `patches.hunks` shows them: 1,3-5.",
        "onto": "Leave out the hunks that landed in this upstream revision.",
    },
)
def trim(session: EditSession, name: str, *, keep: str = "", onto: str = "") -> EditProgress:
    """Leave hunks of a patch out; the patches after it follow."""
    from tensorflow_macos_build.patchqueue.edit import changes

    return changes.trim(session, name, parse_numbers(keep), onto)


def parse_numbers(text: str) -> tuple[int, ...]:
    """Read numbers such as `1,3-5`.

    Raises:
        UsageError: they are none.
    """
    numbers: list[int] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _NUMBERS.fullmatch(part)
        if match is None:
            raise UsageError(f"`--keep {text}`: give numbers of hunks, such as 1,3-5")
        first, last = int(match[1]), int(match[2] or match[1])
        numbers += range(first, last + 1)
    return tuple(dict.fromkeys(numbers))


@_TASKS.step(
    iterable=["patch"],
    help={
        **TRAILERS,
        "patch": "A pattern of the files that are meant; may be repeated. All by default.",
        "replace": "Give them to patches that have others of the same name, too.",
    },
)
def trailers(
    session: EditSession,
    *,
    patch: list[str],
    reason: str = "",
    drop_when: str = "",
    owner: str = "",
    upstream: str = "",
    replace: bool = False,
) -> EditProgress:
    """Give trailers (Reason, Drop-When, Owner, Upstream) to the patches that lack them."""
    from tensorflow_macos_build.patchqueue.edit import changes
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata

    metadata = Metadata(reason, drop_when, owner, upstream)
    return changes.give_trailers(session, patch, metadata, replace=replace)


@_TASKS.step(positional=["name"], help=_NAME)
def edit(session: EditSession, name: str) -> EditProgress:
    """Check a patch out in a work tree, to amend it or make several commits of it."""
    return session.edit(name)


@_TASKS.step(positional=["name"], help={"name": "The pick: its name, or a part of it."})
def vendor(session: EditSession, name: str) -> EditProgress:
    """Make a patch of a pick, to be changed like any other."""
    from tensorflow_macos_build.patchqueue.picking import pin

    return pin.vendor(session, name)


@_TASKS.step(name="continue")
def continue_(session: EditSession) -> EditProgress:
    """Take what was made in the work tree, and let the other patches follow."""
    return session.go_on()


@_TASKS.step()
def status(session: EditSession) -> EditProgress:
    """Show what a change of a queue that is under way waits for."""
    return session.status()


abort = _TASKS.abort("Give a change of a queue up; the queue stays as it was.")

TASKS = (drop, fold, reorder, split, trim, trailers, edit, vendor, continue_, status, abort)
