"""The wheels of folders, as files of an index: what each says of itself is read, and checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.release.index import attestations
from tensorflow_macos_build.release.index.model import FILES_LIMIT, IndexedProject, ReleasedFile
from tensorflow_macos_build.wheels.dist_info.metadata import parse_fields
from tensorflow_macos_build.wheels.dist_info.tags import canonical, parse_version
from tensorflow_macos_build.wheels.open_wheel import open_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.release.index.model import IndexRequest
    from tensorflow_macos_build.release.index.settings import IndexSettings

_FOLDER = "{folder}"
_ADDRESS = re.compile(r"[\x21-\x7e]+")
"""What an address may be written with (RFC 3986, section 2): no blanks, nothing outside ASCII."""


def read_projects(
    request: IndexRequest, settings: IndexSettings, ticker: Ticker
) -> tuple[IndexedProject, ...]:
    """Read the wheels of the request's folders.

    Raises:
        UsageError: there are none, one is none, or two of one name differ.
        BrokenWheel: one does not describe itself.
    """
    _check_address(request.files_at)
    wheels = _wheels(request.folders)
    attested = {folder: attestations.beside(folder) for folder in {each.parent for each in wheels}}
    offered: dict[str, ReleasedFile] = {}
    for number, wheel in enumerate(wheels):
        ticker(number, len(wheels), wheel.name)
        signed = attested[wheel.parent].get(wheel.name, [])
        file = _released(wheel, signed, request, settings)
        former = offered.setdefault(wheel.name, file)
        if former.sha256 != file.sha256:
            raise _two_files(former.path, wheel)
    projects = tuple(_projects(settings, offered.values()))
    _check_yanks(settings, projects)
    return projects


def _wheels(folders: Sequence[Path]) -> list[Path]:
    for folder in folders:
        if not folder.is_dir():
            raise UsageError("there is no such folder of wheels", where=str(folder))
    wheels = [path for folder in folders for path in _own(folder)]
    if not wheels:
        raise UsageError("there is no wheel", where=", ".join(map(str, folders)))
    if len(wheels) > FILES_LIMIT:
        raise UsageError(f"there are more than {FILES_LIMIT} wheels", where=str(folders[0]))
    return wheels


def _own(folder: Path) -> list[Path]:
    """Return a folder's wheels; of one that has none, those of the folders in it."""
    entries = sorted(folder.iterdir())
    inner = (path for each in entries if each.is_dir() for path in sorted(each.iterdir()))
    wheels = [path for path in entries if path.suffix == ".whl"]
    return wheels or [path for path in inner if path.suffix == ".whl"]


def _released(
    wheel: Path, signed: Sequence[Path], request: IndexRequest, settings: IndexSettings
) -> ReleasedFile:
    with open_wheel(wheel, any_platform=True) as opened:
        name, metadata = opened.name, opened.content("METADATA")
    about = settings.project(name.project)
    sha256 = files.sha256(wheel)
    return ReleasedFile(
        path=wheel,
        name=name,
        sha256=sha256,
        size=wheel.stat().st_size,
        metadata=metadata,
        url=_url(wheel, name.project, request.files_at),
        metadata_is_served=not request.files_at or _has_metadata(wheel, metadata),
        requires_python=_requires_python(metadata, wheel.name),
        uploaded=about.upload_of(name),
        yanked=about.yank_of(name),
        provenance=attestations.provenance_of(wheel.name, sha256, signed, settings.publisher),
    )


def _url(wheel: Path, project: str, files_at: str) -> str:
    """Return a wheel's address; `+` of a local version is quoted, for servers may read a blank."""
    if not files_at:
        return f"../../packages/{project}/{quote(wheel.name)}"
    base = files_at.replace(_FOLDER, quote(wheel.resolve().parent.name, safe=""))
    return f"{base.rstrip('/')}/{quote(wheel.name)}"


def _check_address(files_at: str) -> None:
    if not files_at:
        return
    parts = urlsplit(files_at)
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not is_plain or not _ADDRESS.fullmatch(files_at):
        raise UsageError(
            "this is no address of a folder of files",
            where="--files-at",
            hint="write https://HOST/PATH, with {folder} where the folder's own name stands",
        )


def _has_metadata(wheel: Path, metadata: bytes) -> bool:
    """Whether METADATA lies beside a wheel, to be served from where that is served."""
    beside = wheel.with_name(f"{wheel.name}.metadata")
    if not beside.exists():
        return False
    if files.read_small(beside, len(metadata)) != metadata:
        raise UsageError("it is not the METADATA of the wheel beside it", where=str(beside))
    return True


def _requires_python(metadata: bytes, where: str) -> str | None:
    stated = parse_fields(metadata).get_all("Requires-Python", [])
    if not stated:
        return None
    text = ",".join(part.strip() for part in str(stated[0]).split(","))
    try:
        SpecifierSet(text)
    except (InvalidSpecifier, ValueError):
        text = ""
    if len(stated) > 1 or not text:
        raise WorkFailed(
            "its Requires-Python is no specifier, and installers would pass over it or fail",
            where=where,
            hint="build the wheel with one such as `>=3.10`",
        )
    return text


def _two_files(first: Path, second: Path) -> UsageError:
    return UsageError(
        "two wheels have this name and other bytes",
        where=first.name,
        detail=f"{first}\n{second}",
        hint="keep one of them, or give one a build tag (`retag`)",
    )


def _projects(settings: IndexSettings, offered: Iterable[ReleasedFile]) -> Iterator[IndexedProject]:
    by_name: dict[str, list[ReleasedFile]] = {}
    for file in offered:
        by_name.setdefault(file.name.project, []).append(file)
    for name, own in sorted(by_name.items()):
        about = settings.project(name)
        ordered = sorted(own, key=lambda file: file.order)
        yield IndexedProject(name, about.status, about.reason, tuple(ordered))


def _check_yanks(settings: IndexSettings, projects: Iterable[IndexedProject]) -> None:
    """Refuse a yank that withdraws nothing: a slip in it would leave a bad wheel on offer."""
    files_of = {project.name: project.files for project in projects}
    for project, about in settings.projects.items():
        for key in about.yanked:
            version = parse_version(key)
            own = files_of.get(canonical(project), ())
            if not any(
                key == file.path.name or file.name.parsed_version == version for file in own
            ):
                raise UsageError(
                    f"they withdraw `{key}` of {project}, which is in no folder",
                    where="settings",
                    hint="name a version or a file that is there",
                )
