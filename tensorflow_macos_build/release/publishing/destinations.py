"""Where a release goes: what a person writes for it, what is there, what would be done, done."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit

from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.release.model import FileKind
from tensorflow_macos_build.release.publishing import (
    engine,
    folder,
    github,
    offered,
    package_index,
    plan,
    s3,
    secrets,
    signing,
)
from tensorflow_macos_build.release.publishing.http import Api

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.release.prepared import PreparedFolder, PublishedFile
    from tensorflow_macos_build.release.publishing.plan import Present

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class PublishRequest:
    """What is to be published, and where.

    Attributes:
        release: the release, prepared.
        to: `github:OWNER/NAME`, `s3://BUCKET/PREFIX`, `index:URL`, or a folder's path.
        api: the address of GitHub's API; "" is the environment's, else github.com's.
        target: the commit to tag; "" is the one that the release was prepared at.
        endpoint: the address of an S3-compatible server; "" is the environment's, else Amazon's.
        simple: the address of an index's pages; "" is its upload address and `simple/`.
        uploader: `uv` or `twine`, which uploads to an index.
        longest_wait: seconds of a wait that a server may ask for.
    """

    release: PreparedFolder
    to: str
    api: str = ""
    target: str = ""
    endpoint: str = ""
    simple: str = ""
    uploader: str = "uv"
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
    if kind == "index" and colon:
        return IndexDestination(rest)
    if text.startswith("s3://"):
        return S3Destination(*s3.split(text.removeprefix("s3://")))
    if "://" in text:
        hint = "github:OWNER/NAME, s3://BUCKET/PREFIX, index:URL, or a folder"
        raise UsageError("it is no destination", hint=hint)
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


@dataclass(frozen=True)
class S3Destination:
    """A prefix in a bucket."""

    bucket: str
    prefix: str

    def plan(self, request: PublishRequest) -> PublishPlan:
        """Return what would be done, by what the bucket has; it is only asked."""
        door = self._door(request)
        if words := plan.faults(request.release, door.limits):
            raise UsageError("S3 does not take this release", detail="\n".join(words))
        return _planned_by(request, door.look())

    def publish(
        self, request: PublishRequest, ticker: Ticker, note: Callable[[str], object]
    ) -> PublishPlan:
        """Publish; return what is then to be done, which is nothing."""
        patience = engine.Patience(longest=request.longest_wait)
        door = self._door(request)
        outcome = engine.publish(request.release, door, patience, ticker, note)
        return _planned_by(request, outcome.present)

    def _door(self, request: PublishRequest) -> s3.S3Bucket:
        env = os.environ
        region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"
        stated = request.endpoint or env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
        address = checked_url(stated or f"https://s3.{region}.amazonaws.com")
        server = urlsplit(address).netloc
        key_id = env.get("AWS_ACCESS_KEY_ID", "")
        secret = secrets.needed(("AWS_SECRET_ACCESS_KEY",), server)
        session = secrets.find(("AWS_SESSION_TOKEN",), "")
        if not key_id:
            raise UsageError("AWS_ACCESS_KEY_ID is not set", hint="it goes with the secret key")
        signer = signing.S3Signer(key_id, secret, session, region, server)
        api = Api(secret, {server}, auth=signer)
        # A tag may have a `+`, which S3 takes for a space unless it is %2B.
        path = quote(f"{self.bucket}/{self.prefix}{request.release.manifest.tag}/")
        return s3.S3Bucket(api, f"{address}/{path}", request.release)


@dataclass(frozen=True)
class IndexDestination:
    """A package index of one's own, by the address that takes uploads."""

    url: str

    def plan(self, request: PublishRequest) -> PublishPlan:
        """Return what would be done, by what the index's pages offer."""
        index, missing = self._index(request), self._missing(request)
        typed = package_index.command(index, missing).typed()
        notes = (typed,) if missing else ()
        todo = tuple(plan.Upload("", wheel) for wheel in missing)
        return PublishPlan(request.release, request.to, todo, "" if todo else index.simple, notes)

    def publish(
        self,
        request: PublishRequest,
        ticker: Ticker,
        note: Callable[[str], object],
    ) -> PublishPlan:
        """Publish; return what is then to be done, which is nothing.

        Raises:
            WorkFailed: the index does not offer afterwards what was uploaded.
        """
        ticker(0, None, f"uploading by {request.uploader}")
        if missing := self._missing(request):
            package_index.upload(self._index(request), missing)
        done = self.plan(request)
        if done.actions:
            names = [wheel.name for wheel in self._missing(request)]
            raise WorkFailed(
                f"the index does not offer what was uploaded: {', '.join(names)}",
                hint="--simple is the address of its pages; another file may have the name",
            )
        return done

    def _missing(self, request: PublishRequest) -> list[PublishedFile]:
        """Return the wheels that the index's pages do not offer, or with other bytes."""
        wheels = self._wheels(request)
        digests = {wheel.name: wheel.sha256 for wheel in wheels}
        simple, project = self._index(request).simple, request.release.manifest.project
        faults = offered.faults(simple, project, digests)
        return [wheel for wheel in wheels if faults[wheel.name]]

    def _index(self, request: PublishRequest) -> package_index.IndexAddress:
        simple = request.simple or f"{self.url.rstrip('/')}/simple/"
        return package_index.IndexAddress(self.url, simple, request.uploader)

    def _wheels(self, request: PublishRequest) -> list[PublishedFile]:
        manifest = request.release.manifest
        wheels = {file.name for file in manifest.of_kind(FileKind.WHEEL, FileKind.PLUGIN)}
        return [file for file in request.release.files if file.name in wheels]


def _planned_by(request: PublishRequest, present: Present) -> PublishPlan:
    todo = plan.actions(request.release, present)
    url = present.published.url if present.published else ""
    return PublishPlan(request.release, request.to, todo, url)


def checked_address(stated: str) -> str:
    """Return the address of GitHub's API: the stated one, the environment's, or github.com's.

    Raises:
        UsageError: it is none, or the token would go there for everybody to read.
    """
    return checked_url(stated or os.environ.get("GITHUB_API_URL", "") or github.API)


def checked_url(text: str) -> str:
    """Return an address that a token may go to, without a slash at its end.

    Raises:
        UsageError: it is none, or everybody could read the token.
    """
    parts = urlsplit(text)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        if parts.hostname and not parts.username and not parts.password:
            return text.rstrip("/")
        raise UsageError("the API's address has no host, or a password in it")
    raise UsageError(f"`{parts.scheme}` would show the token to everybody", hint="give https://…")
