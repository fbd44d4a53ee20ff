"""Which macOS the machine code of a fused wheel needs, whatever verdict keeps it.

Code of one side alone, code that a rule chose and universal files that both wheels have count like
slices that are joined: a loader knows no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.binaries import slices
from tensorflow_macos_build.wheels.dist_info import tags
from tensorflow_macos_build.wheels.fuse.verdicts import PathVerdict, Verdict

if TYPE_CHECKING:
    from tensorflow_macos_build.wheels.fuse.pair import WheelPair
    from tensorflow_macos_build.wheels.fuse.rules import Rule

CodeMinimums = Mapping[str, Mapping[str, tags.MacosVersion | None]]
"""By path, then by architecture: the macOS that machine code of the fused wheel needs."""


def survey(pair: WheelPair, verdicts: Mapping[str, PathVerdict]) -> CodeMinimums:
    """Return all machine code that the fused wheel will hold, whatever verdict keeps it."""
    code: dict[str, Mapping[str, tags.MacosVersion | None]] = {}
    for path, at in verdicts.items():
        if at.slices:
            code[path] = {arch: slice.minos for arch, slice in at.slices.items()}
        elif at.members and at.verdict is not Verdict.HEADER:
            # Members of both halves are equal here, so either will do.
            arch, member = next(iter(at.members.items()))
            code[path] = slices.minimums(pair.halves[arch].archive, member)
    return {path: by_arch for path, by_arch in code.items() if by_arch}


def one_sided(
    verdicts: Mapping[str, PathVerdict], code: CodeMinimums
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return code for one architecture alone: what a rule wants so, and a note for each reason."""
    stated: dict[str, list[str]] = {arch: [] for arch in tags.ARCHES}
    alike: dict[tuple[str, Rule | None], list[str]] = {}
    for path, by_arch in code.items():
        arches = [arch for arch in tags.ARCHES if arch in by_arch]
        if len(arches) == 1:
            rule = verdicts[path].rule
            alike.setdefault((arches[0], rule), []).append(path)
            stated[arches[0]] += [path] if rule is not None else []
    notes = [_one_sided_note(paths, arch, rule) for (arch, rule), paths in alike.items()]
    return {arch: tuple(paths) for arch, paths in stated.items()}, notes


def _one_sided_note(paths: list[str], arch: str, rule: Rule | None) -> str:
    why = f"by the rule `{rule}`" if rule is not None else "in both wheels"
    more = f" and {len(paths) - 1} more files are" if len(paths) > 1 else " is"
    return f"{paths[0]}{more} machine code for {arch} alone, {why}"


def needs(pair: WheelPair, code: CodeMinimums) -> tuple[dict[str, tags.MacosVersion], list[str]]:
    """Return the macOS that each architecture needs, its tag's or that of later code, and notes."""
    needed, notes = {}, []
    for arch, half in pair.halves.items():
        promised = half.lowest[arch]
        minimums = {path: by_arch.get(arch) or promised for path, by_arch in code.items()}
        latest = max(minimums.values(), default=promised)
        needed[arch] = max(promised, latest)
        # The half's own tag was wrong then; the fused wheel's must not be.
        if tags.rounded(latest) > tags.rounded(promised):
            path = next(path for path, minos in minimums.items() if minos == latest)
            notes.append(
                f"the {arch} wheel is tagged for macOS {_dotted(promised)}, but {path} needs"
                f" {_dotted(latest)}: the fused wheel is tagged for that"
            )
        if needed[arch] != tags.rounded(needed[arch]):
            notes.append(
                f"the {arch} half needs macOS {_dotted(needed[arch])}, which no tag can say: from"
                f" macOS 11 on, installers know major versions only"
            )
    return needed, notes


def _dotted(version: tags.MacosVersion) -> str:
    return f"{version[0]}.{version[1]}"
