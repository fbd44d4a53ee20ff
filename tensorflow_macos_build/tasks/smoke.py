"""`scripts/inv smoke`: a wheel tried on this machine."""

from __future__ import annotations

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks import flag_help, smoke_sweep
from tensorflow_macos_build.tasks.command import command, present


@command(
    positional=["wheel"],
    help={
        **flag_help.TRIED,
        "device": "The device to try; the default is GPU:0.",
        "checks": "Names of checks or groups, with commas between them.",
        "quick": "Run the quick set of checks.",
        "soak": "Run the long checks, too.",
        "config": "A release of build_configs/: its module, device and known limits.",
        "module": "The module to import; the default is tensorflow.",
        "timeout": "Seconds that each check may take; the default is 300.",
        "memory": "Memory that each check may hold, in MiB; the default is 8192.",
        "virtual": "The device is a virtual GPU: float32 only, no timings.",
        "json": "Print one JSON document (schema smoke.v2).",
        "junit": "Write the result to this file as JUnit XML, too.",
        "report": "Write the result to this file as a page (HTML), too.",
    },
)
def run(
    _context: invoke.Context,
    wheel: str | None = None,
    *,
    requirement: str = "",
    python: str = "",
    device: str = "",
    reference: str = "",
    checks: str = "",
    quick: bool = False,
    soak: bool = False,
    plugin: str = "",
    wheelhouse: str = "",
    constraints: str = "",
    config: str = "",
    module: str = "",
    timeout: float = 0.0,
    memory: int = 0,
    virtual: bool = False,
    environment: str = "",
    json: bool = False,
    junit: str = "",
    report: str = "",
) -> ExitCode:
    """Try a wheel in a fresh environment: compute, train, and prove on what device."""
    from tensorflow_macos_build import smoke as room
    from tensorflow_macos_build.tasks import smoke_flags
    from tensorflow_macos_build.views import smoke as smoke_view

    made_of = {"plugin": plugin, "wheelhouse": wheelhouse, "constraints": constraints}
    request = smoke_flags.request(wheel, requirement, python=python, **made_of)
    options = smoke_flags.options(
        config,
        python=python,
        device=device,
        reference=reference,
        checks=checks,
        check_set=smoke_flags.check_set(quick, soak),
        module=module,
        timeout_s=timeout,
        memory_mb=memory,
        virtual=virtual,
        environments=environment,
    )
    smoke_flags.refuse_unwritable(junit, report)
    with Console().progress("smoke") as ticker:
        result = room.smoke(request, options, ticker)
    smoke_flags.write_files(result, junit=junit, page=report)
    for annotation in smoke_view.failures(result):
        Console().annotation(annotation)
    present(smoke_view.as_document(result), smoke_view.as_parts(result), json=json)
    # Where nothing could be tried nothing is proven: that is no pass.
    return ExitCode.DONE if result.verdict == "passed" else ExitCode.FAILED


@command(
    positional=["before", "after"],
    help={
        "before": "The document of a smoke test (`smoke --json`).",
        "after": "The document of a later one.",
        "slower": "The ratio of times from which something counts as slower.",
        "json": "Print one JSON document (schema smoke-comparison.v1).",
    },
)
def compare(
    _context: invoke.Context, before: str, after: str, slower: float = 1.5, json: bool = False
) -> ExitCode:
    """Compare two smoke tests: failures, devices, times, symbols; 1 when the second has less."""
    from pathlib import Path

    from tensorflow_macos_build.smoke import compare as comparing
    from tensorflow_macos_build.views import smoke_compare as compare_view

    documents = comparing.read(Path(before)), comparing.read(Path(after))
    result = comparing.compare(*documents, slower=slower)
    present(compare_view.as_document(result), compare_view.as_parts(result), json=json)
    return ExitCode.FAILED if result.is_worse else ExitCode.DONE


namespace = invoke.Collection("smoke", compare)
namespace.add_task(run, default=True)
namespace.add_task(smoke_sweep.sweep)
