"""What a built wheel still lacks before it can be published, of what a build can tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Rows = Sequence[Mapping[str, Any]]

_HARMLESS = {"passed", "known_limit", "not_applicable", "not_run"}
"""Outcomes of the smoke test that speak against no wheel."""


@dataclass(frozen=True)
class Requirement:
    """One thing that a wheel must have before it is published.

    Attributes:
        name: what it is.
        seen: what was seen of it.
        is_met: whether the wheel has it.
    """

    name: str
    seen: str
    is_met: bool


def judge(wheel: str, findings: Rows, checks: Rows) -> tuple[Requirement, ...]:
    """Return what a wheel needs, and whether it has it.

    Whether the checkout is clean and the tag free is judged by the task release.prepare.

    Args:
        wheel: the wheel's file name.
        findings: what verify says of it, as rows of a report.
        checks: what the smoke tests saw, likewise; those of other wheels say nothing of this one.
    """
    own = [check for check in checks if check["wheel"] == wheel]
    legs = dict.fromkeys(check["leg"] for check in own)
    tried = [_tried(leg, [check for check in own if check["leg"] == leg]) for leg in legs]
    return (_verified(findings), *(tried or [Requirement("tried", "no check was made", False)]))


def is_failure(outcome: object) -> bool:
    """Whether a check's outcome speaks against its wheel: it failed, crashed, hung or was killed.

    An outcome that is not known here does, so that none lets a wheel pass by its name.
    """
    return outcome not in _HARMLESS


def verdict(requirements: Iterable[Requirement]) -> str:
    """Return the verdict in a line: ready to publish, or what is missing."""
    alike: dict[str, list[str]] = {}
    for lack in requirements:
        if not lack.is_met:
            alike.setdefault(lack.seen, []).append(lack.name)
    missing = [f"{', '.join(names)}: {seen}" for seen, names in alike.items()]
    return f"not ready to publish; {'; '.join(missing)}" if missing else "ready to publish"


def _verified(findings: Rows) -> Requirement:
    counts = Counter(str(finding["severity"]) for finding in findings)
    words = [
        f"{counts[name]} {name}{'' if counts[name] == 1 else 's'}" for name in ("error", "warning")
    ]
    return Requirement("verified", ", ".join(words), not counts["error"])


def _tried(leg: str, checks: Rows) -> Requirement:
    counts = Counter(str(check["outcome"]) for check in checks)
    failed = sum(number for outcome, number in counts.items() if is_failure(outcome))
    name = f"tried on {leg}"
    if failed:
        return Requirement(name, f"{_checks(failed)} failed", False)
    if counts["passed"]:
        return Requirement(name, f"{_checks(counts['passed'])} passed", True)
    reasons = dict.fromkeys(str(check["why"]) for check in checks if check["outcome"] == "not_run")
    return Requirement(name, f"not yet ({next(iter(reasons), 'no check fits it')})", False)


def _checks(count: int) -> str:
    return f"{count} check{'' if count == 1 else 's'}"
