"""A package index as a document, and as a table and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.release.index import PublishedIndex
    from tensorflow_macos_build.release.index.model import IndexedProject, ReleasedFile
    from tensorflow_macos_build.views.lines import Part


def as_document(index: PublishedIndex) -> documents.Json:
    """Return an index as a document of the schema release-index.v1."""
    body = {
        "folder": str(index.request.out),
        "files_at": index.request.files_at,
        "projects": [_project(project) for project in index.projects],
        "pages": [{"path": path, "size": size} for path, size in sorted(index.pages.items())],
        "added": list(index.added),
        "dropped": list(index.dropped),
    }
    return documents.document("release-index", 1, body)


def as_lines(index: PublishedIndex) -> Iterator[Part]:
    """Yield a table of projects, what came and went, and where to point an installer."""
    titles = ("project", "status", "versions", "wheels", "withdrawn")
    yield Table.of(titles, map(_row, index.projects))
    for name in index.dropped:
        yield Line(f"dropped: {name}", "yellow")
    verb = "would be added" if index.request.plan else "added"
    yield Line(f"{len(index.added)} wheels {verb}, {len(index.dropped)} dropped", "bold")
    yield str(index.request.out / "simple")


def _row(project: IndexedProject) -> tuple[str, ...]:
    yanked = sum(file.yanked is not None for file in project.files)
    numbers = (len(project.versions), len(project.files), yanked)
    return (project.name, project.status, *map(str, numbers))


def _project(project: IndexedProject) -> documents.Json:
    return {
        "name": project.name,
        "status": project.status,
        "reason": project.reason,
        "versions": project.versions,
        "files": [_file(file) for file in project.files],
    }


def _file(file: ReleasedFile) -> documents.Json:
    return {
        "file": file.path.name,
        "sha256": file.sha256,
        "size": file.size,
        "url": file.url,
        "requires_python": file.requires_python,
        "uploaded": file.uploaded,
        "yanked": file.yanked,
        "metadata": file.metadata_is_served,
        "attested": bool(file.provenance),
    }
