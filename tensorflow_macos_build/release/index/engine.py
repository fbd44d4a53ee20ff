"""Publishing an index: wheels first, then all pages in one step, then what nobody links to goes.

So who reads the pages meets the old index or the new one, whole, whatever is killed when; and a
wheel is there before a page names it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, locks, temporary
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.release.index import former, pages, settings
from tensorflow_macos_build.release.index.model import PublishedIndex
from tensorflow_macos_build.release.index.reading import read_projects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.release.index.model import (
        IndexedProject,
        IndexRequest,
        ReleasedFile,
    )

PACKAGES, SIMPLE = "packages", "simple"


def publish(request: IndexRequest, ticker: Ticker = silent) -> PublishedIndex:
    """Make an index of folders of wheels, or say what it would be.

    Raises:
        UsageError: a folder, wheel or setting is none, or the target holds other things.
        WorkFailed: what was published would change, or vanish without leave.
    """
    projects = read_projects(request, settings.read(request.settings), ticker)
    rendered = dict(pages.render(projects))
    if request.plan:
        return _compared(request, projects, rendered)
    request.out.mkdir(parents=True, exist_ok=True)
    # The folder itself is locked, so that nothing for the lock is served.
    with locks.held(request.out):
        index = _compared(request, projects, rendered)
        offered = former.read(request.out / SIMPLE)
        _put_packages(request, projects, ticker)
        with files.atomic_folder(request.out / SIMPLE) as folder:
            _write(folder, rendered)
        _delete_dropped(request.out / PACKAGES, {name: offered[name][0] for name in index.dropped})
    return index


def _compared(
    request: IndexRequest, projects: tuple[IndexedProject, ...], rendered: Mapping[str, bytes]
) -> PublishedIndex:
    """Return the index beside the one that is there."""
    offered = former.read(request.out / SIMPLE)
    former.check_unchanged(offered, projects)
    names = {file.path.name for project in projects for file in project.files}
    dropped = offered.keys() - names
    former.check_dropped(dropped, may_drop=request.drop)
    sizes = {path: len(content) for path, content in rendered.items()}
    added = tuple(sorted(names - offered.keys()))
    return PublishedIndex(request, projects, sizes, added, tuple(sorted(dropped)))


def _put_packages(
    request: IndexRequest, projects: tuple[IndexedProject, ...], ticker: Ticker
) -> None:
    packages = request.out / PACKAGES
    packages.mkdir(exist_ok=True)
    temporary.sweep(packages)
    served = [file for project in projects for file in project.files]
    # One folder for all that is unfinished: to sweep beside each file would be quadratic.
    with temporary.folder_in(packages) as holder:
        for number, file in enumerate(served):
            ticker(number, len(served), file.path.name)
            folder = packages / file.name.project
            folder.mkdir(exist_ok=True)
            if not request.files_at:
                _put_wheel(file, folder / file.path.name, holder)
            for target, content in _beside(file, folder, is_here=not request.files_at):
                _put_small(content, target, holder)


def _put_wheel(file: ReleasedFile, target: Path, holder: Path) -> None:
    """Link or copy a wheel, unless it is there, whole."""
    if not target.is_file() or not (
        target.samefile(file.path) or files.sha256(target) == file.sha256
    ):
        unfinished = holder / target.name
        files.link_or_copy(file.path, unfinished)
        files.flush(unfinished)
        unfinished.replace(target)


def _put_small(content: bytes, target: Path, holder: Path) -> None:
    if not target.is_file() or target.read_bytes() != content:
        unfinished = holder / target.name
        unfinished.write_bytes(content)
        files.flush(unfinished)
        unfinished.replace(target)


def _beside(file: ReleasedFile, folder: Path, *, is_here: bool) -> Iterator[tuple[Path, bytes]]:
    if is_here:
        yield folder / f"{file.path.name}.metadata", file.metadata
    if file.provenance:
        yield folder / f"{file.path.name}.provenance", file.provenance


def _write(folder: Path, rendered: Mapping[str, bytes]) -> None:
    for path, content in rendered.items():
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)


def _delete_dropped(packages: Path, dropped: Mapping[str, str]) -> None:
    for name, project in dropped.items():
        for suffix in ("", ".metadata", ".provenance"):
            with contextlib.suppress(FileNotFoundError):
                (packages / project / f"{name}{suffix}").unlink()
