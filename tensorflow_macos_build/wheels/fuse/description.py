"""The files that describe a fused wheel itself: WHEEL, and fused.json for `thin`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.dist_info import fused_json
from tensorflow_macos_build.wheels.dist_info.wheel_file import format_wheel
from tensorflow_macos_build.wheels.fuse.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tensorflow_macos_build.wheels.deflate.universal import Span
    from tensorflow_macos_build.wheels.fuse.plan import FusePlan

_FILES = ("WHEEL", fused_json.NAME)


def described_paths(dist_info: str) -> tuple[str, ...]:
    """Return the paths of the files that describe a fused wheel; RECORD, the last of all, apart."""
    return tuple(f"{dist_info}/{name}" for name in _FILES)


def description(
    path: str, plan: FusePlan, spans: Callable[[], Mapping[str, Mapping[str, Span]]]
) -> bytes:
    """Return the content of one of `described_paths`.

    Args:
        path: which.
        plan: what is fused.
        spans: gives the slices of all universal files, by path and architecture.
    """
    if path.endswith("/WHEEL"):
        return _wheel_file(plan)
    return fused_json.dump(_record(plan, spans()))


def _wheel_file(plan: FusePlan) -> bytes:
    half = next(iter(plan.pair.halves.values()))
    return format_wheel(replace(half.wheel_file, tags=plan.name.tags, build=plan.name.build))


def _record(plan: FusePlan, spans: Mapping[str, Mapping[str, Span]]) -> fused_json.FusedRecord:
    halves = plan.pair.halves
    only = {"arm64": Verdict.ONLY_ARM64, "x86_64": Verdict.ONLY_X86_64}
    return fused_json.FusedRecord(
        # WHEEL's text as it stands: `thin` gives each half its generator and unknown fields back.
        halves={
            arch: fused_json.FusedHalf(
                str(half.name), half.content("WHEEL").decode("utf-8"), half.stem, half.data
            )
            for arch, half in halves.items()
        },
        universal=spans,
        headers={path: merged.ranges for path, merged in plan.merged.items()},
        only={arch: plan.paths_with(verdict) for arch, verdict in only.items()},
        executable={arch: _executable_alone(plan, arch) for arch in halves},
        renamed=plan.renamed,
        one_sided=plan.one_sided,
    )


def _executable_alone(plan: FusePlan, arch: str) -> tuple[str, ...]:
    """Return the files of both wheels that `arch`'s alone lets be executed."""
    return tuple(
        path
        for path, at in plan.verdicts.items()
        if len(at.members) == 2
        if [half for half, member in at.members.items() if member.executable] == [arch]
    )
