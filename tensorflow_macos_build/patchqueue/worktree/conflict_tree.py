"""A work tree for one conflict: only the folders of the conflicting files, with zdiff3 markers.

It is a repository of its own over the mirror's objects, so that plain git and any editor work in
it: `git status` lists the files in conflict, `git diff` shows the sides. It is built beside its
place and renamed, and `KEY` in its git folder says which conflict it is of.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, temporary
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git import alternates, markers, trees
from tensorflow_macos_build.git.objects import encode_path
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.worktree import work_tree
from tensorflow_macos_build.upstream.store import partial_clone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.merges import ConflictedPath, MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git

KEY = "conflict.json"
_CONFIG = {
    "core.sparseCheckout": "true",
    "core.sparseCheckoutCone": "false",
    "merge.conflictStyle": "zdiff3",
    "gc.auto": "0",  # nothing refers to the sides of the merge that are kept here
}
_GLOB = re.compile(r"([\\*?\[ ])")
"""What sparse-checkout's patterns, which are those of gitignore(5), take for more than itself."""

_BINARY = 255
"""How git-merge-file(1) exits on an error, such as a binary file (its -1)."""

_MAX_KEY = 64 << 20
"""Bytes of the largest key that is read: it names each path in conflict."""


class Unresolved(WorkFailed):
    """Nobody has settled the conflict yet: markers are left, or paths that git cannot mark."""


@dataclass(frozen=True)
class SideLabels:
    """What the markers call the sides."""

    ours: str
    base: str
    theirs: str


def is_of(folder: Path, patch: str, merged: MergeResult) -> bool:
    """Whether a folder is the work tree of this very conflict."""
    try:
        return (folder / ".git" / KEY).read_bytes() == _key(patch, merged)
    except OSError:
        return False


def patch_of(folder: Path) -> str:
    """Return the name of the patch whose conflict a folder is the work tree of; "" for none."""
    try:
        record = json.loads(files.read_small(folder / ".git" / KEY, _MAX_KEY))
        return str(record["patch"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, UsageError):
        return ""


def make(
    folder: Path,
    quarantine: Quarantine,
    merged: MergeResult,
    *,
    queue: Path,
    onto: str,
    base: str,
    patch: str,
    labels: SideLabels,
) -> None:
    """Make the work tree of a conflict; what was in `folder` is replaced.

    Args:
        folder: where.
        queue: the queue's folder.
        quarantine: the quarantine that holds the merge's objects.
        merged: the conflict.
        onto: the full id of the new base.
        base: the full id of the commit that the queue was made for.
        patch: the patch's name.
        labels: what the markers say.
    """
    with files.atomic_folder(folder) as unfinished:
        git = work_tree.git_of(unfinished)
        git.init(bare=False)
        for key, value in {**_CONFIG, **partial_clone(quarantine.git.server)}.items():
            git.run("config", key, value)
        alternates.write(git.git_dir, [quarantine.source.objects_folder()])
        # The merge itself has markers of a length of our own (git.markers); people get git's.
        marked = [_marked(quarantine, merged, file, labels) for file in merged.conflicted]
        shown = resolutions.apply(
            quarantine, merged.tree, [file for file in marked if file is not None]
        )
        head = quarantine.write_commit(merged.ours, [onto], message=f"Before {patch}\n".encode())
        bring_shown(quarantine, shown, (file.path for file in merged.conflicted))
        # The sides, too: `git diff` and `git checkout --ours` read the index's stages 1 to 3.
        tips = [head, shown, merged.base, merged.theirs]
        quarantine.keep(tips, [onto, base], into=git.git_dir / "objects")
        _check_out(git, head, shown, merged)
        (git.git_dir / KEY).write_bytes(_key(patch, merged))
        # Last: it says what the folder holds, by which an untouched one is known.
        work_tree.mark(unfinished, queue)


def take(folder: Path, merged: MergeResult, labels: SideLabels) -> str:
    """Return the id of the tree that somebody made of a conflict; its objects are in the work tree.

    Raises:
        Unresolved: markers are left, a submodule is unmerged, or a path without markers (binary,
            deleted on one side, a link) is as git left it and still unmerged in the index.
    """
    # The end of one, whatever conflict-marker-size says; the line ends as the file's do, as git has
    # it (is_cr_needed in xmerge.c).
    ends = tuple(f"< {labels.ours}{end}".encode() for end in ("\n", "\r\n"))
    left = [
        file.path
        for file in merged.conflicted
        if (path := folder / file.path).is_file()
        and (markers.are_in(content := path.read_bytes()) or any(end in content for end in ends))
    ]
    if left:
        raise Unresolved(
            "there are conflict markers left",
            where=str(folder),
            detail="\n".join(left),
            hint="edit those files, then run the same command again",
        )
    submodules = [file.path for file in merged.conflicted if file.is_submodule]
    with work_tree.private_index(folder) as git:
        unmerged = work_tree.unmerged(git).keys()
        if undecided := sorted(unmerged & set(submodules)):
            raise _unmerged_submodules(folder, undecided)
        tree = work_tree.add_all(git, submodules)
        # A path that is gone on both sides (both renamed it) has nothing to be decided.
        unmarked = {file.path for file in merged.conflicted if file.ours or file.theirs}
        if undecided := sorted((unmarked & unmerged) - work_tree.changed(git, tree)):
            raise _undecided(folder, undecided)
        return tree


def _unmerged_submodules(folder: Path, paths: Sequence[str]) -> Unresolved:
    settle = "update-index --cacheinfo 160000,COMMIT,"
    lines = (f"git -C {_quoted(folder)} {settle}{_quoted(path)}" for path in paths)
    return Unresolved(
        "submodules are unmerged",
        where=str(folder),
        detail="\n".join(paths),
        hint="\n".join(["choose each submodule's commit:", *lines]),
    )


def _undecided(folder: Path, paths: Sequence[str]) -> Unresolved:
    """Return the error about paths that nobody touched: what git left there may be either side.

    git's own `rebase --continue` refuses unmerged paths, too; a changed file is an answer here.
    """
    lines = [
        f"git -C {_quoted(folder)} {verb} -- {_quoted(path)}"
        for path in paths
        for verb in (["add", "rm"] if os.path.lexists(folder / path) else ["rm"])
    ]
    return Unresolved(
        "nobody has said what is to become of files that have no markers",
        where=str(folder),
        detail="\n".join(paths),
        hint="\n".join(
            ["change each of them, or take it as it is there (add), or leave it out (rm):", *lines]
        ),
    )


def _quoted(word: Path | str) -> str:
    return shlex.quote(str(word))


def _marked(
    quarantine: Quarantine, merged: MergeResult, file: ConflictedPath, labels: SideLabels
) -> resolutions.ResolvedPath | None:
    """Merge one file as git would in a work tree; None: what git left is to be shown.

    A file without git's markers is one that git does not merge by lines, by its content or by an
    attribute. One with nested markers came of more merges than this one.
    """
    sides, left = (file.ours, file.base, file.theirs), file.left
    if file.ours is None or file.theirs is None or left is None:
        return None
    if not all(side is None or side.is_file for side in (*sides, left)):
        return None
    if not markers.are_in(content := quarantine.objects.blob(left.oid)) or markers.are_nested(
        content
    ):
        return None
    (size,) = quarantine.attribute("conflict-marker-size", merged.ours, [file.path])
    names = [word for label in (labels.ours, labels.base, labels.theirs) for word in ("-L", label)]
    names += [f"--marker-size={size}"] if size.isdecimal() and int(size) else []
    with temporary.scratch("merge") as folder:
        paths = [folder / name for name in ("ours", "base", "theirs")]
        for path, side in zip(paths, sides, strict=True):
            path.write_bytes(quarantine.objects.blob(side.oid) if side else b"")
        done = quarantine.git.run("merge-file", "-p", "--zdiff3", *names, *paths, expected=())
    if done.status == _BINARY:
        return None
    return resolutions.ResolvedPath(file.path, file.theirs.mode, done.stdout)


def _check_out(git: Git, head: str, shown: str, merged: MergeResult) -> None:
    """Fill index and folder: `shown` checked out sparsely, then the conflict's stages."""
    sparse = "".join(f"{line}\n" for line in patterns(file.path for file in merged.conflicted))
    work_tree.keep_bytes(git)
    (git.git_dir / "info" / "sparse-checkout").write_bytes(encode_path(sparse))
    git.run("update-ref", "HEAD", head)
    # Not `git checkout`: it would run somebody's post-checkout hook.
    git.run("read-tree", "-m", "-u", shown)
    entries: list[str] = []
    for file in merged.conflicted:
        # Mode 0 takes the entry of stage 0 away, which the stages cannot stand beside
        # (git-update-index(1), USING --INDEX-INFO).
        entries.append(f"0 {'0' * len(head)}\t{file.path}")
        for stage, side in enumerate((file.base, file.ours, file.theirs), 1):
            if side is not None:
                entries.append(f"{side.mode} {side.oid} {stage}\t{file.path}")
    stdin = b"".join(encode_path(entry) + b"\0" for entry in entries)
    git.run("update-index", "-z", "--index-info", stdin=stdin)


def patterns(paths: Iterable[str]) -> list[str]:
    """Return sparse-checkout's patterns for paths and their neighbours, but not folders below.

    Not those of cone mode, which take the files of every folder above a path, too
    (git-sparse-checkout(1)).
    """
    listed = list(paths)
    escaped = [_escape(folder) + "/" if folder else "" for folder in _folders(listed)]
    around = [line for folder in escaped for line in (f"/{folder}*", f"!/{folder}*/")]
    # The paths come last, for the last pattern that fits decides: one may be in a folder below.
    return [*around, *(f"/{_escape(path)}" for path in listed)]


def bring_shown(quarantine: Quarantine, tree: str, paths: Iterable[str]) -> None:
    """Make present what `patterns` shows of a tree: paths, and their neighbours' contents."""
    if not quarantine.git.server:
        return
    listed = [encode_path(path) for path in paths]
    folders = {path.rpartition(b"/")[0] for path in listed}
    quarantine.git.bring(
        entry.oid
        for path, entry in trees.files(quarantine.git, tree).items()
        if not entry.is_submodule and path.rpartition(b"/")[0] in folders
    )


def _folders(paths: Iterable[str]) -> list[str]:
    return sorted({path.rpartition("/")[0] for path in paths})


def _escape(path: str) -> str:
    return _GLOB.sub(r"\\\1", path)


def _key(patch: str, merged: MergeResult) -> bytes:
    met = [vars(key) for key in resolutions.met_in(merged)]
    return json.dumps({"patch": patch, "tree": merged.tree, "met": met}, sort_keys=True).encode()
