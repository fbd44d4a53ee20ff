"""How far a rebase came: kept with what was decided, so that its next step goes on from there.

None of it is anybody's decision: it comes of the queue, the new base, this version of the package
and what was decided about the patches that are passed. `Reached.key` names all that. Where it names
something else, or what is kept cannot be read, the rebase is replayed from its first patch, and the
same comes out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import __version__, documents
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git.objects import TREE_MODE, TreeEntry, encode_path, parse_tree
from tensorflow_macos_build.patchqueue.queue import names
from tensorflow_macos_build.patchqueue.verdict import status_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.git.objects import ObjectReader
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import QueueBase, QueueCommit
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseResult
    from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus

FOLDER = "reached"
_TREE = "tree"
_SCHEMA = "rebase-reached", 1


@dataclass(frozen=True)
class Reached:
    """The conflict that a rebase came to.

    Attributes:
        key: what it was computed from (`key_of`).
        tree: the id of the tree before the patch in conflict.
        passed: what became of the patches before that one, in order.
        drivers: the merge drivers that stayed off up to there.
        parts: the ids of the blobs that hold all this, of which each step adds one.
    """

    key: str
    tree: str
    passed: tuple[PatchStatus, ...]
    drivers: tuple[str, ...]
    parts: tuple[str, ...]


def key_of(
    base: QueueBase, onto: str, patches: Sequence[QueueCommit], count: int, decisions: Decisions
) -> str:
    """Return the name of all that decides what becomes of the first `count` patches of a queue."""
    digest = hashlib.sha256()
    for word in _words(base, onto, patches, count, decisions):
        encoded = encode_path(word)
        # measured, so that no two lists of words are the same bytes to the digest
        digest.update(b"%d\0%s" % (len(encoded), encoded))
    return digest.hexdigest()


def _words(
    base: QueueBase, onto: str, patches: Sequence[QueueCommit], count: int, decisions: Decisions
) -> Iterator[str]:
    yield from (__version__, base.upstream, base.commit, onto, str(len(patches)), str(count))
    for patch in patches:
        yield from (patch.name, patch.commit, patch.pick)
    yield from sorted(decisions.left_out.intersection(patch.name for patch in patches[:count]))
    # A resolution is its patch's whatever the number (`RecordedResolver`), so that one of a patch
    # behind may be that of a passed one, too; one of no patch of the queue may be any patch's.
    passed, behind = (
        {names.without_number(patch.name) for patch in part}
        for part in (patches[:count], patches[count:])
    )
    digests = [(made.patch, made.digest) for made in decisions.resolutions]
    digests += [(made.patch, made.oid) for made in decisions.kept]
    for name, made in digests:
        if names.without_number(name) not in behind - passed:
            yield made


def extended(
    quarantine: Quarantine, before: Reached | None, key: str, result: RebaseResult, count: int
) -> Reached:
    """Return how far a rebase came, with what is new of it written into a quarantine.

    Args:
        quarantine: the quarantine.
        before: what an earlier step reached, from which this one went on.
        key: what `result` was computed from.
        result: the result up to the conflict.
        count: how many patches are before that.
    """
    known = before or Reached("", "", (), (), ())
    body = {
        "key": key,
        "drivers": list(result.drivers),
        "patches": [
            {"commit": patch.commit, **status_document.status_part(patch)}
            for patch in result.patches[len(known.passed) : count]
        ],
    }
    content = documents.dumps(documents.document(*_SCHEMA, body)).encode()
    parts = (*known.parts, quarantine.write("blob", content))
    return Reached(key, result.tree, result.patches[:count], result.drivers, parts)


def entries(reached: Reached) -> dict[str, TreeEntry]:
    """Return the entries of the folder that keeps how far a rebase came."""
    numbered = {
        f"{number:06}.json": TreeEntry("100644", oid) for number, oid in enumerate(reached.parts)
    }
    return {**numbered, _TREE: TreeEntry(TREE_MODE, reached.tree)}


def load(objects: ObjectReader, kept: str) -> Reached | None:
    """Return how far the rebase came that a commit keeps; None: it does not say so, readably."""
    try:
        _, listed = objects.read(f"{kept}:{FOLDER}")
        named = parse_tree(listed, len(kept) // 2)
        tree = named[_TREE].oid
        objects.tree(tree)
        parts = tuple(named[name].oid for name in sorted(named) if name != _TREE)
        # Not by the schema, whose check takes a second for 500 patches: `key` says whose this is.
        bodies = [_plain(json.loads(content)) for content in objects.blobs(parts)]
        passed = tuple(
            status_document.read_status(part, part["commit"])
            for body in bodies
            for part in body["patches"]
        )
        last = bodies[-1]
        return Reached(last["key"], tree, passed, tuple(last["drivers"]), parts)
    except (WorkFailed, LookupError, TypeError, ValueError, RecursionError):
        return None


def _plain(body: documents.Json) -> documents.Json:
    """Return a document that is one of ours by its envelope.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    if body["schema"] != documents.document(*_SCHEMA, {})["schema"]:
        raise ValueError("it is another document")
    return body
