"""The lock brings what pyproject.toml asks for, for every Python and system that it claims."""

from __future__ import annotations

import importlib
import itertools
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "scripts/requirements.lock").read_text()
LINES = re.sub(r"\\\n\s*", "", LOCK).splitlines()


def _locked() -> list[Requirement]:
    return [Requirement(line.partition(" --hash")[0]) for line in LINES if line[:1] not in "#"]


def _requirements() -> list[Requirement]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    groups = project["dependency-groups"].values()
    lists = [
        project["project"]["dependencies"],
        *extras,
        *groups,
        project["build-system"]["requires"],
    ]
    return [Requirement(text) for text in itertools.chain(*lists)]


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_each_requirement_is_locked_once_at_a_version_that_meets_it(
    python: str, system: str
) -> None:
    host = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_python_implementation": "CPython",
    }
    pins: dict[str, list[str]] = {}
    for line in _locked():
        if line.marker is None or line.marker.evaluate(host):
            versions = [clause.version for clause in line.specifier]
            pins.setdefault(canonicalize_name(line.name), []).extend(versions)
    assert all(len(versions) == 1 for versions in pins.values())
    for requirement in _requirements():
        if requirement.marker is not None and not requirement.marker.evaluate(host):
            continue
        (version,) = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"


def test_every_pin_has_a_hash_and_no_index_is_named() -> None:
    assert all("--hash=sha256:" in line for line in LINES if not line.startswith("#"))
    assert "://" not in LOCK
