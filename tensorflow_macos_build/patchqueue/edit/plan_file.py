"""A change of a queue that is under way, as a file: what is wanted, and what was settled so far.

Everything else is computed from it and the queue. It is written in one step, so whatever is killed
when, the same command goes on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit
from tensorflow_macos_build.patchqueue.formats.patch import Header
from tensorflow_macos_build.patchqueue.formats.people import Identity, Moment
from tensorflow_macos_build.patchqueue.queue import locate
from tensorflow_macos_build.patchqueue.queue.picks import Pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_FILE = "plan.json"
_SCHEMA = "edit-plan", 3

MAX_SIZE = 64 << 20
"""Bytes of the largest plan that is read."""


@dataclass(frozen=True)
class EditPlan:
    """A change under way.

    Attributes:
        folder: the queue's folder, absolute and without links.
        request: the task and its arguments, as they were asked for.
        queue: the digest of the queue that it changes.
        edits: the patches as they shall be, in order.
        settled: the trees that somebody made of conflicts, by `EditConflict.key`.
        open: the position of the edit that is being edited in a work tree; None: none is.
    """

    folder: str
    request: tuple[str, ...]
    queue: str
    edits: tuple[PatchEdit, ...]
    settled: Mapping[str, str]
    open: int | None


def words(request: Sequence[str]) -> tuple[str, ...]:
    """Return a request as a command line has it: the task, and its arguments with their flags."""
    task, *rest = request or ("patches.continue",)
    return task, *_arguments(task, rest)


def _arguments(task: str, rest: Sequence[str]) -> Iterator[str]:
    match task, rest:
        case "patches.fold", [name, into]:
            yield from (name, "--into", into)
        case "patches.reorder", [name, side, other]:
            yield from (name, f"--{side}", other)
        case "patches.split", [name, subject, *globs]:
            yield from (name, *_flags(("--subject", subject), *(("--path", g) for g in globs)))
        case "patches.trim", [name, "onto", onto]:
            yield from (name, "--onto", onto)
        case "patches.trim", [name, *numbers]:
            yield from (name, "--keep", ",".join(numbers))
        case "patches.trailers", [mode, *patterns] if "" in patterns:
            end = patterns.index("")
            parted = (trailer.partition(": ") for trailer in patterns[end + 1 :])
            yield from ("--replace",) if mode == "replace" else ()
            yield from _flags(*(("--patch", pattern) for pattern in patterns[:end]))
            yield from _flags(*((f"--{key.lower()}", value) for key, _, value in parted))
        case "patches.pick", [name, commit, _, reason, drop_when, owner, url, *paths]:
            yield name.removeprefix("pull-") if name.startswith("pull-") else commit
            yield from _flags(("--reason", reason), ("--drop-when", drop_when), ("--owner", owner))
            yield from _flags(("--url", url), *(("--path", path) for path in paths))
        case "patches.pin", _:  # behind it are the ids that the servers answered with
            return
        case _:
            yield from rest


def _flags(*pairs: tuple[str, str]) -> Iterator[str]:
    """Yield flags and their values, without those that have none."""
    for flag, value in pairs:
        if value:
            yield from (flag, value)


def save(folder: Path, plan: EditPlan) -> None:
    """Write a plan into the folder of the change."""
    body = {
        "folder": plan.folder,
        "request": plan.request,
        "queue": plan.queue,
        # The word of the document, which plans that are under way were written by.
        "pieces": [_piece_body(edit) for edit in plan.edits],
        "settled": dict(plan.settled),
        "open": plan.open,
    }
    files.write_text(folder / _FILE, documents.dumps(documents.document(*_SCHEMA, body)))


def _piece_body(edit: PatchEdit) -> documents.Json:
    body = asdict(edit)
    # Nobody keeps the objects of the trees that it names, as those of the plan's changes are kept.
    del body["of_file"]
    return body


def load(folder: Path, queue: Path) -> EditPlan | None:
    """Read the plan of the change of a queue in `folder`; None when none is under way.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        body = documents.read(files.read_small(folder / _FILE, MAX_SIZE), *_SCHEMA)
    except FileNotFoundError:
        return None
    except documents.NotTheDocument as error:
        raise UsageError(
            "the change under way cannot be read",
            where=str(folder / _FILE),
            hint=f"`{locate.command('patches.abort', queue)}` gives it up",
            detail=str(error),
        ) from None
    edits = tuple(map(_patch_edit, body["pieces"]))
    # The schema cannot say that one number is less than the length of another field's list.
    if body["open"] is not None and body["open"] >= len(edits):
        raise UsageError("the plan opens a patch that it does not have", where=str(folder / _FILE))
    return EditPlan(
        body["folder"],
        tuple(body["request"]),
        body["queue"],
        edits,
        body["settled"],
        body["open"],
    )


def _patch_edit(body: documents.Json) -> PatchEdit:
    header = body["header"]
    made = Header(
        Identity(**header["author"]), Moment(**header["date"]), header["subject"], header["body"]
    )
    changes = tuple((before, after) for before, after in body["changes"])
    pick = body["pick"] and Pick(**{**body["pick"], "paths": tuple(body["pick"]["paths"])})
    return PatchEdit(made, changes, body["name"], body["bare"], pick)
