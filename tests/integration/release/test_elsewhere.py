"""Publishing to a bucket and to an index; benchmarks/publishing_elsewhere.py asks real servers."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.publishing import package_index, s3
from tensorflow_macos_build.release.publishing.package_index import IndexAddress
from tests import command_line
from tests.release_runs import digests, make
from tests.servers import serving

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tensorflow_macos_build.release.prepared import PreparedFolder

SECRET = "secret-access-key-0123456789"


class Bucket(http.server.BaseHTTPRequestHandler):
    """Keeps objects, and takes none whose checksum is not right or that is there."""

    objects: dict[str, bytes]
    checksum = ""
    """What is stated of each object."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path in self.objects and self.headers["If-None-Match"] == "*":
            self._answer(412)
        elif hashlib.sha256(body).hexdigest() != self.headers["x-amz-content-sha256"]:
            self._answer(400)
        else:
            self.objects[self.path] = body
            self._answer(200)

    def do_GET(self) -> None:
        content = self.objects.get(self.path)
        is_signed = self.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
        self._answer(404 if content is None else 200 if is_signed else 403, content or b"")

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        self.objects.pop(self.path, None)
        self._answer(204)

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if self.checksum:
            self.send_header("x-amz-checksum-sha256", self.checksum)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


@pytest.fixture
def release(tmp_path: Path) -> PreparedFolder:
    return make(tmp_path / "release", {"a.whl": b"a" * 1000, "b.whl": b"b"})


def test_a_bucket_gets_the_checksums_last_and_what_was_spoiled_anew(
    release: PreparedFolder,
) -> None:
    handler: type[Bucket] = type("Handler", (Bucket,), {"objects": {}})
    objects: dict[str, bytes] = handler.objects
    with serving(handler, threading.Event()) as address:

        def publish(*words: str) -> subprocess.CompletedProcess[str]:
            keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": SECRET}
            to = ("--to", "s3://releases/mac", "--endpoint", address)
            env = {**os.environ, **keys}
            done = command_line.run("release.publish", release.folder, *to, *words, env=env)
            assert SECRET not in done.stdout + done.stderr
            return done

        objects["/releases/mac/v2.17.0/a.whl"] = b"a" * 10  # a part, from a server that takes such
        assert "delete a.whl it has other bytes" in publish("--plan").stdout
        assert list(objects) == ["/releases/mac/v2.17.0/a.whl"]
        for _ in range(2):
            done = publish()
            assert done.returncode == 0, done.stderr
        there = {path.rpartition("/")[2]: content for path, content in objects.items()}
        public = {name: hashlib.sha256(content).hexdigest() for name, content in there.items()}
        assert public == digests(release)
        assert list(there)[-1] == "SHA256SUMS"
        objects["/releases/mac/v2.17.0/SHA256SUMS"] = b"of another release"
        before = dict(objects)
        assert publish().returncode == 1
        assert objects == before


@pytest.mark.parametrize(
    "checksum", ["kNjDxvjUxcCUxyYc4b4jXnVVxNuIrLBlbkgYFzhwvqQ=-2", "AAAA", "é"]
)
def test_what_was_uploaded_in_parts_is_read_back(release: PreparedFolder, checksum: str) -> None:
    base = "/releases/mac%2Bx/v2.17.0"
    objects = {f"{base}/{file.name}": file.path.read_bytes() for file in release.files}
    members = {"objects": dict(objects), "checksum": checksum}
    handler: type[Bucket] = type("Handler", (Bucket,), members)
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": SECRET}
    with serving(handler, threading.Event()) as address:
        to = ("--to", "s3://releases/mac+x", "--endpoint", address)
        env = {**os.environ, **keys}
        done = command_line.run("release.publish", release.folder, *to, env=env)
        assert done.returncode == 0, done.stderr
    assert handler.objects == objects


@pytest.mark.parametrize("text", ["", "B", "ab", "a/../b", "bucket/a b"])
def test_what_names_no_bucket_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no bucket"):
        s3.split(text)


def test_uploaders_get_what_is_missing_and_no_password(release: PreparedFolder) -> None:
    wheel = next(file for file in release.files if file.name == "a.whl")
    index = IndexAddress("https://pypi.example/", "https://pypi.example/simple/", "twine")
    assert package_index.command(index, [wheel]).argv == (
        *("twine", "upload", "--non-interactive", "--disable-progress-bar"),
        *("--repository-url", "https://pypi.example/", str(wheel.path)),
    )
    by_uv = IndexAddress(index.upload, index.simple)
    assert package_index.command(by_uv, [wheel]).argv[1:] == (
        *("publish", "--no-progress", "--publish-url", "https://pypi.example/"),
        *("--check-url", "https://pypi.example/simple/", str(wheel.path)),
    )
    with pytest.raises(UsageError, match="a password stands"):
        IndexAddress("https://u:p@pypi.example/", index.simple)
