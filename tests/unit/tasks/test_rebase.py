"""What the flags of a rebase ask for."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.replay.replay import OnConflict
from tensorflow_macos_build.tasks.rebase import parse_on_conflict


def test_a_way_with_conflicts_is_one_of_three() -> None:
    assert [parse_on_conflict(policy.value) for policy in OnConflict] == list(OnConflict)
    with pytest.raises(UsageError, match="it is one of"):
        parse_on_conflict("ignore")
