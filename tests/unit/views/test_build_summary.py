"""A build as the summary of a job: what was done, made, tried and not tried, in safe Markdown."""

from __future__ import annotations

import dataclasses
import re

from tensorflow_macos_build.pipeline.records import PatchOutcome, PatchResult
from tensorflow_macos_build.pipeline.stage import FinishedStage
from tensorflow_macos_build.pipeline.stages.patch import PATCH
from tensorflow_macos_build.views import build_summary
from tests.view_samples import builds as samples
from tests.view_samples.identifiers import ID, SHA256

HOSTILE = "<script>x</script> [a](https://e.example) | `b` ![c](d) \n# e"


def patched(*patches: PatchOutcome) -> FinishedStage:
    value = PatchResult(commit=ID, tree=ID, git_dir="g", patches=patches, holder=samples.WHEEL)
    return FinishedStage(PATCH, SHA256, value, 2.0, up_to_date=False)


def test_it_tells_stages_patches_the_wheel_and_what_was_not_run_and_why() -> None:
    (check,) = samples.TRIED.value.checks  # type: ignore[attr-defined]
    skipped = check.model_copy(update={"outcome": "not_run", "why": "no Mac"})
    value = samples.TRIED.value.model_copy(update={"checks": (check, skipped, skipped)})
    tried = dataclasses.replace(samples.TRIED, value=value)
    patches = (
        PatchOutcome(name="a.patch", status="clean", evidence=""),
        PatchOutcome(name="b.patch", status="adapted", evidence="text changed"),
    )
    text = build_summary.as_markdown("demo", [patched(*patches), tried, samples.PUBLISHED])
    lines = text.replace("\\", "").splitlines()
    assert "## demo" in lines
    assert f"SHA-256 `{SHA256}`" in lines
    assert "1 clean, 1 adapted" in lines
    assert "| b.patch | adapted | text changed |" in lines
    assert "| up to date | smoke | 1 passed, 2 not run: no Mac |" in lines
    assert "| 2 | not run | arm64 | no Mac |" in lines


def test_foreign_text_has_no_meaning() -> None:
    patch = PatchOutcome(name=HOSTILE, status="conflict", evidence=HOSTILE)
    text = build_summary.as_markdown(HOSTILE, [patched(patch)])
    row = next(line for line in text.splitlines() if "conflict" in line and line.startswith("| "))
    assert len(re.findall(r"(?<!\\)\|", row)) == 4
    assert not re.findall(r"(?<!\\)[<>`\[\]!#]", row)


def test_thousands_of_patches_stay_far_below_what_a_runner_takes() -> None:
    patches = [
        PatchOutcome(name=f"{n}.patch", status="adapted", evidence="x" * 5000) for n in range(3000)
    ]
    text = build_summary.as_markdown("demo", [patched(*patches)])
    assert len(text) < 1 << 18
    assert "and 2,800 more" in text
