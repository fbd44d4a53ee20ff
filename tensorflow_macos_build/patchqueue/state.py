"""A rebase that people work on, as git keeps it: one reference, moved in one step.

`refs/tensorflow_macos_build/rebase/<queue>` in the mirror names a commit whose tree holds what was
decided so far: `state.json`, and the resolutions made. All else is computed from it and the queue,
so whatever is killed when, the same command goes on; another clone needs the reference alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue import resolutions
from tensorflow_macos_build.upstream.objects import TREE_MODE, Entry, quarantine, text

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.queue import Queue
    from tensorflow_macos_build.patchqueue.resolutions import Resolution
    from tensorflow_macos_build.upstream.git import Git

_FILE = "state.json"
_SCHEMA = "rebase-state", 1


@dataclass(frozen=True)
class State:
    """What was decided in a rebase.

    Attributes:
        base: the full id of the commit that the queue stood on when it began.
        onto_ref: the revision to move to, as it was asked for.
        onto: its full id.
        left_out: the names of the patches to leave out where they conflict.
        resolutions: how conflicts were settled since.
    """

    base: str
    onto_ref: str
    onto: str
    left_out: tuple[str, ...] = ()
    resolutions: tuple[Resolution, ...] = ()


def ref_name(queue: Queue) -> str:
    """Give the name of the reference that a queue's rebase is kept under."""
    name = re.sub(r"[^\w-]+", "-", queue.name).strip("-")
    return f"refs/tensorflow_macos_build/rebase/{name}"


def load(queue: Queue, git: Git) -> State | None:
    """Read a queue's rebase; None when none is under way.

    Raises:
        UsageError: what the reference names is no state.
    """
    ref = ref_name(queue)
    if git.run("rev-parse", "--verify", "--quiet", ref, expected=(0, 1)).status != 0:
        return None
    try:
        found = documents.read(git.out("cat-file", "blob", f"{ref}:{_FILE}"), *_SCHEMA)
    except documents.NotTheDocument as error:
        raise UsageError(
            "what is kept of the rebase cannot be read",
            where=ref,
            hint=f"invoke rebase.abort --queue {queue.name}",
            detail=str(error),
        ) from None
    names = text(git.out("ls-tree", "-z", "--name-only", f"{ref}:{resolutions.FOLDER}"))
    settled = [
        resolutions.parse(git.out("cat-file", "blob", f"{ref}:{resolutions.FOLDER}/{name}"), name)
        for name in names.split("\0")
        if name
    ]
    onto = found["onto"]
    return State(
        found["base"], onto["ref"], onto["commit"], tuple(found["left_out"]), tuple(settled)
    )


def save(queue: Queue, git: Git, state: State) -> None:
    """Keep a queue's rebase; the reference moves when all is written."""
    body = {
        "base": state.base,
        "onto": {"ref": state.onto_ref, "commit": state.onto},
        "left_out": list(state.left_out),
    }
    content = documents.dumps(documents.document(*_SCHEMA, body)).encode()
    with quarantine(git) as pen:
        files = {
            one.file_name: Entry("100644", pen.write("blob", resolutions.emit(one)))
            for one in state.resolutions
        }
        tree = pen.write_tree(
            {
                _FILE: Entry("100644", pen.write("blob", content)),
                resolutions.FOLDER: Entry(TREE_MODE, pen.write_tree(files)),
            }
        )
        # The parents keep both bases alive in a clone that has the reference alone.
        commit = pen.write_commit(
            tree, [state.onto, state.base], message=f"Rebase {queue.name}\n".encode()
        )
        pen.keep([commit], [state.onto, state.base])
    git.run("update-ref", "--no-deref", ref_name(queue), commit)


def drop(queue: Queue, git: Git) -> None:
    """Forget a queue's rebase."""
    git.run("update-ref", "--no-deref", "-d", ref_name(queue))
