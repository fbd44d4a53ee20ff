"""Markdown of foreign text."""

from __future__ import annotations

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.views import markdown


def test_a_failure_is_told_in_its_own_words() -> None:
    text = markdown.failure(WorkFailed("it failed", where="a.c:3", detail="# not a heading"))
    assert "    a.c:3: it failed" in text
    assert not [line for line in text.splitlines() if line.startswith("# ")]
