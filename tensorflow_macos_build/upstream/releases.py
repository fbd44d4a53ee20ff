"""What an upstream has released, in the order of its versions, and how far behind a base is.

Tags are read as versions by packaging's rules (with or without a leading `v`); a tag that is no
version is no release. Pre-releases and development releases are kept apart. Distances are between
commits, so they do not depend on the day on which they are asked for.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.version import Version

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.upstream.patience import shown

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.upstream.mirror import Mirror

_FIELDS = "%00".join(
    [
        "%(refname:strip=2)",
        # of an annotated tag, the commit; empty of another one, whose own object it is
        "%(*objectname)",
        "%(objectname)",
        "%(*committerdate:unix)%(committerdate:unix)",  # the one of an annotated tag's commit, or
    ]
)
_SECONDS_A_DAY = 86400

_BRANCH = re.compile(r"(?:r|v|releases?[-/]|release[-/]v)?([0-9]{1,9}(?:\.[0-9]{1,9})+)(?:\.x)?")
"""What release branches are called: TensorFlow's `r2.22`, and what other projects have."""


@dataclass(frozen=True)
class UpstreamRelease:
    """A tag that names a version.

    Attributes:
        tag: its name.
        version: what it says by packaging's rules.
        commit: the full id of its commit.
        time: when that commit was made, in seconds since 1970 (UTC).
    """

    tag: str
    version: Version
    commit: str
    time: int

    @property
    def date(self) -> str:
        """The day of its commit in UTC, as 2026-11-22."""
        return _day(self.time)


@dataclass(frozen=True)
class ReleaseBranch:
    """A branch that releases of one version are made on, such as `r2.22`.

    Attributes:
        name: its name.
        version: what the name says by packaging's rules.
        commit: the full id of its newest commit.
        time: when that was made, in seconds since 1970 (UTC).
        newest: the newest tag of its version, pre-releases too; "" before the first.
        is_released: whether one of its versions is released.
    """

    name: str
    version: Version
    commit: str
    time: int
    newest: str
    is_released: bool

    @property
    def date(self) -> str:
        """The day of its newest commit in UTC, as 2026-11-22."""
        return _day(self.time)


@dataclass(frozen=True)
class UpstreamBase:
    """The commit that a queue applies to.

    Attributes:
        ref: how it was named.
        commit: its full id.
        time: when it was made, in seconds since 1970 (UTC).
        version: the newest version whose tag is on it, else in its history; None without any.
    """

    ref: str
    commit: str
    time: int
    version: Version | None

    @property
    def date(self) -> str:
        """The day on which it was made in UTC, as 2026-11-22."""
        return _day(self.time)


@dataclass(frozen=True)
class Distance:
    """What lies between a base and a release.

    Attributes:
        commits: how many commits the release has that the base lacks.
        own: how many the base has that the release lacks, as on a release branch.
        days: days from the base's commit to the release's; negative when it is the older one.
    """

    commits: int
    own: int
    days: int


@dataclass(frozen=True)
class UpstreamStatus:
    """An upstream's releases against a base.

    Attributes:
        origin: the upstream as it was named, without a password.
        base: the commit that the queue applies to.
        newer: releases newer than the base, oldest first.
        previews: pre-releases newer than the base and than every release, oldest first.
        behind: what lies between the base and the newest release; None when nothing is newer.
        branches: release branches of the base's version and of newer ones, oldest first.
    """

    origin: str
    base: UpstreamBase
    newer: tuple[UpstreamRelease, ...]
    previews: tuple[UpstreamRelease, ...]
    behind: Distance | None
    branches: tuple[ReleaseBranch, ...] = ()

    @property
    def coming(self) -> tuple[ReleaseBranch, ...]:
        """The branches of versions that are not released yet, oldest first."""
        return tuple(branch for branch in self.branches if not branch.is_released)


def status(
    mirror: Mirror, base: str, ticker: Ticker = silent, *, called: str | None = None
) -> UpstreamStatus:
    """Return an upstream's releases, its newest ones too, against the commit that `base` names.

    Args:
        mirror: the upstream.
        base: a commit, tag or branch.
        ticker: told how far the asking is.
        called: what to call the base in the answer, when that is something else.

    Raises:
        UsageError: `base` names no commit.
        transfer.Unreachable: the upstream's server could not be asked.
    """
    # anew, though tags are taken from the disk elsewhere: the question is what came since
    mirror.refresh(ticker)
    known = releases(mirror)
    own = replace(_base(mirror, base, known, ticker), ref=called or base)
    ahead = [release for release in known if own.version is None or release.version > own.version]
    newer = [release for release in ahead if not release.version.is_prerelease]
    newest = newer[-1].version if newer else None
    previews = [
        release
        for release in ahead
        if release.version.is_prerelease and (not newest or release.version > newest)
    ]
    return UpstreamStatus(
        origin=shown(mirror.origin),
        base=own,
        newer=tuple(newer),
        previews=tuple(previews),
        behind=_between(mirror, own, newer[-1]) if newer else None,
        branches=tuple(
            branch
            for branch in branches(mirror, known)
            if own.version is None or branch.version >= _line(own.version, branch.version)
        ),
    )


def releases(git: Git, *, reachable_from: str = "") -> list[UpstreamRelease]:
    """Return the releases that a repository has tags of, by rising version.

    With `reachable_from`, only those in the history of that commit.
    """
    within = [f"--merged={reachable_from}"] if reachable_from else []
    listed = git.line("for-each-ref", f"--format={_FIELDS}", *within, "refs/tags")
    named: list[UpstreamRelease] = []
    for line in filter(None, listed.split("\n")):
        tag, peeled, direct, time = line.split("\0")
        version = _version(tag)
        # no time: a tag of a tree or a blob, as the kernel has one (v2.6.11-tree)
        if version is not None and time:
            named.append(UpstreamRelease(tag, version, peeled or direct, int(time)))
    # two tags may be of one version (`v2.1` and `2.1.0`): by their names the order is always the
    # same
    return sorted(named, key=lambda release: (release.version, release.tag))


def branches(git: Git, known: list[UpstreamRelease]) -> list[ReleaseBranch]:
    """Return the release branches of a repository, by rising version; each version once.

    Args:
        git: the repository; of a local clone the branches of its remotes count, too.
        known: its releases.
    """
    form = "--format=%(refname)%00%(objectname)%00%(committerdate:unix)"
    # heads come before remotes: git lists names in their order
    listed = git.line("for-each-ref", form, "refs/heads", "refs/remotes").split("\n")
    made: dict[Version, ReleaseBranch] = {}
    for line in filter(None, listed):
        ref, commit, time = line.split("\0")
        # by the name that `Mirror.resolve` takes: `r2.22`, or `origin/r2.22` of a clone's remote
        name = re.sub(r"^refs/(?:heads|remotes)/", "", ref)
        named = _BRANCH.fullmatch(name if ref.startswith("refs/heads/") else name.partition("/")[2])
        version = _version(named[1]) if named is not None else None
        if version is not None and version not in made:
            made[version] = _branch(name, version, commit, int(time), known)
    return [made[version] for version in sorted(made)]


def _branch(
    name: str, version: Version, commit: str, time: int, known: list[UpstreamRelease]
) -> ReleaseBranch:
    of_it = [release for release in known if _line(release.version, version) == version]
    is_released = any(not release.version.is_prerelease for release in of_it)
    return ReleaseBranch(name, version, commit, time, of_it[-1].tag if of_it else "", is_released)


def _line(version: Version, like: Version) -> Version:
    """Return a version cut to as many numbers as a branch's has: 2.22.0rc0 is of the line 2.22."""
    return Version(".".join(map(str, version.release[: len(like.release)])))


def _version(tag: str) -> Version | None:
    try:
        return Version(tag)
    except ValueError:  # InvalidVersion, or a number of more digits than int() takes
        return None


def _base(mirror: Mirror, ref: str, known: list[UpstreamRelease], ticker: Ticker) -> UpstreamBase:
    commit = mirror.resolve(ref, ticker)
    time = int(mirror.line("show", "--no-patch", "--format=%ct", commit))
    on_it = [release for release in known if release.commit == commit]
    # a tag on the commit itself needs no walk of the history, as --merged does
    reached = on_it or releases(mirror, reachable_from=commit)
    return UpstreamBase(ref, commit, time, reached[-1].version if reached else None)


def _between(git: Git, base: UpstreamBase, release: UpstreamRelease) -> Distance:
    counted = git.line("rev-list", "--left-right", "--count", f"{base.commit}...{release.commit}")
    own, commits = (int(number) for number in counted.split("\t"))
    return Distance(commits, own, (release.time - base.time) // _SECONDS_A_DAY)


def _day(time: int) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).date().isoformat()
