"""`scripts/inv patches.list`: which queues there are, and what is in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.tasks import flag_help
from tensorflow_macos_build.tasks.command import command, present

if TYPE_CHECKING:
    import invoke


@command(
    name="list",
    positional=["queue"],
    help={
        "queue": f"{flag_help.QUEUE} Without one, the queues of patches/ are listed.",
        "json": "Print one JSON document (schema queue-list.v1).",
    },
)
def list_(_context: invoke.Context, *, queue: str = "", json: bool = False) -> None:
    """Show which queues there are, or the picks and patches of one in their order."""
    from tensorflow_macos_build.patchqueue.queue import locate, storage
    from tensorflow_macos_build.views import queue_list as view

    names = [queue] if queue else locate.names()
    queues = [storage.load(locate.queue_folder(name)) for name in names]
    parts = view.changes_lines(queues[0]) if queue else view.queues_lines(queues)
    present(view.as_document(queues), parts, json=json)
