"""A smoke test as a page of HTML: the verdict first, then what failed, then everything."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.report.page import evidence_lines
from tensorflow_macos_build.views import pages

if TYPE_CHECKING:
    from tensorflow_macos_build.smoke.model import SmokeCheck, SmokeReport

_VERDICTS = {
    "passed": "Passed",
    "failed": "Failed",
    "nothing_ran": "Nothing could be tried here, and that is no pass",
}


def as_page(report: SmokeReport) -> str:
    """Return a self-contained page; the same report, the same bytes."""
    rows = [_row(check) for check in report.checks]
    values = {
        "report": report,
        "verdict": _VERDICTS[report.verdict],
        "counts": Counter(row["outcome"] for row in rows),
        "failed": [_row(check) for check in report.failed],
        "limits": [row for row in rows if row["is_limit"]],
        "lifted": [_row(check) for check in report.lifted_limits],
        "facts": _facts(report),
        "targets": [
            {"name": target, "rows": [row for row in rows if row["target"] == target]}
            for target in dict.fromkeys(check.target for check in report.checks)
        ],
    }
    return pages.render("smoke.html.j2", values)


def _row(check: SmokeCheck) -> dict[str, Any]:
    return {
        "target": check.target,
        "name": check.name,
        "group": check.group,
        "issue": check.issue,
        "outcome": check.outcome.value.replace("_", " "),
        "style": "failed" if check.outcome.is_failure else check.outcome.value,
        "is_limit": check.outcome.value == "known_limit",
        "why": check.why,
        "limit": check.limit,
        "seconds": "" if check.seconds is None else f"{check.seconds:.1f} s",
        "evidence": evidence_lines(check.evidence),
        "log": check.log_tail,
    }


def _facts(report: SmokeReport) -> dict[str, str]:
    """Return what was tried, from the first target that got so far: versions and devices."""
    facts = {"Device": report.device, "Reference": report.reference, "Checks": report.check_set}
    for check in report.checks:
        if check.name == "import":
            facts |= {name.capitalize(): str(value) for name, value in check.evidence.items()}
        if check.name == "device":
            details = check.evidence.get("details")
            names = details.values() if isinstance(details, dict) else ()
            facts |= {"Device's name": ", ".join(map(str, names))} if names else {}
    return facts
