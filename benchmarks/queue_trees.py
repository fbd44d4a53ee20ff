"""Apply a queue to a tree that is not its base, patch by patch, and set git's answer beside ours.

    python -m benchmarks.queue_trees QUEUE GIT_DIR COMMIT [--lf] [--onto GIT_DIR COMMIT]

For a queue whose base is not on this machine: COMMIT is the nearest tree that is. Its picks are
left out, for no snapshot has them. git's answer is that of `git apply --cached --unidiff-zero`.
`--lf` takes the files that the queue changes with LF where a snapshot has them with CRLF. `--onto`
also moves the queue from there to another tree, of another repository. Ends with 1 when a patch
does not apply, the trees differ, or one conflicts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import alternates, objects, revisions, trees
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.formats.diff import ChangeKind
from tensorflow_macos_build.patchqueue.formats.refused import Refused
from tensorflow_macos_build.patchqueue.queue import materialise, storage
from tensorflow_macos_build.patchqueue.rebase import engine

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.queue.model import Queue


def main() -> int:
    """Apply it both ways and print a line for each patch."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("queue", type=Path)
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("commit")
    parser.add_argument("--lf", action="store_true")
    parser.add_argument("--onto", nargs=2, metavar=("GIT_DIR", "COMMIT"))
    arguments = parser.parse_args()
    queue = replace(storage.load(arguments.queue), picks=())
    others = [Path(arguments.onto[0])] if arguments.onto else []
    with tempfile.TemporaryDirectory() as folder:
        git = _scratch(Path(folder), [arguments.git_dir, *others])
        commit = _commit(git, arguments.commit)
        if arguments.lf:
            commit = _with_lf(git, queue, commit)
        ours, theirs = _ours(queue, git, commit), _theirs(queue, git, commit)
        moves = not arguments.onto or _moves(queue, git, commit, arguments.onto[1])
    for patch, mine, gits in zip(queue.patches, ours, theirs, strict=True):
        print(f"{'the same tree' if mine == gits else f'{mine}, and git: {gits}'}: {patch.name}")
    is_same = ours == theirs
    print(f"{len(queue.patches)} patches of {queue.base.ref} on {arguments.commit}")
    return 0 if is_same and moves else 1


def _scratch(folder: Path, git_dirs: list[Path]) -> Git:
    """Make a repository that has all objects of other ones, which stay as they are."""
    git = Git(folder / "scratch.git")
    git.init()
    alternates.write(git.git_dir, [Git(git_dir).objects_folder() for git_dir in git_dirs])
    return git


def _commit(git: Git, name: str) -> str:
    commit = revisions.find_commit(git, name)
    if commit is None:
        raise SystemExit(f"there is no commit {name}")
    return commit


def _moves(queue: Queue, git: Git, commit: str, onto: str) -> bool:
    """Print what becomes of each patch on another tree; return whether all is well.

    Both trees are taken with the queue's own files alone: snapshots lack large contents, and have
    no history that could name a culprit.
    """
    base = _commit_of(git, _own_files(queue, git, commit))
    target = _commit_of(git, _own_files(queue, git, _commit(git, onto)), base)
    moved = replace(queue, base=replace(queue.base, commit=base))
    result = engine.rebase(moved, git, target)
    for patch in result.patches:
        print(f"{patch.status.value} on {onto}: {patch.name}")
    return result.ok


def _own_files(queue: Queue, git: Git, commit: str) -> str:
    """Return a tree of the files that a queue names, as a commit has them."""
    files = trees.files(git, commit)
    changes = [change for patch in queue.patches for change in patch.patch.changes]
    index = {"GIT_INDEX_FILE": str(git.git_dir / "own-index")}
    _git(git, "read-tree", "--empty", environment=index)
    for path in sorted({change.new_path for change in changes} & {*files}):
        entry = f"{files[path].mode},{files[path].oid},{os.fsdecode(path)}"
        _git(git, "update-index", "--add", "--cacheinfo", entry, environment=index)
    return _git(git, "write-tree", environment=index)


def _commit_of(git: Git, tree: str, *parents: str) -> str:
    named = [word for parent in parents for word in ("-p", parent)]
    return _git(git, "commit-tree", tree, *named, "-m", "a snapshot", environment=_PERSON)


def _with_lf(git: Git, queue: Queue, commit: str) -> str:
    """Make a commit in which the files that the queue changes have LF alone."""
    tree = trees.of_commits(git, [commit])[0]
    changes = [change for patch in queue.patches for change in patch.patch.changes]
    paths = {change.old_path for change in changes if change.kind is not ChangeKind.ADD}
    index = {"GIT_INDEX_FILE": str(git.git_dir / "lf-index")}
    _git(git, "read-tree", tree, environment=index)
    with objects.reading(git) as reader:
        files = trees.files(git, tree)
        for path in sorted(paths):
            content = reader.blob(files[path].oid).replace(b"\r\n", b"\n")
            oid = git.line("hash-object", "-w", "--stdin", stdin=content)
            entry = f"100644,{oid},{os.fsdecode(path)}"
            _git(git, "update-index", "--cacheinfo", entry, environment=index)
    lf_tree = _git(git, "write-tree", "--missing-ok", environment=index)
    return _commit_of(git, lf_tree)


_PERSON = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "B"), ("EMAIL", "b@example.org"), ("DATE", "1700000000 +0000"))
}


def _ours(queue: Queue, git: Git, commit: str) -> list[str]:
    moved = replace(queue, base=replace(queue.base, commit=commit))
    try:
        with open_quarantine(git) as quarantine:
            return [made.tree for made in materialise.commits(moved, quarantine)]
    except Refused as error:
        raise SystemExit(f"{error.patch}: {error.what}") from None


def _theirs(queue: Queue, git: Git, commit: str) -> list[str]:
    index = {"GIT_INDEX_FILE": str(git.git_dir / "apply-index")}
    _git(git, "read-tree", commit, environment=index)
    made = []
    for patch in queue.patches:
        _git(git, "apply", "--cached", "--unidiff-zero", stdin=patch.content, environment=index)
        made.append(_git(git, "write-tree", "--missing-ok", environment=index))
    return made


def _git(git: Git, *args: str, stdin: bytes = b"", environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["git", f"--git-dir={git.git_dir}", *args],
        input=stdin,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"git {args[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout.decode().strip()


if __name__ == "__main__":
    raise SystemExit(main())
