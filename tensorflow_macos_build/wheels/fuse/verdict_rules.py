"""The decision for every path of two wheels: by a stated rule, by a format, or none.

The order in which the wheels were named never counts: a side is known by its architecture. What
neither a format nor a rule decides is left undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.binaries import slices
from tensorflow_macos_build.wheels.binaries.slices import CodeKind, JoinableSlice
from tensorflow_macos_build.wheels.dist_info import sboms
from tensorflow_macos_build.wheels.fuse import headers
from tensorflow_macos_build.wheels.fuse.rules import Rule, RuleVerdict
from tensorflow_macos_build.wheels.fuse.verdicts import (
    Decision,
    PathVerdict,
    UndecidedPath,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.archive.reader import Archive

_METADATA_LIMIT = 4 << 20
"""Largest METADATA whose lines are compared, in bytes; one with a long description has 1 MB."""

_SPECIFIED = ("METADATA", "entry_points.txt")
"""Files of dist-info that installers act on: no side may have its own."""

_UNFIT = {
    "METADATA": (RuleVerdict.DROP, RuleVerdict.BOTH, RuleVerdict.BY_ARCHITECTURE),
    "entry_points.txt": (RuleVerdict.BOTH, RuleVerdict.BY_ARCHITECTURE),
}
"""What no rule can say of such files: installers would find none, or none that they can read."""


@dataclass(frozen=True)
class VerdictRules:
    """Decides about the paths of two wheels.

    Attributes:
        archives: the wheels by architecture.
        rules: stated verdicts; the first that matches a path counts.
        dist_info: the fused wheel's dist-info folder.
        named: the architecture whose METADATA counts when the halves are of two projects; the
            other's must differ in nothing but its name.
    """

    archives: Mapping[str, Archive]
    rules: Sequence[Rule]
    dist_info: str
    named: str | None = None

    def decide(self, path: str, members: Mapping[str, Member]) -> Decision:
        """Decide what the fused wheel holds at a path.

        A verdict of BOTH stands for two files, which `apart` gives.

        Raises:
            BrokenWheel: a member is damaged.
        """
        # Whether contents of one CRC are equal is seen when they are read: see `prepare`.
        declared = {(member.size, member.crc) for member in members.values()}
        if len(members) == 2 and len(declared) == 1:
            return PathVerdict(path, Verdict.IDENTICAL, members, {})
        # What is equal needs no rule, so a rule of a whole folder touches only what differs in it.
        rule = next((rule for rule in self.rules if rule.matches(path)), None)
        if rule is not None and self._is_unfit(path, rule):
            return UndecidedPath(path, f"installers act on it, so `{rule}` cannot be", members)
        if rule is not None and (decision := self._by_rule(path, members, rule)):
            return decision
        if decision := self._about_the_wheel(path, members):
            return decision
        if len(members) == 1:
            return self._one_sided(path, members, rule)
        return self._differing(path, members, rule)

    def _is_unfit(self, path: str, rule: Rule) -> bool:
        folder, _, name = path.rpartition("/")
        return folder == self.dist_info and rule.verdict in _UNFIT.get(name, ())

    def _by_rule(self, path: str, members: Mapping[str, Member], rule: Rule) -> Decision | None:
        match rule.verdict:
            case RuleVerdict.ARM64 | RuleVerdict.X86_64 if rule.verdict.value in members:
                arch = rule.verdict.value
                verdict = Verdict.RULE if len(members) == 2 else _only(arch)
                return PathVerdict(path, verdict, {arch: members[arch]}, {}, rule)
            # Where the side that a rule chose has no such file, the fused wheel has none.
            case RuleVerdict.DROP | RuleVerdict.ARM64 | RuleVerdict.X86_64:
                return PathVerdict(path, Verdict.DROPPED, {}, {}, rule)
            case RuleVerdict.IDENTICAL:
                return UndecidedPath(
                    path, f"the rule `{rule}` wants it equal in both wheels", members
                )
            case RuleVerdict.BY_ARCHITECTURE if len(members) == 2:
                return PathVerdict(path, Verdict.HEADER, members, {}, rule)
            case RuleVerdict.BOTH if len(members) == 2:
                return PathVerdict(path, Verdict.BOTH, members, {}, rule)
            # None: what such a rule does not reach is decided as if there was none.
            case RuleVerdict.BY_ARCHITECTURE | RuleVerdict.BOTH | RuleVerdict.EITHER_SIDE:
                return None

    def _kind(self, arch: str, member: Member) -> CodeKind:
        return slices.kind_of(self.archives[arch].head(member, slices.MAGIC))

    def _one_sided(self, path: str, members: Mapping[str, Member], rule: Rule | None) -> Decision:
        ((arch, member),) = members.items()
        kept = rule is not None and rule.verdict is RuleVerdict.EITHER_SIDE
        if path in self._specified():
            return UndecidedPath(
                path, f"only the {arch} wheel has it, and installers act on it", members
            )
        if not kept and self._kind(arch, member) is not CodeKind.OTHER:
            return UndecidedPath(
                path,
                f"it is machine code, and only the {arch} wheel has it",
                members,
                RuleVerdict.EITHER_SIDE,
            )
        return PathVerdict(path, _only(arch), members, {}, rule)

    def _differing(self, path: str, members: Mapping[str, Member], rule: Rule | None) -> Decision:
        if decision := self._code(path, members, rule):
            return decision
        if headers.is_header(path):
            return PathVerdict(path, Verdict.HEADER, members, {}, rule)
        if self._is_one_build_s(members):
            what = "it differs in serial numbers and times alone, and a program may read it by name"
            return UndecidedPath(path, what, members)
        return UndecidedPath(path, "it differs, and no format says how to join it", members)

    def _is_one_build_s(self, members: Mapping[str, Member]) -> bool:
        if any(member.size > sboms.LIMIT for member in members.values()):
            return False
        return sboms.is_one_build_s(*(self.archives[arch].read(members[arch]) for arch in members))

    def _code(self, path: str, members: Mapping[str, Member], rule: Rule | None) -> Decision | None:
        """Decide about files of which one at least is machine code; None: none is."""
        try:
            read = {
                arch: slices.read_slice(self.archives[arch], member)
                for arch, member in members.items()
            }
        except slices.Unjoinable as error:
            return UndecidedPath(path, f"it differs, and {error}", members)
        joinable = {arch: slice for arch, slice in read.items() if slice is not None}
        if len(joinable) == 2:
            if reason := _slice_fault(joinable):
                return UndecidedPath(path, reason, members)
            return PathVerdict(path, Verdict.UNIVERSAL, members, joinable, rule)
        if CodeKind.UNIVERSAL in (self._kind(arch, member) for arch, member in members.items()):
            reason = "it is a universal file already, and the two wheels' differ"
            return UndecidedPath(path, reason, members)
        if joinable:
            reason = f"it is machine code in the {next(iter(joinable))} wheel alone"
            return UndecidedPath(path, reason, members)
        return None

    def _about_the_wheel(self, path: str, members: Mapping[str, Member]) -> Decision | None:
        """Decide what no program reads by its name, and METADATA of halves of two projects."""
        if len(members) < 2 or not path.startswith(f"{self.dist_info}/"):
            return None
        if sboms.is_sbom(path, self.dist_info):
            return PathVerdict(path, Verdict.BOTH, members, {})
        if path == f"{self.dist_info}/METADATA":
            return self._metadata(path, members)
        if path not in self._specified() and self._is_one_build_s(members):
            return PathVerdict(path, Verdict.BOTH, members, {})
        return None

    def _metadata(self, path: str, members: Mapping[str, Member]) -> Decision | None:
        if self.named is None:
            return None
        texts = (
            self.archives[arch].read(member, limit=_METADATA_LIMIT)
            for arch, member in members.items()
        )
        first, second = (
            [line for line in text.splitlines() if not line.startswith(b"Name:")] for text in texts
        )
        # Published under two names, as tensorflow and tensorflow_macos were, one release still has
        # one METADATA but for its Name.
        if first != second:
            return UndecidedPath(path, "it differs in more than the project's name", members)
        return PathVerdict(path, Verdict.RULE, {self.named: members[self.named]}, {})

    def _specified(self) -> frozenset[str]:
        return frozenset(f"{self.dist_info}/{name}" for name in _SPECIFIED)


def _only(arch: str) -> Verdict:
    return Verdict.ONLY_ARM64 if arch == "arm64" else Verdict.ONLY_X86_64


def _slice_fault(joinable: Mapping[str, JoinableSlice]) -> str | None:
    """Return why two slices make no file that a loader takes on both; None if they do."""
    for arch, slice in joinable.items():
        if slice.arch != arch:
            return f"the {arch} wheel's is for {slice.arch}"
    # One Mac could link against such a file (MH_DYLIB), and the other only load it (MH_BUNDLE).
    types = sorted({slice.filetype for slice in joinable.values()})
    return f"it is of two types: {', '.join(types)}" if len(types) > 1 else None
