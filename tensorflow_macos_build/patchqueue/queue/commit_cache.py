"""A queue as commits that are kept: parsed and made once, found again while its files are the same.

The commits of a queue depend on its files alone. They stay in the mirror under
`refs/tensorflow_macos_build/queue/<queue>/<digest of the files>/`, the newest of each queue: `tip`
is the last of them, and of the first pick the change as it was made is `pick-0000`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import revisions
from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue import (
    materialise,
    picked_change,
    picks,
    storage,
)
from tensorflow_macos_build.patchqueue.queue.model import QueueCommit, encoded
from tensorflow_macos_build.upstream import refs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.materialise import PatchCommit
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase
    from tensorflow_macos_build.patchqueue.queue.picks import Pick

_SPACE = f"{refs.SPACE}/queue"
_FORM = "3"
"""Raised when the same files would make other commits, so that older ones are not found."""


def of_queue(queue: Queue, git: Git) -> tuple[QueueCommit, ...]:
    """Return a queue's picks and patches as commits of the repository.

    Raises:
        UsageError: a pick is not pinned, or does not apply to the queue's base.
        WorkFailed: a patch does not apply to its own base, or the repository lacks an object.
    """
    space = _space_of(queue)
    names = [patch.name for patch in queue.patches]
    return _known(git, space, queue.base, queue.picks, names) or _make(queue, git)


def keep(queue: Queue, trees: Sequence[str], quarantine: Quarantine, git: Git) -> None:
    """Keep the commits of a queue that was just written, so that none of its files is applied.

    Args:
        queue: the queue; its picks are pinned.
        trees: the id of the tree after each pick and patch, in order; `read_back` has proven them.
        quarantine: has these trees.
        git: the repository that `of_queue` will be asked with.
    """
    made = materialise.picked(queue, quarantine)
    parent = made[-1].id if made else queue.base.commit
    for patch, tree in zip(queue.patches, trees[len(made) :], strict=True):
        parent = picked_change.commit_of(quarantine, patch.header, tree, parent)
    _keep(queue, git, quarantine, made, parent)


def _space_of(queue: Queue) -> str:
    contents = [(patch.name, patch.content) for patch in queue.patches]
    return _space(queue.name, queue.base, queue.picks, contents)


def of_folder(folder: Path, git: Git) -> tuple[QueueBase, tuple[QueueCommit, ...]]:
    """Return a queue's base and its picks and patches; files are parsed only when new.

    Raises:
        UsageError: as for `of_queue`, or the folder is no queue.
        WorkFailed: as for `of_queue`, or a patch file is damaged.
    """
    base, picked, contents = storage.load_contents(folder)
    space = _space(folder.resolve().name, base, picked, contents)
    if known := _known(git, space, base, picked, [name for name, _ in contents]):
        return base, known
    queue = storage.load(folder)
    return queue.base, of_queue(queue, git)


def _space(
    name: str, base: QueueBase, picked: Sequence[Pick], contents: Iterable[tuple[str, bytes]]
) -> str:
    """Return what the names of a queue's references begin with."""
    # sizes part the files: two queues whose files join to the same bytes have two references
    digest = hashlib.sha256(f"{_FORM} {base.commit}\n".encode())
    if picked:  # a pull's message has a link that the upstream's address decides
        for text in (base.upstream, *picks.digest_parts(picked)):
            digest.update(b"%s\0" % text.encode())
    for patch, content in contents:
        digest.update(f"{patch} {len(content)}\n".encode())
        digest.update(content)
    return f"{_SPACE}/{encoded(name)}/{digest.hexdigest()}"


def _known(
    git: Git, space: str, base: QueueBase, picked: Sequence[Pick], patches: Sequence[str]
) -> tuple[QueueCommit, ...]:
    """Return the commits kept under references; none where there are none."""
    names = [*((pick.name, pick.commit) for pick in picked), *((name, "") for name in patches)]
    kept = revisions.references(git, space)
    tip = kept.get(f"{space}/tip")
    if tip is None:
        return ()
    # So many from the last one on, and not all that the base has not: they are dated by their
    # patches, which are older than the base, and git would walk the whole history for that.
    form = ("--first-parent", f"--max-count={len(names)}", "--format=%H%n%P%n%s%n%B")
    out = git.out("log", "-z", *form, tip, "--")
    records = [decode_path(record).split("\n", 3) for record in out.split(b"\0") if record]
    # Other commits than of these files, whoever wrote the reference, end elsewhere.
    if not records or len(records) != len(names) or records[-1][1] != base.commit:
        return ()
    return tuple(
        QueueCommit(name, kept.get(_pick_ref(space, number), commit), subject, message, pick)
        for number, ((name, pick), (commit, _, subject, message)) in enumerate(
            zip(names, reversed(records), strict=True)
        )
    )


def _pick_ref(space: str, number: int) -> str:
    return f"{space}/pick-{number:04}"


def _make(queue: Queue, git: Git) -> tuple[QueueCommit, ...]:
    with open_quarantine(git) as quarantine:
        made = materialise.commits(queue, quarantine)
        if made:
            _keep(queue, git, quarantine, made[: len(queue.picks)], made[-1].id)
    return tuple(map(materialise.as_queue_commit, made))


def _keep(
    queue: Queue,
    git: Git,
    quarantine: Quarantine,
    picked: Sequence[PatchCommit],
    tip: str,
) -> None:
    """Keep the commits of a queue: those of its picks, and the last of all."""
    changes = [commit.change for commit in picked]
    # the parents of the picks' changes, and the picks: all that is upstream's own
    parents = [quarantine.objects.commit(change).parents[0] for change in changes]
    known = [queue.base.commit, *parents, *(pick.commit for pick in queue.picks)]
    quarantine.keep([tip, *changes], known, into=git.objects_folder())
    space = _space_of(queue)
    tips = {_pick_ref(space, number): change for number, change in enumerate(changes)}
    # last: a kill before leaves objects that nothing refers to, and never a reference without them
    _refer(git, space, {f"{space}/tip": tip, **tips})


def _refer(git: Git, space: str, tips: Mapping[str, str]) -> None:
    """Point references at the newest commits of a queue; its older states are let go."""
    # a queue changes all the time, and each state would keep its objects alive for ever
    folder = space.rpartition("/")[0]
    with refs.alone(git):
        old = git.line("for-each-ref", "--format=%(refname)", folder).split()
        commands = [f"delete {name}" for name in old if name not in tips]
        commands += [f"update {name} {tip}" for name, tip in tips.items()]
        git.run("update-ref", "--no-deref", "--stdin", stdin="\n".join([*commands, ""]).encode())
