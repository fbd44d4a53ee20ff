"""What a build of one architecture is told, and what it refuses before it begins."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tensorflow_macos_build import config, process
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.pipeline import fingerprints
from tensorflow_macos_build.pipeline.records import FileRecord, PatchResult
from tensorflow_macos_build.pipeline.stage import FinishedStage, Results, StageJob
from tensorflow_macos_build.pipeline.stages import build
from tensorflow_macos_build.pipeline.stages.patch import PATCH
from tensorflow_macos_build.pipeline.workspace import Workspace

ROOT = Path(__file__).resolve().parents[4]


def workspace(name: str, **flags: str) -> Workspace:
    changes = {key.replace("__", "."): value for key, value in flags.items()}
    return Workspace(config.load(name, changes, root=ROOT))


def test_a_program_that_writes_the_wheel_is_told_its_platform() -> None:
    for stage, target in ((build.ARM64, "12.0-arm64"), (build.X86_64, "10.15-x86_64")):
        package = stage.instructions(workspace("tf-2.13")).package
        assert package is not None
        assert package.env["_PYTHON_HOST_PLATFORM"] == f"macosx-{target}"
        assert package.env["MACOSX_DEPLOYMENT_TARGET"] == target.partition("-")[0]
        assert package.argv[-2:] == ("--project_name", "tensorflow")


def test_the_host_s_wheel_gets_no_target_and_no_platform() -> None:
    script = workspace("demo", bazel__packaging="script")
    instructions = build.FOR_HOST.instructions(script)
    assert instructions.package is not None
    assert "_PYTHON_HOST_PLATFORM" not in instructions.package.env
    assert not [flag for flag in instructions.invocation.flags if "TARGET" in flag]


def test_a_config_s_bazel_counts_before_what_this_machine_would_take() -> None:
    pinned = build.ARM64.instructions(workspace("demo", bazel__version="9.9.9"))
    for command in pinned.commands().values():
        assert command.env["USE_BAZEL_VERSION"] == "9.9.9"


def test_caches_decide_no_key_and_nothing_that_is_published() -> None:
    plain, cached = workspace("demo"), workspace("demo", cache__address="http://cache.example")
    for stage in (build.ARM64, build.X86_64, build.FOR_HOST):
        argv = stage.instructions(cached).invocation.argv()
        assert "--remote_cache=http://cache.example" in argv
        assert set(argv) > set(stage.instructions(plain).invocation.argv())
    results = Results().adding(finished_patch())
    assert build.ARM64.inputs(plain, results) == build.ARM64.inputs(cached, results)
    assert fingerprints.published(plain.release) == fingerprints.published(cached.release)


def finished_patch() -> FinishedStage:
    holder = FileRecord(path="a", size=1, sha256="0")
    patched = PatchResult(commit="1", tree="2", git_dir="g", patches=(), holder=holder)
    return FinishedStage(PATCH, "0", patched, 1.0, up_to_date=True)


def test_a_disk_cache_lies_in_the_project_where_bazel_can_work_there() -> None:
    def flag(root: Path) -> str:
        loaded = dataclasses.replace(workspace("demo", cache__disk="build/d").loaded, root=root)
        argv = build.ARM64.instructions(Workspace(loaded)).invocation.argv()
        return next(word for word in argv if word.startswith("--disk_cache="))

    assert flag(Path("/checkout")) == "--disk_cache=/checkout/build/d"
    elsewhere = flag(Path("/a checkout"))
    assert elsewhere != flag(Path("/another checkout"))
    assert "checkout" not in elsewhere


def test_a_build_that_lacks_a_program_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    release = workspace("tf-2.19")
    instructions = build.ARM64.instructions(release)
    assert len(instructions.missing) == 2
    inputs = build.BuildInputs(
        tree="",
        git_dir="",
        architecture="arm64",
        bazel={},
        wheel_name=None,
        flags=(),
        machine={},
        workers={},
        tools={},
        cross={},
        version=None,
    )
    folder = tmp_path / "result"
    job = StageJob(release, instructions, inputs, folder, folder, silent, note=print)
    with pytest.raises(process.ProgramMissing, match="Bazel is not on this machine"):
        build._work(job)
    assert not list(tmp_path.iterdir())


def test_a_build_gets_those_variables_of_the_caller_s_that_are_listed_or_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CC", "PYTHONPATH", "TOKEN", "OTHER_TOKEN", "https_proxy"):
        monkeypatch.setenv(name, "http://user:secret@proxy")
    named = workspace("demo", bazel__inherit="[TOKEN, UNSET]", bazel__packaging="script")
    for command in build.ARM64.instructions(named).commands().values():
        env = process.environment(command.env, command.inherited)
        assert {"PATH", "TOKEN", "https_proxy"} <= set(env)
        assert not {"CC", "PYTHONPATH", "OTHER_TOKEN", "UNSET"} & set(env)
        assert ' "TOKEN=$TOKEN" ' in command.typed()
        assert "secret" not in command.typed()
