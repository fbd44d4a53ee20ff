"""An upstream's releases against a base, on the embedded upstream and on a made one."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from tensorflow_macos_build import documents
from tensorflow_macos_build.upstream import embedded, mirror, releases
from tests import command_line
from tests.git_servers import http_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.upstream.conftest import Upstream


def tagged(upstream: Upstream, tags: dict[str, int]) -> None:
    for tag in upstream.git("tag").split():
        upstream.git("tag", "-d", tag)
    commits = upstream.git("rev-list", "--reverse", "main").split()
    for tag, day in tags.items():
        annotated = ["-a", "-m", "a release"] if day % 2 else []
        upstream.git("tag", *annotated, tag, commits[day])


def test_releases_are_sorted_as_versions_and_pre_releases_are_apart(
    upstream: Upstream, tmp_path: Path
) -> None:
    tags = {"v2.9.0": 1, "v2.10.0": 4, "v2.10.1": 6, "v2.11.0-rc0": 7, "v2.11.0.rc1": 9}
    tagged(upstream, {**tags, "v2.10.0-rc2": 3, "nightly": 11, "r2.10": 5})
    opened = mirror.open(upstream.path, tmp_path / "cache")
    status = releases.status(opened, "v2.9.0")
    assert [release.tag for release in status.newer] == ["v2.10.0", "v2.10.1"]
    assert [release.tag for release in status.previews] == ["v2.11.0-rc0", "v2.11.0.rc1"]
    assert status.behind == releases.Distance(commits=5, own=0, days=5)
    assert status.newer[-1].commit == upstream.git("rev-parse", "v2.10.1^{commit}")
    assert (status.base.version, status.base.date) == (Version("2.9.0"), "2024-01-02")


def test_branches_of_releases_say_what_is_to_come(upstream: Upstream, tmp_path: Path) -> None:
    tagged(upstream, {"v2.9.0": 1, "v2.10.0": 4, "v2.11.0-rc0": 7})
    for branch, day in {"r2.9": 2, "r2.10": 5, "r2.11": 8, "r2.12": 9, "r2.8": 0, "r2": 3}.items():
        upstream.git("branch", branch, f"main~{11 - day}")
    upstream.git("branch", "release-2.11", "main")  # the same version under another name
    upstream.git("branch", "topic/2.13", "main")
    opened = mirror.open(upstream.path, tmp_path / "cache")
    status = releases.status(opened, "v2.9.0")
    assert [(branch.name, branch.newest) for branch in status.branches] == [
        ("r2.9", "v2.9.0"),
        ("r2.10", "v2.10.0"),
        ("r2.11", "v2.11.0-rc0"),
        ("r2.12", ""),
    ]
    assert [branch.name for branch in status.coming] == ["r2.11", "r2.12"]
    assert status.branches[2].commit == opened.resolve("r2.11")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", upstream.path, clone], check=True)
    of_clone = mirror.open(clone, tmp_path / "cache")
    remote = releases.status(of_clone, "v2.9.0").coming
    assert [branch.name for branch in remote] == ["origin/r2.11", "origin/r2.12"]
    assert of_clone.resolve("origin/r2.11") == status.branches[2].commit


def test_a_base_between_releases_counts_from_the_last_one_it_holds(
    upstream: Upstream, tmp_path: Path
) -> None:
    tagged(upstream, {"v1.0": 2, "v1.1": 6, "v1.2": 10})
    status = releases.status(mirror.open(upstream.path, tmp_path / "cache"), "main~4")
    assert status.base.version == Version("1.1")
    assert [release.tag for release in status.newer] == ["v1.2"]
    newest = releases.status(mirror.open(upstream.path, tmp_path / "cache"), "main")
    assert (newest.newer, newest.behind) == ((), None)


def test_release_branches_count_what_each_side_has(tmp_path: Path) -> None:
    opened = mirror.open("embedded:", tmp_path / "cache")
    status = releases.status(opened, "v2.16.0")
    assert [release.commit for release in status.newer] == [
        embedded.TAGS["v2.17.0"],
        embedded.TAGS["v2.18.0"],
    ]
    own = opened.line("rev-list", "--count", "v2.18.0..v2.16.0")
    commits = opened.line("rev-list", "--count", "v2.16.0..v2.18.0")
    assert status.behind is not None
    assert (status.behind.own, status.behind.commits) == (int(own), int(commits))


def test_a_new_tag_of_a_remote_upstream_is_seen(upstream: Upstream, tmp_path: Path) -> None:
    with http_server(upstream.root) as (base, _):
        opened = mirror.open(f"{base}/up.git", tmp_path / "cache")
        assert releases.status(opened, "v1.3.0").behind is None
        upstream.git("tag", "v1.4.0", upstream.commit("main", {"new": b""}, day=20))
        status = releases.status(opened, "v1.3.0")
        assert [release.tag for release in status.newer] == ["v1.4.0"]


def test_an_upstream_without_releases_has_none(upstream: Upstream, tmp_path: Path) -> None:
    tagged(upstream, {"nightly": 3})
    status = releases.status(mirror.open(upstream.path, tmp_path / "cache"), "main")
    assert (status.base.version, status.newer, status.previews, status.behind) == (
        None,
        (),
        (),
        None,
    )


@settings(derandomize=True, max_examples=200)
@given(st.text(max_size=20))
def test_any_tag_is_a_version_or_not_one(tag: str) -> None:
    version = releases._version(tag)
    assert version is None or Version(tag) == version


def test_the_task_prints_a_valid_document(tmp_path: Path) -> None:
    cache = ("--cache", tmp_path / "cache")
    words = ("upstream.status", "--upstream", "embedded:", "--base", "v2.16.0", *cache)
    document = json.loads(command_line.run(*words, "--json").stdout)
    documents.check(document)
    assert document["behind"]["releases"] == 2
    of_demo = command_line.run("upstream.status", "--queue", "demo", "--json", *cache)
    of_queue = json.loads(of_demo.stdout)
    assert of_queue["base"]["ref"] == "v2.16.0"
    assert of_queue["newer"] == document["newer"]
    neither = command_line.run("upstream.status")
    assert neither.returncode == 2
    assert "--queue NAME" in neither.stderr
    shown = command_line.run(*words)
    assert command_line.messages(shown, "upstream") == []
    assert "2 releases behind v2.18.0" in shown.stdout
