"""Giving a wheel other tags: everything is copied as it lies, WHEEL and RECORD are written anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.archive.writer import order
from tensorflow_macos_build.wheels.dist_info import folders, record, tags
from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata
from tensorflow_macos_build.wheels.dist_info.wheel_file import (
    expanded_tags,
    format_wheel,
    parse_wheel,
)
from tensorflow_macos_build.wheels.new_wheel import new_wheel
from tensorflow_macos_build.wheels.open_wheel import OpenWheel, read_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.wheels.archive.members import ArchiveLimits
    from tensorflow_macos_build.wheels.archive.reader import Archive

_HINT = "name other tags by --platform, --build-tag or --universal2-tag"


@dataclass(frozen=True)
class RetagOptions:
    """What the new name is to say; what is None stays as it is.

    Attributes:
        build: the build tag; "" takes it away.
        platforms: the platform tags.
        universal2_tag: whether to add (or take away) a universal2 tag beside one for each
            architecture.
        from_wheel: whether WHEEL, and not the file name, says what the wheel's tags and build tag
            are, where the two contradict each other.
    """

    build: str | None = None
    platforms: Sequence[str] | None = None
    universal2_tag: bool | None = None
    from_wheel: bool = False


@dataclass(frozen=True)
class Retagged:
    """A wheel under another name: where it is, and the SHA-256 of its file."""

    wheel: Path
    sha256: str


def retag(
    wheel: Path, out: Path, options: RetagOptions, *, limits: ArchiveLimits | None = None
) -> Retagged:
    """Write the wheel under other tags into the folder `out`, file name and WHEEL alike.

    Raises:
        UsageError: a tag is malformed, for another architecture than the wheel, or one that no
            installer asks for; or nothing would change.
        BrokenWheel: the wheel is damaged.
    """
    with open_archive(wheel, limits) as archive:
        try:
            stated = _name_in_wheel(archive) if options.from_wheel else None
            # A platform tag that is none of macOS may be what is to be set right.
            opened = read_wheel(archive, stated, any_platform=True)
            name = _renamed(opened, options)
        except tags.BadName as error:
            raise UsageError(str(error), where=wheel.name, hint=_HINT) from None
        # Of one whose WHEEL contradicts its name, WHEEL may be what is set right.
        if str(name) == wheel.name:
            _check_contradiction(opened, wheel, out)
        with new_wheel(out / str(name), limits) as made:
            file = replace(opened.wheel_file, tags=name.tags, build=name.build)
            for path in _paths(opened):
                if path == f"{opened.dist_info}/WHEEL":
                    made.store(path, format_wheel(file))
                else:
                    made.copy(opened, archive.members[path], path)
            digest = made.finish(f"{opened.dist_info}/RECORD")
        return Retagged(out / str(name), digest)


def _name_in_wheel(archive: Archive) -> tags.WheelName:
    """Return what the file should be called after its WHEEL.

    `read_wheel` cannot tell: it takes a wheel by the name that it has.
    """
    name = tags.parse_name(archive.path.name)
    dist_info = folders.only(archive.members)
    member = archive.members.get(f"{dist_info}/WHEEL") if dist_info is not None else None
    if member is None:
        raise archive.broken("", "it has no dist-info folder, or several, or one without WHEEL")
    try:
        file = parse_wheel(archive.read(member))
        stated = expanded_tags(file.tags)
    except BadMetadata as error:
        raise archive.broken(member.name, str(error)) from None
    build = tags.check_build(file.build) if file.build else None
    return replace(tags.named_after(stated, name), build=build)


def _check_contradiction(opened: OpenWheel, wheel: Path, out: Path) -> None:
    """Refuse to write a wheel under its own name, but for one whose WHEEL says something else."""
    if _agrees(opened):
        raise UsageError("the wheel has these tags already", where=wheel.name, hint=_HINT)
    if (out / wheel.name).exists() and (out / wheel.name).samefile(wheel):
        raise UsageError(
            "the repaired wheel has the same name, and would replace the one that it is made of",
            where=str(wheel),
            hint="give another folder by --out",
        )


def _agrees(opened: OpenWheel) -> bool:
    """Whether WHEEL says the same as the file name."""
    try:
        same = expanded_tags(opened.wheel_file.tags) == opened.name.expanded
    except BadMetadata:
        return False
    return same and opened.wheel_file.build == opened.name.build


def _paths(opened: OpenWheel) -> list[str]:
    """Return what is copied; signatures are of a RECORD that is written anew."""
    gone = record.own_paths(opened.dist_info)
    return order(opened.archive.members.keys() - gone, opened.dist_info)


def _renamed(opened: OpenWheel, options: RetagOptions) -> tags.WheelName:
    """Return the wheel's new name; the universal2 tag is made of the new platforms' minimums."""
    name = opened.name
    if options.platforms is not None:
        _check_architectures(opened, options.platforms)
        # In the order that was asked for: some readers of WHEEL believe only the last (`tags`).
        name = replace(name, platforms=tuple(dict.fromkeys(options.platforms)))
    if options.universal2_tag is not None:
        plain = tuple(tag for tag in name.platforms if not tag.endswith("_universal2"))
        # On a wheel of one architecture the tag would promise the other.
        if not plain or set(opened.lowest) != set(tags.ARCHES):
            raise tags.BadName("a universal2 tag goes beside one for each architecture")
        needs = tags.lowest(plain)
        name = replace(name, platforms=tags.platform_tags(needs, universal2=options.universal2_tag))
    if options.build is not None:
        build = tags.check_build(options.build) if options.build else None
        name = replace(name, build=build)
    # What installers ask for is known of macOS alone; a wheel of another system keeps its tags.
    tags.check_asked_for(tag for tag in name.platforms if tags.is_of_mac(tag))
    return name


def _check_architectures(opened: OpenWheel, platforms: Sequence[str]) -> None:
    """Refuse platform tags for other architectures than the wheel's own tags are for."""
    stated = tags.lowest(platforms)
    if not any(map(tags.is_of_mac, opened.name.platforms)):
        own = ".".join(opened.name.platforms)
        raise tags.BadName(f"the wheel is for `{own}`, and so has no use for a tag of macOS")
    # A tag such as macosx_12_0_aarch64 names no architecture that the new ones could contradict.
    if opened.lowest and set(stated) != set(opened.lowest):
        raise tags.BadName(
            f"the wheel is for {' and '.join(sorted(opened.lowest))}, not only or"
            f" not for {' and '.join(sorted(stated))}"
        )
