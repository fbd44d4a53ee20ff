"""Tasks about plugins of TensorFlow."""

from __future__ import annotations

from pathlib import Path

import invoke

from tensorflow_macos_build import files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import MATRIX

_PLUGINS = "tensorflow-metal>=0.5"
_HOSTS = ("tensorflow-macos>=2.5", "tensorflow>=2.5")


@command(
    iterable=["plugin", "tensorflow", "arch"],
    help={
        "plugin": f"A requirement of a plugin; the default is {_PLUGINS}; may be repeated.",
        "tensorflow": f"A requirement of TensorFlow; the default is {' and '.join(_HOSTS)}; may be"
        " repeated.",
        "arch": "arm64 or x86_64; the default is both; may be repeated.",
        "index": "The index's address (PEP 691 or 503); the default is the one that pip is set to.",
        "find_links": "A folder of wheels to look into instead of an index.",
        "every": "Take every release of TensorFlow, and not only the last one of each minor.",
        "cache": "The folder for what was found of each wheel.",
        "markdown": "Write the table into this file, too, as Markdown.",
        "svg": "Write it into this file, too, as a picture.",
        "json": "Print one JSON document (schema plugin-matrix.v1).",
    },
)
def matrix(
    _context: invoke.Context,
    *,
    plugin: list[str],
    tensorflow: list[str],
    arch: list[str],
    index: str = "",
    find_links: str = "",
    every: bool = False,
    cache: str = MATRIX,
    markdown: str = "",
    svg: str = "",
    json: bool = False,
) -> None:
    """Show which releases of plugins load in which releases of TensorFlow."""
    from tensorflow_macos_build.views import matrix as view
    from tensorflow_macos_build.views import matrix_picture
    from tensorflow_macos_build.wheels.matrix import MatrixRequest, make

    request = MatrixRequest(
        plugins=tuple(plugin) or (_PLUGINS,),
        hosts=tuple(tensorflow) or _HOSTS,
        arches=tuple(arch) or ("arm64", "x86_64"),
        cache=Path(cache),
        index=index or None,
        folder=Path(find_links) if find_links else None,
        every=every,
    )
    with Console().progress("matrix") as ticker:
        made = make(request, ticker)
    if markdown:
        files.write_text(Path(markdown), view.as_markdown(made))
    if svg:
        files.write_text(Path(svg), matrix_picture.draw(made))
    present(view.as_document(made), view.as_lines(made), json=json)


namespace = invoke.Collection("plugins", matrix)
