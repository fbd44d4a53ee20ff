"""Where a release goes: what a person writes for it, what is there, what would be done, done."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.publishing import engine, folder, github, plan, secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.release.prepared import PreparedFolder
    from tensorflow_macos_build.release.publishing.plan import Present

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class PublishRequest:
    """What is to be published, and where.

    Attributes:
        release: the release, prepared.
        to: `github:OWNER/NAME`, or a folder's path.
        api: the address of GitHub's API; "" is the environment's, else github.com's.
        target: the commit to tag; "" is the one that the release was prepared at.
        longest_wait: seconds of a wait that a server may ask for.
    """

    release: PreparedFolder
    to: str
    api: str = ""
    target: str = ""
    longest_wait: float = 900.0


@dataclass(frozen=True)
class PublishPlan:
    """What would be done.

    Attributes:
        release: the release.
        to: where it goes, as it was written.
        actions: what would be done, in order; nothing where it is published.
        url: its page, where it is published.
        notes: what else is known of the destination.
    """

    release: PreparedFolder
    to: str
    actions: tuple[plan.Action, ...]
    url: str = ""
    notes: tuple[str, ...] = ()


class Destination(Protocol):
    """A place that a release goes to."""

    def plan(self, request: PublishRequest) -> PublishPlan:
        """Return what would be done; nothing changes."""

    def publish(
        self, request: PublishRequest, ticker: Ticker, note: Callable[[str], object]
    ) -> PublishPlan:
        """Publish; return what is then to be done, which is nothing."""


def of(text: str) -> Destination:
    """Return the destination that somebody means.

    Raises:
        UsageError: it is none.
    """
    kind, colon, rest = text.partition(":")
    if kind == "github" and colon:
        return GitHubDestination(rest)
    if "://" in text:
        raise UsageError(f"`{text}` is no destination", hint="github:OWNER/NAME, or a folder")
    return FolderDestination(Path(text))


@dataclass(frozen=True)
class FolderDestination:
    """A folder that gets a folder named after the tag."""

    out: Path

    def plan(self, request: PublishRequest) -> PublishPlan:
        """Return what would be done; nothing changes."""
        present = folder.look(self.out, request.release)
        url = present.published.url if present.published else ""
        return PublishPlan(request.release, request.to, plan.actions(request.release, present), url)

    def publish(
        self,
        request: PublishRequest,
        ticker: Ticker,
        note: Callable[[str], object],
    ) -> PublishPlan:
        """Publish; return what is then to be done, which is nothing."""
        ticker(0, None, f"copying to {self.out}")
        folder.publish(request.release, self.out)
        return self.plan(request)


@dataclass(frozen=True)
class GitHubDestination:
    """The releases of a repository, OWNER/NAME."""

    repository: str

    def plan(self, request: PublishRequest) -> PublishPlan:
        """Return what would be done, by what the repository has; it is only asked."""
        door = self._door(request)
        if words := plan.faults(request.release, door.limits):
            raise UsageError("GitHub does not take this release", detail="\n".join(words))
        return self._planned(request, door, door.look())

    def publish(
        self, request: PublishRequest, ticker: Ticker, note: Callable[[str], object]
    ) -> PublishPlan:
        """Publish; return what is then to be done, which is nothing."""
        door = self._door(request)
        patience = engine.Patience(longest=request.longest_wait)
        outcome = engine.publish(request.release, door, patience, ticker, note)
        return self._planned(request, door, outcome.present)

    def _door(self, request: PublishRequest) -> github.GitHubReleases:
        address = checked_address(request.api)
        manifest = request.release.manifest
        api = github.api(address, secrets.needed(github.TOKENS, urlsplit(address).netloc))
        target = request.target or manifest.tool["commit"]
        return github.GitHubReleases(api, address, self.repository, manifest.tag, target)

    def _planned(
        self, request: PublishRequest, door: github.GitHubReleases, present: Present
    ) -> PublishPlan:
        todo = plan.actions(request.release, present)
        is_immutable = present.published.is_immutable if present.published else door.is_immutable()
        notes = ("what is published there can be changed by nobody",) * is_immutable
        url = present.published.url if present.published else ""
        return PublishPlan(request.release, request.to, todo, url, notes)


def checked_address(stated: str) -> str:
    """Return the address of GitHub's API: the stated one, the environment's, or github.com's.

    Raises:
        UsageError: it is none, or the token would go there for everybody to read.
    """
    text = stated or os.environ.get("GITHUB_API_URL", "") or github.API
    parts = urlsplit(text)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        if parts.hostname and not parts.username and not parts.password:
            return text.rstrip("/")
        raise UsageError("the API's address has no host, or a password in it")
    raise UsageError(f"`{parts.scheme}` would show the token to everybody", hint="give https://…")
