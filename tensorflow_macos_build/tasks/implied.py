"""What a command line may leave out because only one thing can be meant."""

from __future__ import annotations

from pathlib import Path

from tensorflow_macos_build.tasks.folders import EDITS, REBASES

_WORKS = {"patches": EDITS, "rebase": REBASES}
"""Where work that waits for people is, by the first word of its tasks."""

_STEPS = ("abort", "continue", "skip", "status")
"""The tasks that go on with such work, by their last word."""


def value(task: str, argument: str) -> str:
    """Return the only value that a task's argument can have, or "".

    A queue may be left out where patches/ has no other, or where it is the only one that is worked
    on and the task goes on with that.
    """
    # The queue of an import is yet to be made.
    if argument != "queue" or task == "patches.import":
        return ""
    from tensorflow_macos_build.patchqueue.queue import locate

    names = locate.names()
    room, _, step = task.partition(".")
    if step in _STEPS and room in _WORKS:
        names = [name for name in names if _is_worked_on(name, Path(_WORKS[room]))]
    return names[0] if len(names) == 1 else ""


def _is_worked_on(queue: str, works: Path) -> bool:
    from tensorflow_macos_build.patchqueue.queue import locate
    from tensorflow_macos_build.patchqueue.queue.model import work_name

    return (works / work_name(locate.queue_folder(queue))).is_dir()
