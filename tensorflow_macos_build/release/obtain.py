"""Getting a published release: from a folder, a web server's folder, or GitHub; into a folder.

Nothing of it is believed here but its size, which is bounded; what it is, others look at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.release import checksums, model
from tensorflow_macos_build.release.model import ATTESTATION_SUFFIX, MANIFEST, SUMS, ReleaseBroken
from tensorflow_macos_build.release.publishing import github
from tensorflow_macos_build.release.publishing.answers import Passing
from tensorflow_macos_build.release.publishing.http import Api, Refused, patiently
from tensorflow_macos_build.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.release.publishing.secrets import Secret

_LARGEST = 2 << 30
"""Bytes of a file of a release at most; GitHub takes none of so many."""

_PAGE = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)/releases/tag/([^/?#]+)/?")
_NOT_FOUND = 404
_LONGEST_WAIT = 300.0
"""Seconds that a server may ask to wait, while somebody does."""


@dataclass(frozen=True)
class ReleaseAddress:
    """Where a published release is.

    Attributes:
        folder: its folder on this machine; None: it is elsewhere.
        url: the address of its folder on a web server; "" where it is not there.
        repository: OWNER/NAME on GitHub; "" where it is not there.
        tag: its tag there.
        api: the address of GitHub's API.
        secret: a token for it; a public release needs none.
    """

    folder: Path | None = None
    url: str = ""
    repository: str = ""
    tag: str = ""
    api: str = github.API
    secret: Secret | None = None


def address(text: str, repository: str, api: str, secret: Secret | None) -> ReleaseAddress:
    """Return what somebody means by a release.

    Args:
        text: a folder, the address of one, the page of a release on GitHub, or a tag there.
        repository: OWNER/NAME, for a tag; "" for the others.
        api: the address of GitHub's API.
        secret: a token for it.

    Raises:
        UsageError: it is none of them, or what should be a tag is none.
    """
    if match := _PAGE.fullmatch(text):
        # GitHub's own pages have the `+` of a tag as %2B.
        tag = model.check_tag(unquote(match[2]))
        return ReleaseAddress(repository=match[1], tag=tag, api=api, secret=secret)
    if "://" in text:
        if urlsplit(text).scheme not in ("http", "https"):
            raise UsageError("give an http(s) address, a folder, or a tag", where=text)
        return ReleaseAddress(url=text.rstrip("/"))
    if repository:
        tag = model.check_tag(text)
        return ReleaseAddress(repository=repository, tag=tag, api=api, secret=secret)
    if not Path(text).is_dir():
        raise UsageError("there is no such folder", where=text, hint="for a tag, give --repository")
    return ReleaseAddress(folder=Path(text))


@dataclass
class _Fetch:
    """One release on its way into a folder."""

    into: Path
    ticker: Ticker
    retry: Retry = field(default_factory=Retry)

    def file(self, api: Api, url: str, name: str, headers: dict[str, str], limit: int) -> None:
        """Bring one file, at most `limit` bytes of it."""
        if not model.is_name(name):
            raise ReleaseBroken("a file may not be called so", where=name[:300])

        def fetch() -> None:
            self.ticker(0, None, f"fetching {name}")
            with (self.into / name).open("wb") as stream:
                stream.writelines(api.stream(url, headers, limit=limit))

        try:
            patiently(fetch, self.retry, _LONGEST_WAIT)
        except Passing as error:
            raise WorkFailed(error.what, where=url, hint="try again later") from None


def obtain(source: ReleaseAddress, into: Path, ticker: Ticker) -> Path:
    """Return the folder of a release; what is elsewhere is brought into the folder `into`.

    Raises:
        WorkFailed: it cannot be had.
        ReleaseBroken: it is not bounded as a release is.
    """
    if source.folder is not None:
        return source.folder
    fetch = _Fetch(into, ticker)
    if source.url:
        _from_server(source.url, fetch)
    else:
        _from_github(source, fetch)
    return into


def _from_server(url: str, fetch: _Fetch) -> None:
    api = Api(None, set())
    for name in (SUMS, MANIFEST):
        fetch.file(api, f"{url}/{name}", name, {}, model.MOST)
    sums = checksums.parse_sums((fetch.into / SUMS).read_text("utf-8", "replace"))
    for name in sorted(set(sums) - {MANIFEST}):
        fetch.file(api, f"{url}/{quote(name)}", name, {}, _LARGEST)
    for name in _attestations(sums):
        try:
            fetch.file(api, f"{url}/{quote(name)}", name, {}, model.MOST)
        except Refused as error:
            if error.status != _NOT_FOUND:
                raise
            (fetch.into / name).unlink(missing_ok=True)


def _attestations(sums: dict[str, str]) -> Iterator[str]:
    """Yield the names that attestations may have; a web server lists none."""
    yield f"attestation{ATTESTATION_SUFFIX}"
    yield from (f"{name}{ATTESTATION_SUFFIX}" for name in sorted(sums) if name.endswith(".whl"))


def _from_github(source: ReleaseAddress, fetch: _Fetch) -> None:
    api = github.api(source.api, source.secret)
    base = f"{source.api}/repos/{source.repository}/releases"
    door = github.GitHubReleases(api, source.api, source.repository, source.tag)
    public = door.public_files()
    if public is None:
        raise UsageError(
            f"{source.repository} has no release {source.tag}",
            where=source.api,
            hint="a draft is none yet",
        )
    headers = {"Accept": "application/octet-stream"}
    for file in public:
        fetch.file(api, f"{base}/assets/{file.id}", file.name, headers, min(file.size, _LARGEST))
