"""What a fused wheel holds at a path, and why; or why that is not decided."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.dist_info import sboms
from tensorflow_macos_build.wheels.fuse.rules import Rule, RuleVerdict, escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.binaries.slices import JoinableSlice


class Verdict(Enum):
    """What the fused wheel holds at a path."""

    IDENTICAL = "identical"
    """The one content that both wheels have."""
    UNIVERSAL = "universal"
    """Both contents as slices of a universal file, as lipo makes it."""
    HEADER = "header"
    """Both texts under `#if defined(__arm64__)…`."""
    BOTH = "both"
    """One side's file; the other's is beside it, each under a name of its architecture."""
    ONLY_ARM64 = "only-arm64"
    """A file that the arm64 wheel alone has."""
    ONLY_X86_64 = "only-x86_64"
    """A file that the x86_64 wheel alone has."""
    RULE = "rule"
    """One side's file, by a rule."""
    DROPPED = "dropped"
    """Nothing: by a rule, or because it was a signature of a RECORD that is no more."""
    WRITTEN = "written"
    """A file that describes the fused wheel itself."""


@dataclass(frozen=True, slots=True)
class PathVerdict:
    """The verdict for one path.

    Attributes:
        path: in the fused wheel.
        verdict: what is there.
        members: the members that its content comes from, by architecture.
        slices: for UNIVERSAL, what becomes of each member, by architecture.
        rule: the rule that decided; None when a format did.
    """

    path: str
    verdict: Verdict
    members: Mapping[str, Member]
    slices: Mapping[str, JoinableSlice]
    rule: Rule | None = None

    @property
    def executable(self) -> bool:
        """Whether the file may be executed: one side's saying so is enough."""
        # A program must run where it ran before; fused.json records whose it was, for `thin`.
        return any(member.executable for member in self.members.values())

    @property
    def size(self) -> int:
        """Bytes of content that its members declare, together."""
        return sum(member.size for member in self.members.values())


@dataclass(frozen=True, slots=True)
class UndecidedPath:
    """A path without a verdict.

    Attributes:
        path: in the fused wheel.
        reason: why it has none.
        members: the members it has, by architecture.
        settled_by: the verdict of a rule that would settle it.
    """

    path: str
    reason: str
    members: Mapping[str, Member]
    settled_by: RuleVerdict = RuleVerdict.ARM64

    @property
    def rule(self) -> Rule:
        """A rule that would settle it; whoever states it must look whether it is right."""
        return Rule(escaped(self.path), self.settled_by)


Decision = PathVerdict | UndecidedPath
"""What is decided about a path."""


def apart(at: PathVerdict) -> list[PathVerdict]:
    """Return the verdicts of the files that one stands for: two for BOTH, one for each half's."""
    if at.verdict is not Verdict.BOTH:
        return [at]
    return [
        PathVerdict(sboms.named(at.path, arch), Verdict.BOTH, {arch: member}, {}, at.rule)
        for arch, member in at.members.items()
    ]
