import html.parser
from typing import Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.report import amounts, page, verdict
from tensorflow_macos_build.smoke import CheckOutcome


def report(**changes: Any) -> documents.Json:
    file = {"name": "x-1-cp311-cp311-macosx_12_0_arm64.whl", "size": 1234, "sha256": "0" * 64}
    check = {
        "wheel": "x.whl",
        "leg": "arm64",
        "name": "import",
        "outcome": "not_run",
        "why": "no Mac",
    }
    body = {
        "release": "demo",
        "wheel": file,
        "plugins": [{**file, "name": "plug.whl"}],
        "upstream": {"url": "embedded:", "ref": "v1", "commit": "1" * 40},
        "queue": "demo",
        "tree": "2" * 40,
        "patches": [{"name": "a.patch", "status": "clean", "evidence": ""}],
        "stages": [
            {
                "name": "source",
                "key": "3" * 64,
                "summary": "s",
                "seconds": 2.0,
                "up_to_date": False,
            },
            {"name": "patch", "key": "3" * 64, "summary": "s", "seconds": 90.0, "up_to_date": True},
        ],
        "thin_wheels": [{"architecture": "arm64", **file, "actions": 3, "cache_hits": 1}],
        "fuse": {"verdicts": {"identical": 4, "dropped": 0}, "notes": ["mind this"]},
        "relocate": {"copied": []},
        "verify": [
            {"code": "c", "severity": "warning", "file": "f", "slice": "arm64", "message": "m"}
        ],
        "smoke": [
            {
                **check,
                "leg": "host",
                "outcome": "passed",
                "why": "",
                "evidence": {"devices": ["CPU:0"]},
            },
            {**check, "evidence": {}},
        ],
        "config": {"name": "demo"},
        "builder": {
            "tensorflow_macos_build": "1",
            "system": "linux",
            "machine": "x86_64",
            "python": "cpython 3.11.2",
        },
    }
    document = documents.document("report", 1, {**body, **changes})
    documents.check(document)
    return document


FOLDER = {"files": 2, "size": 3000, "compressed": 1500, "slices": {}}


class _Balanced(html.parser.HTMLParser):
    """Fails when a tag is closed that was not the last to be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.scripts += tag == "script"
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(text: str) -> _Balanced:
    parser = _Balanced()
    parser.feed(text)
    assert parser.open == []
    return parser


def test_the_page_is_well_formed_self_contained_and_says_the_result() -> None:
    text = page.render(report())
    parsed(text)
    for words in ("1.2 kB", "1 min 30 s", "not run: no Mac", "mind this", "devices: CPU:0"):
        assert words in text
    assert "http" not in text
    assert "dropped" not in text


def test_the_verdict_comes_before_all_else_and_names_what_is_missing() -> None:
    wheel = report()["wheel"]["name"]
    check = {"wheel": wheel, "leg": "arm64", "name": "import", "why": "no Mac", "evidence": {}}
    lacking = page.render(report(smoke=[{**check, "outcome": "not_run"}]))
    assert "tried on arm64: not yet (no Mac)" in lacking
    ready = page.render(report(smoke=[{**check, "outcome": "passed", "why": ""}]))
    for text, words in ((lacking, "Not ready to publish"), (ready, "Ready to publish")):
        parsed(text)
        assert text.index(words) < text.index("<h2>")
    failed = page.render(report(smoke=[{**check, "outcome": "failed", "why": "x"}]))
    assert "tried on arm64: 1 check failed" in failed


@pytest.mark.parametrize("outcome", [outcome for outcome in CheckOutcome if outcome.is_failure])
def test_whatever_speaks_against_a_wheel_counts_as_failed_everywhere(
    outcome: CheckOutcome,
) -> None:
    check = {"leg": "arm64", "name": "import", "why": "x", "evidence": {}}
    check |= {"wheel": report()["wheel"]["name"], "outcome": outcome.value}
    text = page.render(report(smoke=[check]))
    assert "tried on arm64: 1 check failed" in text
    assert '<b class="failed">1</b> failed' in text
    assert 'class="name failed"' in text


def test_what_is_no_failure_to_the_smoke_test_is_none_to_a_report() -> None:
    assert {outcome for outcome in CheckOutcome if outcome.is_failure} == {
        outcome for outcome in CheckOutcome if verdict.is_failure(outcome.value)
    }


def test_what_a_newer_report_has_is_shown() -> None:
    action = {"description": "Compiling a.cc", "seconds": 1.5}
    time = {
        "kinds": [{"kind": "CppCompile", "actions": 3, "seconds": 4.5}],
        "slowest": [action],
        "critical_seconds": 2.0,
        "critical_path": [action],
    }
    link = "https://github.com/tensorflow/tensorflow/commit/" + "4" * 40
    patch = {"name": "a.patch", "status": "adapted", "evidence": "by 444444444444", "subject": "Do"}
    text = page.render(
        report(
            date="2024-07-11T16:00:00-07:00",
            folders=[{**FOLDER, "folder": f"x/{number}"} for number in range(20)],
            patches=[{**patch, "commits": [{"commit": "4" * 40, "link": link}]}],
            thin_wheels=[{**report()["thin_wheels"][0], "time": time}],
            upstream={
                "url": "https://github.com/tensorflow/tensorflow.git",
                "ref": "v2",
                "commit": "5" * 40,
            },
        )
    )
    parsed(text)
    for words in (
        "2024-07-11",
        "x/0",
        "9 other folders",
        "13.5 kB",
        "CppCompile",
        "Compiling a.cc",
        f'href="{link}"',
        "1.5 kB",
    ):
        assert words in text
    assert f"https://github.com/tensorflow/tensorflow/commit/{'5' * 40}" in text


def test_checks_that_say_the_same_are_one_row() -> None:
    check = {**report()["smoke"][0], "outcome": "not_applicable", "why": "no numpy", "evidence": {}}
    checks = [{**check, "name": f"c{number}"} for number in range(25)]
    text = page.render(report(smoke=checks))
    assert text.count("no numpy") == 1
    assert "25 checks" in text
    assert "c0, c1, c2" in text


def test_the_same_report_gives_the_same_bytes() -> None:
    assert page.render(report()) == page.render(report())


def test_what_comes_from_outside_is_text_and_never_markup() -> None:
    evil = "<script>alert(1)</script>&amp;\"'"
    text = page.render(
        report(
            release=evil,
            patches=[{"name": evil, "status": evil, "evidence": evil}],
            verify=[
                {"code": evil, "severity": "note", "file": evil, "slice": evil, "message": evil}
            ],
            fuse={"verdicts": {evil: 1}, "notes": [evil]},
        )
    )
    assert parsed(text).scripts == 0


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (53_800, "53.8 kB"), (486_600_000, "486.6 MB")]
)
def test_sizes_read_well(count: int, text: str) -> None:
    assert amounts.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (90, "1 min 30 s"), (7384, "2 h 03 min")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert amounts.duration(seconds) == text
