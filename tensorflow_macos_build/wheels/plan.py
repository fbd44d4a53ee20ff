"""Deciding how two wheels are fused, before any work: a value that `fuse` carries out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.wheels import headers, metadata, record, tags
from tensorflow_macos_build.wheels.members import Limits
from tensorflow_macos_build.wheels.pair import Half, Pair, match
from tensorflow_macos_build.wheels.verdicts import Choice, Fault, Judge, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.wheels.rules import Rule

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
    limits: Limits = field(default_factory=Limits)
    threads: int = 0


class Undecided(WorkFailed):
    """Some paths have no verdict.

    Attributes:
        faults: each of them.
    """

    def __init__(self, faults: Sequence[Fault], shown: str) -> None:
        count = f"{len(faults)} file" + ("s have" if len(faults) > 1 else " has")
        super().__init__(
            f"{count} no verdict",
            detail=shown,
            hint=f"state one, e.g. --rule '{faults[0].path}=arm64', or in the config's fuse.rules",
        )
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Plan:
    """Every decision, before any work.

    Attributes:
        pair: the wheels.
        name: the fused wheel's name.
        choices: by path.
        merged: merged headers by path.
        notes: what a person should know.
    """

    pair: Pair
    name: tags.WheelName
    choices: Mapping[str, Choice]
    merged: Mapping[str, headers.Merged]
    notes: tuple[str, ...]


def plan(first: Half, second: Half, options: FuseOptions) -> Plan:
    """Decide everything about two wheels; nothing but texts that are merged is inflated whole.

    Raises:
        UsageError: the wheels do not belong together, or an option is malformed.
        BrokenWheel: a wheel is damaged or hostile.
        Undecided: some paths have no verdict.
    """
    alias = None if options.alias is None else tags.canonical(options.alias)
    pair = match(first, second, alias=alias, build=_build(options.build))
    archives = {arch: half.archive for arch, half in pair.halves.items()}
    judge = Judge(archives, options.rules, pair.dist_info, pair.named)
    choices: dict[str, Choice] = {}
    faults: list[Fault] = []
    merged: dict[str, headers.Merged] = {}
    for path, members in pair.paths().items():
        if _is_own(path, pair.dist_info):
            continue
        found = judge.judge(path, members)
        if isinstance(found, Choice) and found.verdict is Verdict.HEADER:
            found = _merge(found, pair, merged)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            choices[path] = found
    if faults:
        raise Undecided(faults, _shown(faults, judge))
    needs, notes = _needs(pair, choices)
    platforms = tags.platform_tags(needs, universal2=options.universal2_tag)
    name = replace(pair.name, platforms=platforms)
    unused = set(options.rules) - {choice.rule for choice in choices.values()}
    notes += [f"the rule `{rule}` decided nothing" for rule in sorted(unused, key=str)]
    notes += _one_sided_code(judge, choices)
    return Plan(pair, name, choices, merged, tuple(notes))


def _build(build: str | None) -> str | None:
    try:
        return None if build is None else tags.check_build(build)
    except tags.BadName as error:
        raise UsageError(str(error), where="--build-tag") from None


def _is_own(path: str, dist_info: str) -> bool:
    """Tell whether a path describes the wheel itself, so that the fused one has its own or none."""
    own = ("WHEEL", "RECORD", record.NAME, *metadata.SIGNATURES)
    return path in {f"{dist_info}/{name}" for name in own}


def _merge(choice: Choice, pair: Pair, merged: dict[str, headers.Merged]) -> Choice | Fault:
    texts = {
        arch: pair.halves[arch].read(member, limit=headers.LIMIT)
        for arch, member in choice.members.items()
    }
    try:
        merged[choice.path] = headers.merge(**texts)
    except headers.Unmergeable as error:
        return Fault(choice.path, f"it cannot be merged: {error}", choice.members)
    return choice


def _one_sided_code(judge: Judge, choices: Mapping[str, Choice]) -> list[str]:
    return [
        f"{path} is machine code of the {arch} wheel alone, by the rule `{choice.rule}`"
        for path, choice in choices.items()
        if choice.rule is not None and len(choice.members) == 1
        for arch, member in choice.members.items()
        if judge.is_code(arch, member)
    ]


def _shown(faults: Sequence[Fault], judge: Judge) -> str:
    lines = []
    for index, fault in enumerate(faults[:_SHOWN_FAULTS]):
        lines.append(f"{fault.path}: {fault.reason}")
        if index < _SHOWN_DIFFERENCES:
            lines += [f"    {line}" for line in judge.difference(fault).splitlines()]
    if len(faults) > _SHOWN_FAULTS:
        lines.append(f"… and {len(faults) - _SHOWN_FAULTS} more")
    return "\n".join(lines)


def _needs(pair: Pair, choices: Mapping[str, Choice]) -> tuple[dict[str, tags.Os], list[str]]:
    """Give the macOS that each architecture needs: its tag's, or a slice's if that is later."""
    needs, notes = {}, []
    for arch, half in pair.halves.items():
        promised = half.lowest[arch]
        found = {
            path: choice.slices[arch].minos or promised
            for path, choice in choices.items()
            if arch in choice.slices
        }
        latest = max(found.values(), default=promised)
        needs[arch] = max(promised, latest)
        if tags.rounded(latest) > tags.rounded(promised):
            path = next(path for path, minos in found.items() if minos == latest)
            notes.append(
                f"the {arch} wheel is tagged for macOS {_dotted(promised)}, but {path} needs"
                f" {_dotted(latest)}: the fused wheel is tagged for that"
            )
        if needs[arch] != tags.rounded(needs[arch]):
            notes.append(
                f"the {arch} half needs macOS {_dotted(needs[arch])}, which no tag can say: from"
                f" macOS 11 on, installers know major versions only"
            )
    return needs, notes


def _dotted(version: tags.Os) -> str:
    return f"{version[0]}.{version[1]}"
