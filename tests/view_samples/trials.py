"""Smoke tests, sweeps and benchmarks, and calls of the views that show them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.smoke import CheckOutcome, SmokeCheck, SmokeReport
from tensorflow_macos_build.smoke.compare import compare
from tensorflow_macos_build.smoke.sweep import (
    ExcludedOp,
    Exclusion,
    RegistrationFault,
    SweepCase,
    SweepOutcome,
    SweepReport,
    SweepResult,
)
from tensorflow_macos_build.views import (
    bench,
    bench_chart,
    shapes,
    smoke,
    smoke_compare,
    smoke_junit,
    smoke_page,
    sweep,
    sweep_picture,
)
from tests import bench_times

if TYPE_CHECKING:
    from collections.abc import Callable

SMOKE = SmokeReport(
    "a.whl",
    "GPU:0",
    "CPU:0",
    "full",
    True,
    (
        SmokeCheck("arm64", "install", CheckOutcome.PASSED, evidence={"wheel": "a.whl"}),
        SmokeCheck("arm64", "compute", CheckOutcome.FAILED, "why", {"on": {"op": "GPU"}, "l": [1]}),
    ),
)
COMPARISON = compare(
    smoke.as_document(SMOKE), smoke.as_document(replace(SMOKE, checks=SMOKE.checks[:1]))
)
SWEPT = SweepReport(
    "a.whl",
    "arm64",
    "2.16.2",
    "GPU:0",
    "CPU:0",
    tuple(
        SweepResult(SweepCase("Op", (("T", outcome.value),)), outcome, "why", "value", 3.5, 64.0)
        for outcome in SweepOutcome
    ),
    (ExcludedOp("ReadFile", Exclusion.FILES, 1),),
    (RegistrationFault("Op", "duplicate", "why"),),
    2.5,
    "it ended",
)
BENCHED = bench_times.result()
SHAPES = [shapes.Box(1, 2, 30, 9, 200), shapes.Dot(5, 6), shapes.Words(9, 9, "<a&b>", "end", True)]

CALLS: dict[Callable[..., Any], list[tuple[Any, ...]]] = {
    bench.as_document: [(BENCHED,)],
    bench.as_lines: [(BENCHED, Path("build/bench"))],
    bench.plan_document: [(BENCHED.design,)],
    bench.plan_lines: [(BENCHED.design,)],
    bench.seconds: [(0.5,)],
    bench.sessions_of: [(BENCHED.design,)],
    bench_chart.svg: [(BENCHED,)],
    bench_chart.png: [(BENCHED,)],
    shapes.hatches: [(shapes.Box(0, 0, 20, 9, 255),)],
    shapes.as_svg: [(SHAPES, 90, 30)],
    shapes.as_png: [(SHAPES, 90, 30)],
    sweep.as_document: [(SWEPT,)],
    sweep.as_parts: [(SWEPT,)],
    sweep.as_markdown: [(SWEPT,)],
    sweep.by_error: [(SWEPT.ops(),)],
    sweep.error_text: [(0.5,)],
    sweep_picture.draw: [(SWEPT,)],
    smoke.as_document: [(SMOKE,)],
    smoke.as_parts: [(SMOKE,)],
    smoke_compare.as_document: [(COMPARISON,)],
    smoke_compare.as_parts: [(COMPARISON,)],
    smoke_junit.as_xml: [(SMOKE,)],
    smoke_page.as_page: [(SMOKE,)],
    smoke.as_table: [(SMOKE,)],
    smoke.failures: [(SMOKE,)],
}
