"""Tasks that change a queue: its patches are dropped, folded, moved, cut and edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.tasks.command import command
from tensorflow_macos_build.tasks.folders import MIRRORS

if TYPE_CHECKING:
    import invoke

    from tensorflow_macos_build.errors import ExitCode

_CHANGE = {
    "name": "The patch: its file's name, or a part of it that fits no other.",
    "queue": "The queue: a name in patches/, or a path with a slash.",
    "cache": "The folder that holds the mirrors of upstream repositories.",
    "json": "Print one JSON document (schema patches-edit.v1).",
}
SAID = {
    "reason": "The trailer `Reason:`: fork-only, backport or upstreaming.",
    "drop_when": "The trailer `Drop-When:`, a condition such as `upstream >= v2.18` or `never`.",
    "owner": "The trailer `Owner:`, who looks after the patches.",
    "upstream": "The trailer `Upstream:`, a link or a commit.",
}
"""The flags that say something of patches which do not say it themselves."""

_WAITING = {key: _CHANGE[key] for key in ("queue", "cache", "json")}


@command(needs=("git",), positional=["name"], auto_shortflags=False, help=_CHANGE)
def drop(
    _context: invoke.Context,
    name: str,
    *,
    queue: str,
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Take a patch out of a queue; the patches after it follow."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    return view.step(QueueFlags(queue, cache), lambda it: view.drop(it, name), json=json)


@command(
    needs=("git",),
    positional=["name"],
    auto_shortflags=False,
    help={**_CHANGE, "into": "The patch that it becomes part of, whose message stays."},
)
def fold(
    _context: invoke.Context,
    name: str,
    *,
    queue: str,
    into: str,
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Make a patch part of another one."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    return view.step(QueueFlags(queue, cache), lambda it: view.fold(it, name, into), json=json)


@command(
    needs=("git",),
    positional=["name"],
    auto_shortflags=False,
    help={
        **_CHANGE,
        "before": "The patch that it shall stand before.",
        "after": "The patch that it shall stand after.",
    },
)
def reorder(
    _context: invoke.Context,
    name: str,
    *,
    queue: str,
    before: str = "",
    after: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Move a patch to another place in a queue."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    flags = QueueFlags(queue, cache)
    return view.step(flags, lambda it: view.reorder(it, name, before, after), json=json)


@command(
    needs=("git",),
    positional=["name"],
    iterable=["path"],
    auto_shortflags=False,
    help={
        **_CHANGE,
        "path": "A pattern of files that go into the new patch; may be repeated.",
        "subject": "The new patch's subject.",
    },
)
def split(
    _context: invoke.Context,
    name: str,
    *,
    queue: str,
    path: list[str],
    subject: str,
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Cut a patch in two by its files; `patches.edit` cuts within files."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    flags = QueueFlags(queue, cache)
    return view.step(flags, lambda it: view.split(it, name, path, subject), json=json)


@command(
    needs=("git",),
    iterable=["patch"],
    auto_shortflags=False,
    help={
        **_WAITING,
        **SAID,
        "patch": "A pattern of the files that are meant; may be repeated. All by default.",
    },
)
def annotate(
    _context: invoke.Context,
    *,
    queue: str,
    patch: list[str],
    reason: str = "",
    drop_when: str = "",
    owner: str = "",
    upstream: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Return trailers (Reason, Drop-When, Owner, Upstream) to the patches that lack them."""
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    said = Metadata(reason, drop_when, owner, upstream)
    return view.step(QueueFlags(queue, cache), lambda it: view.annotate(it, patch, said), json=json)


@command(needs=("git",), positional=["name"], auto_shortflags=False, help=_CHANGE)
def edit(
    _context: invoke.Context,
    name: str,
    *,
    queue: str,
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Check a patch out in a work tree, to amend it or make several commits of it."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    return view.step(QueueFlags(queue, cache), lambda it: view.edit(it, name), json=json)


@command(needs=("git",), name="continue", auto_shortflags=False, help=_WAITING)
def continue_(
    _context: invoke.Context, *, queue: str, cache: str = MIRRORS, json: bool = False
) -> ExitCode:
    """Take what was made in the work tree, and let the other patches follow."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    return view.step(QueueFlags(queue, cache), lambda it: it.go_on(), json=json)


@command(needs=("git",), auto_shortflags=False, help=_WAITING)
def status(
    _context: invoke.Context, *, queue: str, cache: str = MIRRORS, json: bool = False
) -> ExitCode:
    """Say what a change of a queue that is under way waits for."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    return view.step(QueueFlags(queue, cache), lambda it: it.status(), json=json)


@command(
    needs=("git",), auto_shortflags=False, help={key: _CHANGE[key] for key in ("queue", "cache")}
)
def abort(_context: invoke.Context, *, queue: str, cache: str = MIRRORS) -> None:
    """Give a change of a queue up; the queue stays as it was."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    view.abort(QueueFlags(queue, cache))


TASKS = (drop, fold, reorder, split, annotate, edit, continue_, status, abort)
