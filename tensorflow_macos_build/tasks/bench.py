"""`scripts/inv bench`: how much faster one TensorFlow trains than another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import BENCH, ENVIRONMENTS

if TYPE_CHECKING:
    import invoke

    from tensorflow_macos_build.smoke.bench import BenchDesign, BenchOptions


@command(
    groups=("charts",),
    iterable=["arm"],
    help={
        "arm": "What is compared, as NAME=WHAT: a wheel, a requirement, or an environment's folder,"
        " then `,device=CPU:0`, `,arch=x86_64`, `,python=3.11`, `,plugin=WHEEL`. The first is the"
        " baseline; may be repeated.",
        "device": "The device of arms that state none.",
        "workloads": "Names of workloads, with commas; the default is all.",
        "size": "tiny, small or full.",
        "sessions": "How many; a verdict needs 6. More of them later go on where these ended.",
        "rounds": "Processes of each arm and workload in a session.",
        "seed": "What the random order follows from.",
        "pause": "Seconds of rest before each session but the first.",
        "module": "The module to import.",
        "out": "The folder for measurements, bench.json, bench.svg and bench.png.",
        "plan": "Print the processes in their order, and start none.",
        "json": "Print one JSON document (schema bench.v1; of a plan, bench-plan.v1).",
    },
)
def bench(
    _context: invoke.Context,
    *,
    arm: list[str],
    device: str = "GPU:0",
    workloads: str = "",
    size: str = "full",
    sessions: int = 8,
    rounds: int = 1,
    seed: int = 1,
    pause: float = 60.0,
    module: str = "tensorflow",
    out: str = BENCH,
    plan: bool = False,
    json: bool = False,
) -> ExitCode:
    """Compare how fast wheels, processors or devices train; claim only what the times prove."""
    from tensorflow_macos_build.smoke import bench as room
    from tensorflow_macos_build.views import bench as view

    design = room.BenchDesign(
        tuple(room.parse_arm(text, device) for text in arm),
        room.chosen_workloads(workloads),
        size,
        sessions,
        rounds,
        seed,
        module,
    )
    if plan:
        present(view.plan_document(design), view.plan_lines(design), json=json)
        return ExitCode.DONE
    return _run(design, room.BenchOptions(Path(out), pause), json=json)


def _run(design: BenchDesign, options: BenchOptions, *, json: bool) -> ExitCode:
    from tensorflow_macos_build import documents
    from tensorflow_macos_build.smoke import bench as room
    from tensorflow_macos_build.views import bench as view
    from tensorflow_macos_build.views import bench_chart

    with Console().progress("bench") as ticker:
        result = room.bench(design, room.arm_environments(Path(ENVIRONMENTS)), options, ticker)
    document = view.as_document(result)
    files.write_text(options.folder / "bench.json", documents.dumps(document))
    files.write_text(options.folder / "bench.svg", bench_chart.svg(result))
    files.write_bytes(options.folder / "bench.png", bench_chart.png(result))
    present(document, view.as_lines(result, options.folder), json=json)
    return ExitCode.FAILED if result.failed else ExitCode.DONE
