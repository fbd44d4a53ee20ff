"""Queues on upstream revisions: which move by themselves, and which commit is to blame."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.patchqueue.verdict.wording import WORDS, StatusTone
from tensorflow_macos_build.site import order
from tensorflow_macos_build.site.anchors import address
from tensorflow_macos_build.site.page import (
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
    counted,
    number,
    numbers,
    share,
)
from tensorflow_macos_build.site.pages import newest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site.model import Shelf, SourceDocument

FILE = "queues.html"

_TONES = {
    StatusTone.QUIET: Tone.SOFT,
    StatusTone.CARRIED: Tone.ACCENT,
    StatusTone.UPSTREAM: Tone.GOOD,
    StatusTone.LOOK: Tone.WARN,
    StatusTone.BROKEN: Tone.BAD,
    StatusTone.FOLLOWS: Tone.BAD,
}

_ABBREVIATED = 12


@dataclass(frozen=True)
class Revision:
    """An upstream revision: how it was named, its commit, and how far it is from the base."""

    ref: str
    commit: str
    distance: int | None
    names_to_look_at: int


@dataclass(frozen=True)
class Fate:
    """What becomes of a patch on a revision, and the upstream commits that it is due to."""

    status: Status
    commits: tuple[Json, ...]
    follows: tuple[str, ...]


@dataclass(frozen=True)
class PatchRow:
    """A patch with its fate on each revision."""

    name: str
    subject: str
    fates: tuple[Fate, ...]


@dataclass(frozen=True)
class Outlook:
    """A queue on some revisions, from a forecast or a rebase."""

    name: str
    queue: str
    base: str
    revisions: tuple[Revision, ...]
    patches: tuple[PatchRow, ...]

    def fates(self, column: int) -> list[Status]:
        """Return the statuses on a revision, by its place."""
        return [patch.fates[column].status for patch in self.patches]


def page(shelf: Shelf) -> Page | None:
    """Return the page; None: nothing is known of any queue."""
    known = newest.named(shelf.of("forecast.v1", "rebase.v1"), _about)
    outlooks = [_outlook(entry.name, entry.document) for entry in known]
    if not outlooks:
        return None
    return Page(
        name="queues",
        title="Queues and upstream",
        lead="What becomes of each patch on upstream's revisions, and which commit breaks it.",
        cards=tuple(_cards(outlooks)),
        sections=(_matrix(outlooks), *map(_section, outlooks)),
    )


def _about(document: SourceDocument) -> str:
    """Return what a document is about: a forecast, a queue; a rebase, a queue on one revision."""
    queue = _queue_name(document.body)
    if document.kind == "forecast.v1":
        return queue
    return f"{queue} onto {document.body['onto']['ref']}"


def _queue_name(body: Json) -> str:
    # A rebase names its queue as it was typed, so perhaps as a path.
    return PurePosixPath(body["queue"]).name or "queue"


def _outlook(name: str, document: SourceDocument) -> Outlook:
    body = document.body
    read = _of_forecast if document.kind == "forecast.v1" else _of_rebase
    return read(name, _queue_name(body), body)


def _of_forecast(name: str, queue: str, body: Json) -> Outlook:
    revisions = tuple(
        Revision(row["ref"], row["commit"], row["distance"], row["audit"]["needs_look"])
        for row in body["revisions"]
    )
    patches = tuple(
        PatchRow(row["name"], row["subject"], tuple(map(_forecast_fate, row["fates"])))
        for row in body["patches"]
    )
    return Outlook(name, queue, body["base"]["ref"], revisions, patches)


def _forecast_fate(fate: Json) -> Fate:
    breaking = fate["breaking"]
    commits = (breaking["commit"],) if breaking else tuple(fate["upstream"])
    return Fate(Status(fate["status"]), commits, tuple(fate["knock_on_of"]))


def _of_rebase(name: str, queue: str, body: Json) -> Outlook:
    onto = body["onto"]
    revision = Revision(onto["ref"], onto["commit"], None, body["audit"]["needs_look"])
    patches = tuple(
        PatchRow(row["name"], row["subject"], (_rebase_fate(row),)) for row in body["patches"]
    )
    return Outlook(name, queue, body["base"][:_ABBREVIATED], (revision,), patches)


def _rebase_fate(patch: Json) -> Fate:
    evidence = patch["evidence"]
    culprits = {
        commit["commit"]: commit
        for conflict in evidence["conflicts"]
        for part in (conflict, *conflict["hunks"])
        for commit in part["culprits"]
    }
    commits = tuple(culprits.values()) or tuple(evidence["upstream"])
    return Fate(Status(patch["status"]), commits, tuple(evidence["knock_on_of"]))


def _cards(outlooks: list[Outlook]) -> Iterator[Fact]:
    for outlook in outlooks:
        for column, revision in enumerate(outlook.revisions):
            words, tone = _verdict(outlook, column)
            href = f"{FILE}#{_cell_address(outlook.queue, revision.ref)}"
            yield Fact(f"{outlook.queue} on {revision.ref}", words, tone, href)


def _verdict(outlook: Outlook, column: int) -> tuple[str, Tone]:
    """Return in a few words whether a queue moves to a revision."""
    statuses = outlook.fates(column)
    conflicts = statuses.count(Status.CONFLICT)
    if conflicts:
        return counted(conflicts, "conflict"), Tone.BAD
    if any(status.is_blocking for status in statuses):
        return "not reached", Tone.WARN
    if outlook.revisions[column].names_to_look_at:
        return counted(
            outlook.revisions[column].names_to_look_at, "name to look at", "names to look at"
        ), Tone.WARN
    return "moves", Tone.GOOD


def _cell_address(queue: str, ref: str) -> str:
    return address("matrix", "queues", queue, ref)


def _matrix(outlooks: list[Outlook]) -> Section:
    """Return the table of queues and revisions; of several words on a pair the newest counts."""
    verdicts: dict[tuple[str, str], Cell] = {}
    for outlook in outlooks:
        for column, revision in enumerate(outlook.revisions):
            words, tone = _verdict(outlook, column)
            cell = Cell(words, tone, href=f"{FILE}#{address(outlook.name)}")
            verdicts.setdefault((outlook.queue, revision.ref), cell)
    refs = sorted({ref for _, ref in verdicts}, key=order.natural)
    queues = sorted({queue for queue, _ in verdicts}, key=order.natural)
    rows = tuple(
        Row(Cell(queue), tuple(verdicts.get((queue, ref), Cell("")) for ref in refs))
        for queue in queues
    )
    table = Table(
        "queues", "Queues on revisions", "queue", tuple(map(Column, refs)), rows, is_matrix=True
    )
    return Section("matrix", "At a glance", tables=(table,))


def _section(outlook: Outlook) -> Section:
    return Section(
        name=outlook.name,
        title=outlook.name,
        lead=f"{counted(len(outlook.patches), 'patch', 'patches')} on {outlook.base}.",
        tables=(_counts(outlook), _patches(outlook), *_culprits(outlook)),
    )


def _counts(outlook: Outlook) -> Table:
    titles = ("patches", "clean", "carried on", "upstream", "to look at", "conflicts", "follow")
    return Table(
        name="counts",
        caption="Patches by what becomes of them; the bars are in the columns' order",
        head="revision",
        columns=(
            Column("commit", ColumnKind.CODE),
            *numbers("commits on", *titles),
            Column("shares"),
        ),
        rows=tuple(_count_row(outlook, at) for at in range(len(outlook.revisions))),
    )


def _count_row(outlook: Outlook, column: int) -> Row:
    revision = outlook.revisions[column]
    tones = Counter(WORDS[status][1] for status in outlook.fates(column))
    total = len(outlook.patches)
    stack = Stack(tuple((_TONES[tone], share(tones[tone], total)) for tone in StatusTone))
    distance = Cell("") if revision.distance is None else number(revision.distance)
    counts = (number(tones[tone]) for tone in StatusTone)
    cells = (Cell(revision.commit[:_ABBREVIATED]), distance, number(total), *counts)
    return Row(Cell(revision.ref), (*cells, Cell("", graphic=stack)))


def _patches(outlook: Outlook) -> Table:
    rows = tuple(
        Row(
            Cell(patch.subject, note=patch.name),
            tuple(_fate_cell(outlook.name, fate) for fate in patch.fates),
            patch.name,
        )
        for patch in outlook.patches
    )
    columns = tuple(Column(revision.ref) for revision in outlook.revisions)
    return Table("patches", "Each patch on each revision", "patch", columns, rows, is_matrix=True)


def _fate_cell(outlook: str, fate: Fate) -> Cell:
    word, tone = WORDS[fate.status]
    if fate.status is Status.KNOCK_ON:
        return Cell(word, _TONES[tone], note=f"follows from {', '.join(fate.follows)}")
    note = ", ".join(commit["commit"][:9] for commit in fate.commits)
    is_blamed = fate.status is Status.CONFLICT and fate.commits
    culprit = address(outlook, "culprits", fate.commits[0]["commit"]) if is_blamed else ""
    return Cell(word, _TONES[tone], note, f"{FILE}#{culprit}" if culprit else "")


def _culprits(outlook: Outlook) -> Iterator[Table]:
    """Yield the table of commits that break patches, if there are any."""
    blamed: dict[str, tuple[Json, list[str]]] = {}
    for patch in outlook.patches:
        for revision, fate in zip(outlook.revisions, patch.fates, strict=True):
            for commit in fate.commits if fate.status is Status.CONFLICT else ():
                _, broken = blamed.setdefault(commit["commit"], (commit, []))
                broken.append(f"{patch.name} on {revision.ref}")
    if blamed:
        columns = (*map(Column, ("commit", "author")), *numbers("date"), Column("breaks"))
        rows = tuple(_culprit_row(*entry) for entry in blamed.values())
        yield Table("culprits", "Commits that break patches", "subject", columns, rows)


def _culprit_row(commit: Json, broken: list[str]) -> Row:
    author = commit["author"].partition(" <")[0]
    cells: tuple[Any, ...] = (
        Cell(commit["commit"][:_ABBREVIATED], href=commit["link"]),
        Cell(author),
        Cell(commit["date"][:10]),
        Cell(", ".join(dict.fromkeys(broken))),
    )
    return Row(Cell(commit["subject"]), cells, commit["commit"])
