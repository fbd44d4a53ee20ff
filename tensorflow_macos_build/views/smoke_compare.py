"""Two smoke tests side by side, as a document and as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.smoke.compare import ChangedCheck, Slowdown, SmokeComparison
    from tensorflow_macos_build.smoke.model import CheckOutcome
    from tensorflow_macos_build.views.lines import Part


def as_document(result: SmokeComparison) -> documents.Json:
    """Return a comparison as a document of the schema smoke-comparison.v1."""
    body = {
        "before": result.before,
        "after": result.after,
        "worse": result.is_worse,
        "new_failures": [_check(change) for change in result.new_failures],
        "new_passes": [_check(change) for change in result.new_passes],
        "dropped": [_check(change) for change in result.dropped],
        "moved": [
            {
                "target": op.target,
                "check": op.check,
                "op": op.op,
                "before": op.before,
                "after": op.after,
            }
            for op in result.moved
        ],
        "coverage": [
            {
                "target": change.target,
                "check": change.check,
                "device": change.device,
                "before": change.before,
                "after": change.after,
            }
            for change in result.coverage
        ],
        "slower": [
            {
                "target": slow.target,
                "check": slow.check,
                "op": slow.op,
                "before_s": slow.before_s,
                "after_s": slow.after_s,
                "ratio": round(slow.ratio, 3),
            }
            for slow in result.slower
        ],
        "symbols_gained": list(result.symbols_gained),
        "symbols_lost": list(result.symbols_lost),
    }
    return documents.document("smoke-comparison", 1, body)


def _check(change: ChangedCheck) -> documents.Json:
    return {
        "target": change.target,
        "check": change.name,
        "before": change.before.value if change.before else None,
        "after": change.after.value if change.after else None,
        "why": change.why,
    }


_CHANGED = ("as", "check", "before", "after", "why")


def as_parts(result: SmokeComparison) -> list[Part]:
    """Return a comparison for people: a table for each kind of change, then the verdict."""
    moved = [(op.target, op.check, op.op, op.before, op.after) for op in result.moved]
    lost = [(name, "lost") for name in result.symbols_lost]
    gained = [(name, "gained") for name in result.symbols_gained]
    slower = ("as", "check", "op", "before", "after", "ratio")
    shares = [
        (c.target, c.check, c.device, f"{c.before:.0%}", f"{c.after:.0%}") for c in result.coverage
    ]
    return [
        *_table("fails now", _CHANGED, map(_change_row, result.new_failures)),
        *_table("no longer tried", _CHANGED, map(_change_row, result.dropped)),
        *_table("passes now", _CHANGED, map(_change_row, result.new_passes)),
        *_table("ran on another device", ("as", "check", "op", "before", "after"), moved),
        *_table("share of the time", ("as", "check", "device", "before", "after"), shares),
        *_table("slower, in one run each", slower, map(_slower_row, result.slower)),
        *_table("symbols", ("symbol", "change"), [*lost, *gained]),
        _verdict(result),
    ]


def _verdict(result: SmokeComparison) -> Line:
    if result.is_worse:
        return Line(f"{result.after} lacks what {result.before} had", "bold red")
    return Line(f"{result.after} has all that {result.before} had", "bold green")


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> list[Table]:
    """Return a table, or none where it would have no rows."""
    table = Table.of(columns, rows, title)
    return [table] if table.rows else []


def _change_row(change: ChangedCheck) -> tuple[str, ...]:
    before, after = _words(change.before), _words(change.after)
    return (change.target, change.name, before, after, change.why)


def _slower_row(slow: Slowdown) -> tuple[str, ...]:
    times = _seconds(slow.before_s), _seconds(slow.after_s)
    return (slow.target, slow.check, slow.op, *times, f"{slow.ratio:.2f}")


def _words(outcome: CheckOutcome | None) -> str:
    return outcome.value.replace("_", " ") if outcome else ""


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1e6:.0f} µs"
