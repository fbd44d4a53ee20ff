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

    from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer, Package
    from tensorflow_macos_build.wheels.wheelhouse.target import Target


@dataclass(frozen=True, slots=True)
class Choice:
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


def choose(packages: Mapping[Target, Mapping[str, Package]]) -> list[Choice]:
    """Choose wheels for every package that any target needs, by name."""
    names = sorted({name for needed in packages.values() for name in needed})
    return [
        _choice({target: needed[name] for target, needed in packages.items() if name in needed})
        for name in names
    ]


def _choice(sides: Mapping[Target, Package]) -> Choice:
    targets = tuple(sorted(sides, key=lambda target: target.arch))
    first = sides[targets[0]]
    best = [_best(target, sides[target].offers) for target in targets]
    shared = _shared(sides, targets)
    alone = dict.fromkeys(best)  # without repeats, order kept
    if len(alone) > 1 and shared is not None and _is_native(shared):
        alone = dict.fromkeys([shared])
    offers = tuple(alone)
    fuse = len(offers) == 2 and all(_is_native(offer) for offer in offers) and _fit(*offers)
    return Choice(first.name, first.version, offers, targets, fuse)


def _best(target: Target, offers: Sequence[Offer]) -> Offer:
    """Take the wheel that pip takes: best tag first, then the highest build tag."""
    ranked = [(target.rank(offer.name), offer) for offer in offers]
    taken = [(rank, offer) for rank, offer in ranked if rank is not None]
    best = min(rank for rank, _ in taken)
    return max(
        (offer for rank, offer in taken if rank == best),
        key=lambda offer: (parse_wheel_filename(offer.name)[2], offer.name),
    )


def _shared(sides: Mapping[Target, Package], targets: Sequence[Target]) -> Offer | None:
    """Return the best wheel that all targets take, if there is one."""
    common = set.intersection(*(set(sides[target].offers) for target in targets))
    ranks = {offer: [target.rank(offer.name) for target in targets] for offer in common}
    taken = {
        offer: [rank for rank in found if rank is not None]
        for offer, found in ranks.items()
        if None not in found
    }
    return min(taken, key=lambda offer: (taken[offer], offer.name), default=None)


def _is_native(offer: Offer) -> bool:
    return all(tag.platform != "any" for tag in parse_wheel_filename(offer.name)[3])


def _fit(first: Offer, second: Offer) -> bool:
    """Whether two wheels are for the same Pythons and ABIs, as the halves of one must be."""
    tags = [parse_wheel_filename(offer.name)[3] for offer in (first, second)]
    pythons, abis = (
        [{getattr(tag, part) for tag in found} for found in tags] for part in ("interpreter", "abi")
    )
    return pythons[0] == pythons[1] and abis[0] == abis[1]
