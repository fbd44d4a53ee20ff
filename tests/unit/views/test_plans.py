"""The plan of every release is pinned: what is known to run, on a Mac that has nothing yet."""

from __future__ import annotations

import dataclasses
import os
import platform
import shlex
import sys
from pathlib import Path

import pytest

from tensorflow_macos_build import bazel, config, documents
from tensorflow_macos_build.pipeline import plan as planning
from tensorflow_macos_build.pipeline import toolchain
from tensorflow_macos_build.pipeline.stages import prove
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.smoke import targets, zygote
from tensorflow_macos_build.smoke.targets import SmokeHost
from tensorflow_macos_build.views import build as view

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests/golden/plans"
NAMES = config.names(ROOT)
WRITES = os.environ.get("GOLDEN") == "write"
"""Whether the files are made anew; what changed is then git's to show, and a person's to judge."""


@pytest.fixture
def bare_mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this machine look like a Mac without a program: paths are the same on all of them."""
    for name in bazel.inherited():
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(sys, "executable", "/python")
    monkeypatch.setattr(toolchain, "digest", lambda _: "0123456789abcdef")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("15.1", ("", "", ""), "arm64"))
    monkeypatch.setattr(prove, "_uv", lambda: None)
    host = SmokeHost("darwin", "arm64", rosetta=True, tags=frozenset())
    monkeypatch.setattr(targets, "this_host", lambda _: host)
    monkeypatch.setattr(zygote, "INSIDE", Path("/package/smoke/inside"))


def plan_of(name: str, changes: dict[str, str] | None = None) -> planning.BuildPlan:
    loaded = dataclasses.replace(config.load(name, changes, root=ROOT), root=Path("/checkout"))
    return planning.make(Workspace(loaded), planning.BuildRequest())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("bare_mac")
def test_the_plan_of_a_release_is_pinned(name: str) -> None:
    check_pinned(plan_of(name), GOLDEN / f"{name}.txt")


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_shows_all_that_is_not_known_of_its_release(name: str) -> None:
    shown = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    unverified = config.load(name, root=ROOT).release.unverified
    assert {f"  {topic}: {sentence}" for topic, sentence in unverified.items()} <= set(shown)


@pytest.mark.usefixtures("bare_mac")
def test_the_plan_of_a_build_with_caches_is_pinned() -> None:
    changes = {
        "cache.address": "grpcs://cache.example:9092",
        "cache.upload": "false",
        "cache.compression": "true",
        "cache.credential_helper": "ci/credentials",
        "cache.disk": "build/actions",
        "bazel.version": "6.5.0",
    }
    check_pinned(plan_of("demo", changes), GOLDEN.parent / "demo-with-caches.txt")


@pytest.mark.usefixtures("bare_mac")
def test_the_plan_of_a_build_on_a_farm_is_pinned() -> None:
    changes = {
        "remote.address": "grpcs://farm.example",
        "remote.instance": "main",
        "remote.headers": "{x-api-key: FARM_KEY}",
        "remote.platform": "{OSFamily: linux, container-image: docker://image.example/clang@sha256:1}",
        "remote.jobs": "80",
    }
    check_pinned(plan_of("demo", changes), GOLDEN.parent / "demo-on-a-farm.txt")


def check_pinned(plan: planning.BuildPlan, golden: Path) -> None:
    """Compare what people see of a plan with a file."""
    shown = "".join(f"{line}\n" for line in view.plan_lines(plan))
    if WRITES:
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8"), "type: GOLDEN=write pytest -n0 this file"


def test_every_golden_plan_is_of_a_release() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("bare_mac")
def test_a_document_holds_the_commands_that_people_see(name: str) -> None:
    plan = plan_of(name)
    document = view.plan_document(plan)
    documents.check(document)
    lines = list(view.plan_lines(plan))
    commands = [command for stage in document["stages"] for command in stage["commands"]]
    assert [f"    {command['typed']}" for command in commands] == [
        line for line in lines if line.startswith("    cd ")
    ]
    for command in commands:
        assert shlex.split(command["typed"])[-len(command["argv"]) :] == command["argv"]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("tf-")])
@pytest.mark.usefixtures("bare_mac")
def test_both_halves_are_told_their_processor_their_macos_and_their_python(name: str) -> None:
    plan = plan_of(name)
    release = plan.workspace.release
    hermetic = release.python_by is config.PythonBy.HERMETIC
    for planned in plan.stages:
        commands = planned.instructions.commands()
        if not planned.stage.name.startswith("build:"):
            continue
        part = getattr(release.architectures, planned.stage.name.removeprefix("build:"))
        argv = commands["build"].argv
        assert f"--macos_minimum_os={part.deployment_target}" in argv
        assert f"--config={part.bazel_config}" in argv
        assert (f"--repo_env=HERMETIC_PYTHON_VERSION={release.python}" in argv) == hermetic
        assert commands["build"].env.get("USE_BAZEL_VERSION") == release.bazel.version
        named = "--repo_env=WHEEL_NAME=tensorflow" in argv
        assert named != ("package" in commands)
