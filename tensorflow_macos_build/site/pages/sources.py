"""The documents that a site is made of, so that each of its numbers can be traced to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.site.page import (
    Cell,
    Column,
    ColumnKind,
    Fact,
    Page,
    Row,
    Section,
    Table,
    counted,
)

if TYPE_CHECKING:
    from tensorflow_macos_build.site.model import Shelf

FILE = "documents.html"


def page(shelf: Shelf) -> Page:
    """Return the page."""
    columns = (Column("schema"), Column("SHA-256", ColumnKind.CODE))
    rows = tuple(
        Row(Cell(document.name), (Cell(document.kind), Cell(document.sha256)))
        for document in shelf.documents
    )
    table = Table("documents", "What the site is made of", "file", columns, rows)
    return Page(
        name="documents",
        title="Documents",
        lead="Everything on this site was read from these files, and from nothing else.",
        cards=(Fact("documents", f"{len(shelf.documents):,}", href=FILE),),
        sections=(
            Section("all", counted(len(rows), "document"), tables=(table,)),
            *_others(shelf.remarks),
        ),
    )


def _others(remarks: tuple[str, ...]) -> tuple[Section, ...]:
    facts = tuple(Fact(f"{at}", remark) for at, remark in enumerate(remarks, 1))
    return (Section("others", "Not shown", facts=facts),) if facts else ()
