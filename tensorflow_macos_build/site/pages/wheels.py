"""Wheels: what their files are, and how large, by folder and architecture."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from tensorflow_macos_build.report.amounts import size
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
    Stack,
    Table,
    Tone,
    number,
    numbers,
    percent,
    section_title,
    share,
)
from tensorflow_macos_build.site.pages import newest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site.model import Shelf, SourceDocument
    from tensorflow_macos_build.site.pages.newest import NamedDocument

FILE = "wheels.html"

_SEVERITIES = {"error": Tone.BAD, "warning": Tone.WARN, "note": Tone.PLAIN}

_ARCHITECTURES = (Tone.ACCENT, Tone.WARN)
"""The tones of machine code of the first and the second architecture."""


def page(shelf: Shelf) -> Page | None:
    """Return the page; None: nothing is known of what is in any wheel."""
    reports = newest.named(shelf.of("report.v1"), _reported_name)
    contents = newest.named(shelf.of("wheel-contents.v1"), _contents_name)
    fusions = newest.named(shelf.of("fusion.v1"), _fused_name)
    verified = newest.named(shelf.of("verification.v1"), _verified_name)
    sections = (
        *map(_contents, contents),
        *map(_report, reports),
        *map(_verified, verified),
        *map(_fusion, fusions),
    )
    if not sections:
        return None
    return Page(
        name="wheels",
        title="Wheels",
        lead="What the files of each wheel are, and what they weigh.",
        cards=tuple(
            _card(entry)
            for entry in (*reports, *contents)
            if entry.name.endswith(entry.body["wheel"]["name"])  # the newest of those about a wheel
        ),
        sections=sections,
    )


def _reported_name(document: SourceDocument) -> str:
    return str(document.body["wheel"]["name"])


def _fused_name(document: SourceDocument) -> str:
    return f"fusion {document.body['wheel'].rpartition('/')[2]}"


def _contents_name(document: SourceDocument) -> str:
    return f"contents of {document.body['wheel']['name']}"


def _card(entry: NamedDocument) -> Fact:
    wheel = entry.body["wheel"]
    title = section_title(entry.name, wheel["name"])
    return Fact(title, size(wheel["size"]), href=f"{FILE}#{address(entry.name)}")


def _contents(contents: NamedDocument) -> Section:
    wheel, folders = contents.body["wheel"], contents.body["folders"]
    unpacked = sum(folder["size"] for folder in folders)
    facts = (
        Fact("size", size(wheel["size"])),
        Fact("unpacked", size(unpacked)),
        Fact("files", f"{sum(folder['files'] for folder in folders):,}"),
        Fact("SHA-256", wheel["sha256"], is_code=True),
        Fact("file", wheel["name"], is_code=True),
    )
    architectures = sorted({arch for folder in folders for arch in folder["slices"]})
    largest = max((folder["size"] for folder in folders), default=0)
    table = Table(
        "folders",
        "By folder: machine code of each architecture, then all else",
        "folder",
        numbers("files", "unpacked", "in the wheel", *architectures, "of the largest"),
        tuple(_folder(folder, architectures, largest) for folder in folders),
    )
    title = section_title(contents.name, wheel["name"])
    return Section(contents.name, title, facts=facts, tables=(table,))


def _folder(folder: Json, architectures: Sequence[str], largest: int) -> Row:
    slices = folder["slices"]
    rest = folder["size"] - sum(slices.values())
    code = zip(architectures, cycle(_ARCHITECTURES), strict=False)
    parts = [(tone, share(slices.get(arch, 0), largest)) for arch, tone in code]
    stack = Stack((*parts, (Tone.SOFT, share(rest, largest))))
    cells = (
        number(folder["files"]),
        Cell(size(folder["size"])),
        Cell(size(folder["compressed"])),
        *(Cell(size(slices[arch]) if arch in slices else "") for arch in architectures),
        Cell(f"{100 * share(folder['size'], largest):.1f} %", graphic=stack),
    )
    return Row(Cell(folder["folder"] or "."), cells)


def _report(report: NamedDocument) -> Section:
    body = report.body
    wheel = body["wheel"]
    facts = (
        Fact("size", size(wheel["size"])),
        Fact("SHA-256", wheel["sha256"], is_code=True),
        Fact("file", wheel["name"], is_code=True),
        Fact("release", body["release"]),
    )
    tables = (_parts(wheel["size"], body["thin_wheels"]), _verdicts(body["fuse"]["verdicts"]))
    title = section_title(report.name, wheel["name"])
    return Section(report.name, title, facts=facts, tables=tables)


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


def _verified_name(document: SourceDocument) -> str:
    return f"verification of {document.body['wheel']}"


def _verified(verified: NamedDocument) -> Section:
    """Return what `verify` has against a wheel, a line for each kind of finding."""
    body = verified.body
    checked = body["checked"]
    facts = (
        *(
            Fact(f"{severity}s", f"{body['counts'][severity]:,}", tone if count else Tone.PLAIN)
            for severity, tone in _SEVERITIES.items()
            if (count := body["counts"][severity]) or severity == "error"
        ),
        Fact("files checked", f"{checked['members']:,}"),
        Fact("slices linked", f"{checked['slices']:,}"),
        Fact("symbols that bind", f"{checked['symbols']['bound']:,}"),
    )
    of_code: dict[str, list[Json]] = {}
    for finding in body["findings"]:
        of_code.setdefault(finding["code"], []).append(finding)
    rows = tuple(_finding(code, findings) for code, findings in sorted(of_code.items()))
    columns = (Column("severity"), *numbers("findings"), Column("the first of them"))
    tables = (Table("findings", "Findings by kind", "code", columns, rows),) if rows else ()
    title = section_title(verified.name, body["wheel"])
    return Section(verified.name, title, facts=facts, tables=tables)


def _finding(code: str, findings: Sequence[Json]) -> Row:
    first = findings[0]
    tone = Tone.SOFT if first["accepted"] else _SEVERITIES[first["severity"]]
    words = f"{first['severity']}, accepted" if first["accepted"] else first["severity"]
    where = f"{first['file']} {first['slice']}".strip()
    return Row(
        Cell(code), (Cell(words, tone), number(len(findings)), Cell(first["message"], note=where))
    )


def _fusion(fusion: NamedDocument) -> Section:
    body = fusion.body
    counts = {verdict: len(paths) for verdict, paths in body["files"].items()}
    facts = (
        Fact("SHA-256", body["sha256"], is_code=True),
        *(Fact(f"note {at}", note) for at, note in enumerate(body["notes"], 1)),
    )
    title = f"Fused: {body['wheel'].rpartition('/')[2]}"
    return Section(fusion.name, title, facts=facts, tables=(_verdicts(counts),))
