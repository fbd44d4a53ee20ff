"""The locks bring what pyproject.toml asks for, for every Python and system that they claim."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS: dict[str, list[str]] = {
    "run": [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["fast"],
    ],
    **PROJECT["dependency-groups"],
}
"""What is asked for, by the name of the lock that brings it."""


def _lines(group: str) -> list[str]:
    text = (ROOT / f"scripts/locks/{group}.txt").read_text()
    return re.sub(r"\\\n\s*", "", text).splitlines()


def _locked(group: str) -> list[Requirement]:
    return [Requirement(line.partition(" --hash")[0]) for line in _lines(group)]


def test_each_group_has_a_lock() -> None:
    assert {path.stem for path in (ROOT / "scripts/locks").iterdir()} == set(GROUPS)


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_each_requirement_is_locked_at_one_version_that_meets_it(python: str, system: str) -> None:
    host = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_python_implementation": "CPython",
    }
    pins: dict[str, set[str]] = {}
    own: dict[str, set[str]] = {group: set() for group in GROUPS}
    for group, line in [(name, line) for name in GROUPS for line in _locked(name)]:
        if line.marker is None or line.marker.evaluate(host):
            name, versions = canonicalize_name(line.name), {pin.version for pin in line.specifier}
            pins.setdefault(name, set()).update(versions)
            own[group].add(name)
    assert all(len(versions) == 1 for versions in pins.values())
    for group, text in [(name, text) for name, texts in GROUPS.items() for text in texts]:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(host):
            name = canonicalize_name(requirement.name)
            assert name in own[group]
            (version,) = pins[name]
            assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"


@pytest.mark.parametrize("minor", range(10, 15))
def test_a_set_up_waits_for_the_packages_of_its_own_python(
    minor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge is `packaging`, which is not there before a set-up."""
    monkeypatch.syspath_prepend(ROOT / "scripts/environment")
    packages = importlib.import_module("packages")
    host = {
        "python_full_version": f"3.{minor}.0",
        "sys_platform": "linux",
        "platform_python_implementation": "CPython",
    }
    pins = [pin for group in GROUPS for pin in _locked(group)]
    expected = {pin.name for pin in pins if pin.marker is None or pin.marker.evaluate(host)}
    locks = [ROOT / f"scripts/locks/{group}.txt" for group in GROUPS]
    assert packages._names(locks, minor) == expected


@pytest.mark.parametrize("group", GROUPS)
def test_every_pin_has_a_hash_and_no_index_is_named(group: str) -> None:
    assert all("--hash=sha256:" in line for line in _lines(group))
    assert "://" not in "".join(_lines(group))


def test_no_task_carries_what_only_tests_linters_or_the_demo_need() -> None:
    run = {line.name for line in _locked("run")}
    assert not run & {"mypy", "ruff", "pytest", "hypothesis", "numpy", "pillow", "ziglang"}
