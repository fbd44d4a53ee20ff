"""What the flags of wheelhouse ask for, of a requirement and of a config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks.wheelhouse import wheelhouse_request, with_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.wheels.wheelhouse import WheelhouseRequest


def requested(requirement: str, *, python: str = "", arm64: str = "") -> WheelhouseRequest:
    macos = {"x86_64": "", "arm64": arm64}
    return wheelhouse_request(requirement, python=python, macos=macos, index="", cache="c")


def test_a_flag_counts_before_the_config_and_that_before_the_default(
    config: Callable[[str], str],
) -> None:
    path = config('python: "3.12"\nwheelhouse: ["tensorflow==2.16.2"]\n')
    for request, requirement, python, arm64 in (
        (requested("numpy"), "numpy", (3, 11), (12, 0)),
        (requested(path), "tensorflow==2.16.2", (3, 12), (12, 0)),
        (requested(path, python="3.10", arm64="13.1"), "tensorflow==2.16.2", (3, 10), (13, 1)),
    ):
        assert request.requirements == (requirement,)
        assert request.options.python == python
        assert request.options.macos == {"x86_64": (10, 15), "arm64": arm64}
        assert (request.options.index, request.options.cache) == (None, Path("c"))


def test_a_config_without_requirements_is_refused(config: Callable[[str], str]) -> None:
    with pytest.raises(UsageError, match="no requirement"):
        requested(config(""))


def test_typed_rules_stand_before_a_files(tmp_path: Path) -> None:
    saved = tmp_path / "rules.yaml"
    saved.write_text("rules:\n- {project: a, path: '*', verdict: arm64}\n")
    request = with_rules(
        requested("numpy"), rule=["a:*=x86_64"], rules=str(saved), thin=["Big_One"], allow=["x"]
    )
    assert [rule.rule.verdict.value for rule in request.options.rules] == ["x86_64", "arm64"]
    assert (request.options.thin, request.options.allow) == (frozenset(["big-one"]), ("x",))
