"""The miniature's releases, read from a mirror that nothing is fetched for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import process
from tensorflow_macos_build.git import objects
from tensorflow_macos_build.git.repository import ObjectMissing
from tensorflow_macos_build.upstream import embedded, mirror
from tensorflow_macos_build.upstream.tensorflow_tree import sources, tree

if TYPE_CHECKING:
    from pathlib import Path


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
    assert mirror.peek(embedded.URL, tmp_path) is None
    mirror.open(embedded.URL, tmp_path)
    git = mirror.peek(embedded.URL, tmp_path)
    assert git is not None
    with objects.reading(git) as reader:
        facts = tree.read(sources.of_commit(reader, embedded.TAGS[tag]))
    assert facts.version.value == tag.removeprefix("v")
    assert {target.name for target in facts.wheel_targets} == targets
    assert facts.bazel_version.value
    assert facts.rc.value is not None
    assert {"release_macos_arm64", "release_macos_x86"} <= {*facts.rc.value.configs()}


def test_contents_that_are_not_here_are_missing_and_not_fetched(tmp_path: Path) -> None:
    source = embedded.create(tmp_path / "source.git")
    process.run(["git", "-C", source.git_dir, "config", "uploadpack.allowFilter", "true"])
    clone = tmp_path / "clone.git"
    url = f"file://{source.git_dir}"
    process.run(["git", "clone", "--quiet", "--bare", "--filter=blob:none", url, clone])
    git = mirror.peek(str(clone), tmp_path)
    assert git is not None
    with objects.reading(git) as reader:
        files = sources.of_commit(reader, embedded.MAIN)
        assert files("no/such/file") is None
        with pytest.raises(ObjectMissing):
            files(".bazelrc")
