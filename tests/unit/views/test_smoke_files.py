"""A smoke test as JUnit XML, which an independent reader takes, and as a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from junitparser import Error, Failure, JUnitXml, Skipped

from tensorflow_macos_build.smoke import CheckOutcome, SmokeCheck, SmokeReport
from tensorflow_macos_build.views import smoke_junit, smoke_page

NASTY = "<b>&\x1b[31m\x00]]> �"
CHECKS = (
    SmokeCheck("arm64", "import", CheckOutcome.PASSED, evidence={"version": NASTY}, seconds=2.5),
    SmokeCheck("arm64", "matmul", CheckOutcome.FAILED, NASTY, group="ops", seconds=0.25),
    SmokeCheck("arm64", "lstm", CheckOutcome.CRASHED, "SIGSEGV", log_tail=NASTY, seconds=1.0),
    SmokeCheck("arm64", "sort", CheckOutcome.HUNG, "it was stopped after 9 s", seconds=9.0),
    SmokeCheck("arm64", "half", CheckOutcome.KNOWN_LIMIT, "wrong", limit="apple#1", seconds=1.0),
    SmokeCheck("arm64", "rng", CheckOutcome.PASSED, limit="apple#2", seconds=1.0),
    SmokeCheck("x86_64", "import", CheckOutcome.NOT_RUN, "Rosetta is not installed"),
    SmokeCheck("x86_64", "matmul", CheckOutcome.NOT_APPLICABLE, "too old"),
)


def report(*, virtual: bool = False) -> SmokeReport:
    return SmokeReport("a.whl", "GPU:0", "CPU:0", "full", virtual, CHECKS)


def test_junit_xml_says_what_the_report_does() -> None:
    suites = list(JUnitXml.fromstring(smoke_junit.as_xml(report()).encode()))
    assert [(s.tests, s.failures, s.errors, s.skipped) for s in suites] == [
        (6, 1, 2, 1),
        (2, 0, 0, 2),
    ]
    cases = {(suite.name, case.name): case for suite in suites for case in suite}
    assert len(cases) == len(CHECKS)
    (arm64, _) = (suite.name for suite in suites)
    kinds = {name: [type(r) for r in case.result] for (_, name), case in cases.items()}
    assert kinds["lstm"] == [Error]
    assert kinds["sort"] == [Error]
    assert kinds["half"] == [Skipped]
    assert kinds["rng"] == []
    failed = cases[arm64, "matmul"]
    assert [type(result) for result in failed.result] == [Failure]
    assert failed.result[0].text == "<b>&\\x1b[31m\\x00]]> �"
    assert (failed.classname, failed.time) == ("smoke.arm64.ops", 0.25)
    listed = suites[0].properties()  # type: ignore[no-untyped-call]
    properties = {prop.name: prop.value for prop in listed}
    assert properties["device"] == "GPU:0"
    assert properties["virtual"] == "false"


class _Text(HTMLParser):
    """The headings and the text of a page, and what it would load or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe") or any(
            name in ("src", "href") or name.startswith("on") for name, _ in attrs
        ):
            self.loads.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_says_the_verdict_first_and_loads_nothing() -> None:
    page = smoke_page.as_page(report())
    seen = _Text(page)
    assert "\x1b" not in page
    assert "\x00" not in page
    assert "\\x1b[31m\\x00" in page
    assert seen.loads == []
    text = "".join(seen.words)
    body = text.partition("Failed: a.whl on GPU:0")[2]
    order = ["Failed", "What failed", "matmul", "Declared to fail", "Known limits", "All checks"]
    assert [body.index(words) for words in order] == sorted(body.index(words) for words in order)
    assert "apple#2" in text
    assert page.count("<b>&amp;") == 0  # foreign text is shown as text
    assert "&lt;b&gt;&amp;" in page
    assert page == smoke_page.as_page(report())


def test_a_virtual_gpu_is_marked_in_every_report_and_no_time_is_shown() -> None:
    virtual = report(virtual=True)
    page = smoke_page.as_page(virtual)
    assert "Virtual GPU." in page
    assert not re.search(r"\d\.\d s\b", page)
    xml = smoke_junit.as_xml(virtual)
    assert 'name="virtual" value="true"' in xml
    assert "matmul (virtual GPU)" in xml
