"""Plugins beside releases of TensorFlow: which load, and what those lack that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.site.anchors import address
from tensorflow_macos_build.site.page import (
    Cell,
    Column,
    Fact,
    Page,
    Row,
    Section,
    Table,
    Tone,
    counted,
)
from tensorflow_macos_build.site.pages import newest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site.model import Shelf
    from tensorflow_macos_build.site.pages.newest import NamedDocument

FILE = "plugins.html"


def page(shelf: Shelf) -> Page | None:
    """Return the page; None: no plugin was looked at."""
    tables = newest.named(shelf.of("plugin-matrix.v1"), lambda _: "plugins")
    links = newest.named(
        [document for document in shelf.of("verification.v1") if document.body["plugins"]],
        lambda document: str(document.body["wheel"]),
    )
    sections = (
        *(section for table in tables for section in _matrix(table)),
        *map(_links, links),
    )
    if not sections:
        return None
    return Page(
        name="plugins",
        title="Plugins",
        lead="Which plugins load beside which wheels of TensorFlow, by their symbols.",
        cards=tuple(card for table in tables[:1] for card in _cards(table)),
        sections=sections,
    )


def _arches(body: Json) -> list[str]:
    return list(dict.fromkeys(plugin["arch"] for plugin in body["plugins"]))


def _cards(table: NamedDocument) -> Iterator[Fact]:
    body = table.body
    for arch in _arches(body):
        cells = [cell for cell in body["cells"] if body["plugins"][cell["plugin"]]["arch"] == arch]
        loads = sum(cell["loads"] for cell in cells)
        words = f"{loads:,} of {counted(len(cells), 'pair')} load"
        href = f"{FILE}#{address(_section_name(table.name, arch))}"
        yield Fact(f"plugins on {arch}", words, href=href)


def _section_name(name: str, arch: str) -> str:
    return f"{name}-{arch}"


def _matrix(document: NamedDocument) -> Iterator[Section]:
    """Yield a table for each architecture: plugins down, releases of TensorFlow across."""
    body = document.body
    cells = {(cell["plugin"], cell["host"]): cell for cell in body["cells"]}
    for arch in _arches(body):
        hosts = [at for at, host in enumerate(body["hosts"]) if host["arch"] == arch]
        rows = tuple(
            Row(
                Cell(_wheel(plugin)),
                tuple(_cell(cells.get((index, host)), body["names"]) for host in hosts),
            )
            for index, plugin in enumerate(body["plugins"])
            if plugin["arch"] == arch
        )
        columns = tuple(Column(_wheel(body["hosts"][host])) for host in hosts)
        table = Table(
            "matrix", f"Plugins and releases on {arch}", "plugin", columns, rows, is_matrix=True
        )
        yield Section(_section_name(document.name, arch), f"On {arch}", tables=(table,))


def _wheel(wheel: Json) -> str:
    return f"{wheel['project']} {wheel['version']}"


def _cell(cell: Json | None, names: list[str]) -> Cell:
    if cell is None:
        return Cell("")
    if cell["loads"]:
        weak = len(cell["weak"])
        note = f"{counted(weak, 'weak symbol')} null" if weak else f"{cell['bound']:,} symbols"
        return Cell("loads", Tone.WARN if weak else Tone.GOOD, note=note)
    missing = counted(len(cell["missing"]), "symbol")
    first = next((names[index] for index in cell["missing"] if index < len(names)), "")
    note = ", ".join(cell["lost"]) or first
    return Cell(f"lacks {missing}", Tone.BAD, note=note)


def _links(verified: NamedDocument) -> Section:
    """Return what `verify` saw of the plugins beside one wheel."""
    rows = tuple(
        Row(
            Cell(plugin["wheel"], note=link["file"]),
            (
                Cell(link["slice"]),
                Cell("loads", Tone.GOOD) if link["loads"] else Cell("does not load", Tone.BAD),
                Cell(f"{link['bound']:,}"),
                Cell(f"{len(link['missing']):,}", note=", ".join(link["lost"])),
            ),
            f"{plugin['wheel']} {link['file']} {link['slice']}",
        )
        for plugin in verified.body["plugins"]
        for link in plugin["links"]
    )
    columns = (Column("slice"), Column("verdict"), Column("bound"), Column("missing"))
    table = Table("plugins", "Plugins beside it", "plugin", columns, rows)
    return Section(f"beside {verified.name}", f"Beside {verified.name}", tables=(table,))
