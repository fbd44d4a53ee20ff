"""A rebase that people work on, as git keeps it: one reference, moved in one step.

`refs/tensorflow_macos_build/rebase/<queue>` in the mirror names a commit whose tree holds what was
decided so far: `state.json`, and the resolutions made. All else is computed from it and the queue,
so whatever is killed when, the same command goes on; another clone needs the reference alone. How
far that came is there, too (`reached`), for the next step not to compute it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import revisions
from tensorflow_macos_build.git.objects import TREE_MODE, TreeEntry, parse_tree, reading
from tensorflow_macos_build.patchqueue.queue import locate
from tensorflow_macos_build.patchqueue.queue.model import encoded
from tensorflow_macos_build.patchqueue.rebase import reached
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.resolutions import KeptResolution
from tensorflow_macos_build.upstream import refs

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.patchqueue.rebase.reached import Reached

_FILE = "state.json"
_SCHEMA = "rebase-state", 3


@dataclass(frozen=True)
class RebaseState:
    """What was decided in a rebase.

    Attributes:
        folder: the queue's folder, absolute and without links.
        queue: the digest of the queue that it began with (`Queue.digest`).
        base: the full id of the commit that the queue stood on.
        onto_ref: the revision to move to, as it was asked for.
        onto: its full id.
        left_out: the names of the patches to leave out where they conflict.
        taken: the id of the tree of the work tree that was last taken or left; "": none was.
        resolutions: how conflicts were settled since.
        reached: how far it came, with what was decided at some time; None: nothing is known.
        kept: the id of the commit that it was read from; "" before it is first kept.
    """

    folder: str
    queue: str
    base: str
    onto_ref: str
    onto: str
    left_out: tuple[str, ...] = ()
    taken: str = ""
    resolutions: tuple[KeptResolution, ...] = ()
    reached: Reached | None = None
    kept: str = ""

    def with_resolution(self, made: KeptResolution) -> RebaseState:
        """Return it with one more resolution; one for the same conflict goes."""
        others = (old for old in self.resolutions if old.file_name != made.file_name)
        return replace(self, resolutions=(*others, made))


def ref_name(queue: Queue) -> str:
    """Return the name of the reference that a queue's rebase is kept under.

    Queues of one name in several checkouts share it; `RebaseState.folder` tells whose it is.
    """
    return f"{refs.SPACE}/rebase/{encoded(queue.name)}"


def load(queue: Queue, git: Git) -> RebaseState | None:
    """Return a queue's rebase; None when none is under way.

    Raises:
        UsageError: what the reference names is no state.
    """
    ref = ref_name(queue)
    kept = revisions.find(git, ref)
    if kept is None:
        return None
    with reading(git) as objects:
        _, content = objects.read(f"{kept}:{_FILE}")
        _, listed = objects.read(f"{kept}:{resolutions.FOLDER}")
        named = parse_tree(listed, len(kept) // 2)
        came_to = reached.load(objects, kept)
    try:
        body = documents.read(content, *_SCHEMA)
        # they are read when their patches conflict, of which most are passed
        settled = tuple(
            KeptResolution(made["patch"], made["file"], named[made["file"]].oid)
            for made in body["resolutions"]
        )
    except (documents.NotTheDocument, KeyError) as error:
        raise UsageError(
            "what is kept of the rebase cannot be read",
            where=ref,
            hint=locate.command("rebase.abort", queue.folder),
            detail=str(error),
        ) from None
    onto = body["onto"]
    return RebaseState(
        body["folder"],
        body["queue"],
        body["base"],
        onto["ref"],
        onto["commit"],
        tuple(body["left_out"]),
        body["taken"],
        settled,
        came_to,
        kept,
    )


def save(queue: Queue, quarantine: Quarantine, state: RebaseState) -> RebaseState:
    """Keep a queue's rebase in the repository below a quarantine, and return it as it is kept.

    The reference moves when all is written.

    Raises:
        refs.Moved: another state is kept by now than the one that this state came from.
    """
    body = {
        "folder": state.folder,
        "queue": state.queue,
        "base": state.base,
        "onto": {"ref": state.onto_ref, "commit": state.onto},
        "left_out": list(state.left_out),
        "taken": state.taken,
        "resolutions": [
            {"patch": made.patch, "file": made.file_name} for made in state.resolutions
        ],
    }
    content = documents.dumps(documents.document(*_SCHEMA, body)).encode()
    # One reference to one commit: a state is there as a whole or not at all.
    files = {made.file_name: TreeEntry("100644", made.oid) for made in state.resolutions}
    listed = {
        _FILE: TreeEntry("100644", quarantine.write("blob", content)),
        # There even when it is empty, which no index could hold: `load` reads it.
        resolutions.FOLDER: TreeEntry(TREE_MODE, quarantine.write_tree(files)),
    }
    if state.reached is not None:
        came_to = quarantine.write_tree(reached.entries(state.reached))
        listed[reached.FOLDER] = TreeEntry(TREE_MODE, came_to)
    tree = quarantine.write_tree(listed)
    # The parents keep both bases alive in a clone that has the reference alone.
    commit = quarantine.write_commit(
        tree, [state.onto, state.base], message=f"Rebase {queue.name}\n".encode()
    )
    quarantine.keep([commit], [state.onto, state.base])
    # Only from the state that this one came of: another command may have gone on meanwhile.
    refs.move(quarantine.source, ref_name(queue), commit, state.kept)
    return replace(state, kept=commit)


def drop(queue: Queue, git: Git) -> bool:
    """Forget a queue's rebase, readable or not; return whether there was one."""
    ref = ref_name(queue)
    kept = revisions.find(git, ref)
    if kept is not None:
        refs.move(git, ref, "", kept)
    return kept is not None
