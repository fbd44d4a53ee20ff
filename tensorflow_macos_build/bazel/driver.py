"""Running Bazel: its events followed live, outputs by label, failures in the tool's own words."""

from __future__ import annotations

import os
import re
import select
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build import checkout, process
from tensorflow_macos_build.bazel import events as bep
from tensorflow_macos_build.bazel.exit_codes import ExitKind, meaning
from tensorflow_macos_build.bazel.line_tail import LineTail
from tensorflow_macos_build.errors import Interrupted, MacosBuildError, UsageError, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.bazel.invocation import Invocation
    from tensorflow_macos_build.console import Ticker

_POLL_SECONDS = 0.1
"""How often files are looked into: a bar that moves ten times a second looks live."""

_SHOWN_FAILURES = 3
"""How many failed actions are shown in full: with --keep_going hundreds may follow from one."""

_SHOWN_BYTES = 16_384
"""How much of one action's output is shown. Its end is, for a compiler names its error last."""

_SHOWN_LOG_LINES = 30

# With --curses=no Bazel prints `[1,234 / 5,678] Compiling a.cc; 3s linux-sandbox`, a line a time.
_PROGRESS = re.compile(rb"^\[([\d,]+) / ([\d,]+)\] ?(.*)")

_CACHE_HITS = ("remote cache hit", "disk cache hit")
"""How Bazel names these among its runners: a hit is counted as a process that a cache ran."""


class BazelBroken(MacosBuildError):
    """Bazel itself could not work: its server died, its cache is gone, its folder is in use."""


@dataclass(frozen=True)
class BuildResult:
    """A build that succeeded.

    Attributes:
        outputs: the default outputs by target label, sorted.
        actions: how many actions ran, internal ones and cache hits too.
        runners: how many processes each runner ran, such as `linux-sandbox`.
        cache_hits: how many came from a disk or remote cache.
        seconds: wall-clock time.
    """

    outputs: dict[str, tuple[Path, ...]]
    actions: int
    runners: dict[str, int]
    cache_hits: int
    seconds: float


@dataclass(frozen=True)
class _Failure:
    """A failed action with what it wrote, read at once: Bazel's next command deletes it."""

    action: bep.ActionFailed
    text: str


class _BuildEvents:
    """What the events of one build have told so far."""

    def __init__(self) -> None:
        self.sets: dict[str, bep.NamedSetOfFiles] = {}
        self.targets: list[bep.TargetComplete] = []
        self.failures: list[_Failure] = []
        self.aborted: list[bep.Aborted] = []
        self.metrics = bep.BuildMetrics(0, ())
        self.runners: tuple[tuple[str, int], ...] = ()

    def feed(self, line: bytes) -> None:
        try:
            events = bep.parse(line)
        except ValueError:
            return  # a killed server leaves a torn line; the exit code tells the rest
        for event in events:
            self._take(event)

    def _take(self, event: bep.Event) -> None:
        match event:
            case bep.ActionFailed():
                self.failures.append(_Failure(event, _output_of(event)))
            case bep.NamedSetOfFiles():
                self.sets[event.id] = event
            case bep.TargetComplete():
                self.targets.append(event)
            case bep.Aborted():
                self.aborted.append(event)
            case bep.BuildMetrics():
                self.metrics = event
            case bep.BuildToolLogs():
                self.runners = event.runners
            case _:
                assert_never(event)

    def outputs(self) -> dict[str, tuple[Path, ...]]:
        return {
            target.label: tuple(sorted({*target.files, *self._files_of(target.sets)}))
            for target in sorted(self.targets, key=lambda target: target.label)
        }

    def _files_of(self, ids: tuple[str, ...]) -> Iterator[Path]:
        waiting, seen = list(ids), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.sets:
                continue
            seen.add(name)
            yield from self.sets[name].files
            waiting += self.sets[name].sets


def build(invocation: Invocation, *, ticker: Ticker, log: Path) -> BuildResult:
    """Run `bazel build` to its end.

    Args:
        invocation: what to run.
        ticker: told of the actions done, of those known so far, and of the one at work.
        log: the file for what Bazel itself prints; it is overwritten, and its first line is the
            command line.

    Raises:
        WorkFailed: an action failed, or a target cannot be analysed; the detail is the failing
            tool's own output.
        UsageError: Bazel does not take the flags.
        Interrupted: the build was stopped; what was finished is kept.
        BazelBroken: Bazel itself could not work.
        process.ProgramMissing: there is no Bazel.
    """
    begun = time.monotonic()
    events = _BuildEvents()
    log.parent.mkdir(parents=True, exist_ok=True)
    invocation.events.parent.mkdir(parents=True, exist_ok=True)
    invocation.events.unlink(missing_ok=True)  # until Bazel begins, the last build's lie there
    status = _run(invocation, events, ticker, log)
    if status != 0:
        raise _error(status, events, log, invocation.targets)
    runners = dict(events.metrics.runners or events.runners)
    return BuildResult(
        outputs=events.outputs(),
        actions=events.metrics.executed,
        runners=runners,
        cache_hits=sum(runners.get(name, 0) for name in _CACHE_HITS),
        seconds=time.monotonic() - begun,
    )


def shutdown(invocation: Invocation) -> None:
    """End the server of an output base, if one runs; its locks and memory are free afterwards."""
    if not invocation.output_base.is_dir():
        return
    argv = [*invocation.startup_argv(), "shutdown"]
    process.run(argv, cwd=invocation.workspace, env=invocation.env, expected=())


def _run(invocation: Invocation, events: _BuildEvents, ticker: Ticker, log: Path) -> int:
    command = invocation.command()
    log.write_bytes(os.fsencode(f"{command.typed()}\n"))
    tail, progress = LineTail(invocation.events), _ProgressLines(log, ticker)
    with (
        log.open("ab") as sink,
        process.start(
            command.argv,
            cwd=command.cwd,
            env=command.env,
            hint=f"`{checkout.command('doctor')}` tells how to install it",
            stderr=sink,
        ) as client,
    ):
        assert client.stdout is not None
        try:
            while client.poll() is None:
                _drain(client.stdout)
                _feed(events, tail)
                progress.tick()
        except KeyboardInterrupt:
            process.stop(client)  # while its pipes are open, so that the client ends cleanly
            raise
        _feed(events, tail)  # what was written between the last look and the client's end
        return client.returncode


def _feed(events: _BuildEvents, tail: LineTail) -> None:
    for line in tail.lines():
        events.feed(line)


class _ProgressLines:
    """The lines that Bazel prints on its progress, of which the last is passed to a ticker.

    Before the first count there are others, on what is loaded and analysed. What is in the log
    already is none of them.
    """

    def __init__(self, log: Path, ticker: Ticker) -> None:
        self._tail = LineTail(log)
        self._tail.lines()
        self._ticker = ticker
        self._counting = False

    def tick(self) -> None:
        lines = [line for line in self._tail.lines() if line.strip()]
        counted = [match for match in map(_PROGRESS.match, lines) if match]
        if counted:
            self._counting = True
            done, known, detail = (part.replace(b",", b"") for part in counted[-1].groups())
            self._ticker(int(done), int(known), detail.decode("utf-8", "replace"))
        elif lines and not self._counting:
            self._ticker(0, None, lines[-1].decode("utf-8", "replace"))


def _drain(pipe: IO[bytes]) -> None:
    """Wait a moment, and throw away what the client writes to standard output meanwhile.

    A pipe that nobody reads fills up and stops its writer (pipe(7)).
    """
    ready, _, _ = select.select([pipe], [], [], _POLL_SECONDS)
    if ready and not os.read(pipe.fileno(), _SHOWN_BYTES):
        time.sleep(_POLL_SECONDS / 10)  # the pipe is closed: the client is about to end


def _error(status: int, events: _BuildEvents, log: Path, targets: Sequence[str]) -> MacosBuildError:
    """Return the error of a failed build; the first failures come first, and in their own words."""
    end = meaning(status)
    where = " ".join(targets)
    match end.kind:
        case ExitKind.INTERRUPTED:
            return Interrupted(end.what, where=where, hint=end.hint)
        case ExitKind.USAGE:
            return UsageError(end.what, where=where, hint=end.hint, detail=_end_of_log(log))
        case ExitKind.ENVIRONMENT:
            return BazelBroken(end.what, where=where, hint=end.hint, detail=_end_of_log(log))
        case ExitKind.BUILD:
            return _build_failed(end.what, events, log, where)
        case _:
            assert_never(end.kind)


def _build_failed(what: str, events: _BuildEvents, log: Path, where: str) -> WorkFailed:
    hint = f"Bazel's own log is {log}"
    if events.failures:
        shown = events.failures[:_SHOWN_FAILURES]
        more = len(events.failures) - len(shown)
        texts = [_described(failure) for failure in shown]
        if more:
            texts.append(f"and {more} more failed actions")
        first = events.failures[0].action
        what = f"{first.mnemonic} failed with status {first.status}"
        return WorkFailed(what, where=first.label, detail="\n".join(texts), hint=hint)
    reasons = [aborted.description for aborted in events.aborted]
    reasons += [target.message for target in events.targets if not target.success]
    # One cause aborts all that depends on it, each time in the same words.
    detail = "\n".join(dict.fromkeys(reason for reason in reasons if reason))
    return WorkFailed(what, where=where, detail=detail or _end_of_log(log), hint=hint)


def _described(failure: _Failure) -> str:
    action = failure.action
    return f"{action.output} ({action.mnemonic} of {action.label}):\n{failure.text.rstrip()}"


def _output_of(action: bep.ActionFailed) -> str:
    """Read what a failed action wrote, its end where it is long; Bazel's message if nothing."""
    texts = [_end_of(path) for path in (action.stderr, action.stdout) if path is not None]
    return "\n".join(text for text in texts if text.strip()) or action.message


def _end_of(path: Path) -> str:
    try:
        if not path.is_file():  # its name is an event's: a pipe or a device would never end
            return ""
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _SHOWN_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text if size <= _SHOWN_BYTES else f"… the last {_SHOWN_BYTES} of {size} bytes:\n{text}"


def _end_of_log(log: Path) -> str:
    """Return Bazel's last words, without the command line above them."""
    return "\n".join(_end_of(log).splitlines()[1:][-_SHOWN_LOG_LINES:])
