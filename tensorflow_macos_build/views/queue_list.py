"""Queues and what is in them: a document, and tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueuePatch
    from tensorflow_macos_build.patchqueue.queue.picks import Pick
    from tensorflow_macos_build.views.lines import Part


def as_document(queues: Sequence[Queue]) -> documents.Json:
    """Return queues as a document of the schema queue-list.v1."""
    return documents.document("queue-list", 1, {"queues": [_queue(queue) for queue in queues]})


def changes_lines(queue: Queue) -> Iterator[Part]:
    """Yield a table of a queue's picks and patches, in their order, and a sentence that counts."""
    changes = _changes(queue)
    titles = ("name", "reason", "drop when", "subject")
    keys = ("name", "reason", "drop_when", "subject")
    yield Table.of(titles, ([change[key] for key in keys] for change in changes))
    yield Line(f"{queue.name}: {_counted(queue)} on {queue.base.ref}", "bold")


def queues_lines(queues: Sequence[Queue]) -> Iterator[Part]:
    """Yield a table of queues: what each applies to, and how much is in it."""
    rows = ((queue.name, queue.base.ref, _counted(queue)) for queue in queues)
    yield Table.of(("queue", "base", ""), rows)


def _counted(queue: Queue) -> str:
    counts = {"pick": len(queue.picks), "patch": len(queue.patches)}
    plurals = {"pick": "picks", "patch": "patches"}
    words = (f"{n} {noun if n == 1 else plurals[noun]}" for noun, n in counts.items() if n)
    return ", ".join(words) or "nothing"


def _queue(queue: Queue) -> documents.Json:
    base = {"upstream": queue.base.upstream, "ref": queue.base.ref, "commit": queue.base.commit}
    return {"name": queue.name, "base": base, "changes": _changes(queue)}


def _changes(queue: Queue) -> list[dict[str, str]]:
    return [*map(_of_pick, queue.picks), *map(_of_patch, queue.patches)]


def _of_pick(pick: Pick) -> dict[str, str]:
    # Its subject is its commit's, which only the upstream repository has.
    return {
        "name": pick.name,
        "subject": "",
        "reason": pick.reason,
        "drop_when": pick.drop_when,
        "owner": pick.owner,
    }


def _of_patch(patch: QueuePatch) -> dict[str, str]:
    given = {trailer.key: trailer.value for trailer in patch.header.trailers}
    return {
        "name": patch.name,
        "subject": patch.header.subject,
        "reason": given.get("Reason", ""),
        "drop_when": given.get("Drop-When", ""),
        "owner": given.get("Owner", ""),
    }
