"""Fusing an arm64 and an x86_64 wheel into one universal2 wheel.

First every path gets a verdict, from headers and beginnings of files alone; what has none is
refused before any work. Then threads prepare the members, largest first, while this one writes
them in the wheel's order. Nothing is deflated: streams are copied, or spliced (`splice`).
"""

from __future__ import annotations

import contextlib
import itertools
import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.archive.writer import order
from tensorflow_macos_build.wheels.dist_info import fused_json, record
from tensorflow_macos_build.wheels.dist_info.wheel_file import format_wheel
from tensorflow_macos_build.wheels.fuse.plan import FuseOptions, FusePlan, Undecided, plan
from tensorflow_macos_build.wheels.fuse.prepare import MemberPreparer, Prepared
from tensorflow_macos_build.wheels.fuse.verdicts import PathVerdict, Verdict
from tensorflow_macos_build.wheels.new_wheel import Assembly, new_wheel
from tensorflow_macos_build.wheels.open_wheel import open_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.deflate.universal import Span

__all__ = ["FuseOptions", "Fused", "Undecided", "Verdict", "fuse"]

_BATCH_FILES = 64
_BATCH_BYTES = 4 << 20
_POLL = 0.25
_MAX_THREADS = 8


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
    with contextlib.ExitStack() as stack:
        halves = [stack.enter_context(open_wheel(path, options.limits)) for path in (first, second)]
        decided = plan(halves[0], halves[1], options)
        wheel = out / str(decided.name)
        with new_wheel(wheel, options.limits) as made:
            digest = _write(decided, made, options, ticker)
        return Fused(wheel, digest, _listed(decided), decided.notes)


def _write(decided: FusePlan, made: Assembly, options: FuseOptions, ticker: Ticker | None) -> str:
    """Write the wheel; give the SHA-256 of its file."""
    dist_info, choices = decided.pair.dist_info, decided.choices
    kept = [path for path, one in choices.items() if one.verdict is not Verdict.DROPPED]
    described = _described(decided)
    description = _Description(decided)
    with _Pool(MemberPreparer(decided.pair.halves), options.threads) as pool:
        pool.submit(decided, ticker)
        for path in order([*kept, *described], dist_info):
            if path in described:
                made.store(path, description.content(path.rpartition("/")[2]))
            elif path in decided.merged:
                merged = decided.merged[path].content
                made.store(path, merged, executable=choices[path].executable)
            else:
                prepared = pool.result(path)
                made.add(prepared.entry, prepared.data(), prepared.sha256)
                description.spans.update({path: prepared.spans} if prepared.spans else {})
    return made.finish(f"{dist_info}/RECORD")


def _described(decided: FusePlan) -> list[str]:
    """Name the files that describe the wheel; RECORD, the last of all, apart."""
    return [f"{decided.pair.dist_info}/{name}" for name in ("WHEEL", fused_json.NAME)]


def _is_alone(choice: PathVerdict, arch: str) -> bool:
    """Whether both wheels have a file, and that of `arch` alone lets it be executed."""
    found = [one for one, member in choice.members.items() if member.executable]
    return len(choice.members) == 2 and found == [arch]


def _listed(decided: FusePlan) -> dict[Verdict, tuple[str, ...]]:
    listed: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
    for path, choice in decided.choices.items():
        listed[choice.verdict].append(path)
    listed[Verdict.WRITTEN] += [*_described(decided), f"{decided.pair.dist_info}/RECORD"]
    signatures = {f"{decided.pair.dist_info}/{name}" for name in record.SIGNATURES}
    listed[Verdict.DROPPED] += signatures & decided.pair.paths().keys()
    return {verdict: tuple(sorted(paths)) for verdict, paths in listed.items()}


class _Description:
    """The files that describe a fused wheel itself, as far as its members are known."""

    def __init__(self, decided: FusePlan) -> None:
        self._plan = decided
        self.spans: dict[str, Mapping[str, Span]] = {}

    def content(self, file_name: str) -> bytes:
        """Return WHEEL, or fused.json, which tells what is known by now."""
        return self._wheel() if file_name == "WHEEL" else fused_json.dump(self._record())

    def _wheel(self) -> bytes:
        half = next(iter(self._plan.pair.halves.values()))
        name = self._plan.name
        return format_wheel(replace(half.wheel_file, tags=name.tags, build=name.build))

    def _record(self) -> fused_json.FusedRecord:
        halves, choices = self._plan.pair.halves, self._plan.choices
        only = {"arm64": Verdict.ONLY_ARM64, "x86_64": Verdict.ONLY_X86_64}
        return fused_json.FusedRecord(
            {
                arch: fused_json.FusedHalf(
                    str(half.name), half.content("WHEEL").decode("utf-8"), half.stem, half.data
                )
                for arch, half in halves.items()
            },
            self.spans,
            {path: merged.places for path, merged in self._plan.merged.items()},
            {
                arch: tuple(path for path, choice in choices.items() if choice.verdict is verdict)
                for arch, verdict in only.items()
            },
            {
                arch: tuple(path for path, choice in choices.items() if _is_alone(choice, arch))
                for arch in halves
            },
            self._plan.renamed,
            self._plan.one_sided,
        )


class _Pool:
    """Threads that prepare members while the caller writes those that are ready."""

    def __init__(self, work: MemberPreparer, threads: int) -> None:
        self._work = work
        self._threads = threads or min(_MAX_THREADS, os.cpu_count() or 1)
        self._batches: dict[str, Future[dict[str, Prepared]]] = {}
        self._total = 0
        self._ticker: Ticker | None = None

    def __enter__(self) -> _Pool:
        self._executor = ThreadPoolExecutor(self._threads)
        return self

    def __exit__(self, *_: object) -> None:
        self._work.stop()
        self._executor.shutdown(cancel_futures=True)

    def submit(self, decided: FusePlan, ticker: Ticker | None) -> None:
        """Start the work: large members first, small ones many at a time."""
        jobs = [one for path, one in decided.choices.items() if path not in decided.merged]
        jobs = [choice for choice in jobs if choice.members]
        self._total = sum(choice.size for choice in jobs)
        self._ticker = ticker
        large = [choice for choice in jobs if choice.size >= _BATCH_BYTES]
        small = [choice for choice in jobs if choice.size < _BATCH_BYTES]
        alone = ([choice] for choice in sorted(large, key=lambda one: one.size, reverse=True))
        for batch in itertools.chain(alone, _batches(small)):
            future = self._executor.submit(self._prepare, batch)
            self._batches.update((choice.path, future) for choice in batch)

    def result(self, path: str) -> Prepared:
        """Wait for a member; tell how far the work is meanwhile."""
        future = self._batches[path]
        while not future.done():
            wait([future], timeout=_POLL)
            if self._ticker is not None:
                self._ticker(self._work.done >> 20, self._total >> 20, path)
        return future.result()[path]

    def _prepare(self, batch: Sequence[PathVerdict]) -> dict[str, Prepared]:
        return {
            choice.path: self._work.universal(choice) if choice.slices else self._work.copy(choice)
            for choice in batch
        }


def _batches(choices: Iterable[PathVerdict]) -> Iterator[list[PathVerdict]]:
    """Yield `choices` in order, in rows of at most `_BATCH_FILES` files and `_BATCH_BYTES` bytes.

    A choice that is larger alone is a row of its own; empty files count as files alone.
    """
    batch: list[PathVerdict] = []
    size = 0
    for choice in choices:
        if batch and (len(batch) >= _BATCH_FILES or size + choice.size > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(choice)
        size += choice.size
    if batch:
        yield batch
