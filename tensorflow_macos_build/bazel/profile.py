"""Where a build's time went, from the profile that Bazel's `--profile=` writes.

The format is Chrome's trace (the Trace Event Format, JSON Object Format), as a rule gzipped: one
object whose member `traceEvents` lists events, of which `"ph":"X"` are complete ones with `ts` and
`dur` in microseconds. A profile of TensorFlow has a million of them, so they are read one by one.

A profile is only looked at: of one that is cut off, damaged or no profile nothing is known (None).
"""

from __future__ import annotations

import codecs
import heapq
import json
import re
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOWEST = 10
"""How many of the slowest actions are kept."""

_MAX_EVENT = 1 << 20
"""The longest event that is read, in characters: its name is an action's description."""

_MAX_TEXT = 8 << 30
"""Where reading ends, in bytes unpacked: deflate packs up to 1,032 to 1, and may be a bomb."""

_MAX_KINDS = 500
_MAX_PATH = 1000
"""How many names are told apart, and how long a critical path is kept: more is not Bazel's."""

_OTHERS = "others"

_BLOCK = 1 << 16

_LIST = re.compile(r'"traceEvents"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_WORD = re.compile(r"[A-Za-z]\w*")

# --slim_profile, Bazel's default, joins neighbours of one thread that took less than 0.25 s, from
# the ten thousandth event on (JsonTraceFileWriter.java).
_MERGED = re.compile(r"merged (\d{1,9}) events")

_PATH_STEP = re.compile(r"action '(.*)'", re.DOTALL)


@dataclass(frozen=True)
class ActionTime:
    """An action by Bazel's description of it, such as `Compiling a.cc`, and its wall-clock time."""

    description: str
    seconds: float


@dataclass(frozen=True)
class KindTime:
    """All actions of one kind together.

    Attributes:
        kind: the mnemonic, such as `CppCompile`; before Bazel writes that into profiles (4.2.3 does
            not), the first word of the description, such as `Compiling`.
        actions: how many there were.
        seconds: their wall-clock times added up; more than the build's where they ran abreast.
    """

    kind: str
    actions: int
    seconds: float


@dataclass(frozen=True)
class ActionTimes:
    """What a profile says about a build's actions.

    Attributes:
        kinds: all actions by their kind, those that took longest first.
        slowest: the slowest actions, the slowest first.
        critical_path: the chain of actions that the build could not be shorter than, in order.
    """

    kinds: tuple[KindTime, ...]
    slowest: tuple[ActionTime, ...]
    critical_path: tuple[ActionTime, ...]

    @property
    def critical_seconds(self) -> float:
        """The length of the critical path."""
        return sum(step.seconds for step in self.critical_path)


def read(path: Path) -> ActionTimes | None:
    """Return what a profile says; None when it cannot be read, or not to its end."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            return parse(stream)
    except OSError:
        return None


def parse(stream: IO[bytes]) -> ActionTimes | None:
    """Return what the profile in a stream says, gzipped or not; None when it is not whole."""
    totals = _Totals()
    try:
        for event in _events(_text(stream)):
            totals.add(event)
    except (ValueError, RecursionError, zlib.error):
        return None
    return totals.result()


class _Totals:
    """What the events so far come to, in bounded memory."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[int, float]] = {}
        # The number keeps equal times from being told apart by their description.
        self._slowest: list[tuple[float, int, str]] = []
        self._path: list[ActionTime] = []
        self._actions = 0

    def add(self, event: dict[str, object]) -> None:
        """Take one event of the trace in."""
        name, duration = event.get("name"), event.get("dur")
        if not isinstance(name, str) or not _is_duration(duration):
            return
        description = name.encode("utf-8", "replace").decode()
        seconds = duration / 1e6
        # The categories are the descriptions of ProfilerTask.java's constants.
        if event.get("cat") == "action processing":
            self._add_action(event, description, seconds)
        elif event.get("cat") == "critical path component" and len(self._path) < _MAX_PATH:
            step = _PATH_STEP.fullmatch(description)
            self._path.append(ActionTime(step[1] if step else description, seconds))

    def _add_action(self, event: dict[str, object], description: str, seconds: float) -> None:
        merged = _MERGED.fullmatch(description)
        kind = _OTHERS if merged else _kind(event, description)
        if kind not in self._kinds and len(self._kinds) >= _MAX_KINDS:
            kind = _OTHERS
        count, total = self._kinds.get(kind, (0, 0.0))
        self._kinds[kind] = (count + (int(merged[1]) if merged else 1), total + seconds)
        if merged:
            return
        self._actions += 1
        entry = (seconds, -self._actions, description)
        if len(self._slowest) < SLOWEST:
            heapq.heappush(self._slowest, entry)
        else:
            heapq.heappushpop(self._slowest, entry)

    def result(self) -> ActionTimes:
        """Return what all events come to."""
        kinds = [KindTime(kind, *total) for kind, total in self._kinds.items()]
        slowest = sorted(self._slowest, reverse=True)
        return ActionTimes(
            kinds=tuple(sorted(kinds, key=lambda kind: (-kind.seconds, kind.kind))),
            slowest=tuple(ActionTime(name, seconds) for seconds, _, name in slowest),
            critical_path=tuple(self._path),
        )


def _is_duration(value: object) -> TypeGuard[float]:
    # A year in microseconds: beyond it a float's sum would swallow all others.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 3.2e13


def _kind(event: dict[str, object], description: str) -> str:
    args = event.get("args")
    mnemonic = args.get("mnemonic") if isinstance(args, dict) else None
    word = _WORD.match(mnemonic if isinstance(mnemonic, str) else description)
    return word[0] if word else _OTHERS


def _events(pieces: Iterator[str]) -> Iterator[dict[str, object]]:
    """Yield the members of `traceEvents`.

    Raises:
        ValueError: the text is none of that form, or ends before its list does.
    """
    decoder = json.JSONDecoder()
    buffer = _after_start(pieces)
    position = 0
    while True:
        match = _BETWEEN.match(buffer, position)
        position = match.end() if match else position
        if buffer.startswith("]", position):
            return
        try:
            event, position = decoder.raw_decode(buffer, position)
        except ValueError:  # most likely the buffer's end cuts it in two
            buffer, position = _longer(buffer[position:], pieces), 0
            continue
        if isinstance(event, dict):
            yield event


def _after_start(pieces: Iterator[str]) -> str:
    """Return the text from behind the bracket that begins the list."""
    buffer = ""
    while (start := _LIST.search(buffer)) is None:
        buffer = _longer(buffer, pieces)
    return buffer[start.end() :]


def _longer(buffer: str, pieces: Iterator[str]) -> str:
    piece = next(pieces, None)
    if piece is None or len(buffer) > _MAX_EVENT:
        raise ValueError("the trace ends too early, or has an event without end")
    return buffer + piece


def _text(stream: IO[bytes]) -> Iterator[str]:
    """Yield the text of a profile in pieces."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    size = 0
    for block in _unpacked(stream):
        size += len(block)
        if size > _MAX_TEXT:
            raise ValueError("it is too long for a profile")
        yield decode(block)


def _unpacked(stream: IO[bytes]) -> Iterator[bytes]:
    block = stream.read(_BLOCK)
    if not block.startswith(b"\x1f\x8b"):  # ID1 and ID2 of gzip (RFC 1952, section 2.3.1)
        while block:
            yield block
            block = stream.read(_BLOCK)
        return
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)  # 16: with gzip's header and trailer
    while block and not unpacker.eof:
        yield unpacker.decompress(block, _BLOCK)
        # What a limited output leaves over is to be handed in again.
        block = unpacker.unconsumed_tail or stream.read(_BLOCK)
