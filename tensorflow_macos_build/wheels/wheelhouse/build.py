"""Building a wheelhouse: resolve for both kinds of Mac, fetch, fuse, verify, lock.

The folder appears in one step, when it is whole. What was fetched and fused stays in the cache, so
a second run, or one after a kill, does only what is left.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, parse_wheel_filename

from tensorflow_macos_build import closure, files
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, Undecided, fuse
from tensorflow_macos_build.wheels.open_wheel import UnfitWheel
from tensorflow_macos_build.wheels.wheelhouse import rules
from tensorflow_macos_build.wheels.wheelhouse.choose import choose
from tensorflow_macos_build.wheels.wheelhouse.fetch import fetch
from tensorflow_macos_build.wheels.wheelhouse.lock import LOCK, as_lock
from tensorflow_macos_build.wheels.wheelhouse.needs import DifferingNeeds, refuse_differing_needs
from tensorflow_macos_build.wheels.wheelhouse.resolve import resolve
from tensorflow_macos_build.wheels.wheelhouse.target import Target
from tensorflow_macos_build.wheels.wheelhouse.unsettled import Unsettled, error_of
from tensorflow_macos_build.wheels.wheelhouse.verified import TAG_TOO_OLD, errors_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.wheelhouse.choose import Choice
    from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer, Resolution
    from tensorflow_macos_build.wheels.wheelhouse.rules import KnownRule


class How(Enum):
    """How a wheel came into the house."""

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
        first_pause: seconds before a failed request is tried again.
    """

    cache: Path
    python: tuple[int, int] = (3, 11)
    macos: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"x86_64": (10, 15), "arm64": (12, 0)}
    )
    index: str | None = None
    rules: Sequence[KnownRule] = ()
    thin: frozenset[str] = frozenset()
    allow: tuple[str, ...] = ()
    first_pause: float = 1.0


@dataclass(frozen=True)
class WheelhouseEntry:
    """A wheel in the house.

    Attributes:
        name: its project.
        version: its version.
        file: its file name.
        sha256: of its bytes, 64 hexadecimal digits.
        size: its bytes.
        how: how it came in.
        archs: the kinds of Mac that need it.
        sources: the addresses that it was fetched from.
    """

    name: str
    version: str
    file: str
    sha256: str
    size: int
    how: How
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


def build(
    requirements: Sequence[str], out: Path, options: WheelhouseOptions, ticker: Ticker = silent
) -> Wheelhouse:
    """Make a folder that installs requirements on both kinds of Mac.

    Args:
        requirements: requirements such as "tensorflow==2.16.2".
        out: the folder; an older one is replaced when the new one is whole.
        options: for which Macs, and how.
        ticker: told how far the work is.

    Raises:
        UsageError: a requirement is malformed.
        WorkFailed: they cannot be met, fetched, fused or verified.
    """
    _refuse_foreign(out)
    targets = [Target(arch, os, options.python) for arch, os in sorted(options.macos.items())]
    resolution = resolve(
        requirements, targets, index=options.index, cache=options.cache, ticker=ticker
    )
    choices = choose(resolution.packages)
    offers = [offer for choice in choices for offer in choice.offers]
    paths = fetch(offers, options.cache, ticker, first_pause=options.first_pause)
    house = _WheelhouseBuilder(options, paths)
    for number, choice in enumerate(choices):
        ticker(number, len(choices), choice.name)
        house.take(choice)
    house.refuse_unsettled()
    house.verify(ticker)
    house.write(out)
    notes = (*_lowered(resolution), *house.notes)
    return Wheelhouse(out, out / LOCK, tuple(house.wheels), notes)


def _refuse_foreign(out: Path) -> None:
    """Refuse to replace a folder that is no wheelhouse."""
    if out.exists() and not (out / LOCK).is_file() and any(out.iterdir()):
        raise WorkFailed(
            "the folder holds other things than a wheelhouse, and would be replaced",
            where=str(out),
            hint="give a folder by --out that is empty, or not there",
        )


def _lowered(resolution: Resolution) -> list[str]:
    return [
        f"{name} is {taken}: one kind of Mac alone would get {alone}, which the other cannot have"
        for name, taken, alone in resolution.lowered
    ]


class _WheelhouseBuilder:
    """The wheels of a house while it is built."""

    def __init__(self, options: WheelhouseOptions, paths: Mapping[Offer, Path]) -> None:
        self.notes: list[str] = []
        self.wheels: list[WheelhouseEntry] = []
        self._options = options
        self._paths = paths
        self._places: dict[str, Path] = {}
        self._unsettled: list[Unsettled] = []

    def take(self, choice: Choice) -> None:
        """Put a package's wheels in, fused where that can be; or remember why they cannot be."""
        try:
            fused = self._fused(choice) if choice.fuse else None
        except (Undecided, UnfitWheel, DifferingNeeds, BrokenWheel) as error:
            self._unsettled.append(Unsettled(choice.name, error))
            return
        if fused is not None:
            digest = files.sha256(fused)
            self._add(choice, fused, digest, how=How.FUSED, users=choice.targets)
            return
        for offer in choice.offers:
            path = self._paths[offer]
            users = tuple(one for one in choice.targets if one.rank(path.name) is not None)
            how = _how(choice, len(self._options.macos))
            self._add(choice, path, offer.sha256, how=how, users=users)

    def refuse_unsettled(self) -> None:
        """Raise one error for all packages whose wheels cannot be joined.

        Raises:
            WorkFailed: there are some.
        """
        if self._unsettled:
            done = {housed.name for housed in self.wheels}
            raise error_of(self._unsettled, len(done))

    def _add(
        self, choice: Choice, path: Path, sha256: str, *, how: How, users: Sequence[Target]
    ) -> None:
        offers = (
            choice.offers
            if how is How.FUSED
            else [offer for offer in choice.offers if offer.sha256 == sha256]
        )
        self.wheels.append(
            WheelhouseEntry(
                name=choice.name,
                version=choice.version,
                file=path.name,
                sha256=sha256,
                size=path.stat().st_size,
                how=how,
                archs=tuple(target.arch for target in users),
                sources=tuple(offer.url for offer in offers),
            )
        )
        self._places[path.name] = path

    def _fused(self, choice: Choice) -> Path | None:
        """Fuse a pair, or find it fused; None where it is better left as it is."""
        if canonicalize_name(choice.name) in self._options.thin:
            self.notes.append(f"{choice.name} is left thin, as asked for")
            return None
        wheel = self._fuse(choice)
        left = [target for target in choice.targets if target.rank(wheel.name) is None]
        if left:
            told = " and ".join(f"macOS {one.deployment_target} on {one.arch}" for one in left)
            self.notes.append(
                f"{choice.name} is left thin: its wheels promise {told}, but their code needs a "
                f"newer one, as {wheel.name} would say; on an older one it may not load"
            )
            return None
        return wheel

    def _fuse(self, choice: Choice) -> Path:
        known = [*self._options.rules, *rules.known()]
        taken = tuple(one.rule for one in known if one.is_about(choice.name))
        first, second = (self._paths[offer] for offer in choice.offers)
        refuse_differing_needs(first, second)
        code = closure.digest(fuse.__module__)
        words = [code, *sorted(offer.sha256 for offer in choice.offers), *map(str, taken)]
        key = hashlib.sha256("\0".join(words).encode()).hexdigest()
        folder = self._options.cache / "fused" / key
        with files.locked(folder.parent / f"{key}.lock"):
            files.sweep(folder.parent)
            if not folder.is_dir():
                with files.atomic_folder(folder) as unfinished:
                    options = FuseOptions(build=_build(choice), rules=taken)
                    fuse(first, second, unfinished, options)
        (wheel,) = folder.glob("*.whl")
        return wheel

    def verify(self, ticker: Ticker) -> None:
        """Verify every wheel. A tag that promises too much is a note in a wheel that is not ours.

        Raises:
            WorkFailed: there are errors; all are listed.
        """
        faults: list[str] = []
        for number, housed in enumerate(self.wheels):
            ticker(number, len(self.wheels), f"verifying {housed.file}")
            path, options = self._places[housed.file], self._options
            for error in errors_of(path, housed.sha256, options.allow, options.cache):
                publishers = error.code == TAG_TOO_OLD and housed.how is not How.FUSED
                (self.notes if publishers else faults).append(f"{housed.file}: {error}")
        if faults:
            raise WorkFailed(
                f"the wheels have {len(faults)} errors",
                detail="\n".join(faults),
                hint="look at each by the task verify; accept one by --allow CODE:GLOB",
            )

    def write(self, out: Path) -> None:
        """Put the folder in place."""
        with files.atomic_folder(out) as unfinished:
            for housed in self.wheels:
                files.link_or_copy(self._places[housed.file], unfinished / housed.file)
            text = as_lock(self.wheels, self._options.macos)
            (unfinished / LOCK).write_text(text, encoding="utf-8")


def _how(choice: Choice, kinds: int) -> How:
    if len(choice.offers) > 1:
        return How.SIDE_BY_SIDE
    return How.UNIVERSAL if len(choice.targets) == kinds else How.ONE_SIDED


def _build(choice: Choice) -> str | None:
    """Return the higher build tag of two wheels, which may have different ones."""
    found = max(parse_wheel_filename(offer.name)[2] for offer in choice.offers)
    return "".join(map(str, found)) or None
