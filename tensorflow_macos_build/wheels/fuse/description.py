"""The files that describe a fused wheel itself: WHEEL, and fused.json for `thin`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.dist_info import fused_json
from tensorflow_macos_build.wheels.dist_info.wheel_file import format_wheel
from tensorflow_macos_build.wheels.fuse.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.wheels.deflate.universal import Span
    from tensorflow_macos_build.wheels.fuse.plan import FusePlan
    from tensorflow_macos_build.wheels.fuse.verdicts import PathVerdict

_FILES = ("WHEEL", fused_json.NAME)


class FusedDescription:
    """A fused wheel's description, as far as its members are known.

    Attributes:
        spans: slices of the universal files that are written so far, by path and architecture.
    """

    def __init__(self, plan: FusePlan) -> None:
        self._plan = plan
        self.spans: dict[str, Mapping[str, Span]] = {}

    def content(self, path: str) -> bytes:
        """Return the content of one of `described_paths`; fused.json holds what is known by now."""
        is_wheel = path.endswith("/WHEEL")
        return self._wheel_file() if is_wheel else fused_json.dump(self._record())

    def _wheel_file(self) -> bytes:
        half = next(iter(self._plan.pair.halves.values()))
        name = self._plan.name
        return format_wheel(replace(half.wheel_file, tags=name.tags, build=name.build))

    def _record(self) -> fused_json.FusedRecord:
        plan, halves = self._plan, self._plan.pair.halves
        only = {"arm64": Verdict.ONLY_ARM64, "x86_64": Verdict.ONLY_X86_64}
        return fused_json.FusedRecord(
            halves={
                arch: fused_json.FusedHalf(
                    str(half.name), half.content("WHEEL").decode("utf-8"), half.stem, half.data
                )
                for arch, half in halves.items()
            },
            universal=self.spans,
            headers={path: merged.ranges for path, merged in plan.merged.items()},
            only={arch: plan.paths_with(verdict) for arch, verdict in only.items()},
            executable={
                arch: tuple(
                    path
                    for path, verdict in plan.verdicts.items()
                    if _is_executable_alone(verdict, arch)
                )
                for arch in halves
            },
            renamed=plan.renamed,
            one_sided=plan.one_sided,
        )


def described_paths(dist_info: str) -> tuple[str, ...]:
    """Return the paths of the files that describe a fused wheel; RECORD, the last of all, apart."""
    return tuple(f"{dist_info}/{name}" for name in _FILES)


def _is_executable_alone(verdict: PathVerdict, arch: str) -> bool:
    """Whether both wheels have a file, and that of `arch` alone lets it be executed."""
    executable = [half for half, member in verdict.members.items() if member.executable]
    return len(verdict.members) == 2 and executable == [arch]
