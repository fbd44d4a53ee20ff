"""The checks that there are: documented, complete, and of a Python as old as 3.6."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tensorflow_macos_build import checkout
from tensorflow_macos_build.smoke import backends
from tensorflow_macos_build.smoke.inside import registry
from tensorflow_macos_build.smoke.selection import CheckDescription, catalogue, select
from tensorflow_macos_build.smoke.zygote import INSIDE
from tests import smoke_table

TELLING = """
apple#74 apple#195 apple#145 apple#55 apple#231 apple#25 tensorflow#62361 tensorflow#62137
tensorflow#92686 tensorflow#71577 tensorflow#51499 tensorflow#56122 tensorflow#87972
tensorflow#50196 tensorflow#59438 apple#200 apple#186 apple#167 apple#46 apple#143
"""
"""The failures of the fork and of Metal that users reported, each with one symptom to look for."""


@pytest.fixture(scope="module")
def checks() -> tuple[CheckDescription, ...]:
    return catalogue()


def test_each_telling_failure_has_a_check_that_is_named_after_it(
    checks: tuple[CheckDescription, ...],
) -> None:
    assert set(TELLING.split()) <= {check.issue for check in checks}


def test_every_module_of_checks_is_registered(checks: tuple[CheckDescription, ...]) -> None:
    modules = {f"checks.{path.stem}" for path in (INSIDE / "checks").glob("*.py")}
    assert set(registry.MODULES) == modules


def test_a_check_is_named_once_and_says_what_it_proves(
    checks: tuple[CheckDescription, ...],
) -> None:
    assert max(Counter(check.name for check in checks).values()) == 1
    assert [check.name for check in checks if not check.summary.endswith(".")] == []
    assert {name for check in checks for name in check.sets} == {"quick", "full", "soak"}
    assert [c.name for c in checks if "quick" in c.sets and "full" not in c.sets] == []


def test_the_verdict_on_the_backend_is_asked_for_by_its_own_name(
    checks: tuple[CheckDescription, ...],
) -> None:
    chosen = select(checks, named=(backends.NAME, "train"))
    assert {check.name for check in chosen} == {*backends.SOURCES, "train"}


def test_the_page_about_checks_is_what_they_say(checks: tuple[CheckDescription, ...]) -> None:
    """`python -m tests.smoke_table > docs/smoke_checks.md` renews it."""
    written = checkout.path("docs/smoke_checks.md").read_text(encoding="utf-8")
    assert written == smoke_table.page(checks)


def test_the_program_inside_is_of_the_grammar_of_python_3_6() -> None:
    for path in sorted(INSIDE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 6))
        imports = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        # Python 3.6 has neither.
        assert not {"__future__", "dataclasses"} & set(imports), path
