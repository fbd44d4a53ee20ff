"""A queue is read alike from a folder and from a commit that has it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue import storage

DEMO = checkout.path("patches/demo")


@pytest.fixture
def committed(tmp_path: Path) -> Git:
    """A repository whose branch `main` has the demo's queue, in which one patch is a link."""
    shutil.copytree(DEMO, tmp_path / "demo")
    shutil.copytree(DEMO, tmp_path / "linked")
    first = sorted((tmp_path / "linked").glob("*.patch"))[0]
    first.unlink()
    first.symlink_to(f"../demo/{first.name}")
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for argv in (["init", "-qb", "main"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *argv], cwd=tmp_path, check=True)
    return Git(tmp_path / ".git")


def test_a_commits_queue_is_the_folders(committed: Git) -> None:
    assert storage.load_revision(committed, "main", "demo").digest == storage.load(DEMO).digest


def test_a_link_in_a_commits_queue_is_no_patch(committed: Git) -> None:
    with pytest.raises(UsageError, match="there is no such file") as caught:
        storage.load_revision(committed, "main", "linked")
    assert "main:linked/series" in str(caught.value)


@pytest.mark.parametrize("revision", ["main", "elsewhere", "--help", ""])
def test_what_is_no_folder_of_a_revision_is_named(committed: Git, revision: str) -> None:
    with pytest.raises(UsageError) as caught:
        storage.load_revision(committed, revision, "nowhere")
    assert f"{revision}:nowhere" in str(caught.value)
