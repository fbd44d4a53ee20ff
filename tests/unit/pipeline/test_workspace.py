"""Where a build works, and what Bazel must never meet in a path."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.pipeline.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]


def workspace(root: Path) -> Workspace:
    return Workspace(dataclasses.replace(config.load("demo", root=ROOT), root=root))


def test_bazel_works_inside_the_project_where_its_path_has_no_space() -> None:
    assert workspace(Path("/project")).bazel == Path("/project/build/demo/bazel")


@pytest.mark.parametrize(
    "root", ["/a b/project", "/a\tb/project", "/a\u00a0b/project", "/é/project"]
)
def test_a_project_in_whose_path_bazel_does_not_work_has_it_in_the_cache(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = workspace(Path(root)).bazel
    assert folder.parent == tmp_path / "tensorflow-macos-build"
    assert folder.name.startswith("demo-")
    assert folder != workspace(Path(f"{root}2")).bazel


def test_two_releases_share_mirrors_and_the_lock_of_dist() -> None:
    demo = workspace(Path("/project"))
    other = Workspace(
        dataclasses.replace(
            demo.loaded, release=demo.release.model_copy(update={"name": "other", "queue": None})
        )
    )
    assert (demo.mirrors, demo.dist_lock) == (other.mirrors, other.dist_lock)
    assert demo.folder != other.folder
    assert (demo.queue, other.queue) == (Path("/project/patches/demo"), None)
