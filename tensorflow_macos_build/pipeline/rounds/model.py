"""What a time-boxed build keeps: its rounds, what each of them ran, and the saved state."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.pipeline.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tensorflow_macos_build.bazel.action_results import Blob
    from tensorflow_macos_build.bazel.disk_cache import CachedAction

MAX_ROUNDS = 100
"""How many rounds a state tells of: the newest; a release takes less than ten."""


class RoundEnd(str, Enum):
    """How a round ended."""

    BUDGET = "budget"
    """At its time budget, with a saved state."""
    DONE = "done"
    """All that was asked for is built."""
    FAILED = "failed"
    """An action or a stage failed."""
    BROKEN_OFF = "broken off"
    """It was killed or interrupted, or could not save; a later one on that machine went on."""


class Round(Record):
    """One run of the build.

    Attributes:
        number: its number; a state that it saves has the same.
        plan: a digest of all that decides what is built: the patched tree, flags, tools.
        end: how it ended.
        seconds: how long it took, without saving; None: nobody measured it.
        run: how many actions it ran whose results can be kept.
        hits: how many others it took from the state; None: the file system does not tell.
        overlap: how many of `run` an earlier round of this plan had run already.
        remade: how many of `run` made files that an earlier round of this plan had made by another
            command or of other inputs: something of the machine decides them.
        stages: the stages that were done at its end.
    """

    number: int
    plan: str
    end: RoundEnd
    seconds: float | None
    run: int
    hits: int | None
    overlap: int
    remade: int
    stages: tuple[str, ...]


@dataclass(frozen=True)
class RunAction:
    """An action that a round ran.

    Attributes:
        key: the SHA-256 of the action, its command and all its inputs.
        outputs: the SHA-256 of the paths that it makes.
    """

    key: str
    outputs: str

    @classmethod
    def of(cls, action: CachedAction) -> RunAction:
        """Return what is kept of an action."""
        paths = b"\0".join(sorted(map(os.fsencode, action.outputs)))
        return cls(action.key, hashlib.sha256(paths).hexdigest())


@dataclass(frozen=True)
class Entry:
    """An entry of the action cache in a state.

    Attributes:
        sha256: that of the entry itself.
        size: its size in bytes.
        used: the number of the last round that made or used it.
    """

    sha256: str
    size: int
    used: int


@dataclass(frozen=True)
class State:
    """What one round leaves to the next.

    Attributes:
        number: that of the round that saved it.
        release: the config that it belongs to.
        toolchain: the tools that made it; with others it is of no use.
        plan: what that round built.
        rounds: the rounds so far, the oldest first.
        runs: what the rounds of this plan ran, by their numbers.
        entries: the action cache, by the actions' keys.
        blobs: the content-addressed store, sorted.
    """

    number: int
    release: str
    toolchain: Mapping[str, str]
    plan: str
    rounds: tuple[Round, ...] = ()
    runs: Mapping[int, frozenset[RunAction]] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)
    blobs: tuple[Blob, ...] = ()


def compare(run: Iterable[RunAction], earlier: Iterable[frozenset[RunAction]]) -> tuple[int, int]:
    """Return how many of a round's actions earlier ones ran, and how many they ran otherwise.

    The second number counts those of another key that make the same files.
    """
    keys, outputs = set[str](), set[str]()
    for actions in earlier:
        keys |= {action.key for action in actions}
        outputs |= {action.outputs for action in actions}
    run = frozenset(run)
    again = {action for action in run if action.key in keys}
    return len(again), sum(action.outputs in outputs for action in run - again)
