"""Programs of git's that answer one question after another, so that none is started for each."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from tensorflow_macos_build import children, process
from tensorflow_macos_build.git import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from tensorflow_macos_build.children import Child

_PIECE = 1 << 16
"""Bytes read at a time, as many as a pipe holds (pipe(7))."""

_QUESTION = 1 << 14
"""Bytes asked before an answer is read: they have to fit into a pipe, 16 KiB of it on macOS."""

_Read = TypeVar("_Read")

_BESIDE = 4
"""Threads that wait for answers: as many as there are kinds of comparisons."""


class Ended(Exception):
    """A running git has ended before it gave its answer."""


class RunningGit:
    """A program that reads questions and writes answers; who asks has its turn until the answer.

    Attributes:
        bytes_read: of answers, with their ends.
    """

    def __init__(self, child: Child) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self.turn = threading.Lock()
        self.child = child
        self.has_ended = False
        self.bytes_read = 0
        self._questions, self._answers = child.stdin, child.stdout
        self._unread = bytearray()
        self._poll = select.poll()  # select(2) knows no descriptors from 1,024 on
        self.register(self._poll)

    def send(self, question: bytes) -> None:
        """Write a question.

        Raises:
            Ended: nobody reads it.
        """
        try:
            self._questions.write(question)
            self._questions.flush()
        except BrokenPipeError:
            raise Ended from None

    def up_to(self, end: bytes) -> bytes:
        """Return what the program writes up to certain bytes, and pass over these.

        Raises:
            Ended: it has ended before.
        """
        at = self._unread.find(end)
        while at < 0:
            looked_at = max(0, len(self._unread) - len(end) + 1)
            piece = os.read(self._answers.fileno(), _PIECE)
            if not piece:
                raise Ended
            self._unread += piece
            at = self._unread.find(end, looked_at)
        with memoryview(self._unread) as unread:  # a slice of its own would be one copy more
            answer = bytes(unread[:at])
        del self._unread[: at + len(end)]
        self.bytes_read += at + len(end)
        return answer

    def has_written(self, size: int) -> bool:
        """Whether so many bytes can be read without a wait; or the program has ended."""
        while len(self._unread) < size:
            if not self._poll.poll(0):
                return False
            piece = os.read(self._answers.fileno(), _PIECE)
            if not piece:
                return True
            self._unread += piece
        return True

    def register(self, poll: select.poll) -> None:
        """Let a poll wait for what the program writes, and for its end."""
        poll.register(self._answers, select.POLLIN)


def wait_for_any(programs: Iterable[RunningGit]) -> None:
    """Wait until one of some programs has written something, or has ended."""
    poll = select.poll()
    for program in programs:
        program.register(poll)
    poll.poll()


class RunningGits:
    """The programs that were started; leaving the body ends them."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._by_argv: dict[tuple[str, ...], RunningGit] = {}
        self._pool = ThreadPoolExecutor(_BESIDE)
        self._asked: list[Future[Any]] = []
        # A line that is no id: `git diff-tree --stdin` prints it back, and flushes (diff-tree.c).
        # Nobody can have called a file so.
        self._end = f"end {secrets.token_hex(16)}\n".encode()

    def __enter__(self) -> RunningGits:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        waited_for = [asked for asked in self._asked if not (asked.done() or asked.cancel())]
        # A thread that waits for an answer ends with the program that would give it, and before the
        # pipe is closed that it reads.
        for running in self._by_argv.values() if waited_for else ():
            children.stop(running.child)
        self._pool.shutdown()
        self._stack.__exit__(kind, error, trace)

    def start(
        self, argv: Sequence[str | Path], cwd: Path | None, env: Mapping[str, str | None]
    ) -> RunningGit:
        """Start a program."""
        # what it says of an object that it lacks, git says again when it is asked that alone
        own = {**env, **environment.KEEPING_MEMORY}
        started = process.start(argv, cwd=cwd, env=own, stderr=process.NOWHERE)
        return RunningGit(self._stack.enter_context(started))

    def diff_tree(
        self,
        argv: Sequence[str | Path],
        cwd: Path | None,
        env: Mapping[str, str | None],
        lines: bytes,
    ) -> bytes:
        """Return what a `git diff-tree --stdin` prints, the running one of the same command line.

        Raises:
            Ended: it has ended before.
        """
        return self._answer(self._running(argv, cwd, env), lines)

    def beside(
        self,
        argv: Sequence[str | Path],
        cwd: Path | None,
        env: Mapping[str, str | None],
        lines: bytes,
        read: Callable[[bytes], _Read],
    ) -> Future[_Read]:
        """Ask as `diff_tree` does, and do not wait; what comes is what is read, or `Ended`."""
        # Started here: an interrupt that comes meanwhile is the main thread's to raise.
        running = self._running(argv, cwd, env)
        asked = self._pool.submit(lambda: read(self._answer(running, lines)))
        self._asked = [*(other for other in self._asked if not other.done()), asked]
        return asked

    def _running(
        self, argv: Sequence[str | Path], cwd: Path | None, env: Mapping[str, str | None]
    ) -> RunningGit:
        key = tuple(os.fspath(word) for word in argv)
        if key not in self._by_argv or self._by_argv[key].has_ended:
            self._by_argv[key] = self.start(argv, cwd, env)
        return self._by_argv[key]

    def _answer(self, running: RunningGit, lines: bytes) -> bytes:
        with running.turn:
            try:
                return b"".join(self._answers(running, lines))
            except Ended:
                running.has_ended = True
                raise

    def _answers(self, running: RunningGit, lines: bytes) -> Iterator[bytes]:
        start = 0
        while start < len(lines):
            end = lines.rfind(b"\n", start, start + _QUESTION) + 1
            running.send(lines[start:end] + self._end)
            yield running.up_to(self._end)
            start = end
