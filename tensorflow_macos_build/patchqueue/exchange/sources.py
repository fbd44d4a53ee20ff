"""Bringing a fork's changes into a queue, whatever form they have.

A range of commits, a folder of mailbox patches, a quilt series, one diff, or a source tree without
history: each becomes a base and steps, from tree to tree, which `storage.save` writes.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, process
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git import objects, trees
from tensorflow_macos_build.patchqueue.formats import dep3, mailbox, paths, series
from tensorflow_macos_build.patchqueue.formats import patch as patch_format
from tensorflow_macos_build.patchqueue.formats.diff import SYMLINK
from tensorflow_macos_build.patchqueue.formats.patch import Header
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.queue import commit_range, compose, materialise, metadata
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
from tensorflow_macos_build.patchqueue.queue.model import QueuePatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.formats.people import Identity, Moment
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase


@dataclass(frozen=True)
class Imported:
    """A fork's changes as the patches of a queue.

    Attributes:
        steps: the patches, in order.
        empty: what changes nothing and so became no patch: name and subject.
        merges: merge commits, each of which became one patch: id and subject.
        base: the full id of the commit that they apply to; "" for the one that was named.
        upstream_merges: merges of upstream, which were taken out: id and subject.
        conflicted: commits that conflict with the base, and so are not quite what they were.
        notes: what cannot be told apart, in sentences.
    """

    steps: tuple[PatchStep, ...]
    empty: tuple[tuple[str, str], ...] = ()
    merges: tuple[tuple[str, str], ...] = ()
    base: str = ""
    upstream_merges: tuple[tuple[str, str], ...] = ()
    conflicted: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def from_range(git: Git, first: str, last: str) -> Imported:
    """Take the commits that `last` has on top of `first`.

    Raises:
        UsageError: a name is unknown, or `last` does not stand on `first` in a line.
    """
    commits = commit_range.read(git, first, last)
    return Imported(commits.steps, commits.empty, commits.merges)


def read_folder(folder: Path, date: Moment) -> list[QueuePatch]:
    """Read the patch files of a folder, by its `series` or else in order of their names.

    Args:
        folder: holds `*.patch`, `*.diff`, `*.mbox` or `*.eml` files.
        date: the date of a patch that states none.

    Raises:
        UsageError: there are none.
        Refused: a patch is damaged or hostile.
    """
    if (folder / "series").is_file():
        return read_quilt(folder / "series", date)
    endings = {".patch", ".diff", ".mbox", ".eml"}
    listed = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [path for path in listed if path.suffix in endings and path.is_file()]
    if not paths:
        raise UsageError("the folder holds no patch files", where=str(folder))
    return [patch for path in paths for patch in read_file(path, date)]


def read_quilt(listing: Path, date: Moment) -> list[QueuePatch]:
    """Read a quilt series; each file is a mail, or has DEP-3 fields, or is a diff alone.

    Raises:
        UsageError: the series cannot be read, or lists what is not there.
        Refused: a patch is damaged or hostile.
    """
    try:
        listed = series.parse(files.read_small(listing, series.MAX_BYTES))
    except Malformed as error:
        raise UsageError(error.what, where=f"{listing}:{error.line}") from None
    except OSError as error:
        raise UsageError(
            f"the series cannot be read: {error.strerror}", where=str(listing)
        ) from None
    patches: list[QueuePatch] = []
    for entry in listed.entries:
        patches += read_file(listing.parent / entry.name, date, strip=entry.strip)
    return patches


def read_file(path: Path, date: Moment, *, strip: int = 1) -> list[QueuePatch]:
    """Read a patch file of any form; a mailbox may hold several.

    Raises:
        UsageError: it cannot be read.
        Refused: a patch in it is damaged or hostile.
    """
    try:
        size = path.stat().st_size
        if size > patch_format.MAX_SIZE:
            raise Refused(f"it has {size} bytes, too many for a patch", patch=path.name)
        content = files.read_small(path, patch_format.MAX_SIZE)
    except OSError as error:
        raise UsageError(f"the patch cannot be read: {error.strerror}", where=str(path)) from None
    # by its content, not its name: forks keep mails in .diff files, and diffs in .patch files
    if mailbox.is_mail(content):
        return [_mailed(path.name, mail, date, strip) for mail in mailbox.split(content)]
    plain = dep3.parse(content, path.name, strip=strip)
    return [QueuePatch(path.name, content, dep3.as_patch(plain, path.stem, dep3.NOBODY, date))]


def _mailed(name: str, mail: bytes, date: Moment, strip: int) -> QueuePatch:
    """Read a mail, and the DEP-3 fields that its header may have."""
    try:
        fields = mailbox.parse(mail).fields
    except Malformed as error:
        raise Refused(error.what, patch=name, line=(error.line or 0) + 1) from None
    date = dep3.date_of(fields, date)
    patch = patch_format.parse(mail, name, keep_subject=False, date=date, strip=strip)
    return QueuePatch(name, mail, dep3.with_fields(patch, fields))


def from_tree(git: Git, against: str, tree: Path, author: Identity | None = None) -> Imported:
    """Take a source tree without history as one patch against a release.

    Args:
        git: asks a quarantine over the upstream repository.
        against: the release that the tree was made from.
        tree: the folder; `.git` folders in it are passed over.
        author: who changed it; None: nobody is named.

    Raises:
        UsageError: it is no folder.
        Refused: a path in it is unsafe.
    """
    if not tree.is_dir():
        raise UsageError("there is no such folder", where=str(tree))
    commit = commit_range.resolve(git, against)
    before = trees.of_commits(git, [commit])[0]
    after = _tree_of(git, tree, trees.files(git, before))
    # by name, not path: the same tree in another folder makes the same patch
    subject = f"Change the sources as {tree.resolve().name} does"
    header = Header(author or dep3.NOBODY, date_of(git, commit), subject, "")
    if before == after:
        return Imported((), empty=((str(tree), subject),))
    return Imported((PatchStep(header, before, after),))


def applied(quarantine: Quarantine, queue: Queue) -> Imported:
    """Apply patches one after the other to their base, to learn the trees between them.

    Args:
        quarantine: one over a repository that has the base.
        queue: the patches; such that change nothing are left out, and named.

    Raises:
        Refused: a patch does not apply exactly.
    """
    empty: list[QueuePatch] = []
    kept: list[QueuePatch] = []
    for patch in queue.patches:
        (kept if patch.patch.changes else empty).append(patch)
    before = trees.of_commits(quarantine.git, [queue.base.commit])[0]
    steps: list[PatchStep] = []
    made_commits = materialise.commits(replace(queue, patches=tuple(kept)), quarantine)
    for patch, made in zip(kept, made_commits, strict=True):
        if made.tree == before:  # what it changes is so already
            empty.append(patch)
            continue
        zero_context = compose.is_zero_context(patch.patch)
        steps.append(PatchStep(patch.header, before, made.tree, zero_context=zero_context))
        before = made.tree
    named = tuple((patch.name, patch.patch.header.subject) for patch in empty)
    return Imported(tuple(steps), named)


def date_of(git: Git, commit: str) -> Moment:
    """Return a commit's author date."""
    with objects.reading(git) as reader:
        return commit_range.header_of(reader.commit(commit)).date


def picked(
    steps: Sequence[PatchStep], existing: Queue, base: QueueBase, quarantine: Quarantine
) -> tuple[PatchStep, ...]:
    """Return the steps at the beginning that are an existing queue's picks, as it has them.

    An export writes picks as patches; what comes back as it went out is still taken by reference.
    """
    if existing.base.commit != base.commit:
        return ()
    usable = materialise.applicable(replace(existing, patches=()), quarantine)
    commits = materialise.commits(usable, quarantine)
    made: list[PatchStep] = []
    for step, commit, pick in zip(steps, commits, usable.picks, strict=False):
        if step.header != commit.patch.header or step.after != commit.tree:
            break
        made.append(replace(step, pick=pick))
    return tuple(made)


def with_names(steps: Sequence[PatchStep], queue: Queue) -> tuple[PatchStep, ...]:
    """Return steps with the file names of the patches of `queue` that have the same subject.

    Trailers that say something about a patch in its queue come along: a fork's commits have none.
    """
    known: dict[str, list[QueuePatch]] = {}
    for patch in queue.patches:
        known.setdefault(patch.patch.header.subject, []).append(patch)
    return tuple(
        _named(step, known[step.header.subject].pop(0)) if known.get(step.header.subject) else step
        for step in steps
    )


def _named(step: PatchStep, patch: QueuePatch) -> PatchStep:
    own = [trailer for trailer in patch.patch.header.trailers if trailer.key in metadata.KEYS]
    return replace(step, name=patch.name, header=step.header.with_missing(own))


def _tree_of(git: Git, folder: Path, base: dict[bytes, TreeEntry]) -> str:
    """Write a folder's files into the repository; return the tree's id."""
    argv = git.argv("-c", "core.compression=1", "fast-import", "--quiet", "--done", "--depth=0")
    ref = b"refs/heads/tree"
    with process.start(argv, env=git.environment()) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"commit %s\nmark :1\ncommitter x <x> 0 +0000\ndata 0\n" % ref)
        # a source tree has no submodules' commits: those of the release stay as they are
        for path, entry in base.items():
            if entry.is_submodule:
                child.stdin.write(b"M 160000 %s %s\n" % (entry.oid.encode(), paths.quote(path)))
        # contents go inline, one file at a time: the tree is never in memory as a whole
        for path, mode, content in _files(folder):
            size = len(content)
            child.stdin.write(b"M %o inline %s\ndata %d\n" % (mode, paths.quote(path), size))
            child.stdin.writelines((content, b"\n"))
        # the branch is only a place to build on, and is taken away before it is written
        child.stdin.write(b"\nget-mark :1\nreset %s\nfrom %s\n\ndone\n" % (ref, b"0" * 40))
        child.stdin.close()
        commit = child.stdout.readline().strip().decode()
        if child.wait() != 0:
            raise WorkFailed(f"git fast-import ended with status {child.returncode}")
    return trees.of_commits(git, [commit])[0]


def _files(folder: Path) -> Iterator[tuple[bytes, int, bytes]]:
    """Return path, git mode and content of every file and link below a folder, sorted by path."""
    for parent, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if name != ".git")
        # os.walk counts a link to a folder among the folders, though it does not follow it
        links = [name for name in below if (Path(parent) / name).is_symlink()]
        for name in sorted([*(name for name in names if name != ".git"), *links]):
            file = Path(parent) / name
            path = os.fsencode(file.relative_to(folder))
            status = file.lstat().st_mode
            if stat.S_ISLNK(status):
                mode, content = SYMLINK, os.fsencode(file.readlink())
            elif stat.S_ISREG(status):
                # git keeps only whether the owner may execute it (git-fast-import(1), filemodify)
                mode = 0o100755 if status & stat.S_IXUSR else 0o100644
                content = file.read_bytes()
            else:
                continue  # a socket or a pipe, which no commit holds
            try:
                paths.check(path, symlink=mode == SYMLINK)
            except Malformed as error:
                raise Refused(error.what, patch=str(folder)) from None
            yield path, mode, content
