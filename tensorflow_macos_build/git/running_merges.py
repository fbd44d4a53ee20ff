"""One git that merges commits, question after question."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.objects import decode_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.merges import MergeOutput, Sides
    from tensorflow_macos_build.git.repository import Git

AT_ONCE = 100
"""Merges asked for before an answer is read: their ids have to fit into a pipe (pipe(7))."""


class RunningMerges:
    """One `git merge-tree --stdin`, which goes on running.

    It flushes its output at its end alone, and holds back no more than a buffer, of 4 to 64 KiB
    (setvbuf(3)). What follows an answer pushes it out.

    Args:
        git: the quarantine's, with the attributes that count.
        flags: of git's, before the command.
        padding: commits whose merge has so long an answer that it pushes out another.
    """

    def __init__(self, git: Git, flags: Sequence[str], padding: Sides) -> None:
        assert git.running is not None, "a quarantine has one"
        argv = git.argv(*flags, "merge-tree", "--write-tree", "--messages", "--stdin")
        self._running = git.running.start(argv, git.work_tree, git.environment())
        self._padding = padding
        self._size_of_padding = 0  # until it was read once
        self._due: deque[Sides] = deque()

    @property
    def is_free(self) -> bool:
        """Whether all is received that was asked for."""
        # the end of a padding comes out with the answer after it
        return all(sides is self._padding for sides in self._due)

    def send(self, asked: Sequence[Sides]) -> None:
        """Ask a free one for the merges of pairs of commits.

        Raises:
            Ended: git has ended.
        """
        fresh = [*asked, self._padding]
        self._due += fresh
        self._running.send("".join(f"{ours} {theirs}\n" for ours, theirs in fresh).encode())

    def has_answered(self) -> bool:
        """Whether the next answer begins to come, which then is at its end."""
        before = self._size_of_padding if self._due[0] is self._padding else 0
        return self._running.has_written(before + 1)

    def receive(self) -> MergeOutput:
        """Return the next answer.

        Raises:
            Ended: git has ended.
        """
        if self._due[0] is self._padding:
            before = self._running.bytes_read
            self._read()
            self._size_of_padding = self._running.bytes_read - before
        return self._read()

    def _read(self) -> MergeOutput:
        tokens = iter(lambda: decode_path(self._running.up_to(b"\0")), None)
        clean = next(tokens) == "1"
        return merges.read_output(tokens, self._due.popleft(), clean=clean)
