"""Moving the libraries that a wheel needs from elsewhere into the wheel.

Most wheels need none, which their load commands tell; those are passed through untouched. Else
delocate does the work on a Mac and repairwheel elsewhere (`relocators`), and the result is checked:
every library that came in has every architecture of the binaries that load it, and nothing from
outside is left. The new wheel is written as fuse writes wheels, so that its bytes depend on what is
in it alone.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, temporary
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.archive.writer import NewMember, order
from tensorflow_macos_build.wheels.binaries import outside, skim, slices
from tensorflow_macos_build.wheels.dist_info import fused_json, record, tags
from tensorflow_macos_build.wheels.dist_info.wheel_file import format_wheel
from tensorflow_macos_build.wheels.new_wheel import new_wheel
from tensorflow_macos_build.wheels.open_wheel import OpenWheel, read_wheel
from tensorflow_macos_build.wheels.relocate import relocators
from tensorflow_macos_build.wheels.relocate.renew import renewed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.binaries.outside import Need
    from tensorflow_macos_build.wheels.relocate.relocators import RelocationOutcome


@dataclass(frozen=True)
class Copied:
    """A library that was copied into the wheel.

    Attributes:
        library: its path on this machine.
        archs: its architectures, sorted.
        users: the members that load it.
    """

    library: str
    archs: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True)
class Relocated:
    """A wheel that needs no library but the system's.

    Attributes:
        wheel: where it is.
        sha256: of its file, 64 hexadecimal digits.
        changed: whether it is another one than was given.
        copied: the libraries that were moved into it.
    """

    wheel: Path
    sha256: str
    changed: bool
    copied: tuple[Copied, ...]


def relocate(
    wheel: Path,
    out: Path,
    *,
    lib_dirs: tuple[Path, ...] = (),
    tool: str | None = None,
    ticker: Ticker = silent,
) -> Relocated:
    """Put a wheel that needs only the system's libraries into the folder `out`.

    Args:
        wheel: the wheel.
        out: the folder; a wheel that needs nothing is linked into it, or copied.
        lib_dirs: folders to look for libraries in, before the places that their names tell.
        tool: relocators.DELOCATE or REPAIRWHEEL; None: the one for this machine.
        ticker: told what is being done.

    Raises:
        BrokenWheel: the wheel is damaged.
        WorkFailed: a library is not there, or lacks an architecture.
    """
    ticker(0, None, f"reading the load commands of {wheel.name}")
    with open_archive(wheel) as archive:
        images = skim.images(archive)
        if not outside.needs(images, archive.members):
            passed = _passed(wheel, out)
            return Relocated(passed, files.sha256(passed), changed=False, copied=())
        ticker(0, None, f"copying libraries into {wheel.name}")
        archs = tuple(sorted({image.arch for slices in images.values() for image in slices}))
        users = {name: {image.arch for image in slices} for name, slices in images.items()}
        # The tool is told to go on where a library is missing, so the result is looked at again.
        with temporary.scratch("relocate") as scratch:
            moved, outcome = _relocated(wheel, scratch, lib_dirs, archs, tool)
            copied = tuple(_copied(library, outcome, users) for library in sorted(outcome.copied))
            with open_archive(moved) as changed:
                _refuse_missing(wheel, outside.needs(skim.images(changed), changed.members))
                written, sha256 = _written(read_wheel(archive), changed, out)
        return Relocated(written, sha256, changed=True, copied=copied)


def _passed(wheel: Path, out: Path) -> Path:
    """Link a wheel into a folder, or copy it where links can't reach."""
    target = out / wheel.name
    out.mkdir(parents=True, exist_ok=True)
    # rename() does nothing where both names are one file's, and would leave the unfinished one.
    if target.exists() and target.samefile(wheel):
        temporary.sweep(out)
        return target
    with files.atomic_path(target) as unfinished:
        files.link_or_copy(wheel, unfinished)
    return target


def _relocated(
    wheel: Path, scratch: Path, lib_dirs: tuple[Path, ...], archs: tuple[str, ...], tool: str | None
) -> tuple[Path, RelocationOutcome]:
    folder = scratch / "out"
    folder.mkdir()
    native = relocators.DELOCATE if sys.platform == "darwin" else relocators.REPAIRWHEEL
    job = relocators.RelocationJob(
        tool or native, os.fspath(wheel.resolve()), os.fspath(folder / wheel.name), archs
    )
    outcome = relocators.relocate(job, lib_dirs, scratch)
    if outcome.refused:
        raise WorkFailed(
            f"{job.tool} cannot move the libraries in",
            where=wheel.name,
            detail=outcome.refused,
            hint="link the libraries for every architecture of the wheel, and binaries with "
            "-headerpad_max_install_names; relocate the wheel as it was before it had a .dylibs",
        )
    # Its name may be another than was asked for: delocate tags a wheel for what came in.
    (made,) = folder.glob("*.whl")
    return made, outcome


def _copied(library: str, outcome: RelocationOutcome, users: Mapping[str, set[str]]) -> Copied:
    """Describe a library that was copied.

    Raises:
        WorkFailed: it lacks an architecture of a binary that loads it.
    """
    try:
        archs = skim.architectures(Path(library))
    except MalformedMachO as error:
        raise WorkFailed(f"the library cannot be read: {error.evidence}", where=library) from None
    except OSError as error:
        raise WorkFailed(f"the library cannot be read: {error.strerror}", where=library) from None
    for user in outcome.copied[library]:
        lacking = users.get(user, set()) - archs
        if lacking:
            raise WorkFailed(
                f"the library is only for {', '.join(sorted(archs))}, and {user}, which loads it, "
                f"is for {', '.join(sorted(users[user]))}",
                where=library,
                hint=f"give a folder by --lib-dir that has it for {', '.join(sorted(lacking))} too",
            )
    return Copied(library, tuple(sorted(archs)), tuple(outcome.copied[library]))


def _refuse_missing(wheel: Path, left: tuple[Need, ...]) -> None:
    if left:
        raise WorkFailed(
            "libraries that the wheel needs are not on this machine",
            where=wheel.name,
            detail="\n".join(f"{need.name}, loaded by {need.user} ({need.arch})" for need in left),
            hint="give the folder that has them by --lib-dir",
        )


def _written(opened: OpenWheel, changed: Archive, out: Path) -> tuple[Path, str]:
    """Write a wheel again, so that the same members give the same bytes; return its SHA-256 too.

    Args:
        opened: the wheel as it was.
        changed: as the tool left it.
        out: the folder.
    """
    needs = _needs(opened, changed)
    name = opened.name
    if any(tags.rounded(needs[arch]) > tags.rounded(opened.lowest[arch]) for arch in needs):
        # The first is the wheel's only tag; one behind others was added (`platform_tags`).
        universal2 = any(platform.endswith("_universal2") for platform in name.platforms[1:])
        name = replace(name, platforms=tags.platform_tags(needs, universal2=universal2))
    own = {f"{opened.dist_info}/{file}": file for file in ("WHEEL", fused_json.NAME)}
    gone = record.own_paths(opened.dist_info)
    with new_wheel(out / str(name)) as made:
        for path in order(changed.members.keys() - gone, opened.dist_info):
            member = changed.members[path]
            match own.get(path):
                case "WHEEL":
                    file = replace(opened.wheel_file, tags=name.tags, build=name.build)
                    made.store(path, format_wheel(file))
                case fused_json.NAME:
                    made.store(path, _record(opened, changed, needs))
                case _:
                    numbers = (member.method, member.crc, member.size, member.compressed)
                    entry = NewMember(path, *numbers, member.executable)
                    made.add(entry, changed.raw(member), changed.sha256(member))
        sha256 = made.finish(f"{opened.dist_info}/RECORD")
    return out / str(name), sha256


def _needs(opened: OpenWheel, changed: Archive) -> dict[str, tags.MacosVersion]:
    """Return the macOS that a wheel needs: as its tags say, or later where what came in does."""
    needs = dict(opened.lowest)
    for path, member in changed.members.items():
        if path in opened.archive.members:
            continue
        for arch, minos in slices.minimums(changed, member).items():
            if arch in needs and minos is not None:
                needs[arch] = max(needs[arch], minos)
    return needs


def _record(opened: OpenWheel, changed: Archive, needs: Mapping[str, tags.MacosVersion]) -> bytes:
    try:
        fused = fused_json.read(opened.archive, opened.dist_info)
    except fused_json.BadRecord as error:
        raise opened.archive.broken(f"{opened.dist_info}/{fused_json.NAME}", str(error)) from None
    assert fused is not None, "the tool neither makes nor takes away a fused.json"
    return fused_json.dump(renewed(fused, opened.archive.members.keys(), changed, needs))
