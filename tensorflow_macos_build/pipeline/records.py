"""What goes from stage to stage: frozen typed values that are kept as JSON in stamps."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, model_serializer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SerializationInfo, SerializerFunctionWrapHandler

FOR_KEY = {"for": "key"}
"""The context in which values are written to make a key of them. pydantic hands it to the
serializers of every value inside, which decide what of them counts."""


class Record(BaseModel):
    """The base of the values: frozen, nothing left over, the same after a turn through JSON."""

    # A stamp with fields that this version does not know is another version's, and no result then.
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileRecord(Record):
    """A file that a stage made.

    Attributes:
        path: where it is, relative to the project's folder.
        size: its size in bytes.
        sha256: the SHA-256 of its bytes.
    """

    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return PurePosixPath(self.path).name

    @model_serializer(mode="wrap")
    def _serialize(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        """In a key a file is its name and content: where it lies makes no difference."""
        # The name counts, for it goes into what is made: a wheel's name has its tags.
        written: dict[str, Any] = handler(self)
        if info.context == FOR_KEY:
            written["path"] = self.name
        return written


class SourceResult(Record):
    """The upstream commit to build, present in the mirror `git_dir` (relative to the project).

    `date` is when it was committed (ISO 8601).
    """

    url: str
    ref: str
    commit: str
    git_dir: str
    head: FileRecord
    date: str = ""


class CommitLink(Record):
    """A commit of upstream, and where it can be read; "" where nobody knows."""

    commit: str
    link: str


class PatchOutcome(Record):
    """One patch of the queue and how it came to the new base.

    Attributes:
        name: the patch's file.
        status: what became of it.
        evidence: why, in words.
        subject: its message's first line.
        commits: the commits of upstream that the evidence names.
    """

    name: str
    status: str
    evidence: str
    subject: str = ""
    commits: tuple[CommitLink, ...] = ()


class PatchResult(Record):
    """The patched tree, in the mirror's object store and held there by the reference `holder`."""

    commit: str
    tree: str
    git_dir: str
    patches: tuple[PatchOutcome, ...]
    holder: FileRecord


class TimedAction(Record):
    """An action by Bazel's description of it, and its wall-clock seconds."""

    description: str
    seconds: float


class TimedKind(Record):
    """All actions of a kind (a mnemonic), and their wall-clock seconds added up."""

    kind: str
    actions: int
    seconds: float


class TimeSpent(Record):
    """Where a build's time went; what took longest comes first, but on the critical path.

    Attributes:
        kinds: the kinds of actions.
        slowest: the slowest actions.
        critical_seconds: the length of the critical path.
        critical_path: its actions in order, but for those of less than a hundredth of it.
    """

    kinds: tuple[TimedKind, ...]
    slowest: tuple[TimedAction, ...]
    critical_seconds: float
    critical_path: tuple[TimedAction, ...]


class Effort(Record):
    """How much work something was; what it gave does not depend on it, so a key has nothing of it.

    Attributes:
        actions: Bazel's actions, internal ones and cache hits too.
        cache_hits: those of them that came from a disk or remote cache.
        needed: how many the wheel needs at least: `actions`, and what the output base had already:
            what another architecture's build has made (host tools) and what has not changed.
        runners: how many processes each of Bazel's runners ran, such as `linux-sandbox`.
        reasons: for how many actions the output base's action cache did not do, by Bazel's reason.
        time: where the time went, where Bazel says it.
        caches: where results of other builds may have come from, as `bazel.cache_origins` has it.
    """

    actions: int
    cache_hits: int
    needed: int = 0
    # pydantic copies `{}` for each value (docs: "Fields", mutable default values).
    runners: dict[str, int] = {}
    reasons: dict[str, int] = {}
    time: TimeSpent | None = None
    caches: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _serialize(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        # Cache hits make another effort and the same wheel: what comes after need not run again.
        return {} if info.context == FOR_KEY else handler(self)


class ArchiveRecord(Record):
    """Somebody else's source that Bazel fetched, as `bazel.externals` has it."""

    name: str
    urls: tuple[str, ...]
    sha256: str


class ExternalsRecord(Record):
    """What a wheel has from elsewhere, as `bazel.Externals` has it."""

    archives: tuple[ArchiveRecord, ...]
    links: dict[str, tuple[str, ...]]
    partly_seen: tuple[str, ...]


class WheelResult(Record):
    """One wheel that Bazel made, and how much work that was.

    Attributes:
        architecture: `arm64`, `x86_64` or `host`.
        wheel: the wheel.
        effort: how much work it was.
        bazel: the version of Bazel; "" where it says none.
        externals: what it has from elsewhere; None: not known.
    """

    architecture: str
    wheel: FileRecord
    effort: Effort
    bazel: str = ""
    externals: ExternalsRecord | None = None


class FuseResult(Record):
    """The universal2 wheel, how many of its files have each verdict, and what to know about it."""

    wheel: FileRecord
    verdicts: dict[str, int]
    notes: tuple[str, ...]


class RelocateResult(Record):
    """The wheel that needs only the system's libraries; `copied` are those brought in for that."""

    wheel: FileRecord
    copied: tuple[str, ...]


class SbomResult(Record):
    """The wheel with its bill of materials inside, and the bill as a file of its own."""

    wheel: FileRecord
    bill: FileRecord


class FindingRecord(Record):
    """Something that verify says about the wheel."""

    code: str
    severity: str
    file: str
    slice: str
    message: str


class PluginsResult(Record):
    """Wheels of plugins that must load beside the wheel."""

    wheels: tuple[FileRecord, ...]


class PluginWheelsResult(Record):
    """Wheels of plugins that were built for the wheel.

    Attributes:
        wheels: those that were built.
        not_run: why others were not, by requirement.
    """

    wheels: tuple[FileRecord, ...]
    not_run: dict[str, str]


class VerifyResult(Record):
    """The wheel as it was verified, with what is worth knowing about it."""

    wheel: FileRecord
    findings: tuple[FindingRecord, ...]


class CheckRecord(Record):
    """One thing that the smoke test tried.

    Attributes:
        wheel: the wheel's file name.
        leg: the processor that it was tried as.
        name: what was tried.
        outcome: a value of the smoke test's `CheckOutcome`, such as `passed`.
        why: why it failed or was not run.
        evidence: what was seen, such as the device of each op.
    """

    wheel: str
    leg: str
    name: str
    outcome: str
    why: str
    evidence: dict[str, Any]


class SmokeResult(Record):
    """What the smoke test saw."""

    checks: tuple[CheckRecord, ...]


class DistResult(Record):
    """What lies in dist/."""

    folder: str
    wheel: FileRecord
    files: tuple[FileRecord, ...]


def files_in(value: object) -> Iterator[FileRecord]:
    """Yield every file that a value names, at any depth."""
    if isinstance(value, FileRecord):  # first, for it is a BaseModel, too
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from files_in(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from files_in(item)
    elif isinstance(value, dict):
        yield from files_in(tuple(value.values()))
