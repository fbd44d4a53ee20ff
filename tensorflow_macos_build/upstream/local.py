"""A local upstream: a repository that lends its objects and is never written to."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import alternates
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream import health, store
from tensorflow_macos_build.upstream.handle import MIRRORED, Mirror, drop_stale_locks

if TYPE_CHECKING:
    from pathlib import Path


def prepare(mirror: Mirror, place: Path) -> Mirror:
    """Make a repository that sees all of the one at `place`; the caller holds the folder's lock.

    Raises:
        UsageError: there is no repository at that place, or a shallow one.
    """
    lender = _lender(place)
    store.refuse_shallow(lender, str(place))
    objects = _place_of_objects(lender)
    if health.fault_of_store(mirror, mirror.folder / "packs.json") is not None:
        with store.replacement(mirror) as new:
            alternates.write(new.git_dir, [objects])
    alternates.write(mirror.git_dir, [objects])
    server = _promisor_url(lender)
    if server is not None:
        store.make_view(mirror)
        store.configure(mirror, server)
    _copy_references(lender, mirror)
    return dataclasses.replace(mirror, url=server, lender=lender.git_dir)


def _lender(place: Path) -> Git:
    """Return a local repository: a bare one, or one with a work tree, a linked one too.

    Raises:
        UsageError: there is none at that very place.
    """
    dot_git = place / ".git"
    lender = Git(dot_git if dot_git.exists() else place)
    asked = lender.run("rev-parse", "--show-object-format", expected=(0, 128))
    if asked.status != 0:
        raise UsageError("not a git repository", where=str(place), hint="give its top folder")
    if asked.stdout.strip() != b"sha1":
        raise UsageError("its objects are not named by SHA-1", where=str(place))
    return lender


def _place_of_objects(lender: Git) -> Path:
    """Return the folder of a repository's objects; a linked work tree shares its main one's."""
    folder = lender.objects_folder()
    if "\n" in str(folder):
        raise UsageError(
            "its path holds a line end, which git's alternates cannot", where=str(folder)
        )
    return folder


def _promisor_url(lender: Git) -> str | None:
    """Return the server that a local partial clone gets its missing contents from."""
    keys = lender.run("config", "--get-regexp", r"^remote\..*\.promisor$", expected=(0, 1))
    for line in keys.stdout.decode().splitlines():
        remote = line.split(" ")[0].removeprefix("remote.").removesuffix(".promisor")
        url = lender.run("config", "--get", f"remote.{remote}.url", expected=(0, 1))
        if url.status == 0:
            return url.stdout.decode().strip()
    return None


def _copy_references(lender: Git, mirror: Git) -> None:
    """Make the mirror's branches, tags and remote branches those of the local repository."""
    theirs, ours = _references(lender), _references(mirror)
    gone = [f"delete {name}\0\0" for name in ours if name not in theirs]
    new = [
        f"update {name}\0{value}\0\0" for name, value in theirs.items() if ours.get(name) != value
    ]
    drop_stale_locks(mirror.git_dir)
    for commands in (gone, new):  # in one transaction `a` cannot make room for `a/b`
        if commands:
            mirror.run("update-ref", "-z", "--stdin", stdin="".join(commands).encode())
    head = lender.run("symbolic-ref", "--quiet", "HEAD", expected=(0, 1))
    if head.status == 0:
        mirror.run("symbolic-ref", "HEAD", head.stdout.decode().strip())
    else:
        mirror.run("update-ref", "--no-deref", "HEAD", lender.line("rev-parse", "HEAD"))


def _references(git: Git) -> dict[str, str]:
    listed = git.out("for-each-ref", "--format=%(refname) %(objectname)", *MIRRORED).decode()
    pairs = (line.split(" ") for line in listed.splitlines())
    return dict(pairs)
