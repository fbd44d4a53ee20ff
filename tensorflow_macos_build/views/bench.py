"""A benchmark as a document, and as a table and lines for people."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.smoke.bench import BenchVerdict
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table, TableCell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.smoke.bench import (
        BenchDesign,
        BenchResult,
        BenchRow,
        Measurement,
    )
    from tensorflow_macos_build.smoke.bench.intervals import RatioInterval
    from tensorflow_macos_build.views.lines import Part

_STYLES = {
    BenchVerdict.FASTER: "bold green",
    BenchVerdict.SLOWER: "bold red",
    BenchVerdict.OTHER_LOSSES: "red",
    BenchVerdict.NOISY: "yellow",
    BenchVerdict.TOO_FEW_SESSIONS: "yellow",
    BenchVerdict.NOT_MEASURED: "yellow",
}


def as_document(result: BenchResult) -> documents.Json:
    """Return a benchmark's result as a document of the schema bench.v1."""
    design = result.design
    return documents.document(
        "bench",
        1,
        {
            "machine": dict(result.machine),
            "arms": [asdict(arm) for arm in design.arms],
            "baseline": design.arms[0].name,
            "size": design.size,
            "sessions": design.sessions,
            "rounds": design.rounds,
            "seed": design.seed,
            "rows": [_row(row) for row in result.rows],
            "measurements": [_measurement(item) for item in result.measurements],
        },
    )


def as_lines(result: BenchResult, folder: Path) -> Iterator[Part]:
    """Yield a benchmark's table, what failed, and how to read it."""
    baseline = result.design.arms[0].name
    titles = ("workload", "arm", "first step", "step", baseline, "ratio", "95 %", "verdict")
    title = f"{result.design.size}: times as fast as {baseline}"
    yield Table.of(titles, map(_cells, result.rows), title)
    for measurement in result.failed:
        run = measurement.run
        text = f"session {run.session}, {run.workload} on {run.arm}: {measurement.why}"
        yield Line(text, "red")
    yield Line(
        f"{sessions_of(result.design)}; medians of processes; a step ends when its loss has"
        " been read; the row A/A compares the baseline with a second copy of itself"
    )
    yield Line(f"bench.json, bench.svg and bench.png are in {folder}", "bold")


def plan_lines(design: BenchDesign) -> Iterator[Part]:
    """Yield the processes of a benchmark, in the order in which they are started."""
    for run in design.runs():
        yield f"session {run.session} round {run.round}: {run.workload} on {run.arm}"


def plan_document(design: BenchDesign) -> documents.Json:
    """Return the processes of a benchmark as a document of the schema bench-plan.v1."""
    body = {
        "arms": [asdict(arm) for arm in design.arms],
        "size": design.size,
        "seed": design.seed,
        "runs": [asdict(run) for run in design.runs()],
    }
    return documents.document("bench-plan", 1, body)


def sessions_of(design: BenchDesign) -> str:
    """Return how many sessions a benchmark has, for people."""
    return f"{design.sessions} session{'' if design.sessions == 1 else 's'}"


def seconds(value: float) -> str:
    """Return a duration for people, in the unit that fits it.

    >>> seconds(0.01234), seconds(2.5)
    ('12.3 ms', '2.50 s')
    """
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _cells(row: BenchRow) -> Iterator[str | TableCell]:
    yield row.workload
    yield "A/A" if row.is_control else row.arm
    yield seconds(row.first_step_s[1]) if row.first_step_s else ""
    yield seconds(row.step_s[1]) if row.step_s else ""
    yield seconds(row.step_s[0]) if row.step_s else ""
    yield f"{row.interval.ratio:.2f}" if row.interval else ""
    yield f"{row.interval.low:.2f} to {row.interval.high:.2f}" if row.interval else ""
    verdict = f"{row.verdict.value}: {row.why}" if row.why else row.verdict.value
    yield TableCell(verdict, _STYLES.get(row.verdict, ""))


def _row(row: BenchRow) -> documents.Json:
    return {
        "workload": row.workload,
        "arm": row.arm,
        "control": row.is_control,
        "verdict": row.verdict.name.lower(),
        "why": row.why,
        "ratio": _interval(row.interval),
        "ratio_to_second_copy": _interval(row.against_twin),
        "step_s": _sides(row.step_s),
        "first_step_s": _sides(row.first_step_s),
    }


def _interval(interval: RatioInterval | None) -> documents.Json | None:
    return None if interval is None else asdict(interval)


def _sides(pair: tuple[float, ...]) -> documents.Json | None:
    return {"baseline": pair[0], "arm": pair[1]} if pair else None


def _measurement(measurement: Measurement) -> documents.Json:
    measured = not measurement.why
    return {
        **asdict(measurement.run),
        "why": measurement.why,
        "first_step_s": measurement.first_step_s if measured else None,
        "step_s": measurement.step_s if measured else None,
        "quartiles_s": _quartiles(measurement) if len(measurement.steps_s) > 1 else None,
        "steps": len(measurement.steps_s),
        "started": measurement.started,
        "seconds": measurement.seconds,
        "facts": dict(measurement.facts),
    }


def _quartiles(measurement: Measurement) -> list[float]:
    lower, _, upper = statistics.quantiles(measurement.steps_s, n=4, method="inclusive")
    return [lower, upper]
