"""Whether the known ways in which a release's build fails are at hand on this machine."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.config import Hazard
from tensorflow_macos_build.pipeline import mac, versions
from tensorflow_macos_build.pipeline.doctor import Availability, HostFinding

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.config import Release
    from tensorflow_macos_build.pipeline.versions import Version


@dataclass(frozen=True)
class MacFacts:
    """What the hazards depend on.

    Attributes:
        machine: the processor, `arm64` or `x86_64`.
        xcode: the version of the selected Xcode; empty: there is none.
        runs_intel: whether Intel programs run.
        is_translated: whether this process is one, on Apple silicon.
        gnu_realpath: whether the first realpath on PATH is GNU's.
    """

    machine: str
    xcode: Version
    runs_intel: bool
    is_translated: bool
    gnu_realpath: bool


@dataclass(frozen=True)
class _Case:
    """A release on a machine, as the hazards look at it.

    Attributes:
        release: the config.
        facts: the machine's; None: it is no Mac.
        bazel: the version of the Bazel that will build; empty: not known.
        x86_64_flags: what upstream's .bazelrc gives for the x86_64 half; None: not known.
    """

    release: Release
    facts: MacFacts | None
    bazel: Version
    x86_64_flags: tuple[str, ...] | None

    @property
    def mac(self) -> MacFacts:
        """Return the facts of the Mac that this is.

        Raises:
            _CannotTell: it is none.
        """
        if self.facts is None:
            raise _CannotTell("only a Mac can tell")
        return self.facts


class _CannotTell(Exception):
    """Whether a hazard is at hand cannot be told; the message says why."""


@dataclass(frozen=True)
class _Check:
    """How a hazard is looked for.

    Attributes:
        what: what it is about.
        known_from: where it is told.
        remedy: what to do about it.
        sign: returns what shows that it is at hand; "" when it is not.
    """

    what: str
    known_from: str
    remedy: str
    sign: Callable[[_Case], str]


def examine(
    release: Release, bazel: Version, x86_64_flags: tuple[str, ...] | None
) -> tuple[HostFinding, ...]:
    """Return, for each hazard of a release, whether this machine has it.

    Args:
        release: the config.
        bazel: the version of the Bazel that will build; empty: not known.
        x86_64_flags: what upstream's .bazelrc gives for the x86_64 half; None: not known.
    """
    # Xcode and its like are started only where a hazard depends on what they answer.
    facts = _facts() if release.hazards and sys.platform == "darwin" else None
    case = _Case(release, facts, bazel, x86_64_flags)
    return tuple(_judged(hazard, case) for hazard in release.hazards)


def _facts() -> MacFacts:
    return MacFacts(
        machine=platform.machine(),
        xcode=versions.parse(mac.xcode_version() or ""),
        runs_intel=mac.runs_intel_programs(),
        is_translated=mac.is_translated(),
        gnu_realpath=mac.has_gnu_realpath(),
    )


def _judged(hazard: Hazard, case: _Case) -> HostFinding:
    try:
        sign = _CHECKS[hazard].sign(case)
    except _CannotTell as reason:
        return _finding(hazard, Availability.NOT_LOOKED_AT, str(reason))
    return _finding(hazard, Availability.DOES_NOT_FIT if sign else Availability.FOUND, sign)


def _finding(hazard: Hazard, availability: Availability, value: str) -> HostFinding:
    check = _CHECKS[hazard]
    return HostFinding(
        hazard.value,
        check.what,
        availability,
        needed=True,
        value=value,
        remedy=check.remedy if availability is Availability.DOES_NOT_FIT else "",
        known_from=check.known_from,
    )


def _xcode_between(first: Version, behind: Version) -> Callable[[_Case], str]:
    def sign(case: _Case) -> str:
        if not case.mac.xcode:
            raise _CannotTell("there is no Xcode")
        is_between = first <= case.mac.xcode < behind
        return f"Xcode {versions.shown(case.mac.xcode)} is selected" if is_between else ""

    return sign


def _needs_a_patch(case: _Case) -> str:
    if case.release.queue is None:
        return "the config names no queue, and upstream needs a patch"
    # What a patch does to the file is seen only in the patched tree, which is not there yet.
    raise _CannotTell(f"a patch of patches/{case.release.queue} has to do it")


def _bazel_before_arm64(case: _Case) -> str:
    # With Rosetta such a Bazel runs as an Intel program, and cross-compiles to arm64.
    if case.mac.machine != "arm64" or case.mac.runs_intel:
        return ""
    version = _known_bazel(case)
    return f"Bazel {versions.shown(version)}, and no Rosetta" if version < (4, 1) else ""


def _bazel_7_links_arm64(case: _Case) -> str:
    if case.mac.machine != "arm64" or _known_bazel(case) < (7,):
        return ""
    if case.x86_64_flags is None:
        # One that a queue brings is seen only in the patched tree, which is not there yet.
        raise _CannotTell("upstream's .bazelrc is not here yet, or has not got the config")
    # apple_support's toolchain takes the architecture from the platform or from --cpu
    chosen = ("--platforms=", "--crosstool_top=@local_config_apple_cc//")
    if any(flag.startswith(chosen) for flag in case.x86_64_flags):
        return ""
    return "no flag for x86_64 names a platform or apple_support's toolchain"


def _known_bazel(case: _Case) -> Version:
    if not case.bazel:
        raise _CannotTell("which Bazel builds it is not known")
    return case.bazel


def _unversioned_tag(case: _Case) -> str:
    """Look for a config that takes away again what every build sets (bazel_workspace.py)."""
    halves = case.release.architectures
    flags = (*halves.arm64.flags, *halves.x86_64.flags)
    # tf_wheel.bzl leaves the number of macOS out of the tag where repository rules see none.
    emptied = ("--repo_env=MACOSX_DEPLOYMENT_TARGET", "--repo_env=MACOSX_DEPLOYMENT_TARGET=")
    return "the config takes MACOSX_DEPLOYMENT_TARGET away" if {*flags} & {*emptied} else ""


_CHECKS = {
    Hazard.NO_MACOS_ARM64_CONFIG: _Check(
        "--config=macos_arm64",
        "tensorflow/tensorflow#45404",
        "make a queue with a patch that adds it to .bazelrc, and name it in the config",
        _needs_a_patch,
    ),
    Hazard.BAZEL_BEFORE_ARM64: _Check(
        "a Bazel for arm64 Macs",
        "tensorflow/tensorflow#47594, apple/tensorflow_macos#263",
        "install Rosetta: softwareupdate --install-rosetta --agree-to-license",
        _bazel_before_arm64,
    ),
    Hazard.XCODE_14_LINKER: _Check(
        "the linker of Xcode",
        "tensorflow/tensorflow#58368, #60179",
        "select Xcode 14.3 or newer by xcode-select",
        # Their ld64-820.1 ends with "malformed trie"; those of 13.4.1 and 14.3 link.
        _xcode_between((14, 0), (14, 3)),
    ),
    Hazard.BSD_REALPATH: _Check(
        "GNU's realpath",
        "tensorflow/tensorflow#60179, #60088, #61341",
        'type: brew install coreutils; PATH="$(brew --prefix coreutils)/libexec/gnubin:$PATH"',
        # With another one a genrule's outputs are missing: BSD's has not got the options.
        lambda case: "" if case.mac.gnu_realpath else "the first realpath on PATH is not GNU's",
    ),
    Hazard.XCODE_15_LINK: _Check(
        "the linker of Xcode",
        "tensorflow/tensorflow#62001",
        "select another Xcode than 15 by xcode-select",
        # All of 15: nobody has named the cause, nor a version that is mended.
        _xcode_between((15,), (16,)),
    ),
    Hazard.ZLIB_FDOPEN: _Check(
        "an Xcode that compiles zlib before 1.3.1",
        "madler/zlib#1076",
        "select an Xcode before 16.3 by xcode-select, or patch zlib's zutil.h",
        # No last one: it is the old zlib that has to change, and not Xcode.
        _xcode_between((16, 3), (1000,)),
    ),
    Hazard.ROSETTA_X86_64: _Check(
        "a native process",
        "conda-forge/tensorflow-feedstock#394",
        "run this in a terminal and a Python for arm64, which cross-compile to x86_64",
        lambda case: "this process runs under Rosetta" if case.mac.is_translated else "",
    ),
    Hazard.UNVERSIONED_TAG: _Check(
        "MACOSX_DEPLOYMENT_TARGET for repository rules",
        "tensorflow/tensorflow#91195",
        "take the flag out of the config: the wheel's tag would name no macOS",
        _unversioned_tag,
    ),
    Hazard.BAZEL_7_LINKS_ARM64: _Check(
        "a toolchain that links x86_64",
        "bazelbuild/bazel#21768",
        "give the x86_64 half a --platforms flag, or build it on an Intel Mac",
        _bazel_7_links_arm64,
    ),
    Hazard.ONEDNN_DUMMY: _Check(
        "//xla/tsl/mkl:onednn",
        "Homebrew/homebrew-core, Formula/lib/libtensorflow.rb",
        "make a queue with a patch of xla/tsl/framework/contraction/BUILD, and name it",
        _needs_a_patch,
    ),
}
