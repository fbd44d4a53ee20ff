"""The pages of an index: JSON, and HTML for clients that know no other.

Sources: PyPA's simple repository API (PEP 503, 691), with sizes and versions (700), METADATA on
its own (658, 714), yanks (592), provenance (740) and status (792). The HTML is frozen (PEP 833):
what is added to the API from now on is in the JSON alone.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.release.index.model import IndexedProject, ReleasedFile

API_VERSION = "1.4"
"""PEP 792's, the newest final one."""

JSON_PAGE, HTML_PAGE = "index.json", "index.html"


def render(projects: Sequence[IndexedProject]) -> Iterator[tuple[str, bytes]]:
    """Yield the path below `simple/` and the bytes of each page; the root's come last."""
    for project in projects:
        yield f"{project.name}/{JSON_PAGE}", _bytes(_project(project))
        yield f"{project.name}/{HTML_PAGE}", _html("project", project)
    yield JSON_PAGE, _bytes(_root(projects))
    yield HTML_PAGE, _html("root", projects)


def provenance_url(file: ReleasedFile) -> str:
    """Return the address of a wheel's provenance, from the page of its project."""
    return f"../../packages/{file.name.project}/{file.path.name}.provenance"


def _root(projects: Sequence[IndexedProject]) -> dict[str, Any]:
    names = [{"name": project.name} for project in projects]
    return {"meta": {"api-version": API_VERSION}, "projects": names}


def _project(project: IndexedProject) -> dict[str, Any]:
    status = {"status": project.status, **({"reason": project.reason} if project.reason else {})}
    return {
        "meta": {"api-version": API_VERSION},
        "name": project.name,
        "project-status": status,
        "versions": project.versions,
        "files": [_file(file) for file in project.files],
    }


def _file(file: ReleasedFile) -> dict[str, Any]:
    """Return a file's object; keys that may be left out are where nothing is to be said."""
    optional = {
        # Not under the name `dist-info-metadata`, too: pip 22.3 to 23.0 fails on it (PEP 714).
        "core-metadata": {"sha256": file.metadata_sha256} if file.metadata_is_served else None,
        "provenance": provenance_url(file) if file.provenance else None,
        "requires-python": file.requires_python,
        "upload-time": file.uploaded,
    }
    return {
        "filename": file.path.name,
        "url": file.url,
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        "yanked": False if file.yanked is None else file.yanked or True,
        **{key: value for key, value in optional.items() if value is not None},
    }


def _html(template: str, value: Any) -> bytes:
    values = {"value": value, "api_version": API_VERSION}
    return _environment().get_template(f"{template}.html.j2").render(values).encode()


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tensorflow_macos_build.release.index"),
        autoescape=True,  # names and reasons come from wheels and people
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["provenance_url"] = provenance_url
    return environment


def _bytes(value: Any) -> bytes:
    # Without indents: a page of 10,000 files is a third smaller.
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode() + b"\n"
