"""Patches of a queue, found by the paths that they touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.replay.steps import ReplayStep


class PatchesByPath:
    """Patches in the queue's order, which come one after the other.

    Args:
        first: the first of them, with what each does to each path; read when it is asked for.
    """

    def __init__(self, first: Iterable[tuple[QueueCommit, tuple[PathChange, ...]]] = ()) -> None:
        self._first = iter(first)
        self._patches: list[QueueCommit] = []
        self._changes: list[tuple[PathChange, ...]] = []
        self._paths: list[set[str]] = []
        self._by_path: dict[str, list[int]] = {}

    def add(self, patch: QueueCommit, step: ReplayStep) -> None:
        """Add the next patch."""
        # its paths are read when they are asked for: of most queues nobody does
        self._patches.append(patch)
        self._changes.append(step.changes)

    def _read_first(self) -> None:
        """Put the first patches before those that were added, once."""
        for number, (patch, changes) in enumerate(self._first):
            self._patches.insert(number, patch)
            self._changes.insert(number, changes)

    def _read(self) -> None:
        """Read the paths of those that were added since."""
        self._read_first()
        for changes in self._changes[len(self._paths) :]:
            paths = {change.path for change in changes}
            for path in paths:
                self._by_path.setdefault(path, []).append(len(self._paths))
            self._paths.append(paths)

    @property
    def all(self) -> tuple[QueueCommit, ...]:
        """All patches so far."""
        self._read_first()
        return tuple(self._patches)

    def on(self, paths: Iterable[str]) -> tuple[QueueCommit, ...]:
        """Return the patches that touch any of the paths, in the queue's order."""
        self._read()
        numbers = {number for path in paths for number in self._by_path.get(path, ())}
        return tuple(self._patches[number] for number in sorted(numbers))

    def paths_of_others(self, patches: Collection[QueueCommit]) -> Iterator[str]:
        """Yield the paths that the patches beside some touch."""
        self._read()
        for patch, paths in zip(self._patches, self._paths, strict=True):
            if patch not in patches:
                yield from paths

    def on_files_of(self, step: ReplayStep) -> tuple[QueueCommit, ...]:
        """Return the patches that touch a file which a step touches, too."""
        return self.on(change.path for change in step.changes)
