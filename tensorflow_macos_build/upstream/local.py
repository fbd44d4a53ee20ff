"""A local upstream: a repository that lends its objects and is never written to."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import alternates, revisions
from tensorflow_macos_build.git.objects import decode_path, encode_path
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream import health, store
from tensorflow_macos_build.upstream.handle import MIRRORED, Mirror, drop_stale_locks

if TYPE_CHECKING:
    from pathlib import Path


def prepare(mirror: Mirror, folder: Path) -> Mirror:
    """Make a repository that sees all of the one at `folder`; the caller holds the mirror's lock.

    Raises:
        UsageError: there is no repository in that folder, or a shallow one.
    """
    lender = lender_at(folder)
    store.refuse_shallow(lender, str(folder))
    objects = _objects_folder(lender)
    # its references do not count: they may name what the lender has dropped since, and are made the
    # lender's own below
    if health.fault_of_store(mirror, mirror.folder / "packs.json") is not None:
        with store.replacement(mirror) as new:
            alternates.write(new.git_dir, [objects])
    # at each opening: the folder of a lender's objects may be another one since
    alternates.write(mirror.git_dir, [objects])
    server = promisor_url(lender)
    if server is not None:
        store.make_view(mirror)
        store.configure(mirror, server)
    _copy_references(lender, mirror)
    return dataclasses.replace(mirror, url=server, lender=lender.git_dir)


def lender_at(folder: Path) -> Git:
    """Return a local repository: a bare one, or one with a work tree, a linked one too.

    Raises:
        UsageError: there is none in that very folder.
    """
    dot_git = folder / ".git"  # a file in a linked work tree, which git follows
    lender = Git(dot_git if dot_git.exists() else folder)
    object_format = lender.run("rev-parse", "--show-object-format", expected=(0, 128))
    if object_format.status != 0:
        raise UsageError("not a git repository", where=str(folder), hint="give its top folder")
    # packs are checked, and patched files are named, by SHA-1 alone (`health`, `patched_tree`)
    if object_format.stdout.strip() != b"sha1":
        raise UsageError("its objects are not named by SHA-1", where=str(folder))
    return lender


def _objects_folder(lender: Git) -> Path:
    """Return the folder of a repository's objects; a linked work tree shares its main one's."""
    folder = lender.objects_folder()
    if "\n" in str(folder):
        raise UsageError(
            "its path holds a line end, which git's alternates cannot", where=str(folder)
        )
    return folder


def promisor_url(lender: Git) -> str | None:
    """Return the server that a local partial clone gets its missing contents from."""
    pattern = r"^remote\..*\.promisor$"
    listed = lender.run("config", "--null", "--get-regexp", pattern, expected=(0, 1)).stdout
    for record in decode_path(listed).split("\0")[:-1]:
        # with --null a key ends in a line end, and its value in a NUL (git-config(1))
        remote = record.partition("\n")[0].removesuffix(".promisor")
        url = lender.run("config", "--get", f"{remote}.url", expected=(0, 1))
        if url.status == 0:
            return decode_path(url.stdout).rstrip("\n")
    return None


def _copy_references(lender: Git, mirror: Git) -> None:
    """Make the mirror's branches, tags and remote branches those of the local repository."""
    theirs, ours = (revisions.references(git, *MIRRORED) for git in (lender, mirror))
    # an empty old value is no condition (git-update-ref(1), -z): the lock keeps other writers out
    gone = [f"delete {name}\0\0" for name in ours if name not in theirs]
    new = [
        f"update {name}\0{value}\0\0" for name, value in theirs.items() if ours.get(name) != value
    ]
    drop_stale_locks(mirror.git_dir)
    for commands in (gone, new):  # in one transaction `a` cannot make room for `a/b`
        if commands:
            mirror.run("update-ref", "-z", "--stdin", stdin=encode_path("".join(commands)))
    head = lender.run("symbolic-ref", "--quiet", "HEAD", expected=(0, 1))
    if head.status == 0:
        mirror.run("symbolic-ref", "HEAD", decode_path(head.stdout).rstrip("\n"))
    else:
        # without --no-deref it would be the branch that our HEAD names which is moved
        mirror.run("update-ref", "--no-deref", "HEAD", lender.line("rev-parse", "HEAD"))
