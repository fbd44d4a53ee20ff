"""What the events of one build have told so far, in bounded memory however many there are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build.bazel import events as bep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHOWN_FAILURES = 3
"""How many failed actions are shown in full: with --keep_going hundreds may follow from one."""

_SHOWN_BYTES = 16_384
"""How much of one action's output is shown. Its end is, for a compiler names its error last."""

_MAX_FILES = 50_000
"""How many output files, sets of them and targets are kept: some 30 MB. A wheel's target has one; a
target with so many is another than was meant, and its events must not take the memory."""

_MAX_REASONS = 20
"""How many different reasons are kept for what was not reached."""


@dataclass(frozen=True)
class Failure:
    """A failed action with what it wrote, read at once: Bazel's next command deletes it."""

    action: bep.ActionFailed
    text: str

    def __str__(self) -> str:
        """Return what failed, and below it the tool's own words."""
        action = self.action
        return f"{action.output} ({action.mnemonic} of {action.label}):\n{self.text.rstrip()}"


class BuildEvents:
    """What is kept of a build's events.

    Attributes:
        failures: the failures that came first.
        failed_actions: how many actions failed.
        reasons: Bazel's words on what was not built, each once.
        metrics: how many actions ran.
        runners: how many processes each runner ran, where `metrics` does not have it.
        finished: the server's own word on the build's end; None: it has said none.
        complete: whether the stream has come to its end.
        version: Bazel's version; "" where it has none.
        options: all options, those of rc files too.
        too_many: whether there were more outputs than are kept.
    """

    def __init__(self, on_failure: Callable[[Failure], None]) -> None:
        self.failures: list[Failure] = []
        self.failed_actions = 0
        self.reasons: dict[str, None] = {}
        self.metrics = bep.BuildMetrics(0, ())
        self.runners: tuple[tuple[str, int], ...] = ()
        self.finished: bep.BuildFinished | None = None
        self.complete = False
        self.version = ""
        self.options: tuple[str, ...] = ()
        self.too_many = False
        self._on_failure = on_failure
        self._sets: dict[str, bep.NamedSetOfFiles] = {}
        self._targets: list[bep.TargetComplete] = []
        self._kept = 0

    def feed(self, line: bytes) -> None:
        """Take in one line of the stream."""
        try:
            events = bep.parse(line)
        except ValueError:
            return  # a killed server leaves a torn line; the exit code tells the rest
        for event in events:
            self._take(event)

    def _take(self, event: bep.Event) -> None:
        match event:
            case bep.ActionFailed():
                self._take_failure(event)
            case bep.NamedSetOfFiles():
                if self._has_room(1 + len(event.files) + len(event.sets)):
                    self._sets[event.id] = event
            case bep.TargetComplete():
                self._take_target(event)
            case bep.Aborted():
                self._take_reason(event.description)
            case bep.BuildFinished():
                self.finished = event
            case bep.BuildMetrics() | bep.BuildToolLogs():
                self._take_counts(event)
            case bep.BuildStarted() | bep.OptionsParsed():
                self._take_beginning(event)
            case bep.LastMessage():
                self.complete = True
            case _:
                assert_never(event)

    def _take_counts(self, event: bep.BuildMetrics | bep.BuildToolLogs) -> None:
        if isinstance(event, bep.BuildMetrics):
            self.metrics = event
        else:
            self.runners = event.runners

    def _take_beginning(self, event: bep.BuildStarted | bep.OptionsParsed) -> None:
        if isinstance(event, bep.BuildStarted):
            self.version = event.version
        else:
            self.options = event.options

    def _take_failure(self, event: bep.ActionFailed) -> None:
        self.failed_actions += 1
        if len(self.failures) < SHOWN_FAILURES:
            failure = Failure(event, _output_of(event))
            self.failures.append(failure)
            self._on_failure(failure)

    def _take_target(self, event: bep.TargetComplete) -> None:
        if not event.success:
            self._take_reason(event.message)
        if self._has_room(1 + len(event.files) + len(event.sets)):
            self._targets.append(event)

    def _take_reason(self, reason: str) -> None:
        # One cause aborts all that depends on it, each time in the same words.
        if reason and len(self.reasons) < _MAX_REASONS:
            self.reasons[reason] = None

    def _has_room(self, count: int) -> bool:
        self._kept += count
        self.too_many = self.too_many or self._kept > _MAX_FILES
        return not self.too_many

    def outputs(self) -> dict[str, tuple[Path, ...]]:
        """Return the default outputs by target label, sorted."""
        return {
            target.label: tuple(sorted({*target.files, *self._files_of(target.sets)}))
            for target in sorted(self._targets, key=lambda target: target.label)
        }

    def _files_of(self, ids: tuple[str, ...]) -> Iterator[Path]:
        waiting, seen = list(ids), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self._sets:
                continue
            seen.add(name)
            yield from self._sets[name].files
            waiting += self._sets[name].sets


def _output_of(action: bep.ActionFailed) -> str:
    """Read what a failed action wrote, its end where it is long; Bazel's message if nothing."""
    texts = [end_of(path) for path in (action.stderr, action.stdout) if path is not None]
    return "\n".join(text for text in texts if text.strip()) or action.message


def end_of(path: Path) -> str:
    """Return the end of a text file; nothing of one that cannot be read."""
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
