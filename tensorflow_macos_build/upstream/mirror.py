"""The upstream repository at hand: a local one used in place, or a partial clone of a remote one.

A local repository lends its objects to an empty repository in the cache (objects/info/alternates,
gitrepository-layout(5)): nothing is copied, and nothing is ever written to it. A remote one is
cloned bare and without file contents where the server can do so (`--filter=blob:none`), beside its
place, checked, and put in place by one rename. Contents come later, in one request a batch.

In the cache each upstream has a folder: `repository.git`, `lock` (held by whoever writes branches,
tags or packs), `packs.json` (packs found whole) and `objects.git`, a look at the same objects that
never asks the server for what is missing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from tensorflow_macos_build import checkout, locks, temporary
from tensorflow_macos_build.command_line import CommandLine
from tensorflow_macos_build.console import Ticker, silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import environment, revisions
from tensorflow_macos_build.git.environment import OFFLINE
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream import embedded, local, remote
from tensorflow_macos_build.upstream.handle import CLONED, FETCH, PROTOCOL, REFRESHED, Mirror
from tensorflow_macos_build.upstream.patience import TransferRetry, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Mirror", "TransferRetry", "kind", "open", "peek", "planned"]

_NEW = "<a new folder>"
"""What stands for the folder of a clone before it is put in place."""

_SCHEMES = frozenset({"git", "http", "https", "ssh"})
# git-clone(1), GIT URLS: `host:path` of ssh, unless a slash comes before the colon
_SCP_LIKE = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!//|:)[^\s]+")


def open(
    source: str | Path, cache: Path, ticker: Ticker = silent, *, retry: TransferRetry | None = None
) -> Mirror:
    """Open an upstream repository, cloning a remote one at its first use.

    Any number of processes may do this at once: one clones, the others wait and use its clone. A
    clone that is found damaged is replaced by a new one; references that are not the upstream's
    (a rebase under way) move into it.

    Args:
        source: a path or `file:` URL of a local repository, the address of a remote one, or
            `embedded:` for the miniature that comes with this package.
        cache: the folder that holds all mirrors.
        ticker: told how far a clone is.
        retry: how patient to be with the network.

    Raises:
        UsageError: it is no repository, a shallow one, or an address that git cannot read.
        transfer.Unreachable: the server could not be reached.
    """
    text = os.fspath(source)
    form, location = kind(text)
    folder = cache.resolve() / _folder_name(location)
    ticker(0, None, f"opening {shown(text)}")
    with locks.held(folder / "lock"):
        temporary.sweep(folder)
        opened = Mirror(
            folder / "repository.git",
            origin=text,
            folder=folder,
            url=location if form == "remote" else None,
            retry=retry or TransferRetry(),
        )
        if form == "remote":
            return remote.prepare(opened, ticker)
        if form == "embedded":
            return local.prepare(opened, embedded.create(folder / "embedded.git").git_dir)
        return local.prepare(opened, Path(location))


def peek(source: str, cache: Path, ref: str) -> tuple[Git, str] | None:
    """Return the repository that has an upstream's objects, and the commit that `ref` names.

    Nothing is made, fetched or waited for: None stands for a commit that is not here, and of its
    contents some may be missing.

    Raises:
        UsageError: `source` is an address that cannot be read, or no repository.
    """
    form, location = kind(source)
    folder = cache / _folder_name(location)
    view = folder / "objects.git"
    names = Git(folder / "repository.git", env=OFFLINE)
    if form == "local":
        names = dataclasses.replace(local.lender_at(Path(location)), env=OFFLINE)
    is_partial = form == "remote" or local.promisor_url(names) is not None
    if not names.git_dir.exists() or (is_partial and not view.is_dir()):
        return None
    commit = revisions.find_commit(names, ref)
    if commit is None:
        return None
    # A partial clone's own `cat-file --batch` ends at the first content that it may not fetch.
    objects = {"GIT_OBJECT_DIRECTORY": str(names.objects_folder().resolve())}
    return (Git(view, env=objects) if is_partial else names), commit


def planned(source: str, cache: Path, cwd: Path) -> dict[str, CommandLine]:
    """Return the programs by which an upstream comes here from its server, by what each is for.

    There are none for one that is on this machine. They also get what the user's own settings say
    of the network, which is not shown: it may have passwords in it.

    Args:
        source: as for `open`.
        cache: the folder that holds all mirrors.
        cwd: the folder that they run in, which decides nothing.

    Raises:
        UsageError: `source` is an address that cannot be read.
    """
    form, location = kind(source)
    if form != "remote":
        return {}
    folder = cache / _folder_name(location)
    mirror = Mirror(folder / "repository.git", origin=source, folder=folder, url=location)
    if mirror.git_dir.exists():
        return {"fetch, where the commit is not here": _asking(mirror, REFRESHED, cwd)}
    return {"clone": _asking(dataclasses.replace(mirror, git_dir=Path(_NEW)), CLONED, cwd)}


def _asking(mirror: Mirror, arguments: Sequence[str], cwd: Path) -> CommandLine:
    argv = map(str, mirror.argv(*PROTOCOL, *FETCH, *arguments))
    # As for a user whose settings say nothing of the network.
    return CommandLine(tuple(argv), cwd, {**mirror.environment(), **environment.fetching(b"")})


def kind(source: str) -> tuple[Literal["embedded", "local", "remote"], str]:
    """Return what a repository's name is, and where it is: a path, an address, `embedded:`.

    Raises:
        UsageError: it is neither.
    """
    if source == embedded.URL:
        return "embedded", source
    try:
        parts = urlsplit(source)
        is_known = parts.scheme in _SCHEMES and parts.port != 0  # reading it raises for some
        path = Path(unquote(parts.path)).resolve()
    except ValueError:  # brackets that hold no IPv6 address; a port that is none; a NUL byte
        raise UsageError(
            "the address of the repository cannot be read",
            where=shown(source),
            hint="write it like https://host/path, https://host:8443/path or https://[::1]/path",
        ) from None
    if parts.scheme == "file":
        return "local", str(path)
    if is_known and parts.netloc:
        return "remote", source
    # a folder that is there comes before an address like `host:path`, as for git (clone.c,
    # get_repo_path)
    if source and (checkout.root() / source).is_dir():
        return "local", str((checkout.root() / source).resolve())
    if _SCP_LIKE.fullmatch(source):
        return "remote", source
    raise UsageError(
        "neither a folder nor an address of a repository",
        where=shown(source),
        hint=f"give a path, or an address that begins with one of {', '.join(sorted(_SCHEMES))}",
    )


def _folder_name(identity: str) -> str:
    """Name an upstream's folder so that people know it and no two upstreams share it."""
    stem = re.sub(r"\.git/*$", "", identity.rstrip("/"))
    # what stands before an `@` may be a password, which is no part of a folder's name
    words = re.findall(r"[\w.-]+", stem.rpartition("@")[2])[-2:]
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    return "-".join([*(word.strip(".-") for word in words), digest]).lstrip("-")
