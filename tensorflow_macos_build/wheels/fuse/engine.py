"""Fusing an arm64 and an x86_64 wheel into one universal2 wheel.

First every path gets a verdict, from headers and beginnings of files alone; what has none is
refused before any work. Then threads prepare the members, largest first, while this one writes
them in the wheel's order. Nothing is deflated: streams are copied, or spliced (`deflate.splice`).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import cycles
from tensorflow_macos_build.wheels.archive.writer import order
from tensorflow_macos_build.wheels.dist_info import record
from tensorflow_macos_build.wheels.fuse.description import described_paths, description
from tensorflow_macos_build.wheels.fuse.plan import FuseOptions, FusePlan, Undecided, decide, plan
from tensorflow_macos_build.wheels.fuse.pool import PreparerPool
from tensorflow_macos_build.wheels.fuse.prepare import MemberPreparer
from tensorflow_macos_build.wheels.fuse.verdicts import Verdict
from tensorflow_macos_build.wheels.new_wheel import Assembly, new_wheel
from tensorflow_macos_build.wheels.open_wheel import open_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker

__all__ = ["FuseOptions", "Fused", "Undecided", "Verdict", "fuse"]


@dataclass(frozen=True)
class Fused:
    """A fused wheel.

    Attributes:
        wheel: where it is.
        sha256: of its file, 64 hexadecimal digits.
        files: its paths by verdict, sorted; those that were dropped are listed too.
        notes: what a person should know: minimums that tags cannot carry, rules without a match.
    """

    wheel: Path
    sha256: str
    files: Mapping[Verdict, tuple[str, ...]]
    notes: tuple[str, ...]


@cycles.rarely_sought()
def fuse(
    first: Path, second: Path, out: Path, options: FuseOptions, ticker: Ticker | None = None
) -> Fused:
    """Fuse two wheels; their order is of no account.

    Args:
        first: a thin wheel.
        second: the thin wheel of the other architecture.
        out: the folder that gets the fused wheel, which appears only when it is whole.
        options: how.
        ticker: is told how many MB of content are checked.

    Raises:
        UsageError: the wheels do not belong together, or an option is malformed.
        BrokenWheel: a wheel is damaged, hostile, or not what its RECORD says.
        Undecided: some paths have no verdict.
    """
    # Both stay open to the end: their data is copied while the new wheel is written.
    with contextlib.ExitStack() as stack:
        halves = [stack.enter_context(open_wheel(path, options.limits)) for path in (first, second)]
        decisions = decide(halves[0], halves[1], options)
        pool = stack.enter_context(
            PreparerPool(MemberPreparer(decisions.pair.halves), options.threads)
        )
        pool.submit(decisions, ticker)
        # The threads are at work: finding the name takes a look into each file for machine code.
        decided = plan(decisions, options)
        wheel = out / str(decided.name)
        with new_wheel(wheel, options.limits) as made:
            digest = _write(decided, made, pool)
        return Fused(wheel, digest, _files(decided), decided.notes)


def _write(decided: FusePlan, made: Assembly, pool: PreparerPool) -> str:
    """Write the wheel; return the SHA-256 of its file."""
    dist_info, verdicts = decided.pair.dist_info, decided.verdicts
    kept = [path for path, at in verdicts.items() if at.verdict is not Verdict.DROPPED]
    described = described_paths(dist_info)
    # dist-info comes last: fused.json waits for all slices, which are nearly done by then.
    for path in order([*kept, *described], dist_info):
        if path in described:
            made.store(path, description(path, decided, pool.spans))
        # Merged headers are made already: a text must be read to know whether it can be merged.
        elif path in decided.merged:
            merged = decided.merged[path].content
            made.store(path, merged, executable=verdicts[path].executable)
        else:
            prepared = pool.result(path)
            made.add(prepared.entry, prepared.data(), prepared.sha256)
    return made.finish(f"{dist_info}/RECORD")


def _files(decided: FusePlan) -> dict[Verdict, tuple[str, ...]]:
    """Return the paths by verdict, those of the wheel's own description included."""
    dist_info = decided.pair.dist_info
    paths = {verdict: list(decided.paths_with(verdict)) for verdict in Verdict}
    paths[Verdict.WRITTEN] += [*described_paths(dist_info), f"{dist_info}/RECORD"]
    # They sign the halves' RECORDs, and nobody here can sign the new one.
    signatures = {f"{dist_info}/{name}" for name in record.SIGNATURES}
    paths[Verdict.DROPPED] += signatures & decided.pair.paths().keys()
    return {verdict: tuple(sorted(several)) for verdict, several in paths.items()}
