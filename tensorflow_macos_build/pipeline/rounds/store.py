"""The disk cache that rounds on this machine fill, and its mark of what it is and who is at it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pydantic

from tensorflow_macos_build import files
from tensorflow_macos_build.bazel.disk_cache import DiskCache
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline.records import Record
from tensorflow_macos_build.pipeline.rounds.model import Round, RunAction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_MARK = "round.json"

_MAX_MARK = 1 << 28
"""A million keys of 67 bytes."""


class OpenRound(Record):
    """A round that has begun and not saved: it is at work, or was broken off.

    Attributes:
        number: the round's.
        plan: what it builds.
        known: the keys of the actions that the store had when it began.
    """

    number: int
    plan: str
    known: tuple[str, ...]


class BrokenRound(Record):
    """A round that was broken off, whose actions no state has yet.

    Attributes:
        row: what is known of it.
        run: the key of each action that it ran, and the digest of what that makes.
    """

    row: Round
    run: tuple[tuple[str, str], ...]

    def actions(self) -> frozenset[RunAction]:
        """Return what it ran."""
        return frozenset(RunAction(key, outputs) for key, outputs in self.run)


class StoreMark(Record):
    """What a store on this machine is.

    Attributes:
        release: the config that it belongs to.
        toolchain: the tools that fill it.
        pace: how many seconds a byte took to be saved here; None: nothing was.
        open: the round at work, or broken off.
        broken: those broken off before it, since this machine saved last.
    """

    release: str
    toolchain: dict[str, str]
    pace: float | None = None
    open: OpenRound | None = None
    broken: tuple[BrokenRound, ...] = ()


@dataclass(frozen=True)
class Store:
    """A release's disk cache on this machine; the release's lock is held."""

    folder: Path
    cache: DiskCache = field(init=False)

    def __post_init__(self) -> None:
        """Name the cache in it."""
        object.__setattr__(self, "cache", DiskCache(self.folder))

    def claim(
        self, release: str, toolchain: Mapping[str, str], note: Callable[[str], object]
    ) -> StoreMark:
        """Return the mark of a store that fits; one that does not, or is of nobody, is emptied.

        `note` is told when what was built is thrown away with it.
        """
        mark = self._mark()
        fits = mark and (mark.release, mark.toolchain) == (release, dict(toolchain))
        if mark is not None and fits:
            return mark
        if mark is not None:
            note("the tools have changed since this machine's last round: its cache is emptied")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        made = StoreMark(release=release, toolchain=dict(toolchain))
        self.write(made)
        return made

    def _mark(self) -> StoreMark | None:
        try:
            content = files.read_small(self.folder / _MARK, _MAX_MARK)
            return StoreMark.model_validate(json.loads(content))
        except (OSError, UsageError, ValueError, RecursionError, pydantic.ValidationError):
            return None

    def write(self, mark: StoreMark) -> None:
        """Replace the mark."""
        files.write_text(self.folder / _MARK, mark.model_dump_json())
