"""GitHub Releases by the REST API: a draft, its assets, and one request that publishes it.

Source: https://docs.github.com/rest/releases (version 2022-11-28). What it says of uploads: a
failure may leave an empty asset in the state `starter`, which can be deleted; names of other
letters than these are changed; an asset has under 2 GiB; a release at most 1,000 assets.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.publishing.answers import Passing
from tensorflow_macos_build.release.publishing.http import Api, Refused
from tensorflow_macos_build.release.publishing.outgoing import OutgoingFile
from tensorflow_macos_build.release.publishing.plan import (
    Draft,
    Limits,
    Present,
    PresentFile,
    Published,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.release.prepared import PreparedFolder, PublishedFile
    from tensorflow_macos_build.release.publishing.door import Sent
    from tensorflow_macos_build.release.publishing.secrets import Secret

TOKENS = ("GH_TOKEN", "GITHUB_TOKEN")
API = "https://api.github.com"
LIMITS = Limits(size=(2 << 30) - 1, files=1000, notes=125_000)

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "tensorflow-macos-build",
}
_BYTES = {"Accept": "application/octet-stream"}
_MARK = re.compile(r"<!-- tensorflow-macos-build release ([0-9a-f]{64}) -->")
_NEXT = re.compile(r'<([^<>]+)>;[^,]*\brel="next"')
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_MOST_PAGES = 100


def api(address: str, secret: Secret | None) -> Api:
    """Return the API at an address."""
    return Api(secret, {urlsplit(address).netloc}, _HEADERS)


def check_repository(name: str) -> None:
    """Refuse what is no repository's name.

    Raises:
        UsageError: it is none.
    """
    if not _REPOSITORY.fullmatch(name):
        raise UsageError(f"`{name}` is no repository", hint="give OWNER/NAME")


@dataclass
class GitHubReleases:
    """The releases of one tag in a repository.

    Attributes:
        api: the API.
        address: its address, without a slash at the end.
        repository: OWNER/NAME.
        tag: the tag.
        target: the commit to tag where the tag is not there yet; "" is the default branch's.
    """

    api: Api
    address: str
    repository: str
    tag: str
    target: str = ""
    limits: Limits = LIMITS
    at_once: int = 4
    _uploads: dict[str, str] = field(default_factory=dict)
    _digests: dict[tuple[str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_repository(self.repository)

    @property
    def _releases(self) -> str:
        return f"{self.address}/repos/{self.repository}/releases"

    def look(self) -> Present:
        """Return the drafts of the tag and what is published under it."""
        rows = [row for row in self._listed() if row["tag_name"] == self.tag]
        drafts = tuple(self._draft(row) for row in rows if row["draft"])
        # By the tag first; a list may lack for a while what was just published, and so may that.
        public = [self._by_tag(), *(row for row in rows if not row["draft"])]
        published = next((self._published(row) for row in public if row), None)
        return Present(drafts, published)

    def public_files(self) -> tuple[PresentFile, ...] | None:
        """Return what everybody sees under the tag, nothing of it read; None where nothing is."""
        row = self._by_tag()
        if row is None:
            return None
        assets = self._pages(f"{self._releases}/{row['id']}/assets?per_page=100")
        return tuple(
            PresentFile(str(asset["id"]), str(asset["name"]), int(asset["size"]), None)
            for asset in assets
        )

    def is_immutable(self) -> bool:
        """Whether the repository's releases cannot be changed once they are published."""
        url = f"{self.address}/repos/{self.repository}/immutable-releases"
        answer = self.api.call("GET", url, expected=(200, 403, 404)).value
        return isinstance(answer, dict) and bool(answer.get("enabled"))

    def create(self, release: PreparedFolder) -> None:
        """Make a draft."""
        target = {"target_commitish": self.target} if self.target else {}
        body = {**_described(release), "tag_name": self.tag, "draft": True, **target}
        made = self.api.call("POST", self._releases, value=body, expected=(201,)).value
        self._uploads[str(made["id"])] = _upload_address(made)

    def describe(self, draft: str, release: PreparedFolder) -> None:
        """Write the title and the notes of a draft anew."""
        self.api.call("PATCH", f"{self._releases}/{draft}", value=_described(release))

    def delete(self, draft: str) -> None:
        """Delete a draft."""
        # By its number it may have been published meanwhile, and that is never deleted.
        row = self.api.call("GET", f"{self._releases}/{draft}", expected=(200, 404)).value
        if isinstance(row, dict) and row.get("draft") is True:
            self.api.call("DELETE", f"{self._releases}/{draft}", expected=(204, 404))

    def delete_file(self, draft: str, file: PresentFile) -> None:
        """Delete an asset."""
        self.api.call("DELETE", f"{self._releases}/assets/{file.id}", expected=(204, 404))

    def upload(self, draft: str, file: PublishedFile, sent: Sent) -> None:
        """Upload an asset; a name that GitHub has changed is seen by the next look."""
        url = f"{self._upload_address(draft)}?name={quote(file.name, safe='')}"
        headers = {"Content-Type": "application/octet-stream"}
        with file.path.open("rb") as stream:
            data = OutgoingFile(stream, file, sent).as_stream()
            try:
                self.api.call("POST", url, data=data, headers=headers, expected=(201,))
            except Refused as error:
                # 422: an upload whose answer was lost has taken the name; the look tells of it.
                if error.status in (404, 422):
                    raise Passing(error.what, where=file.name) from None
                raise

    def publish(self, draft: str) -> None:
        """Let everybody see a draft."""
        self.api.call("PATCH", f"{self._releases}/{draft}", value={"draft": False})

    def _upload_address(self, draft: str) -> str:
        if draft not in self._uploads:
            row = self.api.call("GET", f"{self._releases}/{draft}").value
            self._uploads[draft] = _upload_address(row)
        address = self._uploads[draft]
        # It is the API's own answer that names the other server that may see the token.
        if urlsplit(address).scheme == urlsplit(self.address).scheme:
            self.api.servers.add(urlsplit(address).netloc)
        return address

    def _listed(self) -> Iterator[dict[str, Any]]:
        """Yield all releases, and drafts that were made here and that a list may lack yet."""
        seen = set()
        for row in self._pages(f"{self._releases}?per_page=100"):
            seen.add(str(row["id"]))
            yield row
        for known in [draft for draft in self._uploads if draft not in seen]:
            row = self.api.call("GET", f"{self._releases}/{known}", expected=(200, 404)).value
            if isinstance(row, dict) and "tag_name" in row:
                yield row

    def _pages(self, url: str) -> Iterator[dict[str, Any]]:
        for _ in range(_MOST_PAGES):
            reply = self.api.call("GET", url)
            if not isinstance(reply.value, list):
                raise Passing("the server's list is none", where=url)
            yield from reply.value
            following = _NEXT.search(reply.headers.get("link", ""))
            if following is None:
                return
            url = following[1]
            if urlsplit(url).netloc != urlsplit(self.address).netloc:
                raise Passing("the server's list goes on elsewhere", where=url)
        raise UsageError(f"it has more than {_MOST_PAGES * 100} releases", where=self.repository)

    def _draft(self, row: dict[str, Any]) -> Draft:
        mark = _MARK.search(row.get("body") or "")
        return Draft(str(row["id"]), mark[1] if mark else None, self._files(row))

    def _by_tag(self) -> dict[str, Any] | None:
        url = f"{self._releases}/tags/{quote(self.tag, safe='')}"
        row = self.api.call("GET", url, expected=(200, 404)).value
        is_public = isinstance(row, dict) and "tag_name" in row and not row.get("draft")
        return row if is_public else None

    def _published(self, row: dict[str, Any]) -> Published:
        is_immutable, address = bool(row.get("immutable")), str(row.get("html_url", ""))
        return Published(self._files(row), is_immutable, address)

    def _files(self, row: dict[str, Any]) -> tuple[PresentFile, ...]:
        # The release's own `assets` is not the whole list where there are many.
        url = f"{self._releases}/{row['id']}/assets?per_page=100"
        return tuple(self._file(asset) for asset in self._pages(url))

    def _file(self, asset: dict[str, Any]) -> PresentFile:
        file_id, size, is_whole = str(asset["id"]), int(asset["size"]), asset["state"] == "uploaded"
        digest = str(asset.get("digest") or "").removeprefix("sha256:") or None
        if is_whole and digest is None:
            digest = self._read_back(file_id, size)
        return PresentFile(file_id, str(asset["name"]), size, digest, is_whole)

    def _read_back(self, file_id: str, size: int) -> str | None:
        """Return the SHA-256 of an asset's bytes as the server gives them; they do not change."""
        key = (file_id, size)
        if key not in self._digests:
            url = f"{self._releases}/assets/{file_id}"
            digest = hashlib.sha256()
            for piece in self.api.stream(url, _BYTES, limit=size):
                digest.update(piece)
            self._digests[key] = digest.hexdigest()
        return self._digests[key]


def _described(release: PreparedFolder) -> dict[str, Any]:
    manifest = release.manifest
    mark = f"<!-- tensorflow-macos-build release {release.mark} -->"
    return {
        "name": f"{manifest.project} {manifest.tag}",
        "body": f"{release.notes}\n{mark}\n",
    }


def _upload_address(row: dict[str, Any]) -> str:
    """Return where a draft's assets go; the API gives a template (RFC 6570)."""
    return str(row["upload_url"]).partition("{")[0]
