"""The two thin wheels of a package made one, and kept in the cache.

A fused wheel lies in `fused/<key>/` of the cache, where the key is of all that decides its bytes
and its name: the code of the fuse, both wheels and their names, and the rules.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from tensorflow_macos_build import closure, files, locks, temporary
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.wheelhouse import rules
from tensorflow_macos_build.wheels.wheelhouse.needs import refuse_differing_needs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.wheels.wheelhouse.choose import PackageChoice
    from tensorflow_macos_build.wheels.wheelhouse.model import WheelhouseOptions
    from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer


def fused(choice: PackageChoice, paths: Mapping[Offer, Path], options: WheelhouseOptions) -> Path:
    """Return the universal2 wheel of a package, fused now or before.

    Args:
        choice: a package of two thin wheels.
        paths: where the wheels were fetched to.
        options: the cache, and the caller's rules, which count before those of this package.

    Raises:
        Undecided: files differ, and no rule says which to take.
        DifferingNeeds: the two wheels need different things.
        UnfitWheel: one is no thin wheel of a Mac.
        BrokenWheel: one cannot be read.
    """
    known = [*options.rules, *rules.known()]
    verdicts = tuple(known_rule.rule for known_rule in known if known_rule.is_about(choice.name))
    first, second = (paths[offer] for offer in choice.offers)
    refuse_differing_needs(first, second)
    # Sorted: the fuse itself finds out which wheel is whose, so their order decides nothing.
    sources = sorted(f"{offer.sha256} {offer.name}" for offer in choice.offers)
    words = [closure.digest(fuse.__module__), *sources, *map(str, verdicts)]
    key = hashlib.sha256("\0".join(words).encode()).hexdigest()
    folder = options.cache / "fused" / key
    with locks.held(folder.parent / f"{key}.lock"):
        temporary.sweep(folder.parent)
        if not folder.is_dir():
            with files.atomic_folder(folder) as unfinished:
                fuse(first, second, unfinished, FuseOptions(build=_build(choice), rules=verdicts))
    # The name is the fuse's to give: its tags follow from what the code needs.
    (wheel,) = folder.glob("*.whl")
    return wheel


def _build(choice: PackageChoice) -> str | None:
    """Return the higher build tag of two wheels, which may have different ones."""
    highest = max(parse_wheel_filename(offer.name)[2] for offer in choice.offers)
    return "".join(map(str, highest)) or None
