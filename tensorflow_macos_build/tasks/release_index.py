"""The task that makes a package index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import INDEX

if TYPE_CHECKING:
    import invoke


@command(
    positional=["folder"],
    iterable=["also"],
    help={
        "folder": "A folder of wheels, such as a release's in dist/.",
        "also": "Another folder of wheels; may be repeated.",
        "out": "The folder to serve: pip's --index-url is its simple/.",
        "settings": "A file that says what is yanked, a project's status, when versions were"
        " published and who attests, such as ci/index.yaml.",
        "files_at": "The address where the wheels are served, if not beside the pages; {folder} in"
        " it is the name of a wheel's folder.",
        "drop": "Take wheels away that the index offers and no folder has.",
        "plan": "Write nothing; print what the index would be.",
        "json": "Print one JSON document (schema release-index.v1).",
    },
)
def index(
    _context: invoke.Context,
    folder: str,
    *,
    also: list[str],
    out: str = INDEX,
    settings: str = "",
    files_at: str = "",
    drop: bool = False,
    plan: bool = False,
    json: bool = False,
) -> None:
    """Make a static package index of folders of wheels, for pip and uv."""
    from tensorflow_macos_build.release.index import IndexRequest, publish
    from tensorflow_macos_build.views import release_index as view

    paths = tuple(map(Path, (folder, *also)))
    settings_path = Path(settings) if settings else None
    request = IndexRequest(paths, Path(out), settings_path, files_at, drop, plan)
    with Console().progress("index") as ticker:
        made = publish(request, ticker)
    present(view.as_document(made), view.as_lines(made), json=json)
