"""The miniature's releases, read from a mirror that nothing is fetched for."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.git import objects, trees
from tensorflow_macos_build.git.repository import ObjectMissing
from tensorflow_macos_build.pipeline import doctor, preflight
from tensorflow_macos_build.pipeline.records import FileRecord, PatchResult
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.upstream import embedded, mirror
from tensorflow_macos_build.upstream.tensorflow_tree import sources, tree
from tests.git_servers import http_server

if TYPE_CHECKING:
    from tests.integration.upstream.conftest import Upstream

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("tag", "targets"),
    [
        ("v2.16.0", {"build_pip_package"}),
        ("v2.17.0", {"build_pip_package", "wheel"}),
        ("v2.18.0", {"wheel"}),
    ],
)
def test_a_release_of_the_miniature_says_how_it_is_built(
    tmp_path: Path, tag: str, targets: set[str]
) -> None:
    assert mirror.peek(embedded.URL, tmp_path, tag) is None
    mirror.open(embedded.URL, tmp_path)
    here = mirror.peek(embedded.URL, tmp_path, tag)
    assert here is not None
    git, commit = here
    assert commit == embedded.TAGS[tag]
    assert mirror.peek(embedded.URL, tmp_path, "no-such-tag") is None
    with objects.reading(git) as reader:
        facts = tree.read(sources.of_commit(reader, commit))
    assert facts.version.value == tag.removeprefix("v")
    assert {target.name for target in facts.wheel_targets} == targets
    assert facts.bazel_version.value
    assert facts.rc.value is not None
    assert {"release_macos_arm64", "release_macos_x86"} <= {*facts.rc.value.configs()}


def test_nothing_is_fetched_to_look_and_the_patched_tree_tells_what_was_left(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.commit("r2", {".bazelversion": b"7.4.1\n", ".bazelrc": b"build:one --copt=a\n"}, 9)
    with http_server(upstream.root) as (base, faults):
        url = f"{base}/up.git"
        changes = {"upstream.url": url, "upstream.ref": "r2", "queue": "null"}
        loaded = config.load("demo", changes, root=ROOT)
        workspace = Workspace(dataclasses.replace(loaded, root=tmp_path))
        monkeypatch.setattr(doctor, "examine", lambda *_: ())  # of this machine nothing is asked

        def values(patched: PatchResult | None = None) -> dict[str, str]:
            findings = preflight.examine(workspace, patched=patched)
            return {finding.code: finding.value for finding in findings}

        assert values()["upstream"] == f"no r2 of {url} is here yet"
        opened = mirror.open(url, workspace.mirrors)
        requests = len(faults.requests)
        assert values()["upstream"] == "the files of r2 are not here yet"
        assert len(faults.requests) == requests
        commit = opened.resolve("r2")
        (tree_id,) = trees.of_commits(opened, [commit])
        opened.fetch_blobs(entry.oid for entry in trees.files(opened, tree_id).values())
        holder = FileRecord(path="holder", size=0, sha256="")
        git_dir = str(opened.git_dir.relative_to(tmp_path))
        value = PatchResult(commit=commit, tree=tree_id, git_dir=git_dir, patches=(), holder=holder)
        findings = values(value)
        assert "upstream" not in findings
        assert findings["upstream-bazel"] == "7.4.1, and upstream names 7.4.1"
        assert values() == findings


def test_a_local_partial_clone_is_looked_at_once_it_is_a_mirror(
    upstream: Upstream, tmp_path: Path
) -> None:
    commit = upstream.commit("r2", {".bazelversion": b"7.4.1\n"}, 9)
    clone, cache = tmp_path / "clone.git", tmp_path / "cache"
    url = upstream.path.as_uri()
    subprocess.run(["git", "clone", "-q", "--bare", "--filter=blob:none", url, clone], check=True)
    assert mirror.peek(str(clone), cache, "r2") is None
    mirror.open(str(clone), cache)
    here = mirror.peek(str(clone), cache, "r2")
    assert here is not None
    git, resolved = here
    assert resolved == commit
    with objects.reading(git) as reader, pytest.raises(ObjectMissing):
        sources.of_commit(reader, commit)(".bazelversion")
