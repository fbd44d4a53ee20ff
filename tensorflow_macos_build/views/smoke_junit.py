"""A smoke test as JUnit XML, which CI servers show as tests.

A suite is a processor, a case a check. What crashed, hung or was killed is an `error`, what was
wrong a `failure`; what was not tried, does not apply or is declared to fail is `skipped`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from tensorflow_macos_build.errors import printable
from tensorflow_macos_build.smoke.model import CheckOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.smoke.model import SmokeCheck, SmokeReport

_ELEMENTS = {
    CheckOutcome.FAILED: "failure",
    CheckOutcome.CRASHED: "error",
    CheckOutcome.HUNG: "error",
    CheckOutcome.KILLED: "error",
    CheckOutcome.KNOWN_LIMIT: "skipped",
    CheckOutcome.NOT_APPLICABLE: "skipped",
    CheckOutcome.NOT_RUN: "skipped",
}


def as_xml(report: SmokeReport) -> str:
    """Return a smoke test as a JUnit XML document."""
    root = ElementTree.Element("testsuites", name=_text(report.subject))
    for target in dict.fromkeys(check.target for check in report.checks):
        checks = [check for check in report.checks if check.target == target]
        root.append(_suite(report, target, checks))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(report: SmokeReport, target: str, checks: Sequence[SmokeCheck]) -> ElementTree.Element:
    counted = [_ELEMENTS.get(check.outcome, "") for check in checks]
    suite = ElementTree.Element(
        "testsuite",
        name=_text(f"{report.subject} as {target} on {report.device}"),
        tests=str(len(checks)),
        failures=str(counted.count("failure")),
        errors=str(counted.count("error")),
        skipped=str(counted.count("skipped")),
        time=f"{sum(check.seconds or 0.0 for check in checks):.3f}",
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("device", "reference", "check_set", "virtual"):
        value = str(getattr(report, name)).lower() if name == "virtual" else getattr(report, name)
        ElementTree.SubElement(properties, "property", name=name, value=_text(value))
    suite.extend(_case(check, report.virtual) for check in checks)
    return suite


def _case(check: SmokeCheck, virtual: bool) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=_text(f"smoke.{check.target}.{check.group or check.name}"),
        name=_text(f"{check.name} (virtual GPU)" if virtual else check.name),
        time=f"{check.seconds or 0.0:.3f}",
    )
    element = _ELEMENTS.get(check.outcome)
    if element is not None:
        why = check.limit or check.why
        child = ElementTree.SubElement(case, element, message=_text(why.partition("\n")[0]))
        if element != "skipped":
            child.set("type", check.outcome.value)
        child.text = _text(check.why)
    if check.log_tail:
        ElementTree.SubElement(case, "system-out").text = _text(check.log_tail)
    return case


def _text(text: str) -> str:
    """Return text without the characters that XML 1.0 cannot hold (section 2.2)."""
    return printable(text, kept="\n\t")
