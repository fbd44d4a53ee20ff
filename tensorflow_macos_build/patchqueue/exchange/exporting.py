"""Taking a queue elsewhere: a branch of commits, one mailbox, a quilt series."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build import files
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import diffs, revisions, trees
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.formats import diff_parse, patch, write
from tensorflow_macos_build.patchqueue.formats.diff import GITLINK, SYMLINK
from tensorflow_macos_build.patchqueue.formats.refused import Refused
from tensorflow_macos_build.patchqueue.queue import (
    commit_range,
    compose,
    locate,
    materialise,
    opening,
    storage,
)
from tensorflow_macos_build.patchqueue.queue.model import QueuePatch
from tensorflow_macos_build.patchqueue.queue.queue_files import QUEUE_FILE

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.model import Queue

SERIES = "series"

_ZERO = "0" * 40
"""The old value of a branch that does not exist yet (git-update-ref(1))."""

_MARK_SIZE = 200
"""More bytes than the first line of an exported series has."""


class ExportForm(Enum):
    """What a queue is written as; the values are those of the flag `--to`."""

    BRANCH = "branch"
    MAILBOX = "mailbox"
    QUILT = "quilt"


@dataclass(frozen=True)
class ExportRequest:
    """What is to be taken where.

    Attributes:
        folder: the queue's folder.
        form: what it is written as.
        target: the repository that gets the branch, the mailbox's file, or the series' folder.
        cache: the folder that holds the mirrors of upstream repositories; a quilt series needs one.
        branch: the branch's name; "": the queue's.
        force: replace what is there and holds something else.
    """

    folder: Path
    form: ExportForm
    target: str
    cache: Path
    branch: str = ""
    force: bool = False


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        queue: the queue.
        form: what it was written as.
        where: the id of the branch's last commit, or the path as the request has it.
    """

    queue: Queue
    form: ExportForm
    where: str


def export(request: ExportRequest, ticker: Ticker = silent) -> Exported:
    """Write a queue in one of the forms that other tools take.

    Raises:
        UsageError: there is no such queue, or its target is not free.
        Refused: a patch does not apply exactly, or the form has no place for what it changes.
        transfer.Unreachable: the upstream's server could not be asked.
    """
    queue, force, where = storage.load(request.folder), request.force, request.target
    is_mailbox = request.form is ExportForm.MAILBOX
    if queue.picks or (is_mailbox and any(map(_lacks_context, queue.patches))):
        queue = _on_its_base(request, ticker)
    match request.form:
        case ExportForm.BRANCH:
            git = commit_range.repository(Path(request.target))
            where = to_branch(queue, git, request.branch or queue.name, force=force)
        case ExportForm.MAILBOX:
            to_mailbox(queue, locate.output(request.target), force=force)
        case ExportForm.QUILT:
            out = locate.output(request.target)
            opened = opening.open(queue.folder, request.cache, ticker)
            opened.prepare(ticker=ticker)
            with open_quarantine(opened.mirror) as quarantine:
                to_quilt(queue, quarantine, out, force=force)
        case _:
            assert_never(request.form)
    return Exported(queue, request.form, where)


def _on_its_base(request: ExportRequest, ticker: Ticker) -> Queue:
    """Open a queue, and return it with all in its patches that only its base can tell."""
    materialise.refuse_unpinned(storage.load_head(request.folder)[1], request.folder)
    opened = opening.open(request.folder, request.cache, ticker)
    opened.prepare(ticker=ticker)
    with open_quarantine(opened.mirror) as quarantine:
        queue = flattened(opened.queue, quarantine)  # a reference cannot be sent
        is_mailbox = request.form is ExportForm.MAILBOX
        return with_context(queue, quarantine) if is_mailbox else queue


def _lacks_context(listed: QueuePatch) -> bool:
    """Whether `git am` refuses a patch for a hunk without context."""
    hunks = [hunk for change in listed.patch.changes for hunk in change.hunks]
    # one that covers all of a short file, or makes a file, has none either, and is taken
    behind = [hunk for hunk in hunks if hunk.old_start > min(hunk.old_count, 1)]
    return any(hunk.context() == (0, 0) for hunk in behind)


def with_context(queue: Queue, quarantine: Quarantine) -> Queue:
    """Return a queue whose patches `git am` takes: those without context are given some.

    Raises:
        Refused: a patch does not apply exactly.
    """
    commits = materialise.commits(queue, quarantine)
    base = trees.of_commits(quarantine.git, [queue.base.commit])
    pairs = pairwise([*base, *(commit.tree for commit in commits)])
    steps = [
        compose.PatchStep(commit.patch.header, before, after)
        for commit, (before, after) in zip(commits, pairs, strict=True)
    ]
    texts = compose.compose(queue.base, steps, {}, quarantine.git)
    patches = tuple(
        _read_again(listed.name, text.content) if _lacks_context(listed) else listed
        for listed, text in zip(queue.patches, texts, strict=True)
    )
    return replace(queue, patches=patches)


def _read_again(name: str, content: bytes) -> QueuePatch:
    return QueuePatch(name, content, patch.parse(content, name))


def flattened(queue: Queue, quarantine: Quarantine) -> Queue:
    """Return a queue of patches alone, which makes the same commits.

    Raises:
        UsageError: a pick is not pinned, or does not apply.
        Refused: what a pick changes cannot be a patch.
    """
    before = trees.of_commits(quarantine.git, [queue.base.commit])[0]
    steps: list[compose.PatchStep] = []
    picked = replace(queue, patches=())
    for commit in materialise.commits(picked, quarantine):
        steps.append(compose.PatchStep(commit.patch.header, before, commit.tree))
        before = commit.tree
    texts = compose.compose(queue.base, steps, {}, quarantine.git)
    made = [
        _read_again(f"{pick.name}.patch", text.content)
        for pick, text in zip(queue.picks, texts, strict=True)
    ]
    return replace(queue, patches=(*made, *queue.patches), picks=())


def to_branch(queue: Queue, git: Git, branch: str, *, force: bool = False) -> str:
    """Make the queue's commits in a repository and a branch of them; return its last commit's id.

    Args:
        queue: the queue.
        git: the repository to write to; it has the queue's base.
        branch: the branch's name.
        force: let an existing branch be replaced, unless it is checked out.

    Raises:
        UsageError: the name is no branch name, or the branch exists and is another one.
        Refused: a patch does not apply exactly.
    """
    ref = f"refs/heads/{branch}"
    if not _is_branch_name(git, branch):
        raise UsageError(
            f"`{branch}` is no name that a branch can have",
            hint="--branch NAME names it; a plain word, as git-check-ref-format(1) says",
        )
    before = revisions.find(git, ref) or _ZERO
    with open_quarantine(git) as quarantine:
        commits = materialise.commits(queue, quarantine)
        tip = commits[-1].id if commits else queue.base.commit
        # the ids depend on the queue alone: a repeated export finds its own commits
        if before == tip:
            return tip
        if before != _ZERO:
            _refuse_to_move(git, branch, force=force)
        # before the branch is moved: a kill between leaves objects that nothing refers to
        quarantine.keep([commit.id for commit in commits[-1:]], [queue.base.commit])
    # the old value makes it fail rather than overwrite what another process has put there
    git.run("update-ref", "-m", f"patches.export {queue.name}", ref, tip, before)
    return tip


def _refuse_to_move(git: Git, branch: str, *, force: bool) -> None:
    if not force:
        raise UsageError(
            f"the branch `{branch}` exists",
            where=str(git.git_dir),
            hint="add --force to replace it",
        )
    if _is_checked_out(git, f"refs/heads/{branch}"):
        raise UsageError(f"the branch `{branch}` is checked out", hint="switch away from it first")


def _is_branch_name(git: Git, name: str) -> bool:
    """Whether a branch can be called that, and nobody takes it for something else."""
    done = git.run("check-ref-format", "--branch", name, expected=())
    # git makes branches of such names, and then takes `@` for HEAD, and `refs/heads/x` for `x`
    is_plain = name != "@" and not name.startswith("refs/")
    # it prints the name that it means: for `@{-1}` that is the branch which was checked out before
    return is_plain and done.status == 0 and done.stdout == os.fsencode(f"{name}\n")


def _is_checked_out(git: Git, ref: str) -> bool:
    # in any work tree: a branch that moves under one shows all of its files as changed
    listed = git.out("worktree", "list", "--porcelain", "-z").split(b"\0")
    return b"branch " + ref.encode() in listed


def to_mailbox(queue: Queue, out: Path, *, force: bool = False) -> None:
    """Write all patches into one file that `git am` takes.

    Args:
        queue: the queue.
        out: the file.
        force: let a file be replaced that holds something else.

    Raises:
        UsageError: there is such a file, or a folder, a pipe or a device.
    """
    content = write.emit_mailbox(patch.content for patch in queue.patches)
    # a link's target is what is written: one rename would put a file in the link's place
    target = out.resolve()
    if target.exists() and not target.is_file():
        raise UsageError("it is no regular file, and stays as it is", where=str(out))
    if not target.exists() or force:
        files.write_bytes(target, content)
    elif not _holds(target, content):
        raise UsageError(
            "there is such a file, with another content",
            where=str(out),
            hint="add --force to replace it",
        )


def _holds(path: Path, content: bytes) -> bool:
    try:
        return files.read_small(path, len(content)) == content
    except UsageError:  # a larger one, or no file
        return False


def to_quilt(queue: Queue, quarantine: Quarantine, out: Path, *, force: bool = False) -> None:
    """Write a folder that quilt takes: `series`, and plain diffs under DEP-3 headers.

    Renames are written as a file that goes and one that comes, for GNU patch. An earlier export
    that nobody has changed since is replaced: its `series` begins with a digest of its files.

    Args:
        queue: the queue.
        quarantine: one over a repository that has the queue's base.
        out: the folder.
        force: let any other quilt series in it be replaced.

    Raises:
        Refused: a patch changes what a plain diff cannot say: binary files, links, submodules.
        UsageError: the folder holds something else.
    """
    target = out.resolve()
    _refuse_others(target, force=force)
    git = quarantine.git
    commits = materialise.commits(queue, quarantine)
    base = trees.of_commits(git, [queue.base.commit])
    pairs = list(pairwise([*base, *(commit.tree for commit in commits)]))
    texts = diffs.patch_texts(git, pairs, context=3, renames=False)
    # asked again right before the swap: somebody may have put files there meanwhile
    with files.atomic_folder(target, check=lambda: _refuse_others(target, force=force)) as made:
        for patch, text in zip(queue.patches, texts, strict=True):
            (made / patch.name).write_bytes(_quilt_patch(patch, text))
        listing = "".join(f"{patch.name}\n" for patch in queue.patches)
        # last: it begins with a digest of the files that are there by now
        (made / SERIES).write_text(_mark(made) + listing, encoding="utf-8")


def _refuse_others(out: Path, *, force: bool) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if os.path.lexists(out / QUEUE_FILE):
        raise UsageError("it is a queue, which quilt's series must not replace", where=str(out))
    if not (out / SERIES).is_file():
        raise UsageError("it holds something that is no quilt series", where=str(out))
    if not force and not _is_untouched(out):
        raise UsageError(
            "it holds a quilt series that is no export of this tool, or was changed since",
            where=str(out),
            hint="add --force to replace all that it holds",
        )


def _is_untouched(out: Path) -> bool:
    with (out / SERIES).open("rb") as stream:
        first = stream.readline(_MARK_SIZE)
    return first == _mark(out).encode()


def _mark(folder: Path) -> str:
    """Return the first line of a series: a digest of all that lies beside it."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.name != SERIES):
        # folders and links count by their names alone: an export makes none
        kind = files.sha256(path) if path.is_file() and not path.is_symlink() else "other"
        digest.update(os.fsencode(f"{path.relative_to(folder)}\0{kind}\0"))
    return f"# exported by tensorflow-macos-build; sha256 of its files: {digest.hexdigest()}\n"


def _quilt_patch(patch: QueuePatch, text: bytes) -> bytes:
    diff = diff_parse.parse(text)
    for change in diff.changes:
        modes = {change.old_mode, change.new_mode}
        if change.binary is not None or modes & {SYMLINK, GITLINK}:
            raise Refused(
                "GNU patch and quilt cannot take binary files, links or submodules",
                patch=patch.name,
                hint="export `--to mailbox` or `--to branch`",
            )
    return write.emit_quilt(patch.patch.header, diff.changes)
