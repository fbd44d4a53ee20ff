"""A bucket of S3 or of a server that speaks its API: PREFIX/TAG/, SHA256SUMS last.

There are no drafts: a release without SHA256SUMS is none, to `release.verify` and to anybody who
checks what he gets. So that file is put at the end, and never over another one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.model import SUMS
from tensorflow_macos_build.release.publishing.answers import Passing
from tensorflow_macos_build.release.publishing.http import Refused
from tensorflow_macos_build.release.publishing.outgoing import OutgoingFile
from tensorflow_macos_build.release.publishing.plan import (
    Draft,
    Limits,
    Present,
    PresentFile,
    Published,
)
from tensorflow_macos_build.release.publishing.signing import EMPTY

if TYPE_CHECKING:
    from tensorflow_macos_build.release.prepared import PreparedFolder, PublishedFile
    from tensorflow_macos_build.release.publishing.door import Sent
    from tensorflow_macos_build.release.publishing.http import Api

# 5 GiB are the most that one PUT takes (Amazon S3 User Guide, "Uploading objects").
LIMITS = Limits(size=5 << 30, files=10_000, notes=1 << 40)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(?:[A-Za-z0-9._+-]+/)*")
_EXISTS = (409, 412)
"""Conflict and Precondition Failed: what was to be new is there."""


def split(text: str) -> tuple[str, str]:
    """Return the bucket and the prefix of `BUCKET/PREFIX`, with a slash at its end if it has one.

    Raises:
        UsageError: it is none.
    """
    bucket, _, rest = text.partition("/")
    prefix = f"{rest.strip('/')}/" if rest.strip("/") else ""
    if not _BUCKET.fullmatch(bucket) or not _PREFIX.fullmatch(prefix) or ".." in prefix:
        raise UsageError(f"`s3://{text}` names no bucket", hint="s3://BUCKET/PREFIX")
    return bucket, prefix


@dataclass
class S3Bucket:
    """A release in a bucket.

    Attributes:
        api: the server, with its signer.
        base: the address of the release's folder there, with a slash at its end.
        release: what is published.
    """

    api: Api
    base: str
    release: PreparedFolder
    limits: Limits = LIMITS
    at_once: int = 4
    _digests: dict[str, str] = field(default_factory=dict)

    def look(self) -> Present:
        """Return what of the release is there."""
        asked = map(self._file, self.release.files)
        files = tuple(file for file in asked if file is not None)
        there = next((file for file in files if file.name == SUMS), None)
        if there is not None and not self._is_cut_off(there):
            return Present(published=Published(files, url=self.base))
        if there is not None:
            return Present((Draft(self.base, self.release.mark, files),))  # it is to be deleted
        # It goes there by `publish`; for the plan it is there.
        promised = PresentFile(SUMS, SUMS, self._sums.size, self._sums.sha256)
        return Present((Draft(self.base, self.release.mark, (*files, promised)),))

    @property
    def _sums(self) -> PublishedFile:
        return next(file for file in self.release.files if file.name == SUMS)

    def _is_cut_off(self, there: PresentFile) -> bool:
        """Whether what is there is the beginning of this release's own SHA256SUMS.

        S3 takes no file in part, for the checksum is not right then; moto's server 5.2 does.
        """
        own = self._sums.path.read_bytes()
        if there.size >= len(own):
            return False
        headers = {"x-amz-content-sha256": EMPTY}
        start = b"".join(self.api.stream(self._url(SUMS), headers, limit=LIMITS.size))
        return own.startswith(start)

    def create(self, release: PreparedFolder) -> None:
        """Do nothing: the folder is there as soon as a file of it is."""

    def describe(self, draft: str, release: PreparedFolder) -> None:
        """Do nothing: the notes are a file."""

    def delete(self, draft: str) -> None:
        """Do nothing: there is one folder, and it is this release's."""

    def delete_file(self, draft: str, file: PresentFile) -> None:
        """Delete an object."""
        headers = {"x-amz-content-sha256": EMPTY}
        self.api.call("DELETE", self._url(file.name), headers=headers, expected=(200, 204, 404))

    def upload(self, draft: str, file: PublishedFile, sent: Sent) -> None:
        """Put an object; the server compares the checksum before it takes it."""
        digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        headers = {
            "x-amz-content-sha256": file.sha256,
            "x-amz-checksum-sha256": digest,
            "If-None-Match": "*",
            "Content-Type": "application/octet-stream",
        }
        with file.path.open("rb") as stream:
            data = OutgoingFile(stream, file, sent).as_stream()
            try:
                url = self._url(file.name)
                self.api.call("PUT", url, data=data, headers=headers, parsed=False)
            except Refused as error:
                if error.status in _EXISTS:
                    raise Passing("there is something under this name", where=file.name) from None
                raise

    def publish(self, draft: str) -> None:
        """Put SHA256SUMS, which makes a release of what is there."""
        self.upload(draft, self._sums, lambda _: None)

    def _url(self, name: str) -> str:
        return f"{self.base}{quote(name, safe='-_.~')}"

    def _file(self, file: PublishedFile) -> PresentFile | None:
        headers = {"x-amz-content-sha256": EMPTY, "x-amz-checksum-mode": "ENABLED"}
        reply = self.api.call("HEAD", self._url(file.name), headers=headers, expected=(200, 404))
        if reply.status == 404:
            return None
        size = int(reply.headers.get("content-length", "-1"))
        digest = _of_whole(reply.headers.get("x-amz-checksum-sha256", ""))
        digest = digest or self._read_back(file.name, reply.headers.get("etag", ""))
        return PresentFile(file.name, file.name, size, digest)

    def _read_back(self, name: str, tag: str) -> str:
        """Return the SHA-256 of an object, for which its entity tag stands where it has one."""
        key = f"{name} {tag}"
        if not tag or key not in self._digests:
            digest = hashlib.sha256()
            headers = {"x-amz-content-sha256": EMPTY}
            for piece in self.api.stream(self._url(name), headers, limit=LIMITS.size):
                digest.update(piece)
            self._digests[key] = digest.hexdigest()
        return self._digests[key]


def _of_whole(stated: str) -> str:
    """Return the SHA-256 that a server states of an object; "" where it states none.

    What somebody has uploaded in parts has the checksum of their checksums, as `BASE64-3`.
    """
    try:
        digest = base64.b64decode(stated, validate=True)
    except ValueError:
        return ""
    return digest.hex() if len(digest) == hashlib.sha256().digest_size else ""
