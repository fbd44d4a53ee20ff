"""A queue on disk: reading it, and writing it so that nothing is lost or needlessly touched.

`patches/<queue>/` holds `queue.yaml` (what the queue applies to), `series` (the order), the patch
files, and `resolutions/`. A queue is written aside, read back, replayed to the wanted tree, and
only then put in place in one step; a file whose patch still says the same is carried over as it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import yaml

from tensorflow_macos_build import checkout, files
from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git.quarantine import quarantine
from tensorflow_macos_build.patchqueue.formats import patch as patch_format
from tensorflow_macos_build.patchqueue.formats import series as series_format
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.queue import compose, lock, materialise
from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase, QueuePatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep

QUEUE_FILE = "queue.yaml"
SERIES_FILE = "series"
RESOLUTIONS = "resolutions"

_KEYS = ("upstream", "ref", "commit")
_LONGEST_VALUE = 4096
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class Saved:
    """What writing a queue did, by patch file name.

    Attributes:
        queue: the queue as it is on disk now.
        kept: files that were not touched, byte for byte; some may have a new name.
        written: files that are new or changed.
        removed: names that are gone.
    """

    queue: Queue
    kept: tuple[str, ...]
    written: tuple[str, ...]
    removed: tuple[str, ...]


def load(folder: Path) -> Queue:
    """Read a queue.

    Raises:
        UsageError: the folder is no queue, or `queue.yaml` or `series` is wrong.
        Refused: a patch file is damaged, hostile or of a kind not taken.
    """
    queue = lock.steadily(folder, _load)
    return replace(queue, name=folder.resolve().name, folder=folder)


def load_base(folder: Path) -> QueueBase:
    """Read what a queue applies to; its patches need not be read for it.

    Raises:
        UsageError: the folder is no queue, or `queue.yaml` is wrong.
    """
    return lock.steadily(folder, _load_base)


def _load_base(folder: Path) -> QueueBase:
    _refuse_missing(folder)
    return read_base(folder / QUEUE_FILE)


def _load(folder: Path) -> Queue:
    _refuse_missing(folder)
    base = read_base(folder / QUEUE_FILE)
    patches = tuple(_read_patch(folder, entry.name) for entry in read_series(folder).entries)
    return Queue(folder.name, base, patches, folder)


def _refuse_missing(folder: Path) -> None:
    if not folder.is_dir():
        raise UsageError(
            "there is no such queue",
            where=str(folder),
            hint=f"`{checkout.command('patches.import', '--help')}` tells how to make one",
        )


def read_base(path: Path) -> QueueBase:
    """Read a queue's `queue.yaml`.

    Raises:
        UsageError: it is missing or wrong.
    """
    if not path.exists():
        raise UsageError("the queue has no queue.yaml", where=str(path))
    table, problems = tree.read_file(path, str(path))
    if problems:
        raise tree.ConfigError(problems)
    if sorted(table.items) != sorted(_KEYS):
        raise UsageError(f"it must have the keys {', '.join(_KEYS)} and no other", where=str(path))
    base = QueueBase(*(_value(table.items[key]) for key in _KEYS))
    if not _COMMIT.fullmatch(base.commit):
        where = str(table.items["commit"].source)
        raise UsageError("`commit` must be a commit's full id", where=where)
    return base


def read_series(folder: Path) -> series_format.Series:
    """Read a queue's `series`.

    Raises:
        UsageError: it is missing, or a line is wrong for a queue: its patches are files in the
            folder itself, and apply with one path component taken off.
    """
    path = folder / SERIES_FILE
    try:
        found = series_format.parse(files.read_small(path, series_format.MAX_BYTES))
    except FileNotFoundError:
        raise UsageError("the queue has no series file", where=str(path)) from None
    except Malformed as error:
        raise UsageError(error.what, where=f"{path}:{error.line}") from None
    for entry in found.entries:
        if "/" in entry.name or entry.strip != 1:
            raise UsageError(
                f"`{entry.name}`: a queue lists plain file names, without options",
                where=str(path),
                hint=f"see `--quilt` in {checkout.command('patches.import', '--help')}",
            )
    return found


def save(
    folder: Path,
    base: QueueBase,
    steps: Sequence[PatchStep],
    git: Git,
    *,
    resolutions: Mapping[str, bytes] | None = None,
    seen: str | None = None,
    announce: Callable[[str], object] | None = None,
) -> Saved:
    """Write a queue, in one step, after it was verified.

    A patch that keeps its name's file and still makes the same change of its new parent is carried
    over byte for byte, though its line numbers may have moved. Other files in the folder stay.

    Args:
        folder: where the queue is or will be.
        base: what the first step applies to; its commit is in the repository.
        steps: the patches in order; each begins with the tree that the one before it made.
        git: asks the repository, or a quarantine, that has all trees of the steps.
        resolutions: the files that `resolutions/` shall hold, by relative name; None leaves it.
        seen: the digest of the queue that the steps were made from (`Queue.digest`).
        announce: called with the new queue's digest before it is put in place.

    Raises:
        UsageError: the steps do not follow one another; the queue is another one than was seen, or
            somebody changes its files right now; nothing is changed.
        WorkFailed: what was written does not read back as the same queue; nothing is changed.
    """
    folder.resolve().parent.mkdir(parents=True, exist_ok=True)
    with lock.sole_writer(folder) as real, quarantine(git) as pen:
        files.recover(real)
        fingerprint = _fingerprint(real)
        old = _patches_of(real, seen, folder)
        composed = compose.compose(base, steps, old, pen.git)
        with files.atomic_folder(real, check=lambda: _refuse_touched(real, fingerprint)) as made:
            _write(real, made, base, composed, resolutions)
            queue = replace(load(made), name=real.name, folder=folder)
            _verify(queue, steps, pen.git)
            if announce is not None:
                announce(queue.digest)
    return _saved(queue, composed, old)


def _saved(queue: Queue, composed: Sequence[compose.ComposedPatch], old: Iterable[str]) -> Saved:
    kept = tuple(item.name for item in composed if item.source is not None)
    written = tuple(item.name for item in composed if item.source is None)
    return Saved(queue, kept, written, tuple(sorted({*old} - {*kept, *written})))


def _value(written: tree.Tree) -> str:
    """Return a value of queue.yaml; programs get it as an argument, so it is no flag."""
    text = written.text if isinstance(written, tree.Scalar) else None
    if not text or len(text) > _LONGEST_VALUE or text.startswith("-"):
        raise UsageError(
            f"every value must be text of 1 to {_LONGEST_VALUE} letters that begins with no `-`",
            where=str(written.source),
        )
    return text


def _patches_of(real: Path, seen: str | None, folder: Path) -> dict[str, QueuePatch]:
    """Return the patches of the queue that is there, by name; none where none is.

    Raises:
        UsageError: it is another one than was seen.
    """
    there = load(real) if real.is_dir() else None
    if seen is not None and (there is None or there.digest != seen):
        raise _changed(folder)
    return {patch.name: patch for patch in there.patches} if there else {}


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
    """Name all that a folder holds: paths, kinds and contents."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            says = f"link {path.readlink()}"
        else:
            says = files.sha256(path) if path.is_file() else "folder"
        digest.update(os.fsencode(f"{path.relative_to(folder)}\0{says}\0"))
    return digest.hexdigest()


def _read_patch(folder: Path, name: str) -> QueuePatch:
    path = folder / name
    try:
        if path.is_symlink() or not path.is_file():
            raise FileNotFoundError
        if path.stat().st_size > patch_format.MAX_SIZE:
            raise Refused(f"it has more than {patch_format.MAX_SIZE} bytes", patch=name)
        content = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"the series lists `{name}`, but there is no such file", where=str(folder / SERIES_FILE)
        ) from None
    return QueuePatch(name, content, patch_format.parse(content, name))


def _write(
    folder: Path,
    unfinished: Path,
    base: QueueBase,
    composed: Sequence[compose.ComposedPatch],
    resolutions: Mapping[str, bytes] | None,
) -> None:
    """Write what is to take the place of the queue in `folder`."""
    before = read_series(folder) if folder.is_dir() else series_format.Series((), b"")
    old = {entry.name for entry in before.entries}
    _carry_over(folder, unfinished, {*old, QUEUE_FILE, SERIES_FILE}, resolutions)
    _write_patches(folder, unfinished, composed)
    _write_base(unfinished, base)
    _write_series(unfinished, before, composed)


def _carry_over(
    folder: Path, unfinished: Path, replaced: set[str], resolutions: Mapping[str, bytes] | None
) -> None:
    """Bring along what this writer does not make: a README, `resolutions/`."""
    left_out = replaced if resolutions is None else {*replaced, RESOLUTIONS}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name in left_out:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, unfinished / path.name, symlinks=True)
        else:
            shutil.copy2(path, unfinished / path.name, follow_symlinks=False)
    for name, content in sorted((resolutions or {}).items()):
        target = unfinished / RESOLUTIONS / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _write_patches(
    folder: Path, unfinished: Path, composed: Sequence[compose.ComposedPatch]
) -> None:
    for item in composed:
        target = unfinished / item.name
        if item.source is None:
            target.write_bytes(item.content)
        else:
            _same_file(folder / item.source, target)


def _same_file(source: Path, target: Path) -> None:
    """Let `target` be the file `source`, its times included."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _write_base(unfinished: Path, base: QueueBase) -> None:
    found = dict(zip(_KEYS, (base.upstream, base.ref, base.commit), strict=True))
    text = yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=1000)
    (unfinished / QUEUE_FILE).write_text(text, encoding="utf-8")


def _write_series(
    unfinished: Path, before: series_format.Series, composed: Sequence[compose.ComposedPatch]
) -> None:
    """Write the order; comments stay above the patch that they were written for."""
    leads = {entry.name: entry.lead for entry in before.entries}
    lines = [leads.get(item.was or "", b"") + item.name.encode() + b"\n" for item in composed]
    (unfinished / SERIES_FILE).write_bytes(b"".join([*lines, before.tail]))


def _verify(queue: Queue, steps: Sequence[PatchStep], git: Git) -> None:
    """Check that the queue, as it was read back from disk, says and does what was asked for.

    Raises:
        WorkFailed: it does not.
    """
    for patch, step in zip(queue.patches, steps, strict=True):
        if patch.patch.header != step.header:
            raise WorkFailed(
                f"the message of `{step.header.subject}` would not survive in a patch file",
                where=patch.name,
            )
    made = materialise.commits(queue, git)
    for commit, step in zip(made, steps, strict=True):
        if commit.tree != step.after:
            raise WorkFailed(
                f"its file would make the tree {commit.tree}, not {step.after}",
                where=commit.patch.name,
                hint="nothing was changed; `git fsck` finds trees that git would not write so; "
                "without one, this is a defect: please report it with the patch",
            )
