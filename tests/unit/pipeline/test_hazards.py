"""Each known fault of a release is found on the Macs that have it, and on no others."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.config import Hazard
from tensorflow_macos_build.pipeline import hazards, mac
from tensorflow_macos_build.pipeline.doctor import Availability

if TYPE_CHECKING:
    from tensorflow_macos_build.config import Release
    from tensorflow_macos_build.pipeline.doctor import HostFinding

DEMO = Path(__file__).parents[3] / "build_configs/demo.yaml"


class MadeUpMac:
    """A Mac with Apple silicon and all that is good; a test takes some of it away."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        patch.setattr("sys.platform", "darwin")
        self.has(machine="arm64", xcode="16.2", intel=True, translated=False, realpath=True)

    def has(self, **facts: Any) -> None:
        """Change what the Mac says of itself."""
        answers = {
            "xcode": (mac, "xcode_version"),
            "intel": (mac, "runs_intel_programs"),
            "translated": (mac, "is_translated"),
            "realpath": (mac, "has_gnu_realpath"),
            "machine": (platform, "machine"),
        }
        for name, value in facts.items():
            self._patch.setattr(*answers[name], lambda value=value: value)


@pytest.fixture
def a_mac(monkeypatch: pytest.MonkeyPatch) -> MadeUpMac:
    return MadeUpMac(monkeypatch)


def _release(hazard: Hazard, **changes: Any) -> Release:
    release = config.load(str(DEMO)).release
    return release.model_copy(update={"hazards": (hazard,), **changes})


def _found(
    hazard: Hazard,
    bazel: tuple[int, ...] = (),
    flags: tuple[str, ...] | None = None,
    **changes: Any,
) -> HostFinding:
    (finding,) = hazards.examine(_release(hazard, **changes), bazel, flags)
    assert finding.code == hazard.value
    return finding


@pytest.mark.parametrize(
    ("hazard", "facts", "bazel", "sign"),
    [
        (Hazard.XCODE_14_LINKER, {"xcode": "13.4.1"}, "", ""),
        (Hazard.XCODE_14_LINKER, {"xcode": "14.0"}, "", "Xcode 14.0 is selected"),
        (Hazard.XCODE_14_LINKER, {"xcode": "14.2"}, "", "Xcode 14.2 is selected"),
        (Hazard.XCODE_14_LINKER, {"xcode": "14.3"}, "", ""),
        (Hazard.XCODE_15_LINK, {"xcode": "15.4"}, "", "Xcode 15.4 is selected"),
        (Hazard.XCODE_15_LINK, {"xcode": "16.0"}, "", ""),
        (Hazard.ZLIB_FDOPEN, {"xcode": "16.2"}, "", ""),
        (Hazard.ZLIB_FDOPEN, {"xcode": "16.3"}, "", "Xcode 16.3 is selected"),
        (Hazard.ZLIB_FDOPEN, {"xcode": "26.0"}, "", "Xcode 26.0 is selected"),
        (Hazard.BSD_REALPATH, {}, "", ""),
        (Hazard.BSD_REALPATH, {"realpath": False}, "", "the first realpath on PATH is not GNU's"),
        (Hazard.ROSETTA_X86_64, {}, "", ""),
        (Hazard.ROSETTA_X86_64, {"translated": True}, "", "this process runs under Rosetta"),
        (Hazard.BAZEL_BEFORE_ARM64, {}, "3.1.0", ""),
        (Hazard.BAZEL_BEFORE_ARM64, {"intel": False}, "3.7.2", "Bazel 3.7.2, and no Rosetta"),
        (Hazard.BAZEL_BEFORE_ARM64, {"intel": False}, "4.1.0", ""),
        (Hazard.BAZEL_BEFORE_ARM64, {"intel": False, "machine": "x86_64"}, "3.1.0", ""),
        (Hazard.BAZEL_7_LINKS_ARM64, {"machine": "x86_64"}, "7.4.1", ""),
        (Hazard.BAZEL_7_LINKS_ARM64, {}, "6.5.0", ""),
        (Hazard.UNVERSIONED_TAG, {}, "", ""),
    ],
)
def test_a_hazard_is_at_hand_on_the_macs_that_have_it(
    a_mac: MadeUpMac, hazard: Hazard, facts: dict[str, Any], bazel: str, sign: str
) -> None:
    a_mac.has(**facts)
    version = tuple(map(int, bazel.split("."))) if bazel else ()
    finding = _found(hazard, version)
    assert finding.value == sign
    assert finding.availability is (Availability.DOES_NOT_FIT if sign else Availability.FOUND)
    assert finding.stops_the_build == bool(sign) == bool(finding.remedy)
    assert finding.known_from


@pytest.mark.parametrize(
    ("flags", "is_at_hand"),
    [
        (("--cpu=darwin",), True),
        (("--platforms=@build_bazel_apple_support//platforms:darwin_x86_64",), False),
        (("--crosstool_top=@local_config_apple_cc//:toolchain", "--cpu=darwin"), False),
    ],
)
@pytest.mark.usefixtures("a_mac")
def test_bazel_7_links_x86_64_as_arm64_where_no_flag_chooses_a_toolchain(
    flags: tuple[str, ...], is_at_hand: bool
) -> None:
    assert _found(Hazard.BAZEL_7_LINKS_ARM64, (7, 4, 1), flags).stops_the_build == is_at_hand


@pytest.mark.parametrize("hazard", [Hazard.NO_MACOS_ARM64_CONFIG, Hazard.ONEDNN_DUMMY])
@pytest.mark.parametrize("is_mac", [True, False])
def test_what_a_patch_has_to_mend_needs_a_queue_on_any_machine(
    monkeypatch: pytest.MonkeyPatch, hazard: Hazard, is_mac: bool
) -> None:
    if is_mac:
        MadeUpMac(monkeypatch)
    assert _found(hazard, queue=None).stops_the_build
    with_queue = _found(hazard, queue="demo")
    assert with_queue.availability is Availability.NOT_LOOKED_AT
    assert with_queue.value == "a patch of patches/demo has to do it"


def test_a_config_that_empties_the_target_of_repository_rules_is_found() -> None:
    halves = config.load(str(DEMO)).release.architectures
    arm64 = halves.arm64.model_copy(update={"flags": ("--repo_env=MACOSX_DEPLOYMENT_TARGET=",)})
    changed = halves.model_copy(update={"arm64": arm64})
    assert _found(Hazard.UNVERSIONED_TAG, architectures=changed).stops_the_build


@pytest.mark.parametrize(
    ("hazard", "facts", "reason"),
    [
        (Hazard.XCODE_14_LINKER, {"xcode": None}, "there is no Xcode"),
        (Hazard.BAZEL_BEFORE_ARM64, {"intel": False}, "which Bazel builds it is not known"),
        (Hazard.BAZEL_7_LINKS_ARM64, {}, "which Bazel builds it is not known"),
    ],
)
def test_what_is_not_known_is_said_not_to_have_been_looked_at(
    a_mac: MadeUpMac, hazard: Hazard, facts: dict[str, Any], reason: str
) -> None:
    a_mac.has(**facts)
    finding = _found(hazard)
    assert (finding.availability, finding.value) == (Availability.NOT_LOOKED_AT, reason)
    assert not finding.stops_the_build


@pytest.mark.usefixtures("a_mac")
def test_without_upstreams_files_the_toolchain_is_not_looked_at() -> None:
    finding = _found(Hazard.BAZEL_7_LINKS_ARM64, (7, 4, 1))
    assert finding.value == "upstream's .bazelrc is not here yet, or has not got the config"


def test_every_hazard_is_looked_for_and_elsewhere_only_a_mac_can_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    release = _release(Hazard.BSD_REALPATH, hazards=tuple(Hazard), queue=None)
    findings = hazards.examine(release, (7, 4, 1), ())
    assert [finding.code for finding in findings] == [hazard.value for hazard in Hazard]
    codes = {finding.code for finding in findings if finding.value != "only a Mac can tell"}
    assert codes == {"no-macos-arm64-config", "onednn-dummy", "unversioned-tag"}
