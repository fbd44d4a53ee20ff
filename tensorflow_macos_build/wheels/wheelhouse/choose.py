"""Which wheels of a release a wheelhouse needs, and what is to be done with them.

One file that runs on every target is best, unless it is a pure stand-in for faster thin wheels.
Thin wheels of both architectures are fused. What is left stays as it is, side by side: installers
take what fits the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer, ResolvedPackage
    from tensorflow_macos_build.wheels.wheelhouse.target import Target


@dataclass(frozen=True, slots=True)
class PackageChoice:
    """What a package needs.

    Attributes:
        name: the package.
        version: its version.
        offers: the wheels to take: one, or one a target.
        targets: the targets that need the package.
        fuse: whether the two wheels are to be fused.
    """

    name: str
    version: str
    offers: tuple[Offer, ...]
    targets: tuple[Target, ...]
    fuse: bool


def choose(packages: Mapping[Target, Mapping[str, ResolvedPackage]]) -> list[PackageChoice]:
    """Choose wheels for every package that any target needs, by name."""
    names = sorted({name for needed in packages.values() for name in needed})
    return [
        _choice({target: needed[name] for target, needed in packages.items() if name in needed})
        for name in names
    ]


def _choice(sides: Mapping[Target, ResolvedPackage]) -> PackageChoice:
    targets = tuple(sorted(sides, key=lambda target: target.arch))
    first = sides[targets[0]]  # of name and version, which are the same on all
    best = [_best(target, sides[target].offers) for target in targets]
    shared = _shared(sides, targets)
    distinct = dict.fromkeys(best)  # a set that keeps its order
    # A universal2 wheel may rank below a thin one of a newer macOS; one file for both is better.
    # A pure one may not: it often stands in, slowly, where no native one fits.
    if len(distinct) > 1 and shared is not None and _is_native(shared):
        distinct = dict.fromkeys([shared])
    offers = tuple(distinct)
    fuse = len(offers) == 2 and all(_is_native(offer) for offer in offers) and _fit(*offers)
    return PackageChoice(first.name, first.version, offers, targets, fuse)


def _best(target: Target, offers: Sequence[Offer]) -> Offer:
    """Return the wheel that pip takes: best tag first, then the highest build tag.

    (`CandidateEvaluator._sort_key` of pip 23; the name only makes the choice the same every time.)
    """
    ranks = {offer: rank for offer in offers if (rank := target.rank(offer.name)) is not None}
    best = min(ranks.values())
    return max(
        (offer for offer, rank in ranks.items() if rank == best),
        key=lambda offer: (parse_wheel_filename(offer.name)[2], offer.name),
    )


def _shared(sides: Mapping[Target, ResolvedPackage], targets: Sequence[Target]) -> Offer | None:
    """Return the best wheel that all targets take, if there is one."""
    common = set.intersection(*(set(sides[target].offers) for target in targets))
    ranks = {offer: [target.rank(offer.name) for target in targets] for offer in common}
    installable = {
        offer: [rank for rank in of_targets if rank is not None]
        for offer, of_targets in ranks.items()
        if None not in of_targets
    }
    return min(installable, key=lambda offer: (installable[offer], offer.name), default=None)


def _is_native(offer: Offer) -> bool:
    return all(tag.platform != "any" for tag in parse_wheel_filename(offer.name)[3])


def _fit(first: Offer, second: Offer) -> bool:
    """Whether two wheels are for the same Pythons and ABIs, as the halves of one must be."""
    tags = [parse_wheel_filename(offer.name)[3] for offer in (first, second)]
    pythons, abis = (
        [{getattr(tag, part) for tag in of_wheel} for of_wheel in tags]
        for part in ("interpreter", "abi")
    )
    return pythons[0] == pythons[1] and abis[0] == abis[1]
