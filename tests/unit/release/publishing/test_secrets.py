"""Where tokens come from: variables, or the keyring's program, whose failures are no errors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.publishing import secrets

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN")
HOST = "api.forge.example"
TOKEN = "ghp_" + "s" * 36

KEYRING = f"""#!/bin/sh
[ "$*" = "-I -m keyring get tensorflow-macos-build {HOST}" ] || exit 3
echo {TOKEN}
"""
"""Stands for a Python whose keyring has a token for one host, and fails for all others."""


@pytest.fixture
def _keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python").write_text(KEYRING)
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_keyring")
def test_a_keyring_is_asked_where_no_variable_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = secrets.needed(VARIABLES, HOST)
    assert (kept.value, HOST in kept.source, TOKEN in repr(kept)) == (TOKEN, True, False)
    monkeypatch.setenv("GITHUB_TOKEN", "other")
    assert secrets.needed(VARIABLES, HOST).value == "other"


@pytest.mark.usefixtures("_keyring")
def test_a_keyring_that_fails_has_nothing() -> None:
    assert secrets.find(VARIABLES, "elsewhere.example") is None
    with pytest.raises(UsageError, match="there is no token") as raised:
        secrets.needed(VARIABLES, "elsewhere.example")
    assert "keyring set tensorflow-macos-build elsewhere.example" in raised.value.hint
