"""A rule is a pattern and a verdict."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.fuse.rules import parse_rule


@pytest.mark.parametrize("text", ["demo/v.py", "=arm64", "demo/v.py=newest"])
def test_a_malformed_rule_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        parse_rule(text)
