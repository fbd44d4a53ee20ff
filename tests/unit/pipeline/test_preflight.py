"""What is told before a build: of the queue, of upstream's files, of Bazel; all of it at once."""

from __future__ import annotations

import dataclasses
import os
import platform
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import doctor, preflight, tools
from tensorflow_macos_build.pipeline.doctor import Availability
from tensorflow_macos_build.pipeline.records import FileRecord, PatchResult
from tensorflow_macos_build.pipeline.rounds import budget
from tensorflow_macos_build.pipeline.tools import Candidate
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.upstream.tensorflow_tree import tree
from tensorflow_macos_build.views import doctor as view

if TYPE_CHECKING:
    from tensorflow_macos_build.pipeline.doctor import HostFinding
    from tensorflow_macos_build.pipeline.rounds.budget import TimeBox

ROOT = Path(__file__).parents[3]
PIP = "tensorflow/tools/pip_package"
FILES = {
    ".bazelrc": "build:release_macos_arm64 --copt=a\nbuild:release_macos_x86 --config=opt\n",
    ".bazelversion": "6.5.0\n",
    f"{PIP}/BUILD": 'tf_wheel(name = "wheel")\n',
    f"{PIP}/setup.py": "setup(python_requires='>=3.9')\n",
    "requirements_lock_3_11.txt": "",
}


def _demo(**overrides: str) -> Workspace:
    return Workspace(config.load(str(ROOT / "build_configs/demo.yaml"), overrides))


def _workspace(python: str = "3.11") -> Workspace:
    return _demo(**{"upstream.url": "https://example.org/tensorflow", "python": python})


def _findings(workspace: Workspace) -> dict[str, HostFinding]:
    return {finding.code: finding for finding in preflight.examine(workspace)}


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Upstream's files, as they are looked at; a test changes them."""
    contents = dict(FILES)

    def read(*_: object) -> tree.TensorflowTree:
        return tree.read(lambda path: contents[path].encode() if path in contents else None)

    monkeypatch.setattr(preflight, "_tree", read)
    monkeypatch.setattr(preflight, "_patched_tree", read)
    monkeypatch.setattr(doctor, "examine", lambda *_: ())  # it starts the Python of the release
    return contents


@pytest.mark.usefixtures("files")
def test_a_config_that_fits_upstream_is_told_where_it_was_read() -> None:
    findings = _findings(_workspace())
    codes = ("upstream-configs", "upstream-target", "upstream-python")
    assert {findings[code].availability for code in codes} == {Availability.FOUND}
    assert [findings[code].known_from for code in codes] == [
        ".bazelrc", f"{PIP}/BUILD", f"{PIP}/setup.py:1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "content", "code", "value"),
    [
        (".bazelrc", "", "upstream-configs", "--config=release_macos_arm64 is not defined"),
        (f"{PIP}/BUILD", 'sh_binary(name = "build_pip_package")', "upstream-target",
         "//tensorflow/tools/pip_package:wheel is not named there; :build_pip_package is"),
    ],
)  # fmt: skip
def test_what_upstream_lacks_stops_a_build_that_no_queue_changes(
    files: dict[str, str], path: str, content: str, code: str, value: str
) -> None:
    files[path] = content
    assert value in _findings(_workspace())[code].value
    before = preflight.examine(_workspace())
    assert {finding.code: finding for finding in before}[code].verdict == "not looked at"
    assert preflight.awaits_patched_tree(before)
    holder = FileRecord(path="holder", size=0, sha256="")
    patched = PatchResult(commit="c", tree="t", git_dir="g", patches=(), holder=holder)
    after = preflight.examine(_workspace(), patched=patched)
    assert {finding.code: finding for finding in after}[code].stops_the_build
    assert not preflight.awaits_patched_tree(after)
    loaded = _workspace().loaded
    release = loaded.release.model_copy(update={"queue": None})
    alone = Workspace(dataclasses.replace(loaded, release=release))
    assert _findings(alone)[code].stops_the_build


@pytest.mark.parametrize(
    ("python", "path", "content", "value"),
    [
        ("3.8", "none", "", "Python 3.8 has no locked requirements: 3.11 have"),
        ("3.11", f"{PIP}/setup.py", "setup(python_requires='>=3.12')",
         "Python 3.11, and upstream says >=3.12"),
        ("3.11", f"{PIP}/setup.py", "setup(python_requires='new')",
         "Python 3.11, and upstream says new"),
    ],
)  # fmt: skip
def test_a_python_that_upstream_does_not_take_stops_the_build(
    files: dict[str, str], python: str, path: str, content: str, value: str
) -> None:
    files[path] = content
    finding = _findings(_workspace(python=python))["upstream-python"]
    assert finding.stops_the_build
    assert finding.value == value


@pytest.mark.usefixtures("files")
def test_a_disk_cache_that_cannot_be_written_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "build_configs", tmp_path / "build_configs")
    workspace = Workspace(config.load("demo", {"cache.disk": "cache/of/bazel"}, root=tmp_path))
    assert _findings(workspace)["disk-cache"].is_as_needed
    # Root may write anywhere but on a file system that is read-only.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    assert _findings(workspace)["disk-cache"].value == f"{tmp_path} cannot be written"
    (tmp_path / "cache").touch()
    finding = _findings(workspace)["disk-cache"]
    assert finding.stops_the_build
    assert finding.value == f"{tmp_path / 'cache'} is no folder"


def test_a_release_candidate_of_the_host_s_python_counts_as_its_release(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files["requirements_lock_3_14.txt"] = ""
    files[f"{PIP}/setup.py"] = "setup(python_requires='>=3.14')"
    monkeypatch.setattr(platform, "python_version", lambda: "3.14.0rc1")
    finding = _findings(_workspace(python="host"))["upstream-python"]
    assert finding.availability is Availability.FOUND
    assert finding.value == "Python 3.14.0rc1, and upstream says >=3.14"


@pytest.mark.parametrize(
    ("program", "version", "state"),
    [
        ("bazel", (6, 5, 0), Availability.FOUND),
        ("bazel", (7, 4, 1), Availability.DOES_NOT_FIT),
        ("bazel", (), Availability.NOT_LOOKED_AT),
        ("bazelisk", (), Availability.FOUND),
    ],
)
@pytest.mark.usefixtures("files")
def test_the_bazel_of_the_release_must_be_to_be_had(
    monkeypatch: pytest.MonkeyPatch, program: str, version: tuple[int, ...], state: Availability
) -> None:
    present = [Candidate(Path("/bin") / program, version, will_do=True)]
    monkeypatch.setattr(tools, "candidates", lambda tool: present if tool.name == "bazel" else [])
    finding = preflight._bazel((6, 5, 0))
    assert finding.availability is state
    assert preflight._bazel(()).availability is Availability.NOT_LOOKED_AT


@pytest.mark.parametrize(
    ("bounds", "state", "value"),
    [
        ("", Availability.FOUND, "6.5.0, and upstream names 6.5.0"),
        ("6.1.0 6.99.0", Availability.FOUND, "6.5.0, and upstream names 6.5.0"),
        ("3.1.0 3.99.0", Availability.DOES_NOT_FIT, "6.5.0, and configure takes 3.1.0 to 3.99.0"),
        ("7.0.0 7.99.0", Availability.DOES_NOT_FIT, "6.5.0, and configure takes 7.0.0 to 7.99.0"),
    ],
)
def test_a_bazel_that_upstreams_configure_refuses_stops_the_build(
    files: dict[str, str], bounds: str, state: Availability, value: str
) -> None:
    names = ("_TF_MIN_BAZEL_VERSION", "_TF_MAX_BAZEL_VERSION")
    given = zip(names, bounds.split(), strict=False)
    files["configure.py"] = "".join(f"{name} = '{version}'\n" for name, version in given)
    finding = _findings(_workspace())["upstream-bazel"]
    assert (finding.availability, finding.value) == (state, value)
    del files[".bazelversion"]
    reason = _findings(_workspace())["upstream-bazel"]
    assert (reason.availability, reason.value) == (
        Availability.NOT_LOOKED_AT, "there is no .bazelversion",
    )  # fmt: skip


def test_a_queue_that_is_not_there_or_of_another_upstream_is_told() -> None:
    assert "its base is of embedded:" in _findings(_workspace("host"))["queue"].value
    missing = _findings(_demo(queue="none"))["queue"]
    assert missing.availability is Availability.MISSING
    assert missing.stops_the_build
    fits = _findings(_demo())["queue"]
    assert fits.availability is Availability.FOUND


def test_a_pick_that_is_not_pinned_stops_the_build(tmp_path: Path) -> None:
    loaded = _demo().loaded
    queue = shutil.copytree(ROOT / "patches/demo", tmp_path / "patches/demo")
    with (queue / "queue.yaml").open("a") as stream:
        stream.write("picks:\n- {pull: 7, reason: backport, drop-when: never}\n")
    finding = _findings(Workspace(dataclasses.replace(loaded, root=tmp_path)))["queue"]
    assert finding.stops_the_build
    assert "pull-7: not pinned" in finding.value
    assert "patches.pin" in finding.remedy


def test_of_an_upstream_without_a_mirror_nothing_is_claimed(tmp_path: Path) -> None:
    loaded = _workspace("host").loaded
    findings = _findings(Workspace(dataclasses.replace(loaded, root=tmp_path)))
    upstream = findings["upstream"]
    assert upstream.availability is Availability.NOT_LOOKED_AT
    assert upstream.value == "no v2.17.0 of https://example.org/tensorflow is here yet"
    assert not (tmp_path / "build").exists()


def test_all_that_stops_a_build_is_told_at_once_and_can_be_ignored() -> None:
    workspace = _demo(**{"limits.disk_gb": "1e6", "limits.memory_gb": "1e6"})
    findings = preflight.examine(workspace, ["queue"])
    with pytest.raises(UsageError, match="2 findings speak against this build") as caught:
        preflight.refuse(findings)
    assert caught.value.hint == "`--ignore disk --ignore memory` goes on in spite of them"
    assert "disk too little: free disk; " in caught.value.detail
    ignored = preflight.examine(workspace, ["disk", "memory"])
    preflight.refuse(ignored)
    assert [line.partition(":")[0] for line in view.as_lines(ignored)] == [
        "disk too little, ignored", "memory too little, ignored",
    ]  # fmt: skip


def test_a_code_that_no_finding_has_is_refused() -> None:
    with pytest.raises(UsageError, match="no finding `dsik`") as caught:
        preflight.examine(_demo(), ["dsik"])
    assert caught.value.hint == "did you mean `disk`?"


@pytest.mark.usefixtures("files")
def test_a_header_whose_variable_is_not_set_stops_a_build_that_uses_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FARM_KEY", "of-the-farm")
    monkeypatch.delenv("CACHE_KEY", raising=False)
    farm = {"remote.address": "grpcs://farm.example", "remote.headers": "{x-api-key: FARM_KEY}"}
    finding = _findings(_demo(**farm))["headers"]
    assert finding.availability is Availability.FOUND
    assert "of-the-farm" not in finding.sentence
    unused = {**farm, "cache.headers": "{x-api-key: CACHE_KEY}"}
    assert not _findings(_demo(**unused))["headers"].stops_the_build
    used = {**unused, "cache.address": "grpcs://cache.example"}
    finding = _findings(_demo(**used))["headers"]
    assert finding.stops_the_build
    assert "CACHE_KEY" in finding.sentence
    assert "headers" not in _findings(_demo())


def test_a_time_box_needs_room_for_its_states_and_the_cache(tmp_path: Path) -> None:
    release = {"limits.disk_gb": "10", "time_box.max_gb": "4", "time_box.keep": "2"}
    workspace = _demo(**release)

    def needed(box: TimeBox | None) -> str:
        (disk,) = (f for f in preflight.examine(workspace, box=box) if f.code == "disk")
        return disk.value.partition(" free, ")[2]

    box = budget.time_box("", tmp_path, workspace)
    assert (needed(None), needed(box)) == ("10 GB needed", "26 GB needed")
    with (tmp_path / "state-0001.tar").open("wb") as state:
        state.truncate(4 * 10**9)
    assert needed(box) == "22 GB needed"
