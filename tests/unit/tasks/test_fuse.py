"""What the flags of fuse and retag ask for, with a config and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks.fuse import fuse_options, retag_options
from tensorflow_macos_build.wheels.retag import RetagOptions

if TYPE_CHECKING:
    from collections.abc import Callable

FUSE = """\
fuse:
  build_tag: "7"
  universal2_tag: true
  rules:
    - {path: "*.txt", verdict: arm64}
"""


def test_a_flag_counts_before_the_config_and_its_rules_stand_first(
    config: Callable[[str], str],
) -> None:
    path = config(FUSE)
    options = fuse_options("", "1", False, ["*.txt=x86_64"], path)
    assert (options.alias, options.build, options.universal2_tag) == (None, "1", True)
    assert [rule.verdict.value for rule in options.rules] == ["x86_64", "arm64"]
    assert fuse_options("", "", False, [], path).build == "7"
    assert fuse_options("tensorflow", "", False, [], "").build is None


@pytest.mark.parametrize("rule", ["*.txt", "=arm64", "*.txt=neither"])
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(UsageError):
        fuse_options("", "", False, [rule], "")


def test_retag_s_flags_say_yes_or_no_or_nothing() -> None:
    assert retag_options("none", [], "yes") == RetagOptions("", None, True)
    platform = "macosx_12_0_arm64"
    assert retag_options("", [platform], "no") == RetagOptions(None, (platform,), False)
    assert retag_options("", [], "") == RetagOptions(None, None, None)
    with pytest.raises(UsageError, match="neither yes nor no"):
        retag_options("1", [], "perhaps")
