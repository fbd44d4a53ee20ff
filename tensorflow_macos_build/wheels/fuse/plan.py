"""Deciding how two wheels are fused: values that `fuse` carries out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.wheels.archive.members import ArchiveLimits
from tensorflow_macos_build.wheels.dist_info import fused_json, record, tags
from tensorflow_macos_build.wheels.fuse import clashes, deployment, headers
from tensorflow_macos_build.wheels.fuse.differences import difference
from tensorflow_macos_build.wheels.fuse.pair import WheelPair, match
from tensorflow_macos_build.wheels.fuse.verdict_rules import VerdictRules
from tensorflow_macos_build.wheels.fuse.verdicts import PathVerdict, UndecidedPath, Verdict, apart
from tensorflow_macos_build.wheels.open_wheel import OpenWheel, UnfitWheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.fuse.rules import Rule
    from tensorflow_macos_build.wheels.fuse.verdicts import Decision

_SHOWN = 60
_SHOWN_DIFFERENCES = 8
"""Undecided paths that an error names, and of how many it shows the difference: both wheels have
to be inflated for each."""


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
        paths: each of them.
    """

    def __init__(self, paths: Sequence[UndecidedPath], shown: str) -> None:
        count = f"{len(paths)} file" + ("s have" if len(paths) > 1 else " has")
        super().__init__(
            f"{count} no verdict",
            detail=shown,
            hint=f"state one, e.g. --rule '{paths[0].rule}', or in the config's fuse.rules",
        )
        self.paths = tuple(paths)


@dataclass(frozen=True)
class Decisions:
    """What becomes of every path.

    Attributes:
        pair: the wheels.
        verdicts: by path.
        merged: merged headers by path.
        renamed: for files of both that are kept beside each other: by architecture, the path that
            both have, by that in the fused wheel.
    """

    pair: WheelPair
    verdicts: Mapping[str, PathVerdict]
    merged: Mapping[str, headers.MergedHeader]
    renamed: Mapping[str, Mapping[str, str]]

    def paths_with(self, verdict: Verdict) -> tuple[str, ...]:
        """Return the paths of a verdict, in order."""
        return tuple(path for path, at in self.verdicts.items() if at.verdict is verdict)


@dataclass(frozen=True)
class FusePlan(Decisions):
    """What becomes of every path, and what the fused wheel says of itself.

    Attributes:
        name: the fused wheel's name.
        one_sided: machine code that by a rule is there for one architecture alone.
        notes: what a person should know.
    """

    name: tags.WheelName
    one_sided: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def decide(first: OpenWheel, second: OpenWheel, options: FuseOptions) -> Decisions:
    """Decide what becomes of every path; nothing but texts that are merged is inflated whole.

    Raises:
        UsageError: the wheels do not belong together, or an option is malformed.
        BrokenWheel: a wheel is damaged or hostile.
        Undecided: some paths have no verdict.
    """
    # A name from the command line, in any spelling.
    alias = None if options.alias is None else tags.canonical(options.alias)
    pair = match(first, second, alias=alias, build=_build(options.build))
    archives = {arch: half.archive for arch, half in pair.halves.items()}
    decisions, merged = _decisions(pair, archives, options.rules)
    given = [decision for decision in decisions if isinstance(decision, PathVerdict)]
    # From here on a BOTH is its two files, each of which may clash with a third.
    kept = [part for verdict in given for part in apart(verdict)]
    renamed = _renamed(given)
    undecided = [decision for decision in decisions if isinstance(decision, UndecidedPath)]
    undecided += clashes.undecided(kept, pair, renamed)
    # All at once: a person states rules for all of them, and does not try again for each.
    if undecided:
        raise Undecided(undecided, _shown(undecided, archives))
    return Decisions(pair, {verdict.path: verdict for verdict in kept}, merged, renamed)


def plan(decisions: Decisions, options: FuseOptions) -> FusePlan:
    """Find what the fused wheel says of itself; it hangs on the macOS that its code needs.

    Raises:
        BrokenWheel: a wheel is damaged or hostile.
        UnfitWheel: no tag says which macOS the code needs.
    """
    pair, verdicts = decisions.pair, decisions.verdicts
    # Of what is kept: a file that a rule leaves out asks for no macOS any more.
    code = deployment.survey(pair, verdicts)
    needs, notes = deployment.needs(pair, code)
    platforms = _platforms(pair, needs, notes, universal2=options.universal2_tag)
    name = replace(pair.name, platforms=platforms)
    one_sided, asides = deployment.one_sided(verdicts, code)
    # A rule without effect may be misspelled, or for files that a new release no longer has.
    unused = set(options.rules) - {verdict.rule for verdict in verdicts.values()}
    notes += [f"the rule `{rule}` decided nothing" for rule in sorted(unused, key=str)]
    decided = (pair, verdicts, decisions.merged, decisions.renamed)
    return FusePlan(*decided, name, one_sided, (*notes, *asides))


def _decisions(
    pair: WheelPair, archives: Mapping[str, Archive], stated: Sequence[Rule]
) -> tuple[list[Decision], dict[str, headers.MergedHeader]]:
    """Return what is decided about every path that does not describe the wheel, and headers."""
    rules = VerdictRules(archives, stated, pair.dist_info, pair.named)
    own = _own_paths(pair.dist_info)
    merged: dict[str, headers.MergedHeader] = {}
    decisions = [
        _merged(rules.decide(path, members), pair, merged)
        for path, members in pair.paths().items()
        if path not in own
    ]
    return decisions, merged


def _platforms(
    pair: WheelPair, needs: dict[str, tags.MacosVersion], notes: Sequence[str], *, universal2: bool
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


def _own_paths(dist_info: str) -> frozenset[str]:
    """Return the paths that describe the wheel itself: the fused one has its own, or none."""
    return record.own_paths(dist_info) | {
        f"{dist_info}/{name}" for name in ("WHEEL", fused_json.NAME)
    }


def _merged(
    decision: Decision, pair: WheelPair, merged: dict[str, headers.MergedHeader]
) -> Decision:
    """Return a decision as it is; merge the texts of a header on the way.

    Whether two texts can be merged is known only then, and what cannot be is undecided.
    """
    if isinstance(decision, UndecidedPath) or decision.verdict is not Verdict.HEADER:
        return decision
    path, members = decision.path, decision.members
    texts = {
        arch: pair.halves[arch].read(member, limit=headers.LIMIT)
        for arch, member in members.items()
    }
    try:
        merged[path] = headers.merge(**texts)
    except headers.Unmergeable as error:
        return UndecidedPath(path, f"it cannot be merged: {error}", members)
    return decision


def _renamed(verdicts: Sequence[PathVerdict]) -> dict[str, dict[str, str]]:
    renamed: dict[str, dict[str, str]] = {arch: {} for arch in tags.ARCHES}
    for both in verdicts:
        if both.verdict is Verdict.BOTH:
            for part in apart(both):
                (arch,) = part.members
                renamed[arch][part.path] = both.path
    return renamed


def _shown(undecided: Sequence[UndecidedPath], archives: Mapping[str, Archive]) -> str:
    lines = []
    for index, at in enumerate(undecided[:_SHOWN]):
        lines.append(f"{at.path}: {at.reason}")
        if index < _SHOWN_DIFFERENCES:
            lines += [f"    {line}" for line in difference(at, archives).splitlines()]
    if len(undecided) > _SHOWN:
        lines.append(f"… and {len(undecided) - _SHOWN} more")
    return "\n".join(lines)
