"""What speaks against a build, or stops it: it is told as a user needs it, and nothing is lost."""

from __future__ import annotations

import resource
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.projects import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(built_project: Project) -> Project:
    """A project that is built."""
    return built_project


def broken(project: Project, *args: str) -> str:
    """Run a build that has to fail with 1 or 2, without a traceback; return what it says."""
    ended = project.run(*args)
    assert ended.returncode in {1, 2}, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return ended.stderr


def test_a_missing_queue_and_an_unknown_ref_and_upstream_are_told(project: Project) -> None:
    text = broken(project, "--set", "queue=dmeo")
    assert "there is no queue `dmeo`" in text
    assert "patches/ has: demo" in text
    assert "v9.9.9" in broken(project, "--set", "upstream.ref=v9.9.9")
    assert "/nowhere" in broken(project, "--set", "upstream.url=/nowhere")


def test_what_hours_of_building_would_end_in_is_refused_at_once(project: Project) -> None:
    text = broken(project, "--set", "verify.allow=[unsigmed]")
    assert "no finding is called `unsigmed`" in text
    assert "--set verify.allow=[unsigmed]" in text
    assert "source" not in text
    text = broken(project, "--set", "python=3.99")
    assert "python3.99" in text
    text = broken(project, "--set", "fuse.rules=[{path: a, verdict: frist}]")
    assert "`fuse.rules.0.verdict`" in text


def test_a_wheel_of_another_version_than_the_config_says_is_refused(
    project: Project, tmp_path: Path
) -> None:
    made = project.copy(tmp_path / "copy")
    text = broken(made, "--set", "version=9.9", "--arch", "arm64")
    assert "the wheel is of version 2.17.0, and the config says 9.9" in text


def test_a_password_in_an_address_is_refused_and_is_nowhere(tmp_path: Path) -> None:
    fresh = Project(tmp_path / "fresh")
    before = sorted(tmp_path.rglob("*"))
    address = "https://me:s3cr3t@cache.example"
    for flag in (f"cache.address={address}", f"bazel.flags=[--remote_cache={address}]"):
        for more in ((), ("--plan",), ("--json",)):
            refused = fresh.run("--set", flag, *more)
            assert refused.returncode == 2
            assert flag.partition("=")[0] in refused.stderr
            assert "s3cr3t" not in refused.stdout + refused.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_queue_that_does_not_apply_names_the_patch(project: Project, tmp_path: Path) -> None:
    made = project.copy(tmp_path / "copy")
    text = broken(made, "--set", "upstream.ref=v2.18.0")
    assert "conflict" in text
    assert "hint: scripts/inv rebase --queue demo --onto v2.18.0" in text


def test_a_failed_compilation_is_told_in_the_compilers_words(
    project: Project, tmp_path: Path
) -> None:
    made = project.copy(tmp_path / "copy")
    upstream = tmp_path / "upstream"
    mirror = next((made.folder / "build" / "mirrors").glob("embedded-*/repository.git"))
    git: list[str | Path] = ["git", "-C", upstream, "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "clone", "-q", "-b", "v2.17.0", mirror, upstream], check=True)
    broken_file = upstream / "tensorflow/core/kernels/bias_op.c"
    broken_file.write_text(broken_file.read_text() + "\nthis is not C;\n")
    subprocess.run([*git, "commit", "-qam", "Break it"], check=True)
    other = ("--set", f"upstream.url={upstream}", "--set", "upstream.ref=HEAD")
    # The queue records the embedded upstream, and another one is taken for TensorFlow itself.
    text = broken(made, *other, "--ignore", "host", "--ignore", "queue")
    assert "ZigCompile failed with status 1" in text
    assert "bias_op.c" in text
    assert "unknown type name 'this'" in text
    assert "INFO:" not in text.partition("error: ")[2]
    assert (made.dist / "SHA256SUMS").is_file()


def test_a_full_disk_says_where_and_what_to_do(project: Project, tmp_path: Path) -> None:
    made = project.copy(tmp_path / "copy")
    before = sorted(path.relative_to(made.folder) for path in made.folder.rglob("*"))
    limit = 2_000

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    for stage, words in (
        ("dist", "there is no space left for the build"),
        ("fuse", "the file would be larger than is allowed"),
    ):
        ended = made.run("--force", stage, preexec_fn=small_files)
        assert ended.returncode == 1
        assert words in ended.stderr
        assert "hint:" in ended.stderr
        assert "Traceback" not in ended.stderr
        after = sorted(path.relative_to(made.folder) for path in made.folder.rglob("*"))
        assert after == before
