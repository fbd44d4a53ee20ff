"""A verdict for every path of two wheels: what the fused wheel holds there, and why.

The order in which the wheels were named never counts: a side is known by its architecture. What
neither a format nor a rule decides is a fault, shown with its difference.
"""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import printable
from tensorflow_macos_build.wheels.binaries import slices
from tensorflow_macos_build.wheels.binaries.slices import CodeKind, JoinableSlice
from tensorflow_macos_build.wheels.dist_info import sboms
from tensorflow_macos_build.wheels.fuse import headers
from tensorflow_macos_build.wheels.fuse.rules import Rule, RuleVerdict, escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.archive.reader import Archive

_DIFF_BEFORE = 1 << 10
_DIFF_INPUT = 1 << 17
_DIFF_LINES = 24
_METADATA_LIMIT = 4 << 20
_SPECIFIED = ("METADATA", "entry_points.txt")
"""Files of dist-info that installers act on: no side may have its own."""

_UNFIT = {
    "METADATA": (RuleVerdict.DROP, RuleVerdict.BOTH, RuleVerdict.BY_ARCHITECTURE),
    "entry_points.txt": (RuleVerdict.BOTH, RuleVerdict.BY_ARCHITECTURE),
}
"""What no rule can say of such files: installers would find none, or none that they can read."""


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


@dataclass(frozen=True)
class VerdictRules:
    """Gives verdicts for the paths of two wheels.

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

    def judge(self, path: str, members: Mapping[str, Member]) -> PathVerdict | UndecidedPath:
        """Decide what the fused wheel holds at a path.

        A choice of BOTH stands for two files, which `apart` gives.

        Raises:
            BrokenWheel: a member is damaged.
        """
        declared = {(member.size, member.crc) for member in members.values()}
        if len(members) == 2 and len(declared) == 1:
            return PathVerdict(path, Verdict.IDENTICAL, members, {})
        rule = next((rule for rule in self.rules if rule.matches(path)), None)
        if rule is not None and self._is_unfit(path, rule):
            return UndecidedPath(path, f"installers act on it, so `{rule}` cannot be", members)
        if rule is not None and (found := self._by_rule(path, members, rule)):
            return found
        if found := self._about_the_wheel(path, members):
            return found
        if len(members) == 1:
            return self._one_sided(path, members, rule)
        return self._differing(path, members, rule)

    def is_code(self, arch: str, member: Member) -> bool:
        """Whether a member is machine code."""
        return slices.kind_of(self.archives[arch].head(member, 8)) is not CodeKind.OTHER

    def _is_unfit(self, path: str, rule: Rule) -> bool:
        folder, _, name = path.rpartition("/")
        return folder == self.dist_info and rule.verdict in _UNFIT.get(name, ())

    def _by_rule(
        self, path: str, members: Mapping[str, Member], rule: Rule
    ) -> PathVerdict | UndecidedPath | None:
        match rule.verdict:
            case RuleVerdict.ARM64 | RuleVerdict.X86_64 if rule.verdict.value in members:
                arch = rule.verdict.value
                verdict = Verdict.RULE if len(members) == 2 else _only(arch)
                return PathVerdict(path, verdict, {arch: members[arch]}, {}, rule)
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
            case RuleVerdict.BY_ARCHITECTURE | RuleVerdict.BOTH | RuleVerdict.EITHER_SIDE:
                return None

    def _one_sided(
        self, path: str, members: Mapping[str, Member], rule: Rule | None
    ) -> PathVerdict | UndecidedPath:
        ((arch, member),) = members.items()
        kept = rule is not None and rule.verdict is RuleVerdict.EITHER_SIDE
        if path in self._specified():
            return UndecidedPath(
                path, f"only the {arch} wheel has it, and installers act on it", members
            )
        if not kept and self.is_code(arch, member):
            return UndecidedPath(
                path,
                f"it is machine code, and only the {arch} wheel has it",
                members,
                RuleVerdict.EITHER_SIDE,
            )
        return PathVerdict(path, _only(arch), members, {}, rule)

    def _differing(
        self, path: str, members: Mapping[str, Member], rule: Rule | None
    ) -> PathVerdict | UndecidedPath:
        if found := self._code(path, members, rule):
            return found
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

    def _code(
        self, path: str, members: Mapping[str, Member], rule: Rule | None
    ) -> PathVerdict | UndecidedPath | None:
        """Decide about files of which one at least is machine code; None: none is."""
        try:
            found = {
                arch: slices.read_slice(self.archives[arch], member)
                for arch, member in members.items()
            }
        except slices.Unjoinable as error:
            return UndecidedPath(path, f"it differs, and {error}", members)
        cut = {arch: slice for arch, slice in found.items() if slice is not None}
        if len(cut) == 2:
            reason = _slice_fault(cut)
            return (
                UndecidedPath(path, reason, members)
                if reason
                else (PathVerdict(path, Verdict.UNIVERSAL, members, cut, rule))
            )
        heads = (self.archives[arch].head(member, 8) for arch, member in members.items())
        if CodeKind.UNIVERSAL in map(slices.kind_of, heads):
            reason = "it is a universal file already, and the two wheels' differ"
            return UndecidedPath(path, reason, members)
        if cut:
            return UndecidedPath(
                path, f"it is machine code in the {next(iter(cut))} wheel alone", members
            )
        return None

    def difference(self, fault: UndecidedPath) -> str:
        """Show how the two sides of a path differ: a short unified difference, or sizes."""
        if len(fault.members) < 2:
            return ""
        streams = {
            arch: functools.partial(self.archives[arch].stream, member)
            for arch, member in sorted(fault.members.items())
        }
        at = _first_difference(*(stream() for stream in streams.values()))
        is_large = any(member.size > _DIFF_INPUT for member in fault.members.values())
        begin = max(0, at - _DIFF_BEFORE) if is_large else 0
        texts = {arch: _part(stream(), begin, _DIFF_INPUT) for arch, stream in streams.items()}
        if any(b"\0" in text for text in texts.values()):
            sizes = (f"{arch}: {member.size} bytes" for arch, member in fault.members.items())
            return f"binary, {', '.join(sorted(sizes))}, different from offset {at}"
        lines = _text_difference(texts, f" from offset {begin}" if is_large else "")
        # Where large texts are cut they seem to differ, so what follows the first hunk is dropped.
        return _shown(_first_hunk(lines) if is_large else lines)

    def _about_the_wheel(
        self, path: str, members: Mapping[str, Member]
    ) -> PathVerdict | UndecidedPath | None:
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

    def _metadata(
        self, path: str, members: Mapping[str, Member]
    ) -> PathVerdict | UndecidedPath | None:
        if self.named is None:
            return None
        lines = [
            [
                line
                for line in self.archives[arch].read(member, limit=_METADATA_LIMIT).splitlines()
                if line[:5] != b"Name:"
            ]
            for arch, member in members.items()
        ]
        if lines[0] != lines[1]:
            return UndecidedPath(path, "it differs in more than the project's name", members)
        return PathVerdict(path, Verdict.RULE, {self.named: members[self.named]}, {})

    def _specified(self) -> frozenset[str]:
        return frozenset(f"{self.dist_info}/{name}" for name in _SPECIFIED)


def apart(choice: PathVerdict) -> list[PathVerdict]:
    """Return the files that a choice stands for: two for BOTH, each named by its architecture."""
    if choice.verdict is not Verdict.BOTH:
        return [choice]
    return [
        PathVerdict(sboms.named(choice.path, arch), Verdict.BOTH, {arch: member}, {}, choice.rule)
        for arch, member in choice.members.items()
    ]


def _only(arch: str) -> Verdict:
    return Verdict.ONLY_ARM64 if arch == "arm64" else Verdict.ONLY_X86_64


def _slice_fault(cut: Mapping[str, JoinableSlice]) -> str | None:
    for arch, slice in cut.items():
        if slice.arch != arch:
            return f"the {arch} wheel's is for {slice.arch}"
    kinds = sorted({slice.filetype for slice in cut.values()})
    return f"it is of two types: {', '.join(kinds)}" if len(kinds) > 1 else None


def _first_difference(first: Iterator[bytes], second: Iterator[bytes]) -> int:
    """Return the offset of the first byte in which two contents differ, or one of them ends."""
    offset, one, other = 0, b"", b""
    while True:
        one, other = one or next(first, b""), other or next(second, b"")
        size = min(len(one), len(other))
        if size == 0 or one[:size] != other[:size]:
            return offset + next((at for at in range(size) if one[at] != other[at]), size)
        offset, one, other = offset + size, one[size:], other[size:]


def _part(pieces: Iterator[bytes], begin: int, size: int) -> bytes:
    """Return at most `size` bytes of a content from `begin` on."""
    found = b""
    for piece in pieces:
        found += piece[begin:]
        begin = max(0, begin - len(piece))
        if len(found) >= size:
            break
    return found[:size]


def _text_difference(texts: Mapping[str, bytes], place: str) -> Iterator[str]:
    (one, first), (other, second) = texts.items()
    return difflib.unified_diff(
        first.decode("utf-8", "backslashreplace").splitlines(),
        second.decode("utf-8", "backslashreplace").splitlines(),
        *(one + place, other + place),
        lineterm="",
        n=1,
    )


def _first_hunk(lines: Iterator[str]) -> Iterator[str]:
    hunks = 0
    for line in lines:
        hunks += line.startswith("@@")
        if hunks > 1:
            return
        yield line


def _shown(lines: Iterator[str]) -> str:
    shown = [printable(line[:160]) for _, line in zip(range(_DIFF_LINES + 1), lines, strict=False)]
    if len(shown) > _DIFF_LINES:
        shown[_DIFF_LINES:] = ["…"]
    return "\n".join(shown)
