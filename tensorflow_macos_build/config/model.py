"""What a config under build_configs/ may say: one release of the fork, as frozen typed values.

Every key has its meaning in its field's description; `scripts/inv config.schema` prints them.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tensorflow_macos_build.config.texts import (
    PEP_440,
    BazelVersion,
    CacheAddress,
    ExecutorAddress,
    Flag,
    Folder,
    Glob,
    HeaderName,
    InstanceName,
    Label,
    MacosVersion,
    Name,
    PropertyName,
    PythonVersion,
    Sha256,
    Text,
    Topic,
    Variable,
)


class Values(BaseModel):
    """The base of all parts of a config: frozen, and with no other keys than those named.

    Class names are part of the published schema (its `$defs`), so they keep the words of the keys.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Packaging(str, Enum):  # StrEnum came with Python 3.11
    """How Bazel's target gives a wheel."""

    WHEEL = "wheel"
    """The target's output is the wheel (TensorFlow 2.17 and later)."""
    SCRIPT = "script"
    """The target is a program that writes the wheel into a folder (TensorFlow up to 2.16)."""


class PythonBy(str, Enum):
    """How upstream is told which Python the wheel is for."""

    CONFIGURE = "configure"
    """By `configure`, in PYTHON_BIN_PATH (TensorFlow up to 2.13)."""
    HERMETIC = "hermetic"
    """By a version, for Bazel brings its own Python (TensorFlow 2.14 and later)."""


class Hazard(str, Enum):
    """A known way in which a release's build fails, though the config is right."""

    NO_MACOS_ARM64_CONFIG = "no-macos-arm64-config"
    """Its .bazelrc has no `macos_arm64`: a patch has to add it (tensorflow/tensorflow#45404)."""
    BAZEL_BEFORE_ARM64 = "bazel-before-arm64"
    """Its Bazel is older than 4.1, the first for arm64 Macs (tensorflow/tensorflow#47594)."""
    XCODE_14_LINKER = "xcode-14-linker"
    """The linker of Xcode 14.0 to 14.2 fails on its extensions (tensorflow/tensorflow#58368)."""
    BSD_REALPATH = "bsd-realpath"
    """A rule of it needs GNU's realpath first in PATH (tensorflow/tensorflow#60179)."""
    XCODE_15_LINK = "xcode-15-link"
    """Xcode 15 does not link it; nobody has named the cause (tensorflow/tensorflow#62001)."""
    ZLIB_FDOPEN = "zlib-fdopen"
    """Its zlib is older than 1.3.1, which Xcode 16.3 does not compile (madler/zlib#1076)."""
    ROSETTA_X86_64 = "rosetta-x86-64"
    """Its x86_64 half may not build under Rosetta (conda-forge/tensorflow-feedstock#394)."""
    UNVERSIONED_TAG = "unversioned-tag"
    """Its wheel's tag names no macOS where repository rules see no MACOSX_DEPLOYMENT_TARGET
    (tensorflow/tensorflow#91195)."""
    BAZEL_7_LINKS_ARM64 = "bazel-7-links-arm64"
    """On an arm64 Mac, Bazel 7 by itself links x86_64 as arm64 (bazelbuild/bazel#21768)."""
    ONEDNN_DUMMY = "onednn-dummy"
    """On x86_64 Macs `//xla/tsl/mkl:onednn` leads to a dummy; a patch has to name oneDNN itself."""


class FuseVerdict(str, Enum):
    """What a rule may say of a path that is not equal in both wheels."""

    ARM64 = "arm64"
    X86_64 = "x86_64"
    EITHER_SIDE = "either-side"
    BY_ARCHITECTURE = "by-architecture"
    BOTH = "both"
    IDENTICAL = "identical"
    DROP = "drop"


class Upstream(Values):
    """Where the release's source comes from."""

    url: Text
    """The repository: an address, a path, or `embedded:` for the miniature in this tool."""
    ref: Text
    """The tag, branch or full commit to build."""

    @property
    def is_embedded(self) -> bool:
        """Whether it is the miniature that this package carries."""
        return self.url == "embedded:"


class Bazel(Values):
    """How Bazel is run, for every architecture alike."""

    version: BazelVersion | None = None
    """The Bazel that builds it; empty: the one that upstream's .bazelversion names."""
    xcode: bool = False
    """Whether Apple's compilers build it: then Bazel is told where the selected Xcode is."""
    startup: tuple[Flag, ...] = ()
    """Startup flags, before the command."""
    configure_env: dict[Variable, str] = {}
    """Variables that `configure` reads instead of asking."""
    inherit: tuple[Variable, ...] = ()
    """Further variables of the caller's that Bazel gets, such as a credential helper's token. Their
    values are in no key, no log and no report."""
    target: Label
    """The target that makes the wheel."""
    packaging: Packaging = Packaging.WHEEL
    """Whether the target's output is the wheel, or a program that writes it."""
    configs: tuple[Text, ...] = ()
    """Names of `--config`s of upstream's .bazelrc."""
    flags: tuple[Flag, ...] = ()
    """Further flags of `bazel build`."""
    jobs: int | None = Field(default=None, ge=1, le=10_000)
    """How many actions run at once; empty: Bazel decides."""


class Cache(Values):
    """What of other builds is used again; it decides how fast a build is, and nothing else."""

    address: CacheAddress | None = None
    """A remote cache: `http://`, `https://`, `grpc://` or `grpcs://`, without credentials."""
    upload: bool = True
    """Whether what is built here is put into it; if not, Bazel 4 fills no disk cache either."""
    timeout_s: int = Field(default=60, ge=1, le=86_400)  # Bazel's own default
    """Seconds that it has for an answer."""
    compression: bool = False
    """Whether a gRPC cache is sent compressed files; it needs Bazel 5 or later."""
    credential_helper: Text | None = None
    """A program that tells Bazel the credentials; it needs Bazel 5.4 or later."""
    instance: InstanceName = ""
    """The part of a gRPC cache that is meant, where it has several."""
    headers: dict[HeaderName, Variable] = {}
    """Headers for a cache, each with the variable of the caller's that holds its value."""
    disk: Folder | None = None
    """A folder below the project in which Bazel keeps what it builds; nothing there is deleted."""


class Remote(Values):
    """Other machines that run actions (Bazel's remote execution); what is built here stays here."""

    address: ExecutorAddress | None = None
    """Where they are asked for: `grpc://` or `grpcs://`, without credentials."""
    instance: InstanceName = ""
    """The part of the farm that is meant, where it has several."""
    headers: dict[HeaderName, Variable] = {}
    """Headers for it, each with the variable of the caller's that holds its value."""
    platform: dict[PropertyName, str] = {}
    """Properties of the workers that may run an action, such as `OSFamily` or `container-image`;
    the properties of upstream's own platforms win."""
    jobs: int | None = Field(default=None, ge=1, le=10_000)
    """How many actions run at once, here and there; empty: `bazel.jobs`."""
    timeout_s: int = Field(default=3600, ge=1, le=86_400)
    """Seconds that one action may take there."""


class TimeBoxSettings(Values):
    """How a build in rounds (`--time-budget`, `--state-dir`) keeps its state between them."""

    max_gb: float = Field(default=8.0, gt=0, le=1_000_000)
    """How large a saved state may be, in units of 10^9 bytes; a cache of GitHub's has 10."""
    keep: int = Field(default=2, ge=1, le=100)
    """How many saved states are kept: the newest, and those to fall back to."""
    reserve_s: float | None = Field(default=None, ge=0, le=86_400)
    """Seconds of the budget that are kept for stopping and saving; empty: by what is measured."""


class Cross(Values):
    """What is needed to build for Macs on Linux, and can only be supplied by the user."""

    sdk: Text | None = None
    """A macOS SDK, a folder `MacOSX….sdk`: absolute, or below the project. It is Apple's, and under
    the terms that come with it."""
    sdk_link: Folder | None = None
    """Where upstream's toolchain looks for it in the source tree; the build puts a link there."""
    toolchain: Text | None = None
    """The folder of a Bazel repository with a toolchain: absolute, or below the project."""
    repository: Name = "macos_cross"
    """What labels in this config call that repository."""


class Architecture(Values):
    """What is special to one architecture."""

    bazel_config: Text | None = None
    """The `--config` that selects it."""
    flags: tuple[Flag, ...] = ()
    """Further flags of `bazel build`."""
    deployment_target: MacosVersion
    """The oldest macOS that the wheel runs on, as MACOSX_DEPLOYMENT_TARGET."""


class Architectures(Values):
    """The two halves of a universal2 wheel."""

    arm64: Architecture
    """Apple silicon."""
    x86_64: Architecture
    """Intel."""


class Host(Values):
    """How the wheel for the building machine itself is made."""

    bazel_config: Text | None = None
    """The `--config` that selects it."""
    flags: tuple[Flag, ...] = ()
    """Further flags of `bazel build`."""


class FuseRule(Values):
    """What to do with files that differ between the two wheels and no format decides."""

    path: Glob
    """A pattern of paths inside the wheel; `*` stays within one folder, `**` does not."""
    verdict: FuseVerdict
    """The verdict for them; `scripts/inv fuse --help` tells their meanings."""


class Fuse(Values):
    """How the two wheels are joined."""

    rules: tuple[FuseRule, ...] = ()
    """Stated verdicts for files that differ; the first that matches counts."""
    universal2_tag: bool = False
    """Whether the wheel also carries a universal2 platform tag."""
    # It begins with a digit (PEP 427), by which installers tell it from the Python tag.
    build_tag: Annotated[str, StringConstraints(pattern=r"^[0-9][A-Za-z0-9_.]*$")] | None = None
    """The wheel's build tag, so that it wins over thin wheels beside it."""


class Verify(Values):
    """What the finished wheel must hold, beyond what every wheel must."""

    must_export: tuple[Text, ...] = ()
    """Symbols that some library of every slice must export."""
    allow: tuple[Text, ...] = ()
    """Findings that are known and accepted, by their code."""


class MacArchitecture(str, Enum):
    """A kind of Mac."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


class PluginPin(Values):
    """A plugin that TensorFlow must load from beside the wheel."""

    requirement: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.!+]+$")
    ]
    """Its project and version, such as `tensorflow-metal==1.2.0`."""
    sha256: Annotated[tuple[Sha256, ...], Field(min_length=1)]
    """The SHA-256 of its wheel or source; of each wheel where architectures have their own."""
    source: bool = False
    """Whether it is published as source alone: then it is built on a Mac against the wheel, and
    shipped beside it. The wheel of any other is fetched, and must load for the wheel to verify."""
    architectures: Annotated[tuple[MacArchitecture, ...], Field(min_length=1)] = (
        MacArchitecture.ARM64,
    )
    """The Macs that it is for."""
    build_requires: tuple[Text, ...] = ("setuptools>=64", "wheel")
    """What the build of its source needs, which is installed beside the wheel."""

    def is_for(self, arch: str) -> bool:
        """Whether it is for Macs of an architecture."""
        return any(arch == architecture.value for architecture in self.architectures)


class KnownLimit(Values):
    """A check of the smoke test that is known to fail."""

    check: Text
    """Its name; `*` stands for any characters."""
    reason: Text
    """Why it fails, with its issue."""
    device: Annotated[str, StringConstraints(pattern=r"^[A-Z_]*$")] = ""
    """The type of device on which it does, such as GPU; empty: any."""


class CheckSet(str, Enum):
    """How much the smoke test tries."""

    QUICK = "quick"
    FULL = "full"
    SOAK = "soak"


class Smoke(Values):
    """What the smoke test tries, and what it may take."""

    module: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")] = (
        "tensorflow"
    )
    """The Python module to import."""
    timeout_s: float = Field(default=600.0, gt=0, le=86_400)  # at most a day
    """Seconds that one check may take."""
    memory_mb: int = Field(default=8192, gt=0, le=1 << 23)
    """Memory that one check may hold, in MiB."""
    device: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]*(:[0-9]+)?$")] = "GPU:0"
    """The device that is tried; where there is none such, the smoke test fails."""
    reference: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]*(:[0-9]+)?$")] = "CPU:0"
    """The device that it is compared with."""
    check_set: CheckSet = CheckSet.QUICK
    """How much is tried: the quick set, the full one, or also what takes long."""
    virtual: bool = False
    """Whether the device is a virtual GPU, which is held to float32 and to no time."""
    known_limits: tuple[KnownLimit, ...] = ()
    """Checks that are known to fail, which do not fail the build."""


class Limits(Values):
    """What the build needs of the machine."""

    disk_gb: float = Field(default=1.0, ge=0, le=1_000_000)
    """Free disk space, in units of 10^9 bytes."""
    memory_gb: float = Field(default=1.0, ge=0, le=1_000_000)
    """Memory, in units of 10^9 bytes."""
    hours: float | None = Field(default=None, gt=0, le=1000)
    """Hours that building one architecture may take; for people, nothing is stopped by it."""


class Release(Values):
    """One release of the fork: everything that decides what its wheel is."""

    name: Name
    """What the release is called; by default the config file's name."""
    version: Annotated[str, StringConstraints(pattern=PEP_440, max_length=100)] | None = None
    """The version that the fork's wheel must have; empty: upstream's own."""
    upstream: Upstream
    """Where the source comes from."""
    queue: Name | None = None
    """The folder under patches/ whose patches are applied; empty: none."""
    python: PythonVersion = "host"
    """The Python to build for: `3.11`, or `host` for the one that runs this tool."""
    python_by: PythonBy = PythonBy.CONFIGURE
    """How upstream is told which Python that is."""
    wheel_name: Name | None = None
    """The wheel's project name; empty: upstream's own."""
    bazel: Bazel
    """How Bazel is run."""
    cache: Cache = Cache()
    """What of other builds is used again."""
    remote: Remote = Remote()
    """Other machines that run actions."""
    time_box: TimeBoxSettings = TimeBoxSettings()
    """How a build in rounds keeps its state."""
    cross: Cross | None = None
    """What building on Linux needs; empty: it is built on a Mac."""
    architectures: Architectures
    """What is special to each architecture."""
    host_build: bool = False
    """Whether a wheel for the building machine is made too, so that it can be smoke-tested."""
    host: Host = Host()
    """How that wheel is made."""
    fuse: Fuse = Fuse()
    """How the two wheels are joined."""
    verify: Verify = Verify()
    """What the finished wheel must hold."""
    plugins: tuple[PluginPin, ...] = ()
    """Plugins that must load beside the wheel, and those that are built for it."""
    smoke: Smoke = Smoke()
    """What the smoke test does."""
    limits: Limits = Limits()
    """What the build needs of the machine."""
    wheelhouse: tuple[Text, ...] = ()
    """Requirements to resolve and fuse beside the wheel."""
    hazards: tuple[Hazard, ...] = ()
    """Known ways in which this release's build fails; what a build is checked for beforehand."""
    unverified: dict[Topic, Text] = {}
    """What is not known of this release, in a sentence by key or topic; a plan shows it."""
