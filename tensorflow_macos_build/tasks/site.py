"""The task that makes a static site of documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import SITE

if TYPE_CHECKING:
    import invoke


@command(
    positional=["folder"],
    iterable=["also"],
    help={
        "folder": "A folder with JSON documents of this tool, at any depth, such as dist/.",
        "also": "Another such folder; may be repeated.",
        "out": "The folder to serve; a site that is there is replaced, other things are not.",
        "title": "What the site is called.",
        "address": "Where the site is served, for the addresses in its feed.",
        "index": "The address of the package index that installs the wheels, as pip's --index-url.",
        "plan": "Write nothing; print what the site would be.",
        "json": "Print one JSON document (schema site.v1).",
    },
)
def site(
    _context: invoke.Context,
    folder: str,
    *,
    also: list[str],
    out: str = SITE,
    title: str = "TensorFlow for Macs",
    address: str = "",
    index: str = "",
    plan: bool = False,
    json: bool = False,
) -> None:
    """Make a static site of JSON documents: releases, queues, builds, tests, benchmarks."""
    from tensorflow_macos_build.site import SiteRequest, publish
    from tensorflow_macos_build.views import site as view

    folders = tuple(map(Path, (folder, *also)))
    request = SiteRequest(folders, Path(out), title, address, index, plan)
    with Console().progress("site") as ticker:
        made = publish(request, ticker)
    present(view.as_document(made), view.as_lines(made), json=json)
