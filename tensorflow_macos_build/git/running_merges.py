"""Gits that merge commits, question after question."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.objects import TreeEntry, decode_path
from tensorflow_macos_build.git.running import Ended, wait_for_any

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.merges import MergeOutput, Sides
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git

_PADDING = "padding" * 2000
"""The path of a file whose merge is asked for only because git's answer names it often."""


class RunningMergers:
    """The gits that go on running in a quarantine, to merge commits.

    Args:
        quarantine: where they merge.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._running: dict[tuple[Path | None, tuple[str, ...]], list[RunningMerges]] = {}

    def running(self, attributes: Path | None, flags: tuple[str, ...]) -> list[RunningMerges]:
        """Return those that run.

        Args:
            attributes: the folder with the .gitattributes that count; None where they say nothing.
            flags: git's own, before the command.
        """
        return self._running.setdefault((attributes, flags), [])

    def free(self, attributes: Path | None, flags: tuple[str, ...]) -> RunningMerges:
        """Return one of which nobody waits for an answer, be it a new one."""
        running = self.running(attributes, flags)
        for merger in running:
            if merger.is_free:
                return merger
        padding = _padding(self._quarantine)
        self._quarantine.publish(padding)
        running.append(RunningMerges(self._quarantine.git_with(attributes), flags, padding))
        return running[-1]

    def ask(self, git: Git, pair: Sides, *flags: str) -> MergeOutput | None:
        """Do what `merges.ask` does.

        Raises:
            WorkFailed: git could not merge at all (a missing object).
        """
        self._quarantine.publish(pair)
        try:
            running = self.free(git.work_tree, flags)
            running.send(pair)
            return running.receive()
        except Ended:  # of the merge, or it lacked an object: asked for it alone, git says which
            self.forget()
            return merges.ask(git, pair, *flags)

    def forget(self) -> None:
        """Start others from now on: one of them has ended."""
        self._running.clear()


class RunningMerges:
    """One `git merge-tree --stdin`, which goes on running.

    It flushes its output at its end alone, and holds back no more than a buffer, of 4 to 64 KiB
    (setvbuf(3)). What follows an answer pushes it out.

    Args:
        git: the quarantine's, with the attributes that count.
        flags: of git's, before the command.
        padding: commits whose merge has so long an answer that it pushes out another.

    Attributes:
        program: the git.
    """

    def __init__(self, git: Git, flags: Sequence[str], padding: Sides) -> None:
        assert git.running is not None, "a quarantine has one"
        argv = git.argv(*flags, "merge-tree", "--write-tree", "--messages", "--stdin")
        self.program = git.running.start(argv, git.work_tree, git.environment())
        self._padding = padding
        self._size_of_padding = 0  # until it was read once
        self._due: deque[Sides] = deque()

    @property
    def is_free(self) -> bool:
        """Whether all is received that was asked for."""
        # the end of a padding comes out with the answer after it
        return all(sides is self._padding for sides in self._due)

    def send(self, asked: Sides) -> None:
        """Ask a free one for the merge of two commits.

        Raises:
            Ended: git has ended.
        """
        fresh = [asked, self._padding]
        self._due += fresh
        self.program.send("".join(f"{ours} {theirs}\n" for ours, theirs in fresh).encode())

    def has_answered(self) -> bool:
        """Whether the next answer begins to come, which then is at its end."""
        before = self._size_of_padding if self._due[0] is self._padding else 0
        return self.program.has_written(before + 1)

    def receive(self) -> MergeOutput:
        """Return the next answer.

        Raises:
            Ended: git has ended.
        """
        if self._due[0] is self._padding:
            before = self.program.bytes_read
            self._read()
            self._size_of_padding = self.program.bytes_read - before
        return self._read()

    def _read(self) -> MergeOutput:
        tokens = iter(lambda: decode_path(self.program.up_to(b"\0")), None)
        clean = next(tokens) == "1"
        return merges.read_output(tokens, self._due.popleft(), clean=clean)


def first_to_answer(asked: Collection[RunningMerges]) -> RunningMerges:
    """Wait until one of those answers that are asked something, and return it."""
    while True:
        for merger in asked:
            if merger.has_answered():
                return merger
        wait_for_any(merger.program for merger in asked)


def _padding(quarantine: Quarantine) -> Sides:
    entries = (TreeEntry("100644", quarantine.write("blob", c)) for c in (b"", b"ours", b"theirs"))
    return merges.sides(quarantine, *(quarantine.write_tree({_PADDING: e}) for e in entries))
