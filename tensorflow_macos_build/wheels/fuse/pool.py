"""Threads that prepare a fused wheel's members while another writes those that are ready."""

from __future__ import annotations

import itertools
import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.fuse.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.deflate.universal import Span
    from tensorflow_macos_build.wheels.fuse.plan import Decisions
    from tensorflow_macos_build.wheels.fuse.prepare import MemberPreparer, Prepared
    from tensorflow_macos_build.wheels.fuse.verdicts import PathVerdict

_BATCH_FILES = 64
_BATCH_BYTES = 4 << 20
"""Files and bytes of content that one task of the pool prepares: a wheel has thousands of small
files, and a task for each would cost more than the files."""

_POLL = 0.25
"""Seconds between two reports of progress while a member is waited for."""

_MAX_THREADS = 8


class PreparerPool:
    """A pool for one fused wheel; its end stops what is still under way."""

    def __init__(self, preparer: MemberPreparer, threads: int) -> None:
        self._preparer = preparer
        # zlib and hashlib let go of the interpreter's lock, so threads are enough.
        self._threads = threads or min(_MAX_THREADS, os.cpu_count() or 1)
        self._batches: dict[str, Future[dict[str, Prepared]]] = {}
        self._universal: tuple[str, ...] = ()
        self._total = 0
        self._ticker: Ticker | None = None

    def __enter__(self) -> PreparerPool:
        self._executor = ThreadPoolExecutor(self._threads)
        return self

    def __exit__(self, *_: object) -> None:
        # A running task cannot be cancelled: it ends at the next bytes that it counts.
        self._preparer.stop()
        self._executor.shutdown(cancel_futures=True)

    def submit(self, decisions: Decisions, ticker: Ticker | None) -> None:
        """Start the work: large members first, small ones many at a time."""
        verdicts, merged = decisions.verdicts, decisions.merged
        jobs = [verdict for path, verdict in verdicts.items() if path not in merged]
        jobs = [verdict for verdict in jobs if verdict.members]
        self._universal = decisions.paths_with(Verdict.UNIVERSAL)
        sized = [(verdict, verdict.size) for verdict in jobs]
        self._total = sum(size for _, size in sized)
        self._ticker = ticker
        large = [job for job in sized if job[1] >= _BATCH_BYTES]
        small = [job for job in sized if job[1] < _BATCH_BYTES]
        # The largest decides when all is done, so it must not begin last.
        large.sort(key=lambda job: job[1], reverse=True)
        for batch in itertools.chain(([verdict] for verdict, _ in large), _batches(small)):
            future = self._executor.submit(self._prepare, batch)
            # Prepared members hold no content but headers and gaps: all may be ready long
            # before they are written.
            self._batches.update((verdict.path, future) for verdict in batch)

    def result(self, path: str) -> Prepared:
        """Wait for a member; report how far the work is meanwhile."""
        future = self._batches[path]
        while not future.done():
            wait([future], timeout=_POLL)
            if self._ticker is not None:
                self._ticker(self._preparer.done >> 20, self._total >> 20, path, unit="MiB")
        return future.result()[path]

    def spans(self) -> dict[str, Mapping[str, Span]]:
        """Wait for all universal files; return where their slices lie, by path and architecture."""
        prepared = ((path, self.result(path)) for path in self._universal)
        return {path: member.spans for path, member in prepared}

    def _prepare(self, batch: Sequence[PathVerdict]) -> dict[str, Prepared]:
        return {verdict.path: self._preparer.prepare(verdict) for verdict in batch}


def _batches(jobs: Iterable[tuple[PathVerdict, int]]) -> Iterator[list[PathVerdict]]:
    """Yield verdicts in order, in rows of at most `_BATCH_FILES` files and `_BATCH_BYTES` bytes.

    One that is larger alone is a row of its own; empty files count as files alone.
    """
    batch: list[PathVerdict] = []
    filled = 0
    for verdict, size in jobs:
        if batch and (len(batch) >= _BATCH_FILES or filled + size > _BATCH_BYTES):
            yield batch
            batch, filled = [], 0
        batch.append(verdict)
        filled += size
    if batch:
        yield batch
