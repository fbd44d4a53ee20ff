"""Law 8 for the main job: kill -9 at every stage's boundary and inside Bazel, then go on."""

from __future__ import annotations

import hashlib
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests import processes
from tests.projects import STAGES, Project, check_sums, wait_for_line, wait_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

DOCUMENTS = {
    "SHA256SUMS",
    "provenance.json",
    "report.html",
    "report.json",
    "tensorflow-macos-build.cdx.json",
}


@pytest.fixture
def reference(built_project: Project) -> Project:
    """A project that was built without a kill; its disk cache makes the others fast."""
    return built_project


def check_dist(project: Project) -> None:
    """See that dist/ is not there, or holds a whole release."""
    if not project.dist.exists():
        return
    names = {path.name for path in project.dist.iterdir()}
    assert len(names) == len(DOCUMENTS) + 1
    assert names > DOCUMENTS
    check_sums(project.dist)


def kill(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    assert child.stderr is not None
    child.stderr.close()


def finish(project: Project, reference: Project) -> None:
    """Run the same command again; it has to give what an unbroken build gives, and no litter."""
    project.build()
    check_dist(project)
    digests = [
        hashlib.sha256(built.wheel().read_bytes()).hexdigest() for built in (project, reference)
    ]
    assert digests[0] == digests[1]
    assert [path.name for path in (project.folder / "dist").iterdir()] == ["demo"]
    assert not list((project.folder / "build" / "demo").glob("*/.tmp-*"))


def test_a_kill_at_each_stages_boundaries_loses_nothing(reference: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "killed", disk_cache=reference.cache)
    for stage in STAGES:
        child = project.start()
        wait_for_line(child, stage)
        kill(child)
        check_dist(project)
    finish(project, reference)


def test_a_kill_while_dist_is_replaced_leaves_the_old_or_the_new(
    reference: Project, tmp_path: Path
) -> None:
    project = reference.copy(tmp_path / "replaced")
    for turn in range(6):
        child = project.start("--set", f"limits.disk_gb={turn + 3}")
        wait_for_line(child, "dist")
        kill(child)
        check_dist(project)
        assert project.dist.exists()
    finish(project, reference)


def test_a_kill_inside_bazel_leaves_nothing_at_work_that_could_do_harm(
    reference: Project, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    project = Project(tmp_path / "inside", TMPDIR=str(temporary))
    base = project.folder / "build" / "demo" / "bazel" / "output"
    for _ in range(2):
        child = project.start()
        wait_until(lambda: processes.actions_of_bazel(base))
        kill(child)
        check_dist(project)
    finish(project, reference)
    assert not list(temporary.iterdir())


def test_a_kill_of_bazel_s_client_or_server_is_told_and_the_same_command_finishes(
    reference: Project, tmp_path: Path
) -> None:
    project = Project(tmp_path / "bazel")
    release = project.folder / "build" / "demo"
    base = release / "bazel" / "output"
    for victim in ("client", "server"):
        child = project.start("--arch", "arm64")
        wait_until(lambda: processes.actions_of_bazel(base))
        os.kill(processes.of_bazel(base)[victim], signal.SIGKILL)
        _, printed = child.communicate()
        assert child.returncode == 1, printed
        assert "hint: run the same command again" in printed
        assert not [line for line in processes.command_lines() if str(base) in line]
    project.build("--arch", "arm64")
    wheels = [
        next((built.folder / release.relative_to(project.folder)).glob("build-arm64/*/*.whl"))
        for built in (project, reference)
    ]
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    assert not list(release.glob("*/.tmp-*"))
