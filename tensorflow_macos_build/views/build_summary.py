"""A build as the summary of a job on GitHub Actions: what was done, made, tried, and not tried."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tensorflow_macos_build.pipeline.records import (
    DistResult,
    FuseResult,
    PatchResult,
    SmokeResult,
)
from tensorflow_macos_build.report.amounts import duration, size
from tensorflow_macos_build.views.markdown import escaped, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.pipeline.records import CheckRecord
    from tensorflow_macos_build.pipeline.stage import FinishedStage

_SHOWN = 200
"""Rows of a table at most: the runner takes no summary of more than a mebibyte."""


def as_markdown(name: str, done: Sequence[FinishedStage]) -> str:
    """Return a build's stages, patches, wheel and smoke test as Markdown."""
    lines = [f"## {escaped(name)}", ""]
    for finished in done:
        match finished.value:
            case DistResult() as made:
                lines += [f"{escaped(made.wheel.name)}, {escaped(size(made.wheel.size))}", ""]
                lines += [f"SHA-256 `{made.wheel.sha256}`", ""]
    lines += _stages(done)
    for finished in done:
        lines += _part(finished)
    return "\n".join(lines) + "\n"


def _stages(done: Sequence[FinishedStage]) -> list[str]:
    return table(
        ("took", "stage", "result"),
        (
            (
                "up to date" if finished.up_to_date else duration(finished.seconds),
                finished.stage.name,
                finished.stage.summary(finished.value),
            )
            for finished in done
        ),
        numbers=1,
    )


def _part(finished: FinishedStage) -> list[str]:
    match finished.value:
        case PatchResult() as patched:
            return list(_patches(patched))
        case FuseResult() as fused:
            return ["### Files by verdict", "", *_verdicts(fused)]
        case SmokeResult() as smoked:
            return ["### Smoke test", "", *_smoke(smoked)]
        case _:
            return []


def _patches(patched: PatchResult) -> Iterator[str]:
    counts = Counter(patch.status for patch in patched.patches)
    words = ", ".join(f"{number:,} {status}" for status, number in counts.items())
    yield from ("### Patches", "", escaped(words or "none"), "")
    changed = [patch for patch in patched.patches if patch.status != "clean"]
    if changed:
        rows = ((patch.name, patch.status, patch.evidence) for patch in changed[:_SHOWN])
        yield from table(("patch", "status", "evidence"), rows)
        yield from _more(len(changed))


def _verdicts(fused: FuseResult) -> list[str]:
    rows = ((f"{number:,}", name) for name, number in sorted(fused.verdicts.items()) if number)
    return table(("files", "verdict"), rows, numbers=1)


def _smoke(smoked: SmokeResult) -> Iterator[str]:
    """Yield the counts by wheel and device, then what failed or was not run, and why."""
    counts = Counter((check.wheel, check.leg, check.outcome) for check in smoked.checks)
    rows = (
        (f"{number:,}", outcome.replace("_", " "), leg, wheel)
        for (wheel, leg, outcome), number in counts.items()
    )
    yield from table(("checks", "outcome", "on", "wheel"), rows, numbers=1)
    reasons = Counter(
        (check.leg, check.outcome, check.why) for check in smoked.checks if _is_of_interest(check)
    )
    if reasons:
        shown = (
            (f"{number:,}", outcome.replace("_", " "), leg, why)
            for (leg, outcome, why), number in list(reasons.items())[:_SHOWN]
        )
        yield from table(("checks", "outcome", "on", "why"), shown, numbers=1)
        yield from _more(len(reasons))


def _is_of_interest(check: CheckRecord) -> bool:
    return check.outcome not in ("passed", "not_applicable")


def _more(count: int) -> list[str]:
    return [f"and {count - _SHOWN:,} more", ""] if count > _SHOWN else []
