"""A wheelhouse as values: what it is made for, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.wheels.wheelhouse.rules import KnownRule


class EntryKind(Enum):
    """How a wheel came into the wheelhouse."""

    FUSED = "fused"
    """Made of the two thin wheels that the index has."""
    UNIVERSAL = "universal"
    """Runs on both kinds of Mac as the index has it: universal2, or pure."""
    ONE_SIDED = "one-sided"
    """Needed by one kind of Mac alone, as the index has it."""
    SIDE_BY_SIDE = "side by side"
    """One of two wheels that could not be joined; each kind of Mac takes its own."""


@dataclass(frozen=True)
class WheelhouseOptions:
    """What a wheelhouse is for, and how it is made.

    Attributes:
        cache: the folder for what is fetched, fused and resolved.
        python: CPython's version.
        macos: the lowest macOS by architecture.
        index: the index's address; None: uv's default.
        rules: verdicts for files that differ, before those that come with this package.
        thin: projects that are left as two thin wheels.
        allow: accepted findings of the verification, as `verify` takes them.
        retry: how often, and when, a failed request to the index is made again.
    """

    cache: Path
    python: tuple[int, int] = (3, 11)
    # TensorFlow 2.16.2, the last release for both kinds of Mac, is tagged macosx_10_15_x86_64 and
    # macosx_12_0_arm64: on an older macOS there is no wheel of it.
    macos: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"x86_64": (10, 15), "arm64": (12, 0)}
    )
    index: str | None = None
    rules: Sequence[KnownRule] = ()
    thin: frozenset[str] = frozenset()
    allow: tuple[str, ...] = ()
    retry: Retry = field(default_factory=lambda: Retry(idle=60.0))


@dataclass(frozen=True)
class WheelhouseRequest:
    """What a user asks of a wheelhouse: the requirements, and for which Macs.

    Attributes:
        requirements: as pip takes them.
        options: what it is for, and how it is made.
    """

    requirements: tuple[str, ...]
    options: WheelhouseOptions


@dataclass(frozen=True)
class WheelhouseEntry:
    """A wheel in a wheelhouse.

    Attributes:
        name: its project.
        version: its version.
        file: its file name.
        sha256: of its bytes, 64 hexadecimal digits.
        size: its bytes.
        kind: how it came in.
        archs: the kinds of Mac that need it.
        sources: the addresses that it was fetched from.
    """

    name: str
    version: str
    file: str
    sha256: str
    size: int
    kind: EntryKind
    archs: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Wheelhouse:
    """A finished wheelhouse.

    Attributes:
        folder: where it is.
        lock: its lock file, in pip's requirements format with hashes.
        wheels: what it holds, by name.
        notes: what a person should know.
    """

    folder: Path
    lock: Path
    wheels: tuple[WheelhouseEntry, ...]
    notes: tuple[str, ...]
