"""Building on Linux needs an SDK and a toolchain that only the user has."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import cross, doctor
from tensorflow_macos_build.pipeline.doctor import Availability
from tensorflow_macos_build.pipeline.stages import build
from tensorflow_macos_build.pipeline.workspace import Workspace

if TYPE_CHECKING:
    from tensorflow_macos_build.pipeline.doctor import HostFinding

ROOT = Path(__file__).resolve().parents[3]
LINK = "tensorflow/tools/toolchains/cross_compile/cc/MacOSX.sdk"


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    folder = tmp_path / "MacOSX15.2.sdk"
    (folder / "usr/include").mkdir(parents=True)
    (folder / "SDKSettings.json").write_text(json.dumps({"CanonicalName": "macosx15.2"}))
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "toolchain"
    folder.mkdir()
    (folder / "WORKSPACE").touch()
    (folder / "BUILD").write_text("# a toolchain")
    return folder


def workspace(name: str = "tf-2.19-cross", **paths: Path) -> Workspace:
    # The Python of a release may be missing here, and is not what these are about.
    changes = {"python": "host", **{f"cross.{key}": str(path) for key, path in paths.items()}}
    return Workspace(config.load(name, changes, root=ROOT))


def findings(of: Workspace) -> dict[str, HostFinding]:
    listed = doctor.examine(of)
    return {finding.code: finding for finding in listed}


def test_only_a_config_for_it_crosses() -> None:
    crossing = [name for name in config.names(ROOT) if workspace(name).release.cross]
    assert crossing == ["tf-2.19-cross", "tf-2.21-cross"]


@pytest.mark.parametrize("name", ["tf-2.19", "tf-2.21"])
def test_it_is_the_same_release_but_for_where_it_is_built(name: str) -> None:
    here, there = workspace(name).release, workspace(f"{name}-cross").release
    assert (here.upstream, here.queue, here.fuse) == (there.upstream, there.queue, there.fuse)
    # What the wheel is, repository rules are told; the compilers are another matter.
    stated = [flag for flag in here.bazel.flags if flag.startswith("--repo_env=")]
    assert [flag for flag in there.bazel.flags if flag.startswith("--repo_env=")] == stated
    assert not there.bazel.xcode


def test_the_repository_that_labels_name_is_the_one_supplied(repository: Path) -> None:
    supplied = workspace(toolchain=repository)
    assert cross.flags(supplied) == (f"--override_repository=macos_cross={repository}",)
    for stage in (build.ARM64, build.X86_64):
        argv = stage.instructions(supplied).commands()["build"].argv
        assert f"--override_repository=macos_cross={repository}" in argv
    assert cross.flags(workspace("tf-2.19")) == ()


def test_the_sdk_is_linked_to_where_upstream_looks_for_it(sdk: Path, tmp_path: Path) -> None:
    cross.link_sdk(workspace(sdk=sdk), tmp_path / "source")
    assert (tmp_path / "source" / LINK / "usr/include").is_dir()
    assert (tmp_path / "source" / LINK).is_symlink()
    for absent in (workspace(), workspace(sdk=tmp_path / "none")):
        with pytest.raises(UsageError, match="no SDK"):
            cross.link_sdk(absent, tmp_path / "source")
    cross.link_sdk(workspace("tf-2.19"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_another_sdk_and_another_toolchain_are_other_inputs(sdk: Path, repository: Path) -> None:
    supplied = workspace(sdk=sdk, toolchain=repository)
    first = cross.identity(supplied)
    assert cross.identity(supplied) == first
    (sdk / "SDKSettings.json").write_text(json.dumps({"CanonicalName": "macosx15.4"}))
    second = cross.identity(supplied)
    assert (second["sdk"] != first["sdk"], second["toolchain"]) == (True, first["toolchain"])
    (repository / "BUILD").write_text("# another toolchain")
    assert cross.identity(supplied)["toolchain"] != first["toolchain"]
    assert cross.identity(workspace("tf-2.19")) == {}
    assert cross.identity(workspace(sdk=sdk / "none")) == {"sdk": "missing"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"CanonicalName": 1}', '{"Version": "15"}'])
def test_what_is_no_sdk_says_no_version(sdk: Path, text: str) -> None:
    assert cross.sdk_version(sdk) == "macosx15.2"
    (sdk / "SDKSettings.json").write_text(text)
    assert cross.sdk_version(sdk) == ""


def test_what_is_not_supplied_is_told_before_a_build(
    sdk: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    absent = findings(workspace())
    assert absent["cross-sdk"].availability is Availability.MISSING
    assert absent["cross-toolchain"].availability is Availability.MISSING
    assert absent["host"].availability is Availability.FOUND
    supplied = findings(workspace(sdk=sdk, toolchain=repository))
    assert not supplied["cross-sdk"].stops_the_build
    assert not supplied["cross-toolchain"].stops_the_build
    wrong = findings(workspace(sdk=repository, toolchain=sdk))
    assert wrong["cross-sdk"].availability is Availability.DOES_NOT_FIT
    assert wrong["cross-toolchain"].availability is Availability.DOES_NOT_FIT
    plain = findings(workspace("tf-2.19"))
    assert plain["host"].stops_the_build
    assert "cross-sdk" not in plain


def test_a_config_for_linux_is_no_mac_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert findings(workspace())["host"].availability is Availability.DOES_NOT_FIT
    assert findings(workspace("tf-2.19"))["host"].availability is Availability.FOUND
