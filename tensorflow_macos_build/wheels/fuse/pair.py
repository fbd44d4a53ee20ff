"""Two thin wheels that belong together: checked against each other, named by architecture."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_version

from tensorflow_macos_build.wheels.dist_info import tags
from tensorflow_macos_build.wheels.open_wheel import UnfitWheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.open_wheel import OpenWheel


class Mismatch(UnfitWheel):
    """Two wheels that cannot be the halves of one."""


@dataclass(frozen=True)
class WheelPair:
    """The two halves of a universal2 wheel.

    Attributes:
        halves: by architecture, arm64 first.
        name: the fused wheel's name, but for its platforms and its build tag.
        named: the architecture whose half is called as the fused wheel is, when the halves are of
            two projects; None when they are of one.
    """

    halves: Mapping[str, OpenWheel]
    name: tags.WheelName
    named: str | None

    @property
    def dist_info(self) -> str:
        """The fused wheel's dist-info folder."""
        return f"{self.name.stem}.dist-info"

    def paths(self) -> dict[str, dict[str, Member]]:
        """Return each path of the fused wheel with the halves' members for it, by architecture."""
        stem = self.name.stem
        members: dict[str, dict[str, Member]] = {}
        for arch, half in self.halves.items():
            for path, member in half.archive.members.items():
                fused = half.renamed(path, stem, f"{stem}.data")
                members.setdefault(fused, {})[arch] = member
        return dict(sorted(members.items()))


def match(
    first: OpenWheel, second: OpenWheel, *, alias: str | None, build: str | None
) -> WheelPair:
    """Check that two wheels belong together; their order is of no account.

    Args:
        first: one half.
        second: the other.
        alias: the project that the fused wheel is of, when the halves have different names.
        build: the fused wheel's build tag; None: that of both halves.

    Raises:
        Mismatch: they don't; all reasons are given at once.
    """
    # arm64 first, so that all that follows is the same whichever wheel was named first.
    halves = {half.arch: half for half in sorted((first, second), key=lambda half: half.arch)}
    faults = [*_architecture_faults(first, second), *_faults(first, second, alias, build)]
    if faults:
        raise Mismatch(
            "these two wheels are not the halves of one",
            detail="\n".join(
                [str(first.name), str(second.name), *(f"- {fault}" for fault in faults)]
            ),
            hint="give the arm64 and the x86_64 wheel of one release for one Python",
        )
    named = [half for half in halves.values() if alias in (None, half.name.project)]
    # Halves may spell one name in two ways; the choice must not hang on their order.
    main = min(named, key=lambda half: half.stem)
    distribution, _, version = main.stem.partition("-")
    pythons, abis = (tuple(sorted(part)) for part in (main.name.pythons, main.name.abis))
    name = tags.WheelName(distribution, version, build or main.name.build, pythons, abis, ())
    # Then METADATA differs at least in its Name, and the main half's is the fused wheel's.
    of_two = first.name.project != second.name.project
    return WheelPair(MappingProxyType(halves), name, main.arch if of_two else None)


def _architecture_faults(first: OpenWheel, second: OpenWheel) -> Iterator[str]:
    for half in (first, second):
        if len(half.lowest) > 1:
            yield f"{half.name} is for both architectures already"
    if first.lowest.keys() == second.lowest.keys() and len(first.lowest) == 1:
        yield f"both are for {first.arch}"


def _faults(
    first: OpenWheel, second: OpenWheel, alias: str | None, build: str | None
) -> Iterator[str]:
    names = first.name, second.name
    projects = {name.project for name in names}
    if alias is None and len(projects) > 1:
        yield f"their names differ: {', '.join(name.project for name in names)}; see --as"
    if alias is not None and alias not in projects:
        yield f"neither is of the project {alias}"
    # One version has many spellings (PEP 440), and tags are compared in any order and in lower case
    # (packaging.tags.Tag): the halves may differ in these.
    compared = {
        "versions": {canonicalize_version(name.version) for name in names},
        "Python tags": {".".join(sorted(name.pythons)).lower() for name in names},
        "ABI tags": {".".join(sorted(name.abis)).lower() for name in names},
        "build tags": {build or name.build or "none" for name in names},
        "Wheel-Version": {half.wheel_file.version for half in (first, second)},
        "Root-Is-Purelib": {str(half.wheel_file.purelib).lower() for half in (first, second)},
    }
    for what, values in compared.items():
        if len(values) > 1:
            advice = "; see --build-tag" if what == "build tags" else ""
            yield f"their {what} differ: {', '.join(sorted(values))}{advice}"
