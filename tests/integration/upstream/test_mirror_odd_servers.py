"""Mirrors of what is no repository, or of servers that send without an end."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.upstream import mirror
from tensorflow_macos_build.upstream.mirror import TransferRetry
from tensorflow_macos_build.upstream.transfer import Unreachable
from tests.dripping import Drip, dripping
from tests.git_servers import ENDLESS, endless_server
from tests.servers import serving

if TYPE_CHECKING:
    from pathlib import Path

QUICK = TransferRetry(attempts=4, first_pause=0.02, longest_pause=0.05, idle=20)


class Page(http.server.BaseHTTPRequestHandler):
    """A site that shows the same page at every address, made small as many are."""

    def do_GET(self) -> None:
        page = b"<!doctype html><html><body>Welcome</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_web_page_is_no_empty_repository(tmp_path: Path) -> None:
    """git takes a page without line ends for a repository without branches, and ends with 0."""
    with serving(Page, threading.Event()) as site:
        with pytest.raises(UsageError, match="no git repository answers there") as caught:
            mirror.open(f"{site}/project", tmp_path / "cache", retry=QUICK)
        assert "text/html" in caught.value.what


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_server_without_an_end_is_left(kind: str, tmp_path: Path) -> None:
    """The bounds of this test are small; those of `TransferRetry` are its defaults."""
    bounds = TransferRetry(attempts=2, first_pause=0.02, idle=1, words=200_000)
    with endless_server(kind) as url, pytest.raises(Unreachable) as caught:
        mirror.open(url, tmp_path / "cache", retry=bounds)
    assert caught.value.where == url
    assert len(str(caught.value)) < 5000
    (folder,) = (tmp_path / "cache").iterdir()
    assert not (folder / "repository.git").exists()


def test_a_server_that_drips_the_head_of_its_answers_is_left(tmp_path: Path) -> None:
    bounds = TransferRetry(attempts=2, first_pause=0.02, idle=1, grace=0.2)
    with dripping(Drip.HEADERS) as url, pytest.raises(Unreachable, match="could not be read"):
        mirror.open(f"{url}/up.git", tmp_path / "cache", retry=bounds)


def test_a_server_that_never_begins_to_send_objects_is_left(tmp_path: Path) -> None:
    bounds = TransferRetry(attempts=2, first_pause=0.02, preparing=0.0)
    with endless_server("messages") as url, pytest.raises(Unreachable, match="without end"):
        mirror.open(url, tmp_path / "cache", retry=bounds)
