"""Mirrors of local upstreams: used in place, never copied, never written to."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.upstream import embedded, mirror, releases
from tests.git_servers import http_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.upstream.conftest import Upstream


def snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    }


def test_a_local_repository_lends_its_objects_and_stays_as_it_was(
    upstream: Upstream, tmp_path: Path
) -> None:
    before = snapshot(upstream.path)
    opened = mirror.open(upstream.path, tmp_path / "cache")
    assert opened.resolve("v1.1.0") == upstream.git("rev-parse", "v1.1.0")
    assert opened.resolve("HEAD") == opened.resolve("main") == upstream.git("rev-parse", "main")
    assert opened.fetch_blobs(upstream.blobs("main")) == 0
    opened.run("hash-object", "-w", "--stdin", stdin=b"a new object")
    opened.run("update-ref", "refs/rebase/state", "main")
    assert snapshot(upstream.path) == before
    assert not list(opened.git_dir.rglob("*.pack"))
    loose = list((opened.git_dir / "objects").glob("??/*"))
    assert len(loose) == 1


def test_references_follow_the_local_repository_and_others_stay(
    upstream: Upstream, tmp_path: Path
) -> None:
    first = mirror.open(upstream.path, tmp_path / "cache")
    first.run("update-ref", "refs/rebase/state", "v1.0.0")
    upstream.git("update-ref", "-d", "refs/heads/main")
    moved = upstream.commit("main/new", {"a": b"a"}, day=50)
    upstream.git("tag", "-d", "v1.0.0")
    again = mirror.open(upstream.path, tmp_path / "cache")
    ours = again.out("for-each-ref", "refs/heads", "refs/tags").decode().strip()
    assert ours == upstream.git("for-each-ref")
    assert again.resolve("main/new") == moved
    assert again.resolve("refs/rebase/state")


@pytest.mark.parametrize("form", ["work tree", "dot git", "linked work tree", "file URL"])
def test_every_form_of_a_local_repository_is_taken(
    form: str, upstream: Upstream, tmp_path: Path
) -> None:
    clone, linked = tmp_path / "a clone", tmp_path / "linked"
    subprocess.run(["git", "clone", "-q", upstream.path, clone], check=True)
    subprocess.run(["git", "-C", clone, "worktree", "add", "-q", linked, "v1.0.0"], check=True)
    source, head = {
        "work tree": (str(clone), "main"),
        "dot git": (str(clone / ".git"), "main"),
        "linked work tree": (str(linked), "v1.0.0"),
        "file URL": (f"file://{clone}".replace(" ", "%20"), "main"),
    }[form]
    opened = mirror.open(source, tmp_path / "cache")
    assert opened.resolve("HEAD") == upstream.git("rev-parse", head)
    assert opened.resolve("origin/main") == upstream.git("rev-parse", "main")


def test_what_cannot_serve_is_refused(upstream: Upstream, tmp_path: Path) -> None:
    shallow, other, plain = tmp_path / "shallow", tmp_path / "sha256", tmp_path / "plain"
    source = f"file://{upstream.path}"
    subprocess.run(["git", "clone", "-q", "--depth=2", source, shallow], check=True)
    subprocess.run(["git", "init", "-q", "--object-format=sha256", other], check=True)
    plain.mkdir()
    inside = upstream.path / "objects"
    for url, reason in [
        (shallow, "shallow"),
        (other, "SHA-1"),
        (plain, "not a git repository"),
        (inside, "not a git repository"),
    ]:
        with pytest.raises(UsageError, match=reason):
            mirror.open(url, tmp_path / "cache")


def test_a_local_partial_clone_gets_what_it_lacks_without_being_written_to(
    upstream: Upstream, tmp_path: Path
) -> None:
    with http_server(upstream.root) as (base, faults):
        clone = tmp_path / "clone.git"
        filtered = ["git", "clone", "-q", "--bare", "--filter=blob:none"]
        subprocess.run([*filtered, f"{base}/up.git", str(clone)], check=True)
        before = snapshot(clone)
        opened = mirror.open(clone, tmp_path / "cache")
        faults.wants.clear()
        assert opened.fetch_blobs(upstream.blobs("v1.1.0")) == 10
        assert faults.wants == [10]
        assert opened.out("cat-file", "blob", upstream.blobs("v1.1.0")[0]) == b"3.0\n" * 40
        assert snapshot(clone) == before


def test_the_embedded_upstream_is_made_when_it_is_opened(tmp_path: Path) -> None:
    opened = mirror.open("embedded:", tmp_path / "cache")
    assert opened.resolve("v2.17.0") == embedded.TAGS["v2.17.0"]
    assert opened.resolve("main") == embedded.MAIN
    opened.run("update-ref", "refs/rebase/state", "main")
    assert mirror.open("embedded:", tmp_path / "cache").resolve("refs/rebase/state")


def test_a_damaged_pack_of_its_own_is_set_aside(upstream: Upstream, tmp_path: Path) -> None:
    opened = mirror.open(upstream.path, tmp_path / "cache")
    (opened.git_dir / "HEAD").unlink()
    again = mirror.open(upstream.path, tmp_path / "cache")
    assert again.resolve("main") == upstream.git("rev-parse", "main")


def test_references_may_have_names_that_are_no_utf_8(upstream: Upstream, tmp_path: Path) -> None:
    """As branches and tags of years before UTF-8 have; git takes any bytes."""
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    upstream.git("update-ref", f"refs/heads/{name}", "v1.2.0")
    upstream.git("symbolic-ref", "HEAD", f"refs/heads/{name}")
    upstream.git("pack-refs", "--all")
    for _ in range(2):
        opened = mirror.open(upstream.path, tmp_path / "cache")
        assert opened.resolve(name) == opened.resolve("HEAD") == opened.resolve("v1.2.0")
    assert [release.tag for release in releases.releases(opened)][-1] == "v1.3.0"
    with pytest.raises(UsageError, match="no commit, branch or tag"):
        opened.resolve("caf")
