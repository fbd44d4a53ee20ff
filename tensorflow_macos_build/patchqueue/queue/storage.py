"""A queue on disk: reading it, and writing it so that nothing is lost or needlessly touched.

`patches/<queue>/` holds `queue.yaml` (what the queue applies to), `series` (the order), the patch
files, and `resolutions/`. A queue is written aside, read back, proven to make the wanted trees
(`read_back`), and only then put in place in one step; a file whose patch still says the same is
carried over as it is.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from tensorflow_macos_build import checkout, files
from tensorflow_macos_build.config import tree
from tensorflow_macos_build.console import in_phase, silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.formats import patch as patch_format
from tensorflow_macos_build.patchqueue.formats.series import Series
from tensorflow_macos_build.patchqueue.queue import (
    compose,
    lock,
    picks,
    queue_files,
    read_back,
)
from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase, QueuePatch
from tensorflow_macos_build.patchqueue.queue.queue_files import (
    BASE_KEYS,
    LINT_KEY,
    QUEUE_FILE,
    SERIES_FILE,
    CommittedFiles,
    FilesOnDisk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
    from tensorflow_macos_build.patchqueue.queue.picks import Pick
    from tensorflow_macos_build.patchqueue.queue.queue_files import QueueFiles

RESOLUTIONS = "resolutions"

_PARSED = 4096
"""How many parsed files are remembered; what is kept of one is little more than the file."""


@dataclass(frozen=True)
class Saved:
    """What writing a queue did, by patch file name.

    Attributes:
        queue: the queue as it is on disk now.
        kept: files that were not touched, byte for byte; some may have a new name.
        written: files that are new or changed.
        removed: names that are gone, those of picks too.
    """

    queue: Queue
    kept: tuple[str, ...]
    written: tuple[str, ...]
    removed: tuple[str, ...]


class _PatchFile(NamedTuple):
    """A patch file that was put in place: its name, the one it had, and whether it stayed."""

    name: str
    was: str | None
    is_kept: bool


def load(folder: Path) -> Queue:
    """Read a queue.

    Raises:
        UsageError: the folder is no queue, or `queue.yaml` or `series` is wrong.
        Refused: a patch file is damaged, hostile or of a kind not taken.
    """
    base, picked, patches = lock.read_steadily(folder, lambda present: _parse(_on_disk(present)))
    return Queue(folder.resolve().name, base, patches, folder, picked)


def load_base(folder: Path) -> QueueBase:
    """Read what a queue applies to; its patches need not be read for it.

    Raises:
        UsageError: the folder is no queue, or `queue.yaml` is wrong.
    """
    return load_head(folder)[0]


def load_head(folder: Path) -> tuple[QueueBase, tuple[Pick, ...]]:
    """Read what `queue.yaml` says: what a queue applies to, and its picks.

    Raises:
        UsageError: the folder is no queue, or `queue.yaml` is wrong.
    """
    return lock.read_steadily(folder, lambda present: queue_files.read_base(_on_disk(present)))


def load_lint(folder: Path) -> tree.Tree | None:
    """Read what `queue.yaml` says under `lint`; None where it says nothing.

    Raises:
        UsageError: the folder is no queue, or `queue.yaml` is no YAML.
    """
    return lock.read_steadily(folder, lambda present: queue_files.read_lint(_on_disk(present)))


def load_contents(
    folder: Path,
) -> tuple[QueueBase, tuple[Pick, ...], list[tuple[str, bytes]]]:
    """Read a queue's base and picks, and name and content of its patches, without parsing those.

    Raises:
        UsageError: the folder is no queue, or `queue.yaml` or `series` is wrong.
        Refused: a file is too large for a patch.
    """
    return lock.read_steadily(folder, lambda present: _contents(_on_disk(present)))


def load_revision(git: Git, revision: str, path: str) -> Queue:
    """Read a queue as it is in a revision of the repository that it is kept in.

    Raises:
        UsageError: the revision has no such folder, or as for `load`.
        Refused: as for `load`.
    """
    base, picked, patches = _parse(CommittedFiles.at(git, revision, path))
    folder = Path(path)
    return Queue(folder.name, base, patches, folder, picked)


def _on_disk(folder: Path) -> FilesOnDisk:
    if not folder.is_dir():
        raise UsageError(
            "there is no such queue",
            where=str(folder),
            hint=f"`{checkout.command('patches.import', '--help')}` tells how to make one",
        )
    return FilesOnDisk(folder)


def _parse(
    queue: QueueFiles,
) -> tuple[QueueBase, tuple[Pick, ...], tuple[QueuePatch, ...]]:
    base, picked = queue_files.read_base(queue)
    return (
        base,
        picked,
        tuple(_patch(name, content) for name, content in queue_files.read_patches(queue)),
    )


@functools.lru_cache(maxsize=_PARSED)
def _patch(name: str, content: bytes) -> QueuePatch:
    """Parse a file; a change of a queue reads those that it leaves several times."""
    return QueuePatch(name, content, patch_format.parse(content, name))


def _contents(
    queue: QueueFiles,
) -> tuple[QueueBase, tuple[Pick, ...], list[tuple[str, bytes]]]:
    return *queue_files.read_base(queue), list(queue_files.read_patches(queue))


def save(
    folder: Path,
    base: QueueBase,
    steps: Sequence[PatchStep],
    git: Git,
    *,
    resolutions: Mapping[str, bytes] | None = None,
    seen: str | None = None,
    announce: Callable[[str], object] | None = None,
    ticker: Ticker = silent,
) -> Saved:
    """Write a queue, in one step, after it was verified.

    A patch that keeps its name's file and still makes the same change of its new parent is carried
    over byte for byte, though its line numbers may have moved. Other files in the folder stay.

    Args:
        folder: where the queue is or will be.
        base: what the first step applies to; its commit is in the repository.
        steps: the picks, then the patches; each begins with the tree that the one before it made.
        git: asks the repository, or a quarantine, that has all trees of the steps.
        resolutions: the files that `resolutions/` shall hold, by relative name; None leaves it.
        seen: the digest of the queue that the steps were made from (`Queue.digest`).
        announce: called with the new queue's digest before it is put in place.
        ticker: told how many patches are compared with their files, written and verified.

    Raises:
        UsageError: the steps do not follow one another; the queue is another one than was seen, or
            somebody changes its files right now; nothing is changed.
        WorkFailed: what was written does not read back as the same queue; nothing is changed.
    """
    # The order is what makes it safe: nobody else writes; what is there is what was seen; all is
    # written aside, read back and replayed; and only then is it put in place, by one rename.
    folder.resolve().parent.mkdir(parents=True, exist_ok=True)
    with lock.sole_writer(folder) as real, open_quarantine(git) as quarantine:
        files.recover(real)
        # editors and git know no lock: what they change meanwhile is seen by its contents
        fingerprint = _fingerprint(real)
        before = _present(real, seen, folder)
        old = {patch.name: patch for patch in before.patches} if before else {}
        comparing = in_phase(ticker, 1, 3, "comparing")
        made = compose.compose(base, steps, old, quarantine.git, comparing)
        with files.atomic_folder(real, check=lambda: _refuse_touched(real, fingerprint)) as aside:
            count = sum(step.pick is None for step in steps)
            counted = _counted(made, count, in_phase(ticker, 2, 3, "writing"))
            written = _write(real, aside, counted, resolutions)
            _write_base(real, aside, base, compose.leading_picks(steps, folder))
            # it was read where it is written: a temporary folder's name is not the queue's
            queue = replace(load(aside), name=real.name, folder=folder)
            stayed = {
                file.name: old[file.was].content for file in written if file.was and file.is_kept
            }
            verifying = in_phase(ticker, 3, 3, "verifying")
            read_back.verify(queue, steps, stayed, quarantine, verifying)
            # the journal is written before the swap: a kill between the two leaves an entry that no
            # queue matches, where the other order would leave a queue that its own command disowns
            if announce is not None:
                announce(queue.digest)
    return _saved(queue, written, before.names if before else ())


def _counted(
    composed: Iterable[compose.ComposedPatch], count: int, ticker: Ticker
) -> Iterator[compose.ComposedPatch]:
    for number, patch in enumerate(composed):
        ticker(number, count, patch.name, unit="patches")
        yield patch


def _saved(queue: Queue, files_now: Sequence[_PatchFile], old: Iterable[str]) -> Saved:
    picked = {pick.name for pick in queue.picks}
    kept = tuple(file.name for file in files_now if file.is_kept)
    written = tuple(file.name for file in files_now if not file.is_kept)
    return Saved(queue, kept, written, tuple(sorted({*old} - {*kept, *written, *picked})))


def _present(real: Path, seen: str | None, folder: Path) -> Queue | None:
    """Return the queue as it is now; None where there is none yet.

    Raises:
        UsageError: it is another one than was seen.
    """
    current = load(real) if real.is_dir() else None
    if seen is not None and (current is None or current.digest != seen):
        raise _changed(folder)
    return current


def _refuse_touched(folder: Path, fingerprint: str) -> None:
    if _fingerprint(folder) != fingerprint:
        raise _changed(folder)


def _changed(folder: Path) -> UsageError:
    return UsageError(
        "the queue was changed by somebody else meanwhile; it is left as it is",
        where=str(folder),
        hint="run the same command again, on the queue as it is now",
    )


def _fingerprint(folder: Path) -> str:
    """Return a digest of all that a folder holds: paths, kinds and contents."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            content = f"link {path.readlink()}"
        else:
            content = files.sha256(path) if path.is_file() else "folder"
        digest.update(os.fsencode(f"{path.relative_to(folder)}\0{content}\0"))
    return digest.hexdigest()


def _write(
    folder: Path,
    unfinished: Path,
    composed: Iterable[compose.ComposedPatch],
    resolutions: Mapping[str, bytes] | None,
) -> list[_PatchFile]:
    """Write what is to take the place of the queue in `folder`."""
    is_new = not folder.is_dir()
    before = Series((), b"") if is_new else queue_files.read_series(FilesOnDisk(folder))
    old = {entry.name for entry in before.entries}
    _carry_over(folder, unfinished, {*old, QUEUE_FILE, SERIES_FILE}, resolutions)
    written = _write_patches(folder, unfinished, composed)
    _write_series(unfinished, before, written)
    return written


def _carry_over(
    folder: Path, unfinished: Path, replaced: set[str], resolutions: Mapping[str, bytes] | None
) -> None:
    """Bring along what this writer does not make: a README, `resolutions/`."""
    left_out = replaced if resolutions is None else {*replaced, RESOLUTIONS}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name in left_out:
            continue
        if path.is_dir() and not path.is_symlink():
            # links as links: what they lead to may be elsewhere, and large
            shutil.copytree(path, unfinished / path.name, symlinks=True)
        else:
            shutil.copy2(path, unfinished / path.name, follow_symlinks=False)
    for name, content in sorted((resolutions or {}).items()):
        target = unfinished / RESOLUTIONS / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _write_patches(
    folder: Path, unfinished: Path, composed: Iterable[compose.ComposedPatch]
) -> list[_PatchFile]:
    """Write the patches, of which one at a time is in memory."""
    written: list[_PatchFile] = []
    for item in composed:
        target = unfinished / item.name
        if item.source is None:
            target.write_bytes(item.content)
        else:
            _same_file(folder / item.source, target)
        written.append(_PatchFile(item.name, item.was, item.source is not None))
    return written


def _same_file(source: Path, target: Path) -> None:
    """Let `target` be the file `source`, its times included."""
    # a link and not a rename: until the swap the old folder stays whole
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _write_base(folder: Path, unfinished: Path, base: QueueBase, picked: Sequence[Pick]) -> None:
    """Write `queue.yaml`; one that says the same stays as it is, comments and all."""
    target = unfinished / QUEUE_FILE
    old, lint = b"", None
    if folder.is_dir():
        before = FilesOnDisk(folder)
        old, lint = before.read(QUEUE_FILE, tree.MAX_BYTES), queue_files.read_lint(before)
        if queue_files.read_base(before) == (base, tuple(picked)):
            _same_file(folder / QUEUE_FILE, target)
            return
    table: dict[str, object] = dict(
        zip(BASE_KEYS, (base.upstream, base.ref, base.commit), strict=True)
    )
    if picked:
        table[picks.KEY] = [picks.as_table(pick) for pick in picked]
    if lint is not None:
        table[LINT_KEY] = tree.plain(lint)
    # the width keeps PyYAML from folding a long URL into two lines
    text = yaml.safe_dump(table, sort_keys=False, allow_unicode=True, width=1000)
    target.write_bytes(_heading(old) + text.encode())


def _heading(content: bytes) -> bytes:
    """Return the comments that a file begins with; those between its values go with them."""
    lines = itertools.takewhile(
        lambda line: line.startswith(b"#") or not line.strip(), content.splitlines(keepends=True)
    )
    return b"".join(lines)


def _write_series(unfinished: Path, before: Series, written: Sequence[_PatchFile]) -> None:
    """Write the order; comments stay above the patch that they were written for."""
    leads = {entry.name: entry.lead for entry in before.entries}
    lines = [leads.get(file.was or "", b"") + file.name.encode() + b"\n" for file in written]
    (unfinished / SERIES_FILE).write_bytes(b"".join([*lines, before.tail]))
