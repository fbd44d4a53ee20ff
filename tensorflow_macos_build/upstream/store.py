"""Putting a new repository into the cache in place of none, or of one that is damaged."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.git.repository import Git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.upstream.handle import Mirror

_UPSTREAMS = ("refs/heads/", "refs/tags/", "refs/remotes/")

_PARTIAL_CLONE = {
    "core.repositoryFormatVersion": "1",  # a git that knows no partial clones refuses it
    "extensions.partialClone": "origin",
    "fetch.unpackLimit": "1",  # all that comes stays in packs, which carry their own hashes
    "gc.auto": "0",
    "remote.origin.partialCloneFilter": "blob:none",
    "remote.origin.promisor": "true",
    "remote.origin.tagOpt": "--no-tags",  # tags are asked for by name, like branches
}


@contextlib.contextmanager
def replacement(mirror: Mirror) -> Iterator[Mirror]:
    """Yield an empty repository beside the mirror's own; a body that ends well puts it in place.

    References of an old repository that are not the upstream's move into the new one with their
    commits. An old one that cannot give them up is kept as `damaged-N.git` in the same folder.
    """
    with files.atomic_folder(mirror.git_dir) as unfinished:
        new = dataclasses.replace(mirror, git_dir=unfinished)
        new.init()
        yield new
        if mirror.git_dir.exists() and not _carry_over(mirror, new):
            mirror.git_dir.rename(_free_name(mirror.folder / "damaged.git"))


def configure(git: Git, url: str) -> None:
    """Make a repository a partial clone of the server at `url`."""
    for key, value in partial_clone(url).items():
        git.run("config", key, value)


def partial_clone(url: str) -> dict[str, str]:
    """Return the configuration of a repository whose server at `url` has the file contents.

    Empty where there is no server.
    """
    return {**_PARTIAL_CLONE, "remote.origin.url": url} if url else {}


def make_view(mirror: Mirror) -> None:
    """Make the repository through which the mirror looks at its objects without asking a server."""
    view = mirror.folder / "objects.git"
    if not view.is_dir():
        with files.atomic_folder(view) as unfinished:
            Git(unfinished).init()


def refuse_shallow(git: Git, where: str) -> None:
    """Raise a UsageError for a repository whose history was cut off."""
    if git.line("rev-parse", "--is-shallow-repository") == "true":
        raise UsageError(
            "the repository is shallow: the history that tells who changed what is cut off",
            where=where,
            hint="complete it by `git fetch --unshallow`, or give another repository",
        )


def _carry_over(damaged: Git, new: Git) -> bool:
    """Fetch the references that are not the upstream's, with their commits; whether that worked."""
    # a refspec that begins with `^` leaves out what fits it (git-fetch(1), since git 2.29)
    others = ["+refs/*:refs/*", *(f"^{space}*" for space in _UPSTREAMS)]
    fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]
    listed = damaged.run("for-each-ref", "--format=%(refname)", expected=())
    names = [
        name
        for name in decode_path(listed.stdout).split("\n")[:-1]
        if not name.startswith(_UPSTREAMS)
    ]
    if listed.status == 0 and not names:
        return True
    # even what the damaged repository lacks must not be asked of a server here
    local = Git(new.git_dir, env={"GIT_ALLOW_PROTOCOL": "file"})
    return local.run(*fetch, damaged.git_dir.resolve(), *others, expected=()).status == 0


def _free_name(wanted: Path) -> Path:
    number = 1
    while (path := wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")).exists():
        number += 1
    return path
