"""Workflows generated from ci/: equal to what is committed, and right by two linters."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import checks, tools
from tensorflow_macos_build.release import workflows

ROOT = Path(__file__).parents[3]
CHECKS = Path(".github/workflows/checks.yml")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with this project's ci/ and workflows."""
    for folder in ("ci", ".github", "build_configs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for queue in (ROOT / "patches").glob("*/queue.yaml"):
        copied = tmp_path / "patches" / queue.parent.name
        copied.mkdir(parents=True)
        shutil.copy(queue, copied)
    return tmp_path


def _change(root: Path, name: str, old: str, new: str) -> None:
    text = (root / "ci" / name).read_text()
    assert old in text
    (root / "ci" / name).write_text(text.replace(old, new))


def test_the_committed_workflows_are_what_ci_says() -> None:
    assert workflows.stale(ROOT, checks.workflow_texts(ROOT)) == ()


def test_generating_again_changes_nothing(root: Path) -> None:
    _change(root, "runners.yaml", "label: macos-15\n", "label: macos-26\n")
    assert workflows.generate(root, checks.workflow_texts(root)) == (CHECKS,)
    assert workflows.generate(root, checks.workflow_texts(root)) == ()
    assert "runs-on: macos-26\n" in (root / CHECKS).read_text()


@pytest.mark.parametrize("name", ["orphan.yml", "orphan.yaml"])
def test_a_workflow_without_a_source_is_stale_and_goes(root: Path, name: str) -> None:
    orphan = root / ".github/workflows" / name
    orphan.write_text("on: push\n")
    texts = checks.workflow_texts(root)
    assert workflows.stale(root, texts) == (orphan.relative_to(root),)
    workflows.generate(root, texts)
    assert not orphan.exists()


def test_every_job_builds_and_tests_with_least_rights() -> None:
    workflow: dict[str, Any] = yaml.safe_load((ROOT / CHECKS).read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert "concurrency" in workflow
    for job in workflow["jobs"].values():
        steps = job["steps"]
        commands = [step["run"] for step in steps if "run" in step]
        own = [command for command in commands if command.startswith("scripts/inv")]
        assert own == ["scripts/inv build", "scripts/inv test"]
        assert all("timeout-minutes" in step for step in steps if "run" in step)
        limits = [step.get("timeout-minutes", 0) for step in steps]
        assert job["timeout-minutes"] > sum(limits)


def test_ubuntu_builds_with_nginx_as_a_cache() -> None:
    workflow: dict[str, Any] = yaml.safe_load((ROOT / CHECKS).read_text())
    commands = [step.get("run", "") for step in workflow["jobs"]["ubuntu-24-04"]["steps"]]
    assert any("apt-get" in command and " nginx " in command for command in commands)
    assert commands[-1].endswith('benchmarks.caches "$RUNNER_TEMP/caches" --nginx /usr/sbin/nginx')


def test_ubuntu_gets_what_its_image_lacks_of_the_tests_tools() -> None:
    workflow: dict[str, Any] = yaml.safe_load((ROOT / CHECKS).read_text())
    (install,) = [
        step["run"] for step in workflow["jobs"]["ubuntu-24-04"]["steps"] if "apt-get" in str(step)
    ]
    preinstalled = {"git", "bazel", "shellcheck"}
    for package in tools.debian_packages(set(tools.TEST_TOOLS) - preinstalled):
        assert f" {package}" in install


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("runners.yaml", "label: macos-15\n", "label: macos-latest\n", "runners.1.label"),
        ("runners.yaml", "commit: 3d3c42e5a", "commit: v7", "actions.checkout.commit"),
        ("runners.yaml", "config: demo", "config: demon", "there is no config `demon`"),
        ("release.yml.j2", "staged.budget + 20", "staged.bugdet", "ci/release.yml.j2"),
        ("runners.yaml", "build: 60", "build: 600", "minutes.build"),
        ("runners.yaml", "test: 45", "tset: 45", "minutes.tset"),
        ("runners.yaml", "[git,", "[got,", "no tool is called got"),
        ("runners.yaml", "runners:", "runners: [", "not YAML"),
        ("checks.yml.j2", "minutes.total", "minutes.sum", "has no attribute 'sum'"),
        ("checks.yml.j2", "[%- endfor %]", "", "ci/checks.yml.j2:"),
    ],
)
def test_a_wrong_source_is_told_with_its_place(
    root: Path, name: str, old: str, new: str, says: str
) -> None:
    _change(root, name, old, new)
    with pytest.raises(UsageError) as raised:
        checks.workflow_texts(root)
    assert says in str(raised.value)


@pytest.mark.parametrize("label", ["macos-15", "macos-15-intel", "my-mac"])
def test_who_builds_and_who_tries_a_release_is_said_by_data(root: Path, label: str) -> None:
    _change(root, "runners.yaml", "build_on: macos-15\n", f"build_on: {label}\n")
    _change(root, "runners.yaml", "[macos-15, macos-15-intel]", "[macos-15-intel, macos-26]")
    text = checks.workflow_texts(root)[Path(".github/workflows/release-demo.yml")]
    jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]
    on_macs = {name: job["runs-on"] for name, job in jobs.items() if "ubuntu" not in job["runs-on"]}
    assert on_macs == {
        **dict.fromkeys(("build", "join", "publish"), label),
        "smoke-macos-15-intel": "macos-15-intel",  # the x86_64 half, where it runs by itself
        "smoke-macos-26": "macos-26",
    }
    assert {"smoke-macos-15-intel", "smoke-macos-26"} < set(jobs["publish"]["needs"])
    steps = {step.get("name"): step for step in jobs["publish"]["steps"]}
    prepare = steps["Prepare"]["run"]
    assert prepare.count("--smoke ") == 2


def test_the_linters_see_a_fault_that_the_sources_let_through(root: Path) -> None:
    _change(root, "checks.yml.j2", "runs-on: [[ runner.label ]]", "runs-on: ubuntu-1.04")
    workflows.generate(root, checks.workflow_texts(root))
    actionlint = next(linter for linter in checks.linters(root) if linter.name == "actionlint")
    assert "ubuntu-1.04" in checks.objection(actionlint, root)
