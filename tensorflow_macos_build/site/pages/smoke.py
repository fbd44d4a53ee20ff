"""Smoke tests and sweeps: which checks passed where, and which kernels each device has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.report.amounts import duration
from tensorflow_macos_build.site.anchors import address
from tensorflow_macos_build.site.page import (
    Bar,
    Cell,
    Column,
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
    section_title,
    share,
    worst,
)
from tensorflow_macos_build.site.pages import newest
from tensorflow_macos_build.smoke import CheckOutcome
from tensorflow_macos_build.smoke.sweep import SweepOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site.model import Shelf, SourceDocument
    from tensorflow_macos_build.site.pages.newest import NamedDocument

FILE = "smoke.html"

_ROWS = 40
"""Ops with a row in the table of errors; the table of all ops has the others'."""

_CHECKS = {
    CheckOutcome.PASSED: Tone.GOOD,
    CheckOutcome.KNOWN_LIMIT: Tone.WARN,
    CheckOutcome.NOT_APPLICABLE: Tone.SOFT,
    CheckOutcome.NOT_RUN: Tone.SOFT,
}
"""The tone of each outcome of a check; the others are failures."""

_VERDICTS = {"passed": Tone.GOOD, "failed": Tone.BAD, "nothing_ran": Tone.WARN}

_SWEEPS = {
    SweepOutcome.EQUAL: Tone.GOOD,
    SweepOutcome.DIFFER: Tone.BAD,
    SweepOutcome.RAISE: Tone.BAD,
    SweepOutcome.DIE: Tone.BAD,
    SweepOutcome.UNACCOUNTED: Tone.WARN,
}


@dataclass(frozen=True)
class SweptOp:
    """An op in one sweep: how many of its kernels came out how, and its largest error."""

    outcomes: Mapping[SweepOutcome, int]
    error: float | None
    limit: float
    why: str

    @property
    def tone(self) -> Tone:
        """What its outcomes mean together."""
        return worst([_SWEEPS[outcome] for outcome in self.outcomes])

    @property
    def words(self) -> str:
        """Its outcomes, the frequent ones first."""
        kinds = sorted(self.outcomes, key=lambda outcome: (-self.outcomes[outcome], outcome.value))
        return ", ".join(f"{self.outcomes[kind]} {kind.value}" for kind in kinds)


def page(shelf: Shelf) -> Page | None:
    """Return the page; None: nothing was tried."""
    tests = newest.named(shelf.of("smoke.v2"), _tried)
    sweeps = newest.named(shelf.of("smoke-sweep.v1"), _swept)
    comparisons = newest.named(shelf.of("smoke-comparison.v1"), _compared)
    sections = (
        *_overview(tests),
        *map(_test, tests),
        *_coverage(sweeps),
        *map(_sweep, sweeps),
        *map(_comparison, comparisons),
    )
    if not sections:
        return None
    return Page(
        name="smoke",
        title="Smoke tests",
        lead="What was tried of each wheel on each device, and every kernel that was called there.",
        cards=(*_test_cards(tests), *_sweep_cards(sweeps)),
        sections=sections,
    )


def _tried(document: SourceDocument) -> str:
    body = document.body
    return f"{body['subject']} on {body['device']}{' (virtual)' if body['virtual'] else ''}"


def _swept(document: SourceDocument) -> str:
    body = document.body
    return f"sweep of {body['subject']} on {body['device']} as {body['target']}"


def _compared(document: SourceDocument) -> str:
    return f"{document.body['before']} and {document.body['after']}"


def _title(entry: NamedDocument) -> str:
    return section_title(entry.name, entry.body["subject"])


def _words(outcome: CheckOutcome) -> str:
    return outcome.value.replace("_", " ")


def _overview(tests: Sequence[NamedDocument]) -> Iterator[Section]:
    """Yield the table of tests with how many of their checks came out how."""
    if not tests:
        return
    titles = [_words(outcome) for outcome in CheckOutcome]
    columns = (Column("verdict"), *numbers(*titles), Column("shares"))
    rows = tuple(map(_test_row, tests))
    yield Section(
        "tests",
        "What was tried",
        tables=(Table("tests", "Checks by outcome", "wheel and device", columns, rows),),
    )


def _test_row(test: NamedDocument) -> Row:
    body = test.body
    counts = Counter(CheckOutcome(check["outcome"]) for check in body["checks"])
    total = counts.total()
    parts = tuple((_tone(outcome), share(counts[outcome], total)) for outcome in CheckOutcome)
    verdict = body["verdict"]
    cells = (
        Cell(verdict.replace("_", " "), _VERDICTS[verdict]),
        *(
            number(counts[outcome], _tone(outcome) if counts[outcome] else Tone.PLAIN)
            for outcome in CheckOutcome
        ),
        Cell("", graphic=Stack(parts)),
    )
    return Row(Cell(_title(test), href=f"{FILE}#{address(test.name)}"), cells, test.name)


def _tone(outcome: CheckOutcome) -> Tone:
    return _CHECKS.get(outcome, Tone.BAD)


def _test(test: NamedDocument) -> Section:
    body = test.body
    columns = (Column("group"), Column("outcome"), *numbers("took", "memory"), Column("why"))
    targets = dict.fromkeys(check["target"] for check in body["checks"])
    tables = tuple(
        Table(
            f"as {target}",
            f"Checks as {target}",
            "check",
            columns,
            tuple(map(_check, (row for row in body["checks"] if row["target"] == target))),
        )
        for target in targets
    )
    virtual = " It is a virtual GPU: float32 only, and no times." if body["virtual"] else ""
    lead = f"{body['check_set']} checks on {body['device']}, beside {body['reference']}.{virtual}"
    tried = Fact("tried", body["subject"], is_code=True)
    digest = Fact("SHA-256", body["sha256"], is_code=True)
    facts = (tried, digest) if body["sha256"] else (tried,)
    return Section(test.name, _title(test), lead, facts=facts, tables=tables)


def _check(check: Json) -> Row:
    outcome = CheckOutcome(check["outcome"])
    seconds, memory = check["seconds"], check["max_rss_mb"]
    cells = (
        Cell(check["group"]),
        Cell(_words(outcome), _tone(outcome)),
        Cell("" if seconds is None else duration(seconds)),
        Cell("" if memory is None else f"{memory:,} MiB"),
        Cell(check["why"] or check["limit"], note=check["issue"]),
    )
    return Row(Cell(check["name"]), cells)


def _ops(body: Json) -> dict[str, SweptOp]:
    """Return the ops of a sweep by their names, sorted."""
    rows: dict[str, list[Json]] = {}
    for result in body["results"]:
        rows.setdefault(result["op"], []).append(result)
    return {op: _op(rows[op]) for op in sorted(rows)}


def _op(rows: Sequence[Json]) -> SweptOp:
    errors = [row["error"] for row in rows if row["error"] is not None]
    why = next((row["why"] for row in rows if row["outcome"] != "equal" and row["why"]), "")
    outcomes = Counter(SweepOutcome(row["outcome"]) for row in rows)
    return SweptOp(outcomes, max(errors, default=None), max(row["limit"] for row in rows), why)


def _coverage(sweeps: Sequence[NamedDocument]) -> Iterator[Section]:
    """Yield the table of all ops and devices."""
    if not sweeps:
        return
    swept = [_ops(sweep.body) for sweep in sweeps]
    rows = tuple(
        Row(Cell(op), tuple(_op_cell(ops.get(op)) for ops in swept))
        for op in sorted({op for ops in swept for op in ops})
    )
    columns = tuple(Column(_device(sweep.body)) for sweep in sweeps)
    lead = (
        "How many kernels of each op gave on a device what the reference gave, and the largest"
        " error in units of the type's epsilon."
    )
    table = Table("ops", f"All {counted(len(rows), 'op')}", "op", columns, rows, is_matrix=True)
    yield Section("coverage", "Ops by device", lead, folded=(table,))


def _device(body: Json) -> str:
    return f"{body['device']} as {body['target']}, {body['tensorflow']}"


def _op_cell(op: SweptOp | None) -> Cell:
    if op is None:
        return Cell("")
    note = f"error {op.error:.3g} of {op.limit:g}" if op.error else ""
    return Cell(op.words, op.tone, note)


def _sweep(sweep: NamedDocument) -> Section:
    body = sweep.body
    ops = _ops(body)
    odd = {op: swept for op, swept in ops.items() if set(swept.outcomes) != {SweepOutcome.EQUAL}}
    lead = f"TensorFlow {body['tensorflow']}, {body['device']} beside {body['reference']}."
    ended = (Fact("ended early", body["ended"], Tone.BAD),) if body["ended"] else ()
    ops_called = f"{body['ops']['called']:,} of {body['ops']['planned']:,}"
    subject = Fact("tried", body["subject"], is_code=True)
    facts = (
        subject,
        Fact("ops called", ops_called),
        Fact("took", duration(body["seconds"])),
        *ended,
    )
    tables = (_counts(body), *_excluded(body), *_odd(odd))
    return Section(
        sweep.name,
        _title(sweep),
        lead,
        facts=facts,
        tables=tables,
        folded=(_errors(ops),),
    )


def _counts(body: Json) -> Table:
    total = sum(body["counts"].values())
    rows = tuple(
        Row(
            Cell(outcome.value),
            (
                number(
                    body["counts"][outcome.value],
                    _SWEEPS[outcome],
                    Bar(share(body["counts"][outcome.value], total), _SWEEPS[outcome]),
                ),
            ),
        )
        for outcome in SweepOutcome
    )
    return Table("outcomes", "Kernels, by op and type", "outcome", numbers("kernels"), rows)


def _excluded(body: Json) -> Iterator[Table]:
    if body["excluded"]:
        columns = (*numbers("kernels"), Column("why"))
        rows = tuple(
            Row(Cell(reason), (number(entry["count"]), Cell(entry["why"])))
            for reason, entry in sorted(body["excluded"].items())
        )
        yield Table("excluded", "Not called", "reason", columns, rows)


def _odd(ops: Mapping[str, SweptOp]) -> Iterator[Table]:
    if ops:
        rows = tuple(Row(Cell(op), (_op_cell(swept), Cell(swept.why))) for op, swept in ops.items())
        columns = (Column("outcomes"), Column("why"))
        yield Table("unequal", "Ops that are not equal throughout", "op", columns, rows)


def _errors(ops: Mapping[str, SweptOp]) -> Table:
    off = sorted((-swept.error, op) for op, swept in ops.items() if swept.error)
    shown = [(op, ops[op]) for _, op in off[:_ROWS]]
    rows = tuple(Row(Cell(op), (_error(swept), number(swept.limit))) for op, swept in shown)
    caption = f"The {len(rows)} largest errors of {len(off)}, in units of the type's epsilon"
    return Table("errors", caption, "op", numbers("error", "limit"), rows)


def _error(op: SweptOp) -> Cell:
    error = op.error or 0.0
    tone = Tone.BAD if error > op.limit else Tone.GOOD
    return number(float(error), tone, Bar(share(error, op.limit), tone))


def _comparison(comparison: NamedDocument) -> Section:
    body = comparison.body
    kinds = (
        ("new_failures", "fails now", Tone.BAD),
        ("dropped", "is not tried any more", Tone.WARN),
        ("new_passes", "passes now", Tone.GOOD),
    )
    rows = tuple(
        Row(
            Cell(row["check"], note=row["target"]),
            (
                Cell(words, tone),
                Cell(row["before"] or ""),
                Cell(row["after"] or ""),
                Cell(row["why"]),
            ),
            f"{row['check']} as {row['target']}",
        )
        for key, words, tone in kinds
        for row in body[key]
    )
    facts = (
        Fact("symbols gained", f"{len(body['symbols_gained']):,}"),
        Fact("symbols lost", f"{len(body['symbols_lost']):,}"),
        Fact("ops on another device", f"{len(body['moved']):,}"),
    )
    lead = "It lacks something that it had." if body["worse"] else "It lacks nothing that it had."
    columns = (Column("change"), Column("before"), Column("after"), Column("why"))
    tables = (Table("changes", "Checks that changed", "check", columns, rows),) if rows else ()
    title = f"{body['after']} beside {body['before']}"
    return Section(f"comparison of {comparison.name}", title, lead, facts=facts, tables=tables)


def _test_cards(tests: Sequence[NamedDocument]) -> Iterator[Fact]:
    for test in tests:
        body = test.body
        passed = sum(check["outcome"] == "passed" for check in body["checks"])
        words = f"{passed} of {counted(len(body['checks']), 'check')}"
        tone = _VERDICTS[body["verdict"]]
        yield Fact(_title(test), words, tone, f"{FILE}#{address(test.name)}")


def _sweep_cards(sweeps: Sequence[NamedDocument]) -> Iterator[Fact]:
    for sweep in sweeps:
        counts = sweep.body["counts"]
        words = f"{counts['equal']:,} of {sum(counts.values()):,} equal"
        tone = Tone.GOOD if sweep.body["passed"] else Tone.BAD
        yield Fact(_title(sweep), words, tone, f"{FILE}#{address(sweep.name)}")
