"""What a machine lacks for a build: this one, a bare one, and a Mac played by shell scripts."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.pipeline import doctor, mac, miniature
from tensorflow_macos_build.pipeline.doctor import Availability
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.upstream import embedded

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.config import Loaded
    from tensorflow_macos_build.pipeline.doctor import HostFinding

ROOT = Path(__file__).parents[3]

DISPLAYS = {
    "SPDisplaysDataType": [
        {"sppci_model": "Apple M2", "spdisplays_mtlgpufamilysupport": "spdisplays_metal3"},
        {"sppci_model": "Old card"},
    ]
}


def _demo(**overrides: str) -> Loaded:
    return config.load(str(ROOT / "build_configs/demo.yaml"), overrides)


def _real() -> Loaded:
    return _demo(**{"upstream.url": "https://example.org/tensorflow"})


def _examined(loaded: Loaded, folder: Path) -> dict[str, HostFinding]:
    workspace = Workspace(dataclasses.replace(loaded, root=folder))
    return {finding.what: finding for finding in doctor.examine(workspace)}


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """A machine with no program at all; the function adds one, as a shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def add(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return add


@pytest.fixture
def a_mac(bare: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac with Apple silicon; its programs answer to the pinned command lines only."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    answers = {
        "sw_vers -productVersion": "15.1",
        "xcodebuild -version": "Xcode 16.2\nBuild version 16C5032a",
        "xcrun --sdk macosx --show-sdk-version": "15.2",
        "arch -x86_64 /usr/bin/true": "",
        "system_profiler -json SPDisplaysDataType": json.dumps(DISPLAYS),
        "git --version": "git version 2.39.5 (Apple Git-154)",
        "bazel --version": "bazel 6.5.0",
    }
    for command, answer in answers.items():
        program, _, arguments = command.partition(" ")
        bare(program, f"[ \"$*\" = '{arguments}' ] || exit 64\nprintf '%s\\n' '{answer}'")


def test_a_bare_machine_is_told_what_to_install(
    bare: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare("apt-get", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    findings = _examined(_demo(python="3.9"), tmp_path)
    lacking = {
        finding.what: finding.remedy for finding in findings.values() if finding.stops_the_build
    }
    assert lacking == {
        "git": "sudo apt-get install git",
        "bazel": "sudo apt-get install bazel-bootstrap",
        "python3.9": "sudo apt-get install python3.9-dev",
    }


def test_an_old_git_stops_the_build(bare: Callable[[str, str], None], tmp_path: Path) -> None:
    bare("git", "echo git version 2.37.9")
    finding = _examined(_demo(), tmp_path)["git"]
    assert (finding.availability, finding.value) == (Availability.TOO_OLD, "2.37.9, needed 2.38")
    bare("git", "echo git version 2.38.0")
    assert _examined(_demo(), tmp_path)["git"].availability is Availability.FOUND


def test_a_bazel_that_does_not_tell_its_version_is_found(
    bare: Callable[[str, str], None], tmp_path: Path
) -> None:
    bare("bazel", "echo bazel no_version")
    finding = _examined(_demo(), tmp_path)["bazel"]
    assert (finding.availability, finding.value) == (
        Availability.FOUND,
        str(tmp_path / "bin/bazel"),
    )


def test_bazelisk_is_not_started_because_it_would_download(
    bare: Callable[[str, str], None], tmp_path: Path
) -> None:
    bare("bazelisk", f": >'{tmp_path}/started'")
    (tmp_path / "bin/bazel").symlink_to("bazelisk")
    assert _examined(_demo(), tmp_path)["bazel"].value == "bazelisk"
    assert not (tmp_path / "started").exists()


def test_too_little_disk_or_memory_stops_the_build(tmp_path: Path) -> None:
    findings = _examined(_demo(**{"limits.disk_gb": "1e6", "limits.memory_gb": "1e6"}), tmp_path)
    assert (
        findings["free disk"].availability
        is findings["memory"].availability
        is Availability.TOO_LITTLE
    )
    assert findings["free disk"].stops_the_build
    assert str(tmp_path) in findings["free disk"].remedy
    assert findings["free disk"].value.endswith(" GB free, 1,000,000 GB needed")


@pytest.mark.usefixtures("a_mac")
def test_a_mac_is_asked_by_the_pinned_command_lines(tmp_path: Path) -> None:
    findings = _examined(_real(), tmp_path)
    assert {what: finding.value for what, finding in findings.items() if what not in _AMOUNTS} == {
        "git": "2.39.5",
        "bazel": "6.5.0",
        "python": platform.python_version(),
        "host": f"{platform.system()} arm64",
        "macOS": "15.1",
        "Xcode": "16.2",
        "macOS SDK": "15.2",
        "GPU with Metal": "Apple M2",
        "Rosetta": "yes",
    }
    assert not any(finding.stops_the_build for finding in findings.values())


_AMOUNTS = ("free disk", "memory", "zlib-ng for Python")


@pytest.mark.usefixtures("a_mac")
def test_a_mac_without_xcode_can_build_the_miniature_only(tmp_path: Path) -> None:
    (tmp_path / "bin/xcodebuild").write_text("#!/bin/sh\necho 'requires Xcode' >&2\nexit 1\n")
    assert _examined(_real(), tmp_path)["Xcode"].stops_the_build
    assert "xcode-select" in _examined(_real(), tmp_path)["Xcode"].remedy
    assert not _examined(_demo(), tmp_path)["Xcode"].stops_the_build


@pytest.mark.usefixtures("a_mac")
def test_an_intel_mac_needs_no_rosetta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert "Rosetta" not in _examined(_demo(), tmp_path)


@pytest.mark.usefixtures("bare")
def test_no_apple_program_means_no_answer() -> None:
    assert mac.macos_version() is mac.xcode_version() is mac.sdk_version() is None
    assert mac.gpus() == ()
    assert not mac.runs_intel_programs()


def test_elsewhere_a_real_release_is_said_to_need_a_mac(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert _examined(_demo(), tmp_path)["Xcode"].availability is Availability.NOT_ON_THIS_HOST
    assert not _examined(_demo(), tmp_path)["host"].stops_the_build
    host = _examined(_real(), tmp_path)["host"]
    assert host.stops_the_build
    assert host.remedy == "build this release on a Mac"


def test_zlib_ng_is_told_and_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = _examined(_demo(), tmp_path)["zlib-ng for Python"]
    assert there.availability is Availability.FOUND
    assert there.value
    monkeypatch.setitem(sys.modules, "zlib_ng", None)
    monkeypatch.delitem(sys.modules, "zlib_ng.zlib_ng")
    missing = _examined(_demo(), tmp_path)["zlib-ng for Python"]
    assert missing.availability is Availability.MISSING
    line = shlex.split(missing.advice.partition(";")[0])
    # It is there in truth, so that the line that would install it finds nothing to do.
    done = subprocess.run([*line, "--offline"], check=False, capture_output=True)
    assert (done.returncode, line[-1]) == (0, "zlib-ng")
    assert not missing.stops_the_build


@pytest.mark.parametrize("depth", [(), ("--depth", "1")], ids=["whole", "shallow"])
def test_a_clone_of_the_miniature_is_no_real_tensorflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    origin = embedded.create(tmp_path / "miniature.git").git_dir
    clone = tmp_path / "fork"
    subprocess.run(["git", "clone", "-q", *depth, origin.as_uri(), clone], check=True)
    of_clone = _demo(**{"upstream.url": str(clone), "upstream.ref": "main"})
    assert not _examined(of_clone, tmp_path)["host"].stops_the_build
    workspace = Workspace(dataclasses.replace(of_clone, root=tmp_path))
    assert miniature.dependency_groups_of(workspace) == ("demo",)
    of_another = _demo(**{"upstream.url": str(ROOT), "upstream.ref": "HEAD"})
    assert _examined(of_another, tmp_path)["host"].stops_the_build
