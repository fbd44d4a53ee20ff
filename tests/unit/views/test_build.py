"""What a build says at its end, and in the line of each stage."""

from __future__ import annotations

import dataclasses

import pytest

from tensorflow_macos_build.views import build
from tensorflow_macos_build.views.lines import Line
from tests.view_samples import builds as samples
from tests.view_samples.identifiers import SHA256


def texts(*done: object) -> list[str]:
    parts = build.as_lines(samples.WORKSPACE, done)  # type: ignore[arg-type]
    return [part.text if isinstance(part, Line) else str(part) for part in parts]


def smoked(**changes: str) -> object:
    value = samples.TRIED.value
    (check,) = value.checks  # type: ignore[attr-defined]
    changed = value.model_copy(update={"checks": (check.model_copy(update=changes),)})
    return dataclasses.replace(samples.TRIED, value=changed)


def test_the_end_names_the_wheel_its_hash_its_size_the_report_and_the_next_step() -> None:
    assert texts(samples.TRIED, samples.PUBLISHED) == [
        "dist/demo/x.whl",
        f"sha256 {SHA256}",
        "1.2 kB; 1 of 2 stages were done, in 0.5 s",
        "ready to publish",
        "report: dist/demo/report.html",
        "next: scripts/inv release.prepare --config demo",
    ]


@pytest.mark.parametrize(
    ("outcome", "why", "missing"),
    [
        ("not_run", "no Mac", "tried on arm64: not yet (no Mac)"),
        ("failed", "other results", "tried on arm64: 1 check failed"),
        ("not_applicable", "no function", "tried on arm64: not yet (no check fits it)"),
    ],
)
def test_what_is_missing_is_named_and_a_mac_is_next(outcome: str, why: str, missing: str) -> None:
    said = texts(smoked(outcome=outcome, why=why), samples.PUBLISHED)
    assert f"not ready to publish; {missing}" in said
    assert said[-1] == "next, on a Mac: scripts/inv smoke dist/demo/x.whl"


def test_checks_of_another_wheel_say_nothing_of_this_one() -> None:
    said = texts(smoked(wheel="host.whl"), samples.PUBLISHED)
    assert "not ready to publish; tried: no check was made" in said


def test_an_architectures_build_ends_in_its_wheel_and_how_to_go_on() -> None:
    said = texts(samples.BUILT)
    assert said[0] == "build/x.whl"
    assert said[-1] == "next: scripts/inv build --config demo"


def test_a_stage_has_one_line_with_what_it_cost_and_why_it_was_done_again() -> None:
    line = build.finished_line(samples.BUILT, "changed: bazel.flags").text
    assert "\n" not in line
    assert line.endswith(
        "x.whl; 1,234 actions, 12 of them from caches, hit rate 1.0 %, critical path 2.2 s; "
        "changed: bazel.flags"
    )
    assert build.finished_line(samples.BUILT, "not made yet").text.endswith("critical path 2.2 s")


def test_the_plans_line_says_what_comes_first_and_why() -> None:
    assert build.summary(samples.PLAN).endswith("up to date; first: source (not made yet)")
