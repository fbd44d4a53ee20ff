"""Giving a wheel other tags: everything is copied as it lies, WHEEL and RECORD are written anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels import metadata, tags
from tensorflow_macos_build.wheels.archive import Limits, open_archive
from tensorflow_macos_build.wheels.assemble import new_wheel
from tensorflow_macos_build.wheels.pair import Half, read_half
from tensorflow_macos_build.wheels.writer import order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class RetagOptions:
    """What the new name is to say; what is None stays as it is.

    Attributes:
        build: the build tag; "" takes it away.
        platforms: the platform tags.
        universal2_tag: whether to add (or take away) a universal2 tag beside one for each
            architecture.
    """

    build: str | None = None
    platforms: Sequence[str] | None = None
    universal2_tag: bool | None = None


@dataclass(frozen=True)
class Retagged:
    """A wheel under another name: where it is, and the SHA-256 of its file."""

    wheel: Path
    sha256: str


def retag(
    wheel: Path, out: Path, options: RetagOptions, *, limits: Limits | None = None
) -> Retagged:
    """Write the wheel under other tags into the folder `out`.

    Raises:
        UsageError: a tag is malformed or for another architecture than the wheel, or the name
            would stay as it is.
        BrokenWheel: the wheel is damaged.
    """
    with open_archive(wheel, limits) as archive:
        half = read_half(archive)
        try:
            name = _renamed(half, options)
        except tags.BadName as error:
            raise UsageError(str(error), where=wheel.name) from None
        if name == half.name:
            raise UsageError("the wheel has these tags already", where=wheel.name)
        with new_wheel(out / str(name), limits) as made:
            file = replace(half.wheel, tags=name.tags, build=name.build)
            for path in _paths(half):
                if path == f"{half.dist_info}/WHEEL":
                    made.store(path, metadata.format_wheel(file))
                else:
                    made.copy(half, archive.members[path], path)
            digest = made.finish(f"{half.dist_info}/RECORD")
        return Retagged(out / str(name), digest)


def _paths(half: Half) -> list[str]:
    own = ("RECORD", *metadata.SIGNATURES)
    left_out = {f"{half.dist_info}/{name}" for name in own}
    return order(half.archive.members.keys() - left_out, half.dist_info)


def _renamed(half: Half, options: RetagOptions) -> tags.WheelName:
    name = half.name
    if options.platforms is not None:
        told = tags.lowest(options.platforms)
        if set(told) != set(half.lowest):
            raise tags.BadName(
                f"the wheel is for {' and '.join(sorted(half.lowest))}, not only or"
                f" not for {' and '.join(sorted(told))}"
            )
        name = replace(name, platforms=tuple(options.platforms))
    if options.universal2_tag is not None:
        plain = tuple(one for one in name.platforms if not one.endswith("_universal2"))
        if not plain or set(half.lowest) != set(tags.ARCHES):
            raise tags.BadName("a universal2 tag goes beside one for each architecture")
        needs = tags.lowest(plain)
        name = replace(name, platforms=tags.platform_tags(needs, universal2=options.universal2_tag))
    if options.build is not None:
        build = tags.check_build(options.build) if options.build else None
        name = replace(name, build=build)
    return name
