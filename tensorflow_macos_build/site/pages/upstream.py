"""Upstream: how far each base is behind, what comes next, and what became of picks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.picking.watch import PickState
from tensorflow_macos_build.site.anchors import address
from tensorflow_macos_build.site.page import (
    Cell,
    Column,
    ColumnKind,
    Fact,
    Page,
    Row,
    Section,
    Table,
    Tone,
    counted,
    number,
    numbers,
)
from tensorflow_macos_build.site.pages import newest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site.model import Shelf, SourceDocument
    from tensorflow_macos_build.site.pages.newest import NamedDocument

FILE = "upstream.html"

_ABBREVIATED = 12

_STATES = {
    PickState.COMMIT: Tone.PLAIN,
    PickState.SAME: Tone.GOOD,
    PickState.MOVED: Tone.WARN,
    PickState.VANISHED: Tone.BAD,
    PickState.UNPINNED: Tone.WARN,
    PickState.UNKNOWN: Tone.SOFT,
}
"""The tone of each state of a pick on its server."""


def page(shelf: Shelf) -> Page | None:
    """Return the page; None: nothing is known of any upstream."""
    watched = newest.named(shelf.of("upstream-status.v1"), _about)
    if not watched:
        return None
    return Page(
        name="upstream",
        title="Upstream's releases",
        lead="What upstream has released since each base, and what that means for picks.",
        cards=tuple(map(_card, watched)),
        sections=tuple(map(_section, watched)),
    )


def _about(document: SourceDocument) -> str:
    return f"{document.body['upstream']} since {document.body['base']['ref']}"


def _distance(body: Json) -> tuple[str, Tone]:
    """Return in a few words how far the base is behind the newest release."""
    behind = body["behind"]
    if behind is None:
        return "no release is newer", Tone.GOOD
    words = (counted(behind[f"{unit}s"], unit) for unit in ("release", "commit", "day"))
    return f"behind by {', '.join(words)}", Tone.WARN


def _card(watched: NamedDocument) -> Fact:
    words, tone = _distance(watched.body)
    due = watched.body["due"]
    detail = f"{counted(len(due), 'condition')} came true." if due else ""
    return Fact(watched.name, words, tone, f"{FILE}#{address(watched.name)}", detail)


def _section(watched: NamedDocument) -> Section:
    body = watched.body
    words, tone = _distance(body)
    behind = body["behind"]
    facts = (
        Fact("base", body["base"]["ref"]),
        Fact("commit", body["base"]["commit"], is_code=True),
        Fact("distance", words, tone),
        *((Fact("commits of its own", f"{behind['own']:,}"),) if behind and behind["own"] else ()),
    )
    tables = (_releases(body), *_picks(body["picks"]), *_due(body["due"]))
    return Section(watched.name, watched.name, facts=facts, tables=tables)


def _releases(body: Json) -> Table:
    """Return releases and branches without one, the newest first, down to the base."""
    coming = [branch for branch in reversed(body["branches"]) if not branch["released"]]
    rows = (
        *(_release(row["name"], row, _coming(row["newest"]), Tone.SOFT) for row in coming),
        *(_release(row["tag"], row, "pre-release", Tone.SOFT) for row in body["previews"][::-1]),
        *(_release(row["tag"], row, "release", Tone.PLAIN) for row in body["newer"][::-1]),
        _release(body["base"]["ref"], body["base"], "the base", Tone.SOFT),
    )
    columns = (
        Column("version"),
        *numbers("date"),
        Column("commit", ColumnKind.CODE),
        Column("what"),
    )
    return Table("releases", "Newer releases, and what comes next", "tag", columns, rows)


def _coming(tag: str) -> str:
    return f"a branch, of which {tag or 'nothing'} is the newest tag"


def _release(ref: str, row: Json, words: str, tone: Tone) -> Row:
    cells = (
        Cell(row["version"] or ""),
        Cell(row["date"]),
        Cell(row["commit"][:_ABBREVIATED]),
        Cell(words, tone),
    )
    return Row(Cell(ref), cells)


def _picks(picks: Sequence[Json]) -> Iterator[Table]:
    """Yield what servers have of the queue's picks, if it has any."""
    if picks:
        columns = (
            Column("state"),
            *(Column(title, ColumnKind.CODE) for title in ("pinned", "head")),
            *numbers("added", "gone"),
            Column("landed in"),
        )
        yield Table("picks", "Picks on their servers", "pick", columns, tuple(map(_pick, picks)))


def _pick(pick: Json) -> Row:
    state = PickState(pick["state"])
    cells = (
        Cell(state.value, _STATES[state], note="by force" if pick["forced"] else ""),
        Cell(pick["pinned"][:_ABBREVIATED]),
        Cell(pick["head"][:_ABBREVIATED]),
        number(len(pick["added"])),
        number(len(pick["gone"])),
        Cell(", ".join(pick["landed_in"]), Tone.GOOD),
    )
    return Row(Cell(pick["name"]), cells)


def _due(due: Sequence[Json]) -> Iterator[Table]:
    """Yield the conditions for dropping patches that came true, if any did."""
    if due:
        rows = tuple(
            Row(
                Cell(row["name"]),
                (Cell(row["condition"]), Cell(row["ref"], Tone.WARN)),
                f"{row['name']} {row['condition']}",
            )
            for row in due
        )
        columns = (Column("condition"), Column("true since"))
        yield Table("due", "Conditions that came true", "patch", columns, rows)
