"""Fetching the file contents that a task needs in one request, for a partial clone.

As git asks for what it finds missing, one by one, each content would cost a round trip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.objects import encode_path
from tensorflow_macos_build.patchqueue.queue import commit_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.upstream.handle import Mirror

    Tree = Mapping[bytes, TreeEntry]


def for_queue(
    queue: Queue, mirror: Mirror, onto: Sequence[str] = (), ticker: Ticker = silent
) -> None:
    """Make present what the queue's patches touch in their base, and what a move of it reads.

    A move reads the files in the new base, what upstream's commits did to them in between, and
    what may be a file under its new name.

    Args:
        queue: the patches; upstream has their base.
        mirror: upstream.
        onto: the full ids of the commits that the queue is to be moved to.
        ticker: told what is fetched.

    Raises:
        transfer.Unreachable: the server could not be asked.
    """
    if mirror.url is None:  # a local upstream has all that it will ever have
        return
    changes = (change for patch in queue.patches for change in patch.patch.changes)
    touched = {path for change in changes for path in (change.old_path, change.new_path)}
    picked, of_picks = _of_picks(queue, mirror)
    touched |= picked
    old = trees.files(mirror, queue.base.commit)
    ids = _at(old, touched) | of_picks
    for commit in onto:
        new = trees.files(mirror, commit)
        ids |= _at(new, touched) | _of_moved(old, new, touched) | _of_merges(new)
        ids |= _of_commits(mirror, queue.base.commit, commit, touched)
    mirror.fetch_blobs(ids, ticker)


def _of_picks(queue: Queue, mirror: Mirror) -> tuple[set[bytes], set[str]]:
    """Return the paths that the queue's picks change, and the contents on both sides of them."""
    pairs = [
        (pick.base or f"{pick.commit}^", pick.commit)
        for pick in queue.picks
        if pick.is_pinned and not mirror.missing([pick.commit])
    ]
    ids = [trees.of_commits(mirror, pair) for pair in pairs]
    changes = [c for _, made in trees.compare(mirror, map(tuple, ids)) for c in made]
    blobs = {side.oid for c in changes for side in (c.old, c.new) if side and not side.is_submodule}
    return {encode_path(change.path) for change in changes}, blobs


def for_audit(mirror: Mirror, base: str, onto: str, ticker: Ticker = silent) -> None:
    """Make present all files of a commit, and those of another one that differ from them.

    Raises:
        transfer.Unreachable: the server could not be asked.
    """
    before, after = trees.files(mirror, base), trees.files(mirror, onto)
    mirror.fetch_blobs(_at(before, before) | _at(after, after), ticker)


def _at(tree: Tree, paths: Iterable[bytes]) -> set[str]:
    # a submodule's id names a commit of another repository, which this server has not got
    entries = (tree[path] for path in paths if path in tree)
    return {entry.oid for entry in entries if not entry.is_submodule}


def _of_moved(old: Tree, new: Tree, touched: Iterable[bytes]) -> set[str]:
    """Return what git compares to find where files went, that patches touch or stand beside.

    Those are the files that are gone, and all that came (gitdiffcore(7), on rename detection).
    """
    # what stands beside a patch's file tells of a folder renamed as a whole, which merges follow
    folders = {_folder(path) for path in touched}
    gone = {path for path in old.keys() - new.keys() if path in touched or _folder(path) in folders}
    return _at(old, gone) | _at(new, new.keys() - old.keys()) if gone else set()


def _of_merges(tree: Tree) -> set[str]:
    """Return the .gitattributes of a tree, which say how its files are merged."""
    return _at(tree, (path for path in tree if path.rpartition(b"/")[2] == b".gitattributes"))


def _folder(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _of_commits(mirror: Mirror, base: str, onto: str, touched: Iterable[bytes]) -> set[str]:
    """Return what the commits between changed, as far as they touch a path of the patches."""
    # --stdin takes a path a line: of one that has a line end, contents come one by one later on
    paths = [path for path in sorted(touched) if b"\n" not in path]
    query = b"\n".join([onto.encode(), b"^" + base.encode(), b"--", *paths, b""])
    listed = mirror.out("--literal-pathspecs", "rev-list", "--full-history", "--stdin", stdin=query)
    before, after = trees.blob_ids(mirror, [(commit,) for commit in listed.decode().split()])
    return before | after


def for_range(mirror: Mirror, first: str, last: str, ticker: Ticker = silent) -> None:
    """Make present both sides of everything that changed between two commits.

    Raises:
        UsageError: upstream has no such commit.
        transfer.Unreachable: the server could not be asked.
    """
    base, tip = mirror.resolve(first, ticker), mirror.resolve(last, ticker)
    if mirror.url is not None:
        commits = commit_range.read(mirror, base, tip)
        for_pairs(mirror, [(step.before, step.after) for step in commits.steps], ticker)


def for_pairs(mirror: Mirror, pairs: Iterable[tuple[str, str]], ticker: Ticker = silent) -> None:
    """Make present both sides of everything that changed between trees, or commit and parent.

    Raises:
        transfer.Unreachable: the server could not be asked.
    """
    if mirror.url is not None:
        before, after = trees.blob_ids(mirror, pairs)
        mirror.fetch_blobs(before | after, ticker)


def for_steps(
    steps: Sequence[PatchStep], mirror: Mirror, git: Git, ticker: Ticker = silent
) -> None:
    """Make present what steps change of their base, which upstream has.

    Args:
        steps: the patches; their trees need not be upstream's.
        mirror: upstream.
        git: sees all trees of the steps.
        ticker: told what is fetched.

    Raises:
        transfer.Unreachable: the server could not be asked.
    """
    if mirror.url is not None:
        before, _ = trees.blob_ids(git, [(step.before, step.after) for step in steps])
        mirror.fetch_blobs(before, ticker)
