"""Moving the libraries that a wheel needs from elsewhere into the wheel.

Most wheels need none, which their load commands tell; those are passed through untouched. Else
delocate does the work on a Mac and repairwheel elsewhere (`relocators`), and the result is checked:
every library that came in has every architecture of the binaries that load it, and nothing from
outside is left. The new wheel is written as fuse writes wheels, so that its bytes depend on what is
in it alone.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tensorflow_macos_build import files
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.wheels import metadata, outside, relocators, skim, tags
from tensorflow_macos_build.wheels.archive import open_archive
from tensorflow_macos_build.wheels.writer import Entry, WheelWriter, order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.archive import Archive
    from tensorflow_macos_build.wheels.outside import Need
    from tensorflow_macos_build.wheels.relocators import Outcome


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
        changed: whether it is another one than was given.
        copied: the libraries that were moved into it.
    """

    wheel: Path
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
        needs = outside.needs(images, archive.members)
    if not needs:
        return Relocated(_passed(wheel, out), changed=False, copied=())
    ticker(0, None, f"copying libraries into {wheel.name}")
    archs = tuple(sorted({image.arch for slices in images.values() for image in slices}))
    with files.scratch("relocate") as scratch:
        made, outcome = _relocated(wheel, scratch, lib_dirs, archs, tool)
        users = {name: {image.arch for image in slices} for name, slices in images.items()}
        copied = tuple(_copied(library, outcome, users) for library in sorted(outcome.copied))
        with open_archive(made) as archive:
            _refuse_missing(wheel, outside.needs(skim.images(archive), archive.members))
            return Relocated(_written(archive, out), changed=True, copied=copied)


def _passed(wheel: Path, out: Path) -> Path:
    """Link a wheel into a folder, or copy it where links can't reach."""
    target = out / wheel.name
    out.mkdir(parents=True, exist_ok=True)
    if target.exists() and target.samefile(wheel):
        return target
    with files.atomic_path(target) as unfinished:
        files.link_or_copy(wheel, unfinished)
    return target


def _relocated(
    wheel: Path, scratch: Path, lib_dirs: tuple[Path, ...], archs: tuple[str, ...], tool: str | None
) -> tuple[Path, Outcome]:
    folder = scratch / "out"
    folder.mkdir()
    native = relocators.DELOCATE if sys.platform == "darwin" else relocators.REPAIRWHEEL
    job = relocators.Job(
        tool or native, os.fspath(wheel.resolve()), os.fspath(folder / wheel.name), archs
    )
    outcome = relocators.relocate(job, lib_dirs, scratch)
    if outcome.refused:
        raise WorkFailed(
            f"{job.tool} cannot move the libraries in",
            where=wheel.name,
            detail=outcome.refused,
            hint="link the libraries for every architecture of the wheel, and binaries with "
            "-headerpad_max_install_names",
        )
    (made,) = folder.glob("*.whl")
    return made, outcome


def _copied(library: str, outcome: Outcome, users: Mapping[str, set[str]]) -> Copied:
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


def _written(archive: Archive, out: Path) -> Path:
    """Write a wheel again so that the same members give the same bytes."""
    name = tags.parse_name(archive.path.name)
    (dist_info,) = {path.partition("/")[0] for path in archive.members if _is_wheel_file(path)}
    target = out / archive.path.name
    with files.atomic_path(target) as unfinished, unfinished.open("wb") as stream:
        _write(archive, dist_info, name, stream)
    return target


def _is_wheel_file(path: str) -> bool:
    folder, _, name = path.partition("/")
    return folder.endswith(".dist-info") and name == "WHEEL"


def _write(archive: Archive, dist_info: str, name: tags.WheelName, stream: BinaryIO) -> None:
    writer = WheelWriter(stream)
    rows: dict[str, tuple[bytes, int]] = {}
    free = {f"{dist_info}/{file}" for file in ("RECORD", *metadata.SIGNATURES)}
    for path in order(archive.members.keys() - free, dist_info):
        member = archive.members[path]
        if path == f"{dist_info}/WHEEL":
            found = metadata.parse_wheel(archive.read(member))
            own = metadata.WheelFile(found.version, found.purelib, name.tags, name.build)
            content = metadata.format_wheel(own)
            writer.add_stored(path, content)
            rows[path] = (hashlib.sha256(content).digest(), len(content))
            continue
        rows[path] = (archive.sha256(member), member.size)
        entry = Entry(
            path, member.method, member.crc, member.size, member.compressed, member.executable
        )
        writer.add(entry, archive.raw(member))
    writer.add_stored(f"{dist_info}/RECORD", metadata.format_record(rows, f"{dist_info}/RECORD"))
    writer.finish()
