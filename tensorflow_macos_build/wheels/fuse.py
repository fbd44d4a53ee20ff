"""Fusing an arm64 and an x86_64 wheel into one universal2 wheel.

First every path gets a verdict, from headers and beginnings of files alone; what has none is
refused before any work. Then threads prepare the members, largest first, while this one writes
them in the wheel's order. Nothing is deflated: streams are copied, or spliced (`splice`).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from tensorflow_macos_build import files
from tensorflow_macos_build.wheels import metadata, record
from tensorflow_macos_build.wheels.archive import open_archive
from tensorflow_macos_build.wheels.pair import read_half
from tensorflow_macos_build.wheels.plan import FuseOptions, Plan, Undecided, plan
from tensorflow_macos_build.wheels.prepare import Prepared, Span, Work
from tensorflow_macos_build.wheels.verdicts import Choice, Verdict
from tensorflow_macos_build.wheels.writer import WheelWriter, order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker

__all__ = ["FuseOptions", "Fused", "Undecided", "Verdict", "fuse"]

_LUMP_FILES = 64
_LUMP_BYTES = 4 << 20
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
        halves = [
            read_half(stack.enter_context(open_archive(path, options.limits)))
            for path in (first, second)
        ]
        decided = plan(halves[0], halves[1], options)
        wheel = out / str(decided.name)
        with files.atomic_path(wheel) as unfinished, unfinished.open("wb") as stream:
            digest = _Hashing(stream)
            listed = _write(decided, cast("BinaryIO", digest), options, ticker)
        return Fused(wheel, digest.hexdigest(), listed, decided.notes)


def _write(
    decided: Plan, stream: BinaryIO, options: FuseOptions, ticker: Ticker | None
) -> dict[Verdict, tuple[str, ...]]:
    """Write the wheel; give its paths by verdict."""
    writer = _Assembler(decided, stream)
    work = Work(decided.pair.halves)
    with _Pool(work, options.threads) as pool:
        total = sum(choice.size for choice in decided.choices.values())
        pool.submit(decided)
        dist_info = decided.pair.dist_info
        own = {f"{dist_info}/{name}" for name in ("WHEEL", "RECORD", record.NAME)}
        kept = {path for path, one in decided.choices.items() if one.verdict is not Verdict.DROPPED}
        for path in order(kept | own, dist_info):
            if path in own:
                writer.describe(path)
            elif path in decided.merged:
                writer.store(path, decided.merged[path].content, decided.choices[path].executable)
            else:
                writer.add(path, pool.result(path, total, ticker))
    writer.finish()
    return _listed(decided, own)


def _listed(plan: Plan, own: set[str]) -> dict[Verdict, tuple[str, ...]]:
    listed: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
    for path, choice in plan.choices.items():
        listed[choice.verdict].append(path)
    listed[Verdict.WRITTEN] += own
    signatures = {f"{plan.pair.dist_info}/{name}" for name in metadata.SIGNATURES}
    listed[Verdict.DROPPED] += signatures & plan.pair.paths().keys()
    return {verdict: tuple(sorted(paths)) for verdict, paths in listed.items()}


class _Assembler:
    """Writes prepared members, and at the end the files that describe them all."""

    def __init__(self, plan: Plan, stream: BinaryIO) -> None:
        self._plan = plan
        self._writer = WheelWriter(stream)
        self._rows: dict[str, tuple[bytes, int]] = {}
        self._spans: dict[str, Mapping[str, Span]] = {}

    def add(self, path: str, prepared: Prepared) -> None:
        self._writer.add(prepared.entry, prepared.data())
        self._rows[path] = (prepared.sha256, prepared.entry.size)
        if prepared.spans:
            self._spans[path] = prepared.spans

    def store(self, path: str, content: bytes, executable: bool = False) -> None:
        self._writer.add_stored(path, content, executable=executable)
        self._rows[path] = (hashlib.sha256(content).digest(), len(content))

    def describe(self, path: str) -> None:
        """Write WHEEL, fused.json or RECORD; RECORD must come last."""
        plan, file_name = self._plan, path.rpartition("/")[2]
        if file_name == "WHEEL":
            half = next(iter(plan.pair.halves.values()))
            wheel, name = half.wheel, plan.name
            file = metadata.WheelFile(wheel.version, wheel.purelib, name.tags, name.build)
            self.store(path, metadata.format_wheel(file))
        elif file_name == record.NAME:
            self.store(path, record.dump(self._record()))
        else:
            self._writer.add_stored(path, metadata.format_record(self._rows, path))

    def finish(self) -> None:
        self._writer.finish()

    def _record(self) -> record.FusedRecord:
        plan = self._plan
        only = {"arm64": Verdict.ONLY_ARM64, "x86_64": Verdict.ONLY_X86_64}
        return record.FusedRecord(
            {
                arch: record.Origin(
                    half.archive.path.name, half.content("WHEEL").decode("utf-8", "replace")
                )
                for arch, half in plan.pair.halves.items()
            },
            self._spans,
            {path: merged.places for path, merged in plan.merged.items()},
            {
                arch: tuple(
                    path for path, choice in plan.choices.items() if choice.verdict is verdict
                )
                for arch, verdict in only.items()
            },
        )


class _Pool:
    """Threads that prepare members while the caller writes those that are ready."""

    def __init__(self, work: Work, threads: int) -> None:
        self._work = work
        self._threads = threads or min(_MAX_THREADS, os.cpu_count() or 1)
        self._lumps: dict[str, Future[dict[str, Prepared]]] = {}

    def __enter__(self) -> _Pool:
        self._executor = ThreadPoolExecutor(self._threads)
        return self

    def __exit__(self, *_: object) -> None:
        self._work.stop()
        self._executor.shutdown(cancel_futures=True)

    def submit(self, plan: Plan) -> None:
        """Start the work: large members first, small ones many at a time."""
        jobs = [choice for choice in plan.choices.values() if choice.members]
        jobs = [choice for choice in jobs if choice.path not in plan.merged]
        large = [choice for choice in jobs if choice.size >= _LUMP_BYTES]
        small = [choice for choice in jobs if choice.size < _LUMP_BYTES]
        lumps = [[choice] for choice in sorted(large, key=lambda choice: choice.size, reverse=True)]
        for lump in [*lumps, *_lumps(small)]:
            future = self._executor.submit(self._prepare, lump)
            self._lumps.update((choice.path, future) for choice in lump)

    def result(self, path: str, total: int, ticker: Ticker | None) -> Prepared:
        """Wait for a member; tell how far the work is meanwhile."""
        future = self._lumps[path]
        while not future.done():
            wait([future], timeout=_POLL, return_when=FIRST_EXCEPTION)
            if ticker is not None:
                ticker(self._work.done >> 20, total >> 20, path)
        return future.result()[path]

    def _prepare(self, lump: Sequence[Choice]) -> dict[str, Prepared]:
        return {
            choice.path: self._work.universal(choice) if choice.slices else self._work.copy(choice)
            for choice in lump
        }


def _lumps(choices: Sequence[Choice]) -> list[list[Choice]]:
    lumps: list[list[Choice]] = []
    room = 0
    for choice in choices:
        if room < choice.size or len(lumps[-1]) >= _LUMP_FILES:
            lumps.append([])
            room = _LUMP_BYTES
        lumps[-1].append(choice)
        room -= choice.size
    return lumps


class _Hashing(io.RawIOBase):
    """A stream that hashes what passes through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def write(self, piece: bytes) -> int:  # type: ignore[override]  # the buffers here are bytes
        self._digest.update(piece)
        return self._stream.write(piece)

    def hexdigest(self) -> str:
        """Give the SHA-256 of all that was written."""
        return self._digest.hexdigest()
