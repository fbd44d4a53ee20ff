"""Running Bazel: its events followed live, outputs by label, failures in the tool's own words."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tensorflow_macos_build import checkout, children, interrupts, process
from tensorflow_macos_build.bazel import explanation, profile, progress
from tensorflow_macos_build.bazel import files as kept_files
from tensorflow_macos_build.bazel.build_events import BuildEvents
from tensorflow_macos_build.bazel.exit_codes import AGAIN
from tensorflow_macos_build.bazel.failures import RemoteLost, error_of
from tensorflow_macos_build.bazel.history import PARTS, RunningBuild, time_left
from tensorflow_macos_build.bazel.line_tail import LineTail
from tensorflow_macos_build.bazel.servers import end_server
from tensorflow_macos_build.errors import BudgetReached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tensorflow_macos_build.bazel.build_events import Failure
    from tensorflow_macos_build.bazel.history import PastBuild
    from tensorflow_macos_build.bazel.invocation import Invocation
    from tensorflow_macos_build.bazel.profile import ActionTimes
    from tensorflow_macos_build.bazel.progress import BuildProgress
    from tensorflow_macos_build.children import Child
    from tensorflow_macos_build.console import Ticker

_POLL_SECONDS = 0.1
"""How often files are looked into: a bar that moves ten times a second looks live."""

_BLOCK = 1 << 16

_SHUTDOWN_SECONDS = 60.0
"""How long a server may take to end of its own accord; its last action has 15 s of that."""

_CACHE_HITS = ("remote cache hit", "disk cache hit")
"""How Bazel names these among its runners: a hit is counted as a process that a cache ran."""


@dataclass(frozen=True)
class BuildResult:
    """A build that succeeded.

    Attributes:
        outputs: the default outputs by target label, sorted.
        actions: how many actions ran, internal ones and cache hits too.
        needed: how many the targets need at least, those included that were up to date: `actions`,
            or Bazel's last word on its progress, which may not have come to the end.
        runners: how many processes each runner ran, such as `linux-sandbox`.
        cache_hits: how many came from a disk or remote cache.
        seconds: wall-clock time.
        times: where it went; None where Bazel's profile does not say.
        reasons: for how many actions the output base's action cache did not do, by the reason that
            Bazel gives; the most frequent first.
        course: the build's course, if later ones can be measured by it.
        version: Bazel's version; "" of one that was built without.
        options: all options, those of rc files too.
    """

    outputs: dict[str, tuple[Path, ...]]
    actions: int
    needed: int
    runners: dict[str, int]
    cache_hits: int
    seconds: float
    times: ActionTimes | None
    reasons: tuple[tuple[str, int], ...]
    course: PastBuild | None
    version: str = ""
    options: tuple[str, ...] = ()


def _ignore(_what: object) -> None:
    pass


def _never() -> bool:
    return False


def build(
    invocation: Invocation,
    *,
    ticker: Ticker,
    log: Path,
    on_failure: Callable[[Failure], None] = _ignore,
    on_loss: Callable[[RemoteLost], None] = _ignore,
    past: Sequence[PastBuild] = (),
    is_over: Callable[[], bool] = _never,
) -> BuildResult:
    """Run `bazel build` to its end; once more without a cache or farm that it fails by.

    Args:
        invocation: what to run.
        ticker: told of the actions done, of those known so far, and of what is at work.
        log: the file for what Bazel itself prints; its first line is the command line. The logs of
            builds before are kept under other names, and with each of them the files of its build.
        on_failure: called with a failed action as soon as it has failed.
        on_loss: called with the error of the first run, before the second begins.
        past: earlier builds of the same kind, from which the time that is left is estimated.
        is_over: asked ten times a second whether to stop the build.

    Raises:
        WorkFailed: an action failed, or a target cannot be analysed; the detail is the failing
            tool's own output.
        UsageError: Bazel does not take the flags.
        Interrupted: the build was stopped; what was finished is kept.
        BudgetReached: it was over before it had ended; what was finished is kept.
        BazelBroken: Bazel itself could not work.
        process.ProgramMissing: there is no Bazel.
    """
    run = functools.partial(
        _build, ticker=ticker, log=log, on_failure=on_failure, past=past, is_over=is_over
    )
    try:
        return run(invocation)
    except RemoteLost as error:
        if not invocation.remote:
            raise
        on_loss(error)
    return run(invocation.without_remote())


def _build(
    invocation: Invocation,
    *,
    ticker: Ticker,
    log: Path,
    on_failure: Callable[[Failure], None],
    past: Sequence[PastBuild],
    is_over: Callable[[], bool],
) -> BuildResult:
    begun = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    kept_files.make_room(log)
    invocation.files.make_ready()
    events, watch = BuildEvents(on_failure), _ProgressWatch(log, ticker, past)
    try:
        with _private_headers(invocation, log):
            status = _run(invocation, events, watch, log, is_over)
        error = error_of(status, events, log, invocation.targets)
        if error is not None:
            raise error
        return _result(invocation, events, watch, time.monotonic() - begun)
    finally:
        # A failed build's files, too: they are what a person looks into.
        kept_files.keep(invocation.files, log)


def _private_headers(invocation: Invocation, log: Path) -> contextlib.AbstractContextManager[None]:
    """Return a context in which Bazel can read the headers of an invocation."""
    if invocation.headers is None:
        return contextlib.nullcontext()
    return invocation.headers.written(lambda: _repeating(invocation, log))


def _repeating(invocation: Invocation, log: Path) -> Iterator[Path]:
    """Yield the files in which Bazel repeats its flags."""
    yield from (invocation.files.events, invocation.files.explanation, log)
    # What the last command printed, and the server's log, which has its start in its name.
    yield invocation.output_base / "command.log"
    yield from invocation.output_base.glob("java.log.*")


def _result(
    invocation: Invocation, events: BuildEvents, watch: _ProgressWatch, seconds: float
) -> BuildResult:
    runners = dict(events.metrics.runners or events.runners)
    hits = sum(runners.get(name, 0) for name in _CACHE_HITS)
    return BuildResult(
        outputs=events.outputs(),
        actions=events.metrics.executed,
        needed=max(watch.known, events.metrics.executed),
        runners=runners,
        cache_hits=hits,
        seconds=seconds,
        times=profile.read(invocation.files.profile),
        reasons=events.metrics.misses or explanation.read(invocation.files.explanation),
        course=watch.course(events.metrics.executed - hits),
        version=events.version,
        options=events.options,
    )


@interrupts.undisturbed
def shutdown(invocation: Invocation) -> None:
    """End the server of an output base, if one runs; its locks and memory are free afterwards.

    A second interrupt, or one meanwhile, ends it at once.
    """
    if not invocation.output_base.is_dir():
        return
    patience = interrupts.Patience()
    argv = [*invocation.startup_argv(), "shutdown"]
    if not patience.is_lost:
        with (
            Path(os.devnull).open("wb") as sink,
            process.start(
                argv,
                cwd=invocation.workspace,
                env=invocation.env,
                inherited=invocation.inherited,
                stderr=sink,
            ) as client,
        ):
            # What it prints to standard output, a pipe has room for.
            if children.wait(client, _SHUTDOWN_SECONDS, patience):
                return
    end_server(invocation.output_base, at_once=True)


def _run(
    invocation: Invocation,
    events: BuildEvents,
    watch: _ProgressWatch,
    log: Path,
    is_over: Callable[[], bool],
) -> int:
    command = invocation.command()
    log.write_bytes(os.fsencode(f"{command.typed()}\n"))
    watch.skip()
    tail = LineTail(invocation.files.events)
    with (
        log.open("ab") as sink,
        process.start(
            command.argv,
            cwd=command.cwd,
            env=command.env,
            inherited=command.inherited,
            hint=f"`{checkout.command('doctor')}` tells how to install it",
            stderr=sink,
        ) as client,
    ):
        try:
            while client.poll() is None:
                _drain(client.stdout)
                _feed(events, tail)
                watch.tick()
                if is_over():
                    _stop_in_time(client, invocation, watch)
        except KeyboardInterrupt:
            watch.say("stopping Bazel; a second interrupt ends it at once")
            _stop(client, invocation)  # while its pipes are open, so that the client ends cleanly
            raise
        # What was written between the last look and the client's end.
        _feed(events, tail)
        watch.tick()
        return client.returncode


def _stop_in_time(client: Child, invocation: Invocation, watch: _ProgressWatch) -> None:
    watch.say("stopping Bazel, for the time is used up")
    _stop(client, invocation)
    if client.returncode != 0:  # else it had just done its work
        raise BudgetReached("the time budget is used up", hint=AGAIN)


@interrupts.undisturbed
def _stop(client: Child, invocation: Invocation) -> None:
    """End a build; a second interrupt does not wait for actions that do not obey."""
    patience = interrupts.Patience()
    children.stop(client)
    if patience.is_lost:
        # A server without its client gives actions 15 s (--local_termination_grace_seconds).
        end_server(invocation.output_base, at_once=True)


def _feed(events: BuildEvents, tail: LineTail) -> None:
    for line in tail.lines():
        events.feed(line)


class _ProgressWatch:
    """What Bazel prints on its progress, of which the newest is passed to a ticker.

    Before the first count there are lines on what is loaded and analysed.
    """

    def __init__(self, log: Path, ticker: Ticker, past: Sequence[PastBuild]) -> None:
        self._tail = LineTail(log)
        self._ticker = ticker
        self._past = past
        self._running = RunningBuild()
        self._newest: BuildProgress | None = None
        self._begun = 0.0

    @property
    def known(self) -> int:
        """How many actions Bazel has found that are needed; its events do not say it (4.2.3)."""
        return self._newest.known if self._newest else 0

    def skip(self) -> None:
        """Pass over what is in the log already."""
        for _ in self._tail.lines():
            pass

    def say(self, words: str) -> None:
        """Pass the ticker something else than what Bazel prints."""
        done, known = (self._newest.done, self._newest.known) if self._newest else (0, None)
        self._ticker(done, known, words)

    def tick(self) -> None:
        """Look for what is new, and tell the ticker."""
        newest, words = None, b""
        for line in self._tail.lines():
            newest = progress.parse(line) or newest
            words = line if line.strip() else words
        if newest is not None:
            self._count(newest)
        elif words and self._newest is None:
            self._ticker(0, None, words.decode("utf-8", "replace"))

    def _count(self, newest: BuildProgress) -> None:
        if self._newest is None:  # the actions' time begins; loading and analysis are over
            self._begun = time.monotonic()
        self._newest = newest
        seconds = time.monotonic() - self._begun
        self._running.add(seconds, newest.done)
        left = time_left(
            self._past, self._running, done=newest.done, known=newest.known, seconds=seconds
        )
        self._ticker(newest.done, newest.known, progress.detail(newest, left))

    def course(self, ran: int) -> PastBuild | None:
        """Return the course of the build that has ended, of whose actions so many ran.

        Of a build that was mostly up to date or served by a cache there is none: the next one that
        is not would be thought as short. Nor is there one of so few actions that they have none.
        """
        if self._newest is None or ran < max(PARTS, self._newest.known / 2):
            return None
        return self._running.course(self._newest.known, time.monotonic() - self._begun)


def _drain(pipe: IO[bytes] | None) -> None:
    """Wait a moment, and throw away what the client writes to standard output meanwhile.

    A pipe that nobody reads fills up and stops its writer (pipe(7)).
    """
    assert pipe is not None
    ready, _, _ = select.select([pipe], [], [], _POLL_SECONDS)
    if ready and not os.read(pipe.fileno(), _BLOCK):
        time.sleep(_POLL_SECONDS / 10)  # the pipe is closed: the client is about to end
