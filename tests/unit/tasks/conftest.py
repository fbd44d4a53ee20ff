"""A config beside the flags of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_WHOLE = """\
upstream: {url: "embedded:", ref: v1}
bazel: {target: "//a:b"}
architectures:
  arm64: {deployment_target: "12.0"}
  x86_64: {deployment_target: "10.15"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], str]:
    """Write a config with the given text in it; the path of its file is what a flag names."""

    def write(text: str) -> str:
        path = tmp_path / "release.yaml"
        path.write_text(_WHOLE + text, encoding="utf-8")
        return str(path)

    return write
