"""Pull and merge requests as a server's references tell of them, and commits that no branch has.

Forges keep a request's head in a reference of its own: GitHub and Gitea `refs/pull/N/head`, GitLab
`refs/merge-requests/N/head`; beside it, while the request is open and merges cleanly, `…/merge`, a
merge of it made for trial. No forge's API is asked: what these references do not say is not known.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import locks
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import MacosBuildError, UsageError
from tensorflow_macos_build.git import object_ids, revisions
from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream import local, mirror, refs
from tensorflow_macos_build.upstream.patience import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.upstream.handle import Mirror

_SPACES = ("refs/pull", "refs/merge-requests")
_KEPT = f"{refs.SPACE}/picks"
"""References to commits that were fetched by their ids, so that they stay."""

_QUIET = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")


@dataclass(frozen=True)
class PullRefs:
    """What a server has of a pull or merge request now.

    Attributes:
        head: the reference's name; "" where there is none: the request is gone, or never was.
        commit: the full id of what it names; "" likewise.
        merge: the full id that the trial merge's reference names; "" where there is none: the
            request is closed or merged, or it conflicts; references do not say which.
    """

    head: str
    commit: str
    merge: str


def ask(
    git: Mirror, numbers: Iterable[str], ticker: Ticker = silent, *, url: str = ""
) -> dict[str, PullRefs]:
    """Ask what a server has of pull requests now, by their numbers.

    Args:
        git: the mirror of the queue's upstream.
        numbers: the requests' numbers.
        ticker: told what is asked for.
        url: another repository to ask: a path, an address.

    Raises:
        transfer.Unreachable: the server could not be asked.
        UsageError: the address cannot be read.
    """
    wanted = list(dict.fromkeys(numbers))
    names = [f"{space}/{number}/{end}" for number in wanted for space in _SPACES
             for end in ("head", "merge")]  # fmt: skip
    if not names:
        return {}
    ticker(0, None, f"asking {shown(url or git.origin)} for pull requests")
    listed = _listed(git, names, ticker, url)
    return {number: _of(number, listed) for number in wanted}


def _of(number: str, listed: Mapping[str, str]) -> PullRefs:
    heads = [name for space in _SPACES if (name := f"{space}/{number}/head") in listed]
    if not heads:
        return PullRefs("", "", "")
    merge = heads[0].removesuffix("head") + "merge"
    return PullRefs(heads[0], listed[heads[0]], listed.get(merge, ""))


def _listed(git: Mirror, names: Sequence[str], ticker: Ticker, url: str) -> dict[str, str]:
    """Return the ids of the references of those names that the repository has."""
    asked = _source(git, url)
    if isinstance(asked, Git) and not isinstance(asked, mirror.Mirror):
        known = revisions.references(asked, *_SPACES)
        return {name: known[name] for name in names if name in known}
    done = asked.talk(["ls-remote", "--quiet", "--refs", asked.url or "", *names], ticker)
    pairs = (line.partition("\t") for line in decode_path(done.stdout).split("\n"))
    # the server, and git's own matching of the ends of names, may send others; an id that is none
    # could become an argument
    wanted = {*names}
    return {name: oid for oid, _, name in pairs if name in wanted and object_ids.is_full(oid)}


def _source(git: Mirror, url: str) -> Mirror | Git:
    """Return whom to ask: a mirror that talks to its server, or a local repository."""
    if not url:
        return git if git.lender is None else Git(git.lender)
    kind, location = mirror.kind(url)
    if kind == "remote":
        return dataclasses.replace(git, url=location, lender=None, origin=url)
    if kind == "local":
        return local.lender_at(Path(location))
    raise UsageError("a pick's `url` is a path or an address", where=url)


def bring(
    git: Mirror, commits: Iterable[str], ticker: Ticker = silent, *, url: str = "", pull: str = ""
) -> None:
    """Make commits present that no branch or tag may reach, with their history.

    Args:
        git: the mirror of the queue's upstream, which gets them.
        commits: full ids; where all are here nobody is asked.
        ticker: told what is fetched.
        url: the repository that has them, where it is another one.
        pull: the number of the pull request that they are of; "" for none.

    Raises:
        transfer.Unreachable: the server could not be asked.
        UsageError: it has not got them, or the address cannot be read.
    """
    ids = [oid for oid in dict.fromkeys(commits) if oid]
    if not git.missing(ids):
        return
    source = _source(git, url)
    for oid in git.missing(ids)[:1]:
        # the head first: all else is in its history
        _fetch(git, source, oid, ticker, once=True)
    if git.missing(ids) and pull:
        head = ask(git, [pull], ticker, url=url)[pull].head
        if head:
            _fetch(git, source, head, ticker)
    for oid in git.missing(ids):
        _fetch(git, source, oid, ticker, once=True)
    if missing := git.missing(ids):
        raise UsageError(
            f"the repository does not hand out {', '.join(missing)}",
            where=shown(url or git.origin),
            hint="a pull request that was closed or forced may have taken its commits along; "
            "name a repository that still has them with the pick's `url`",
        )
    for oid in ids:
        _keep(git, oid)


def _fetch(
    git: Mirror, source: Mirror | Git, name: str, ticker: Ticker, *, once: bool = False
) -> None:
    """Fetch one object or reference; with `once` a refusal is no error."""
    ticker(0, None, f"asking for {name}")
    with locks.held(git.folder / "lock"):
        if not isinstance(source, mirror.Mirror):
            if git.lender is not None and source.git_dir == git.lender:
                return  # what it has is seen already
            # from the disk: a path is fetched from by git's own `file` transport
            own = Git(git.git_dir, env={"GIT_ALLOW_PROTOCOL": "file"})
            own.run("fetch", *_QUIET, source.git_dir.resolve(), name, expected=())
        elif once:
            # a server that refuses ids (uploadpack.allowAnySHA1InWant) refuses them always
            retry = dataclasses.replace(source.retry, attempts=1)
            with contextlib.suppress(MacosBuildError):
                dataclasses.replace(source, retry=retry).fetch([_remote(git, source), name], ticker)
        else:
            source.fetch([_remote(git, source), name], ticker)


def _remote(git: Mirror, source: Mirror) -> str:
    # by its name the mirror's own server leaves file contents out, as its configuration has it; of
    # another one all come, for they would be asked of the mirror's server later
    return "origin" if source.url == git.url else source.url or ""


def _keep(git: Mirror, oid: str) -> None:
    name = f"{_KEPT}/{oid}"
    if revisions.find(git, name) is None:
        with contextlib.suppress(refs.Moved):  # by another command, to the same commit
            refs.move(git, name, oid, "")
