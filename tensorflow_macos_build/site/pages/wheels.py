"""Wheels: what their files are, and how large, by folder and architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.report.page import size
from tensorflow_macos_build.site.anchors import address
from tensorflow_macos_build.site.page import (
    Bar,
    Cell,
    Column,
    ColumnKind,
    Fact,
    Page,
    Row,
    Section,
    Table,
    number,
    numbers,
    percent,
    share,
    wheel_title,
)
from tensorflow_macos_build.site.pages import newest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site.model import Shelf, SourceDocument

FILE = "wheels.html"


def page(shelf: Shelf) -> Page | None:
    """Return the page; None: nothing is known of what is in any wheel."""
    reports = newest.named(shelf.of("report.v1"), lambda found: str(found.body["wheel"]["name"]))
    fusions = newest.named(shelf.of("fusion.v1"), _fused_name)
    sections = (
        *(_report(name, document.body) for name, document in reports),
        *(_fusion(name, document.body) for name, document in fusions),
    )
    if not sections:
        return None
    return Page(
        name="wheels",
        title="Wheels",
        lead="What the files of each wheel are, and what they weigh.",
        cards=tuple(
            _card(document.body) for name, document in reports if _is_newest(name, document)
        ),
        sections=sections,
    )


def _fused_name(document: SourceDocument) -> str:
    return f"fusion {document.body['wheel'].rpartition('/')[2]}"


def _is_newest(name: str, document: SourceDocument) -> bool:
    return name == str(document.body["wheel"]["name"])


def _card(body: Json) -> Fact:
    wheel = body["wheel"]
    href = f"{FILE}#{address(wheel['name'])}"
    return Fact(wheel_title(wheel["name"]), size(wheel["size"]), href=href)


def _report(name: str, body: Json) -> Section:
    wheel = body["wheel"]
    facts = (
        Fact("size", size(wheel["size"])),
        Fact("SHA-256", wheel["sha256"], is_code=True),
        Fact("file", wheel["name"], is_code=True),
        Fact("release", body["release"]),
    )
    tables = (_parts(wheel["size"], body["thin_wheels"]), _verdicts(body["fuse"]["verdicts"]))
    return Section(
        name, name.replace(wheel["name"], wheel_title(wheel["name"])), facts=facts, tables=tables
    )


def _parts(whole: int, thin: Sequence[Json]) -> Table:
    """Return the wheels of one architecture that it was joined of, beside its own size."""
    largest = max([whole, *(wheel["size"] for wheel in thin)])
    rows = tuple(
        Row(
            Cell(wheel["architecture"], note=wheel["name"]),
            (
                Cell(size(wheel["size"]), graphic=Bar(share(wheel["size"], largest))),
                Cell(wheel["sha256"]),
            ),
        )
        for wheel in thin
    )
    columns = (*numbers("size"), Column("SHA-256", ColumnKind.CODE))
    return Table("halves", "The wheels that it was joined of", "architecture", columns, rows)


def _verdicts(counts: Mapping[str, int]) -> Table:
    total = sum(counts.values())
    rows = tuple(
        Row(Cell(verdict), (number(count), percent(count, total)))
        for verdict, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    return Table("verdicts", "Files by verdict", "verdict", numbers("files", "share"), rows)


def _fusion(name: str, body: Json) -> Section:
    counts = {verdict: len(paths) for verdict, paths in body["files"].items()}
    facts = (
        Fact("SHA-256", body["sha256"], is_code=True),
        *(Fact(f"note {at}", note) for at, note in enumerate(body["notes"], 1)),
    )
    title = f"Fused: {body['wheel'].rpartition('/')[2]}"
    return Section(name, title, facts=facts, tables=(_verdicts(counts),))
