"""`patches.import` from end to end: open upstream, read the source, write the queue."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build.console import in_phase
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.exchange import fork_line, merging_fork, sources, topics
from tensorflow_macos_build.patchqueue.queue import lock, opening, prefetch, storage
from tensorflow_macos_build.patchqueue.queue.metadata import NOTHING, Metadata
from tensorflow_macos_build.patchqueue.queue.model import Queue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.exchange.sources import Imported
    from tensorflow_macos_build.patchqueue.exchange.topics import TopicOf
    from tensorflow_macos_build.patchqueue.formats.people import Identity
    from tensorflow_macos_build.patchqueue.formats.trailers import Trailer
    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
    from tensorflow_macos_build.patchqueue.queue.lock import Waiting
    from tensorflow_macos_build.patchqueue.queue.model import QueueBase
    from tensorflow_macos_build.patchqueue.queue.opening import OpenedQueue
    from tensorflow_macos_build.patchqueue.queue.storage import Saved


class SourceKind(Enum):
    """What form a fork's changes have; the values are the flags' names."""

    RANGE = "range"
    FOLDER = "folder"
    QUILT = "quilt"
    DIFF = "diff"
    TREE = "tree"


@dataclass(frozen=True)
class MergingRange:
    """How a range is taken whose fork merged upstream.

    Attributes:
        topic_of: names a path's topic, where each is to be one patch; None: a patch a commit.
    """

    topic_of: TopicOf | None = None


@dataclass(frozen=True)
class ImportSource:
    """Where a fork's changes are.

    Attributes:
        kind: their form.
        location: `A..B`, or a path.
        upstream: the repository that has the base: a path, an address or `embedded:`.
        against: the tag, branch or commit that they apply to; for a range that is its `A`.
        author: who a patch is by that names nobody; None: it says so.
        metadata: what is said of patches that do not say it themselves.
        merging: how a range is taken with merges of upstream in it; None: it has none.
    """

    kind: SourceKind
    location: str
    upstream: str
    against: str
    author: Identity | None = None
    metadata: Metadata = NOTHING
    merging: MergingRange | None = None


def import_changes(
    source: ImportSource,
    folder: Path,
    cache: Path,
    ticker: Ticker,
    *,
    replace: bool = False,
    waiting: Waiting = lock.unwatched,
) -> tuple[Imported, Saved]:
    """Make a queue of a fork's changes.

    Args:
        source: where they are.
        folder: the queue's folder.
        cache: where mirrors of remote repositories are.
        ticker: told what is being done.
        replace: write over an existing queue; patches with the same subject keep their names,
            and what was said of them in trailers of the queue's own.
        waiting: told when another command is at work on the queue.

    Raises:
        UsageError: the queue exists, or the source is wrong.
        Refused: a patch is damaged or hostile, or does not apply exactly.
    """
    # before anything is cloned; `_named` looks again under the lock
    if folder.exists() and not replace:
        raise _exists(folder)
    _refuse_flag(source.upstream)
    trailers = source.metadata.trailers()
    opened = opening.open_new(folder, source.upstream, source.against, cache, ticker)
    with open_quarantine(opened.mirror) as quarantine:
        reading = in_phase(ticker, 1, 2, "reading")
        reading(0, None, source.location)
        imported = _read(source, opened, quarantine, reading)
        if not imported.steps:
            raise UsageError("there is no change to import", where=source.location)
        base = _base(opened.base, imported)
        folder.resolve().parent.mkdir(parents=True, exist_ok=True)
        # from here on, and not from the start: reading a source may take minutes of cloning
        with lock.sole_writer(folder, waiting):
            steps = _named(imported.steps, folder, base, quarantine, replace=replace)
            steps = tuple(_annotated(step, trailers) for step in steps)
            saving = in_phase(ticker, 2, 2, "saving")
            return imported, storage.save(folder, base, steps, quarantine.git, ticker=saving)


def _base(named: QueueBase, imported: Imported) -> QueueBase:
    """Return what the patches apply to: the named commit, or what the fork has of its history."""
    if imported.base in ("", named.commit):
        return named
    return dataclasses.replace(named, ref=imported.base, commit=imported.base)


def _named(
    steps: Sequence[PatchStep],
    folder: Path,
    base: QueueBase,
    quarantine: Quarantine,
    *,
    replace: bool,
) -> tuple[PatchStep, ...]:
    """Return steps under the names that an existing queue has for them; its picks stay picks.

    Raises:
        UsageError: it is not to be replaced, and came into being while the source was read.
    """
    if not folder.exists():
        return tuple(steps)
    if not replace:
        raise _exists(folder)
    existing = storage.load(folder)
    picked = sources.picked(steps, existing, base, quarantine)
    return *picked, *sources.with_names(steps[len(picked) :], existing)


def _refuse_flag(upstream: str) -> None:
    """Raise a UsageError about an upstream that programs would take for a flag of theirs."""
    # queue.yaml keeps it, and later commands pass it on to git
    if upstream.startswith("-"):
        raise UsageError(
            f"the upstream `{upstream}` begins with a `-`", hint=f"write it as ./{upstream}"
        )


def _annotated(step: PatchStep, trailers: Sequence[Trailer]) -> PatchStep:
    if step.pick is not None:
        return step
    return dataclasses.replace(step, header=step.header.with_missing(trailers))


def _exists(folder: Path) -> UsageError:
    return UsageError(
        "there is such a queue already", where=str(folder), hint="add --replace to replace it"
    )


def _read(
    source: ImportSource, opened: OpenedQueue, quarantine: Quarantine, ticker: Ticker
) -> Imported:
    path, base, mirror = Path(source.location), opened.base, opened.mirror
    git = quarantine.git
    # patches that state no date get the base's: with the clock's each import would be other bytes
    date = sources.date_of(git, base.commit)
    match source.kind:
        case SourceKind.RANGE if source.merging:
            return _merging(source, source.merging, opened, quarantine, ticker)
        case SourceKind.RANGE:
            _, last = ends(source.location)
            prefetch.for_range(mirror, base.commit, last, ticker)
            return sources.from_range(mirror, base.commit, last)
        case SourceKind.TREE:
            imported = sources.from_tree(git, base.commit, path, source.author)
            # only the comparison tells which contents of the base are needed: its trees are here,
            # and enough for that
            prefetch.for_steps(imported.steps, mirror, git, ticker)
            return imported
        case SourceKind.FOLDER:
            patches = sources.read_folder(path, date)
        case SourceKind.QUILT:
            patches = sources.read_quilt(path, date)
        case SourceKind.DIFF:
            patches = sources.read_file(path, date)
        case _:
            assert_never(source.kind)
    queue = Queue(path.name, base, tuple(patches), path)
    prefetch.for_queue(queue, mirror, ticker=ticker)
    return sources.applied(quarantine, queue)


def _merging(
    source: ImportSource,
    merging: MergingRange,
    opened: OpenedQueue,
    quarantine: Quarantine,
    ticker: Ticker,
) -> Imported:
    """Read a range of a fork that merged upstream."""
    tip = opened.mirror.resolve(ends(source.location)[1], ticker)
    line = fork_line.read(quarantine.git, opened.base.commit, tip, ticker)
    if merging.topic_of is not None:
        prefetch.for_pairs(opened.mirror, [(line.tip, line.base)], ticker)
        return topics.as_patches(quarantine, line, merging.topic_of, ticker)
    pairs = [(step.commit, step.parent) for step in line.steps]
    prefetch.for_pairs(opened.mirror, pairs, ticker)
    return merging_fork.as_patches(quarantine, line, ticker)


def ends(text: str) -> tuple[str, str]:
    """Split `A..B`.

    Raises:
        UsageError: it is not of that form.
    """
    # three dots mean another set of commits to git, those that either side has alone
    first, dots, last = text.partition("..")
    if not dots or not first or not last or last.startswith("."):
        raise UsageError(f"`{text}` is no range", hint="write it as A..B, for example v1.0..main")
    return first, last
