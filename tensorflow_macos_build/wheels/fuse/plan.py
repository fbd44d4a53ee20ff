"""Deciding how two wheels are fused, before any work: a value that `fuse` carries out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.wheels.archive.members import ArchiveLimits
from tensorflow_macos_build.wheels.dist_info import fused_json, record, tags
from tensorflow_macos_build.wheels.fuse import clashes, deployment, headers
from tensorflow_macos_build.wheels.fuse.pair import WheelPair, match
from tensorflow_macos_build.wheels.fuse.verdicts import (
    PathVerdict,
    UndecidedPath,
    Verdict,
    VerdictRules,
    apart,
)
from tensorflow_macos_build.wheels.open_wheel import OpenWheel, UnfitWheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.wheels.fuse.rules import Rule

_SHOWN_DIFFERENCES = 8
_SHOWN_FAULTS = 60


@dataclass(frozen=True)
class FuseOptions:
    """How two wheels are joined.

    Attributes:
        alias: the project that the fused wheel is of, when its halves are of two: "tensorflow"
            for a `tensorflow` and a `tensorflow_macos` wheel.
        build: the fused wheel's build tag; None: that of both halves.
        universal2_tag: whether to add a universal2 platform tag.
        rules: stated verdicts; the first that matches a path counts.
        limits: what an input wheel may claim.
        threads: how many threads prepare members; 0: one for each processor, at most 8.
    """

    alias: str | None = None
    build: str | None = None
    universal2_tag: bool = False
    rules: Sequence[Rule] = ()
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    threads: int = 0


class Undecided(WorkFailed):
    """Some paths have no verdict.

    Attributes:
        faults: each of them.
    """

    def __init__(self, faults: Sequence[UndecidedPath], shown: str) -> None:
        count = f"{len(faults)} file" + ("s have" if len(faults) > 1 else " has")
        super().__init__(
            f"{count} no verdict",
            detail=shown,
            hint=f"state one, e.g. --rule '{faults[0].rule}', or in the config's fuse.rules",
        )
        self.faults = tuple(faults)


@dataclass(frozen=True)
class FusePlan:
    """Every decision, before any work.

    Attributes:
        pair: the wheels.
        name: the fused wheel's name.
        choices: by path.
        merged: merged headers by path.
        renamed: for files of both that are kept beside each other: by architecture, the path that
            both have, by that in the fused wheel.
        one_sided: machine code that by a rule is there for one architecture alone.
        notes: what a person should know.
    """

    pair: WheelPair
    name: tags.WheelName
    choices: Mapping[str, PathVerdict]
    merged: Mapping[str, headers.MergedHeader]
    renamed: Mapping[str, Mapping[str, str]]
    one_sided: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def plan(first: OpenWheel, second: OpenWheel, options: FuseOptions) -> FusePlan:
    """Decide everything about two wheels; nothing but texts that are merged is inflated whole.

    Raises:
        UsageError: the wheels do not belong together, or an option is malformed.
        BrokenWheel: a wheel is damaged or hostile.
        Undecided: some paths have no verdict.
    """
    alias = None if options.alias is None else tags.canonical(options.alias)
    pair = match(first, second, alias=alias, build=_build(options.build))
    archives = {arch: half.archive for arch, half in pair.halves.items()}
    judge = VerdictRules(archives, options.rules, pair.dist_info, pair.named)
    merged: dict[str, headers.MergedHeader] = {}
    judged = [
        _merged(judge.judge(path, members), pair, merged)
        for path, members in pair.paths().items()
        if not _is_own(path, pair.dist_info)
    ]
    kept = [part for one in judged if isinstance(one, PathVerdict) for part in apart(one)]
    faults = [one for one in judged if isinstance(one, UndecidedPath)]
    renamed = _renamed(judged)
    faults += clashes.faults(kept, pair, renamed)
    if faults:
        raise Undecided(faults, _shown(faults, judge))
    choices = {choice.path: choice for choice in kept}
    code = deployment.survey(pair, choices)
    needs, notes = deployment.needs(pair, code)
    platforms = _platforms(pair, needs, notes, universal2=options.universal2_tag)
    name = replace(pair.name, platforms=platforms)
    one_sided, asides = deployment.one_sided(choices, code)
    unused = set(options.rules) - {choice.rule for choice in choices.values()}
    notes += [f"the rule `{rule}` decided nothing" for rule in sorted(unused, key=str)]
    return FusePlan(pair, name, choices, merged, renamed, one_sided, (*notes, *asides))


def _platforms(
    pair: WheelPair, needs: dict[str, tags.Os], notes: Sequence[str], *, universal2: bool
) -> tuple[str, ...]:
    try:
        return tags.platform_tags(needs, universal2=universal2)
    except tags.BadName as error:
        where = " and ".join(half.archive.path.name for half in pair.halves.values())
        raise UnfitWheel(
            str(error),
            where=where,
            detail="\n".join(notes),
            hint="give wheels whose code says rightly which macOS it needs, or leave a file out"
            " by a rule",
        ) from None


def _build(build: str | None) -> str | None:
    try:
        return None if build is None else tags.check_build(build)
    except tags.BadName as error:
        raise UsageError(str(error), where="--build-tag") from None


def _is_own(path: str, dist_info: str) -> bool:
    """Whether a path describes the wheel itself, so that the fused one has its own or none."""
    own = {f"{dist_info}/{name}" for name in ("WHEEL", fused_json.NAME)}
    return path in own | record.own_paths(dist_info)


def _merged(
    found: PathVerdict | UndecidedPath, pair: WheelPair, merged: dict[str, headers.MergedHeader]
) -> PathVerdict | UndecidedPath:
    """Return a verdict as it is; merge the texts of a header on the way."""
    if isinstance(found, UndecidedPath) or found.verdict is not Verdict.HEADER:
        return found
    texts = {
        arch: pair.halves[arch].read(member, limit=headers.LIMIT)
        for arch, member in found.members.items()
    }
    try:
        merged[found.path] = headers.merge(**texts)
    except headers.Unmergeable as error:
        return UndecidedPath(found.path, f"it cannot be merged: {error}", found.members)
    return found


def _renamed(judged: Sequence[PathVerdict | UndecidedPath]) -> dict[str, dict[str, str]]:
    renamed: dict[str, dict[str, str]] = {arch: {} for arch in tags.ARCHES}
    for one in judged:
        if isinstance(one, PathVerdict) and one.verdict is Verdict.BOTH:
            for part in apart(one):
                (arch,) = part.members
                renamed[arch][part.path] = one.path
    return renamed


def _shown(faults: Sequence[UndecidedPath], judge: VerdictRules) -> str:
    lines = []
    for index, fault in enumerate(faults[:_SHOWN_FAULTS]):
        lines.append(f"{fault.path}: {fault.reason}")
        if index < _SHOWN_DIFFERENCES:
            lines += [f"    {line}" for line in judge.difference(fault).splitlines()]
    if len(faults) > _SHOWN_FAULTS:
        lines.append(f"… and {len(faults) - _SHOWN_FAULTS} more")
    return "\n".join(lines)
