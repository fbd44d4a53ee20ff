"""A work tree with one patch of a queue checked out as a commit, to be changed there.

It is a repository of its own over the change's objects, sparse: the folders that the patch touches,
and more with `git sparse-checkout`. What counts in the end is the line of commits on top of the
patch's parent, and what is not committed yet.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import alternates, trees
from tensorflow_macos_build.git.objects import decode_path, encode_path
from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit
from tensorflow_macos_build.patchqueue.queue import commit_range
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
from tensorflow_macos_build.patchqueue.worktree import work_tree
from tensorflow_macos_build.patchqueue.worktree.conflict_tree import bring_shown, patterns
from tensorflow_macos_build.upstream.store import partial_clone

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git

_SHOWN = 10
_START = "refs/patchqueue/parent"
"""The commit before the patch's: all that stands on it in the end is the patch's."""
_CONFIG = {"core.sparseCheckout": "true", "core.sparseCheckoutCone": "false", "gc.auto": "0"}
_UNFINISHED = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "sequencer": "cherry-pick",
}
"""What git keeps in its folder while a command waits for somebody, and the command: the files that
git-status(1) goes by (wt-status.c, wt_status_get_state)."""


def make(folder: Path, quarantine: Quarantine, store: Git, base: str, edit: PatchEdit) -> None:
    """Make the work tree of an edit.

    Args:
        folder: where; it must not exist.
        quarantine: a quarantine that holds the edit's trees.
        store: the repository that keeps the change's objects; the work tree borrows from it.
        base: the queue's base, which the first commit stands on.
        edit: the edit.
    """
    ((before, after),) = edit.changes
    header = edit.header
    author = (
        f"{header.author.name} <{header.author.email}> {header.date.seconds} {header.date.zone}"
    )
    # The author is the committer, too, so that the same patch is the same commit on any machine.
    parent = quarantine.write_commit(before, [base], message=b"The patches before\n")
    commit = quarantine.write_commit(
        after, [parent], author=author, committer=author, message=encode_path(header.message)
    )
    quarantine.keep([commit], [base], into=store.git_dir / "objects")
    touched = [change.path for change in trees.between(quarantine.git, [(before, after)])[0]]
    bring_shown(quarantine, after, touched)
    with files.atomic_folder(folder) as unfinished:
        git = work_tree.git_of(unfinished)
        git.init(bare=False)
        for key, value in {**_CONFIG, **partial_clone(quarantine.git.server)}.items():
            git.run("config", key, value)
        alternates.write(git.git_dir, [(store.git_dir / "objects").resolve()])
        lines = "".join(f"{line}\n" for line in patterns(touched))
        work_tree.keep_bytes(git)
        (git.git_dir / "info" / "sparse-checkout").write_bytes(encode_path(lines))
        git.run("update-ref", _START, parent)
        git.run("update-ref", "--no-deref", "HEAD", commit)  # detached: no branch has a part in it
        git.run("read-tree", "-m", "-u", commit)


def take(folder: Path, quarantine: Quarantine, edit: PatchEdit) -> list[PatchEdit]:
    """Return the edits that somebody made of one in its work tree; none when it was taken away.

    What is not committed belongs to the last commit, or, when there is none, to the edit itself.

    Raises:
        UsageError: the commits are no line on top of the patch's parent, a merge or rebase is
            unfinished, or there are files that .gitignore keeps out.
    """
    _refuse_unfinished(folder)
    with work_tree.private_index(folder) as git:
        if work_tree.unmerged(git):
            raise UsageError("files are in conflict", where=str(folder), hint="settle them first")
        # Without --force, unlike a conflict's: what .gitignore names may be what a build left.
        git.run("add", "--all", "--sparse", "--", ".")
        _refuse_ignored(git, folder)
        tree = git.line("write-tree")
    git = work_tree.git_of(folder)
    parent, head = commit_range.resolve(git, _START), commit_range.resolve(git, "HEAD")
    commits = commit_range.read(git, parent, head)
    steps = list(commits.steps)
    before = trees.of_commits(git, [parent])[0]
    if commits.merges:
        raise UsageError("there is a merge among the commits", where=str(folder))
    if not steps and tree != before:
        steps = [PatchStep(edit.header, before, tree)]
    elif steps:  # what is not committed amends the last one
        steps[-1] = replace(steps[-1], after=tree)
    work_tree.bring(folder, quarantine, [step.after for step in steps], known=before)
    # The first keeps the patch's file; the others are new.
    names = [edit.name, *(None for _ in steps)]
    return [
        PatchEdit(step.header, ((step.before, step.after),), name, edit.bare)
        for step, name in zip(steps, names, strict=False)
        if step.before != step.after
    ]


def _refuse_ignored(git: Git, folder: Path) -> None:
    """Raise a UsageError for new files that .gitignore names: they would go with the work tree.

    Whether they belong to the patch (TensorFlow's own .gitignore names files that it tracks) or
    are what a build left, only their maker knows.
    """
    listed = git.out("ls-files", "--others", "--ignored", "--exclude-standard", "-z")
    if names := [decode_path(name) for name in listed.split(b"\0")[:-1]]:
        where = shlex.quote(str(folder))
        raise UsageError(
            "there are new files that .gitignore keeps out of the patch",
            where=str(folder),
            detail="\n".join([*names[:_SHOWN], *(["…"] if len(names) > _SHOWN else [])]),
            hint=f"`git -C {where} add --force --sparse FILE` takes one, "
            f"`git -C {where} clean -dfX` deletes them all",
        )


def _refuse_unfinished(folder: Path) -> None:
    """Raise a UsageError where git stopped half-way: HEAD lacks what is to come."""
    stopped = (name for name in _UNFINISHED if (folder / ".git" / name).exists())
    if name := next(stopped, None):
        command = _UNFINISHED[name]
        raise UsageError(
            f"a `git {command}` is unfinished in the work tree: commits may be still to come",
            where=str(folder),
            hint=f"finish it first: git -C {shlex.quote(str(folder))} {command} --continue (or "
            "--abort)",
        )
