"""The wheels of a wheelhouse while it is built: taken in, verified, then put in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.fuse.engine import Undecided
from tensorflow_macos_build.wheels.open_wheel import UnfitWheel
from tensorflow_macos_build.wheels.wheelhouse.fused import fused
from tensorflow_macos_build.wheels.wheelhouse.lock import LOCK, as_lock
from tensorflow_macos_build.wheels.wheelhouse.model import EntryKind, WheelhouseEntry
from tensorflow_macos_build.wheels.wheelhouse.needs import DifferingNeeds
from tensorflow_macos_build.wheels.wheelhouse.unsettled import Unsettled, error_of
from tensorflow_macos_build.wheels.wheelhouse.verified import TAG_TOO_OLD, errors_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.wheelhouse.choose import PackageChoice
    from tensorflow_macos_build.wheels.wheelhouse.model import WheelhouseOptions
    from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer
    from tensorflow_macos_build.wheels.wheelhouse.target import Target


class WheelhouseBuilder:
    """The wheels of a wheelhouse while it is built."""

    def __init__(self, options: WheelhouseOptions, paths: Mapping[Offer, Path]) -> None:
        self.notes: list[str] = []
        self.wheels: list[WheelhouseEntry] = []
        self._options = options
        self._fetched = paths
        self._paths: dict[str, Path] = {}
        self._unsettled: list[Unsettled] = []

    def take(self, choice: PackageChoice) -> None:
        """Put a package's wheels in, fused where that can be; or remember why they cannot be."""
        try:
            wheel = self._fused(choice) if choice.fuse else None
        except (Undecided, UnfitWheel, DifferingNeeds, BrokenWheel) as error:
            # Not raised yet: what else is in the way is found first, and what can be fused is kept.
            self._unsettled.append(Unsettled(choice.name, error))
            return
        if wheel is not None:
            digest = files.sha256(wheel)
            self._add(choice, wheel, digest, kind=EntryKind.FUSED, users=choice.targets)
            return
        kind = _kind(choice, len(self._options.macos))
        for offer in choice.offers:
            path = self._fetched[offer]
            # One of two wheels side by side runs on its own kind of Mac, a universal one on both.
            users = [target for target in choice.targets if target.rank(path.name) is not None]
            self._add(choice, path, offer.sha256, kind=kind, users=users)

    def refuse_unsettled(self) -> None:
        """Raise one error for all packages whose wheels cannot be joined.

        Raises:
            WorkFailed: there are some.
        """
        if self._unsettled:
            done = {entry.name for entry in self.wheels}
            raise error_of(self._unsettled, len(done))

    def verify(self, ticker: Ticker) -> None:
        """Verify every wheel. A tag that promises too much is a note in a wheel that is not ours.

        Raises:
            WorkFailed: there are errors; all are listed.
        """
        faults: list[str] = []
        for number, entry in enumerate(self.wheels):
            ticker(number, len(self.wheels), entry.file, unit="wheels")
            path, options = self._paths[entry.file], self._options
            for error in errors_of(path, entry.sha256, options.allow, options.cache):
                # Whoever installs from the index gets that tag, too: refusing it helps nobody.
                publishers = error.code == TAG_TOO_OLD and entry.kind is not EntryKind.FUSED
                (self.notes if publishers else faults).append(f"{entry.file}: {error}")
        if faults:
            raise WorkFailed(
                f"the wheels have {len(faults)} error{'s' if len(faults) > 1 else ''}",
                detail="\n".join(faults),
                hint="look at each by the task verify; accept one by --allow CODE:GLOB",
            )

    def write(self, out: Path) -> None:
        """Put the folder in place."""
        with files.atomic_folder(out) as unfinished:
            # Linked where that can be: a wheelhouse of gigabytes takes no room beside its cache.
            for entry in self.wheels:
                files.link_or_copy(self._paths[entry.file], unfinished / entry.file)
            text = as_lock(self.wheels, self._options.macos)
            (unfinished / LOCK).write_text(text, encoding="utf-8")

    def _add(
        self,
        choice: PackageChoice,
        path: Path,
        sha256: str,
        *,
        kind: EntryKind,
        users: Sequence[Target],
    ) -> None:
        is_fused = kind is EntryKind.FUSED
        sources = [offer.url for offer in choice.offers if is_fused or offer.sha256 == sha256]
        self.wheels.append(
            WheelhouseEntry(
                name=choice.name,
                version=choice.version,
                file=path.name,
                sha256=sha256,
                size=path.stat().st_size,
                kind=kind,
                archs=tuple(target.arch for target in users),
                sources=tuple(sources),
            )
        )
        self._paths[path.name] = path

    def _fused(self, choice: PackageChoice) -> Path | None:
        """Fuse a pair, or find it fused; None where it is better left as it is."""
        if canonicalize_name(choice.name) in self._options.thin:
            self.notes.append(f"{choice.name} is left thin, as asked for")
            return None
        wheel = fused(choice, self._fetched, self._options)
        excluded = [target for target in choice.targets if target.rank(wheel.name) is None]
        if excluded:
            # The fuse tags its wheel by what the code needs, which may be newer than what the
            # thin wheels' names promise; then the fused one would not be taken where they are.
            promised = " and ".join(
                f"macOS {target.deployment_target} on {target.arch}" for target in excluded
            )
            self.notes.append(
                f"{choice.name} is left thin: its wheels promise {promised}, but their code needs "
                f"a newer one, as {wheel.name} would say; on an older one it may not load"
            )
            return None
        return wheel


def _kind(choice: PackageChoice, macs: int) -> EntryKind:
    """Return the kind of wheels that are taken as they are, of a wheelhouse for so many Macs."""
    if len(choice.offers) > 1:
        return EntryKind.SIDE_BY_SIDE
    return EntryKind.UNIVERSAL if len(choice.targets) == macs else EntryKind.ONE_SIDED
