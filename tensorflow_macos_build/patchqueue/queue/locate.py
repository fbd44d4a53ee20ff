"""Which folder a queue's name means: one rule for every task.

A name without a slash is a folder below `patches/`; a slash at its end does not count. Anything
else is a path, from the caller's folder. Links and `..` are followed first, so that a queue has one
folder, one name and one lock, by whatever way it is named.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

QUEUES = checkout.path("patches")
"""The folder of the checkout that holds the queues."""


def queue_folder(queue: str) -> Path:
    """Return the folder that a queue's name or path means, whether or not it exists.

    Raises:
        UsageError: it is empty, or a path that cannot be followed.
    """
    name = queue.rstrip("/") if queue.strip("/") else queue
    if not name:
        raise UsageError("a queue's name is empty", hint=_known())
    is_path = "/" in name or name in (".", "..")
    try:
        folder = (Path(name) if is_path else QUEUES / name).resolve()
        folder.is_dir()  # a name too long is found out here
        str(folder).encode()  # documents, which keep it, are UTF-8
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a ring, to 3.12
        raise UsageError(
            "it cannot be a queue's name or path",
            where=_short(queue),
            detail=getattr(error, "strerror", "") or _short(str(error)),
            hint=_known(),
        ) from None
    return _from_here(folder)


def new(queue: str) -> Path:
    """Return the folder for a queue to be made.

    The folder that it goes into must exist, or be below the current one. A checkout's first queue
    also makes `patches/`.

    Raises:
        UsageError: the folder that it goes into does not exist.
    """
    folder = queue_folder(queue)
    above = folder.parent
    is_first = above.name == QUEUES.name and above.parent.is_dir()
    if not (_may_be_made(above) or is_first):
        raise UsageError(
            "the folder that the queue is to be in does not exist",
            where=_short(str(folder.parent)),
            hint="make it first, or give a name alone for a queue in patches/",
        )
    return folder


def output(path: str) -> Path:
    """Return the path of what is to be written.

    The folder that it goes into must exist, or be below the current one.

    Raises:
        UsageError: neither is so.
    """
    target = Path(path)
    if not _may_be_made(target.parent):
        raise UsageError(
            "the folder that it is to be written into does not exist",
            where=_short(path),
            hint="make it first",
        )
    return target


def name_of(folder: Path) -> str:
    """Return the shortest name by which `queue_folder` takes a queue's folder."""
    is_flag = folder.name.startswith("-")  # which the flag before it would not take for its value
    if not is_flag and _from_here(folder) == _from_here(QUEUES.resolve() / folder.name):
        return folder.name
    return str(folder) if len(folder.parts) > 1 else f"./{folder}"


def command(task: str, folder: Path, *more: str, flags: Sequence[str] = ()) -> str:
    """Return the command line of a task for a queue, as it can be typed.

    `flags` are those that name the queue and what belongs to it; by default the queue alone.
    """
    return checkout.command(task, *(flags or ("--queue", name_of(folder))), *more)


def removal(folder: Path) -> str:
    """Return the command line that deletes a queue, as it can be typed."""
    return shlex.join(["rm", "-r", str(checkout.shown(folder))])


def _may_be_made(folder: Path) -> bool:
    return folder.is_dir() or folder.resolve().is_relative_to(Path.cwd())


def _from_here(folder: Path) -> Path:
    """Return a resolved path as a relative one where it is below the current folder."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) and folder != here else folder


def names() -> list[str]:
    """Return the names of the queues in patches/, sorted."""
    return sorted(path.parent.name for path in QUEUES.glob("*/queue.yaml"))


def _known() -> str:
    return (
        f"patches/ has {', '.join(names())}"
        if names()
        else f"`{checkout.command('patches.import', '--help')}` tells how to make one"
    )


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:80]}… ({len(text)} characters)"
