"""A repository of the cache that knows its upstream: names become commits, contents are fetched.

References and packs of the upstream are written under the folder's lock alone, so that processes
at work at the same time wait for each other and find the work done.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build import locks
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import object_ids, revisions
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream.patience import TransferRetry, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tensorflow_macos_build import process
    from tensorflow_macos_build.console import Ticker

HEADS = "+refs/heads/*:refs/heads/*"
TAGS = "+refs/tags/*:refs/tags/*"

CLONED = ("origin", HEADS, TAGS)
REFRESHED = ("--prune", *CLONED)
"""What is fetched of a server at first, and later on."""

FETCH = ("fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
"""git reports no progress by itself on a pipe, such as this standard error (git-fetch(1))."""

PROTOCOL = ("-c", "protocol.version=2")
"""The older protocols, which a user may have set, begin with all references (gitprotocol-v2(5))."""

# `refs/remotes`, too: of a local clone people name `origin/main`, which is no branch of its own.
MIRRORED = ("refs/heads", "refs/tags", "refs/remotes")

_STALE_SECONDS = 60.0
"""How old a lock file of git must be, that others than the mirror may hold, to be left behind."""


@dataclass(frozen=True, kw_only=True)
class Mirror(Git):
    """An upstream repository, ready to be read, that new objects and references can be added to.

    Attributes:
        origin: the path or address that it was opened by.
        url: the address of the server it can ask for more; None for a complete local repository.
        lender: the local repository whose objects, branches and tags it shows; None for a clone.
        folder: its folder in the cache.
        retry: how patient it is with the network.
    """

    origin: str
    folder: Path
    url: str | None = None
    lender: Path | None = None
    retry: TransferRetry = field(default_factory=TransferRetry)

    def resolve(self, ref: str, ticker: Ticker = silent) -> str:
        """Return the full id of the commit that a branch, a tag, an id or an expression names.

        A remote mirror takes tags and ids that it has from the disk; a branch moves, so its server
        is asked, as it is for what the mirror lacks.

        Raises:
            UsageError: there is no such commit.
            transfer.Unreachable: the server had to be asked and could not be.
        """
        commit = self._commit(ref)
        if self._follows_server and (commit is None or self._is_branch(ref)):
            self.refresh(ticker)
            commit = self._commit(ref)
            if commit is None and object_ids.is_full(ref):
                self._fetch_unnamed(ref, ticker)
                commit = self._commit(ref)
        if commit is None:
            raise self._no_such(ref)
        return commit

    def refresh(self, ticker: Ticker = silent) -> None:
        """Bring all branches and tags up to the upstream's present state.

        Raises:
            transfer.Unreachable: the server could not be asked.
        """
        if self._follows_server:
            with locks.held(self.folder / "lock"):
                drop_stale_locks(self.git_dir)
                # --prune: a branch `a` that upstream has no more would keep a new `a/b` out
                self.fetch(REFRESHED, ticker)

    def fetch_blobs(self, ids: Iterable[str], ticker: Ticker = silent) -> int:
        """Make file contents present, all that are missing in one request; return their number.

        Raises:
            transfer.Unreachable: the server could not be asked, or has not got them.
        """
        if self.url is None:
            return 0
        wanted = sorted(set(ids))
        if not self.missing(wanted):
            return 0
        # looked at once more under the lock: another process may have brought them meanwhile
        with locks.held(self.folder / "lock"):
            missing = self.missing(wanted)
            if missing:
                stdin = "".join(f"{blob}\n" for blob in missing).encode()
                # As git itself fetches what is missing (fetch_objects in promisor-remote.c): blobs
                # that are asked for by their ids come in spite of the filter, and to tell the
                # server which commits are here already would only take time.
                arguments = ["--filter=blob:none", "--stdin", "origin"]
                self.fetch(arguments, ticker, stdin=stdin, negotiate="noop")
        return len(missing)

    @property
    def server(self) -> str:
        """The address of the server that has what file contents are missing; "" for none."""
        return self.url or ""

    def bring(self, ids: Iterable[str]) -> None:
        """Do what `fetch_blobs` does, silently."""
        self.fetch_blobs(ids)

    @property
    def _follows_server(self) -> bool:
        return self.url is not None and self.lender is None

    def _commit(self, ref: str) -> str | None:
        if self.url is not None and object_ids.is_full(ref) and self.missing([ref]):
            return None  # rev-parse would ask the server, without the patience of `fetch`
        return revisions.find_commit(self, ref)

    def _is_branch(self, ref: str) -> bool:
        # of an expression such as `main~3`, the branch that it counts from (gitrevisions(7))
        name = re.split(r"[~^@]", ref, maxsplit=1)[0].removeprefix("refs/heads/")
        known = self.run("show-ref", "--verify", "--quiet", f"refs/heads/{name}", expected=())
        return known.status == 0

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Return which objects are missing, seen through a repository that has no server.

        A git that knows no GIT_NO_LAZY_FETCH (before 2.39.4) would ask it, one object at a time.
        """
        if self.url is None:  # nothing can be asked, and there is no such view
            return super().missing(ids)
        view = Git(self.folder / "objects.git", env={"GIT_OBJECT_DIRECTORY": self._objects()})
        return view.missing(ids)

    def _objects(self) -> str:
        return os.fspath(self.git_dir.resolve() / "objects")

    def _fetch_unnamed(self, commit: str, ticker: Ticker) -> None:
        """Fetch a commit that no branch or tag reaches; many servers hand it out."""
        from tensorflow_macos_build.upstream import transfer  # noqa: PLC0415 - as in `talk`

        ticker(0, None, f"asking for {commit}")
        # once: a server that does not (uploadpack.allowAnySHA1InWant in git-config(1)) never will
        once = dataclasses.replace(self, retry=dataclasses.replace(self.retry, attempts=1))
        with locks.held(self.folder / "lock"), contextlib.suppress(transfer.Unreachable):
            once.fetch(["origin", commit], ticker)

    def fetch(
        self, arguments: Sequence[str], ticker: Ticker, *, stdin: bytes = b"", negotiate: str = ""
    ) -> None:
        """Run `git fetch` for `arguments`; the caller holds the folder's lock.

        Raises:
            transfer.Unreachable: the server could not be asked, or has not got it all.
        """
        config = ["-c", f"fetch.negotiationAlgorithm={negotiate}"] if negotiate else []
        self.talk([*config, *FETCH, *arguments], ticker, stdin=stdin)

    def talk(
        self, arguments: Sequence[str], ticker: Ticker, *, stdin: bytes = b""
    ) -> process.Completed:
        """Run a git command that talks to the server at `url`.

        Raises:
            transfer.Unreachable: the server could not be asked, or has not got it.
        """
        # GitPython and requests take 0.2 s to import, which tasks without a network need not pay
        from tensorflow_macos_build.upstream import transfer  # noqa: PLC0415

        assert self.url is not None
        return transfer.run_with_retry(
            self.argv(*PROTOCOL, *arguments),
            url=self.url,
            ticker=ticker,
            retry=self.retry,
            env=self.fetching_environment(),
            stdin=stdin,
        )

    def _no_such(self, ref: str) -> UsageError:
        names = [name.split("/", 2)[2] for name in revisions.references(self, *MIRRORED)]
        near = difflib.get_close_matches(ref, names, n=3, cutoff=0.6)
        return UsageError(
            f"no commit, branch or tag is called `{ref}`",
            where=shown(self.origin),
            hint=f"did you mean {' or '.join(near)}?" if near else "give a tag, a branch or an id",
        )


def drop_stale_locks(git_dir: Path) -> None:
    """Delete the lock files of git processes that were killed; the caller holds the mirror's lock.

    Branches and tags are written under the mirror's lock alone, so a lock file beside one is
    stale. The files that others write too must have been left alone for a while.
    """
    for space in MIRRORED:
        for left in (git_dir / space).rglob("*.lock"):
            left.unlink(missing_ok=True)
    for name in ("packed-refs.lock", "config.lock", "HEAD.lock"):
        with contextlib.suppress(FileNotFoundError):
            left = git_dir / name
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                left.unlink()
