"""The kills of the tests: whoever looks afterwards meets nothing that is still at work."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.kills import ended_at

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform != "linux", reason="a Mac gives orphans to launchd alone")
@pytest.mark.parametrize(("step", "within"), [(2, None), (1, 0.1)])
def test_what_a_killed_process_has_left_at_work_is_waited_for(
    step: int, within: float | None, tmp_path: Path
) -> None:
    """As a git that starts another git, of which only the first is killed."""
    late = tmp_path / "late"

    def action() -> None:
        program = subprocess.Popen(["sh", "-c", f"(sleep 0.3; : > '{late}') & wait"])
        if within is not None:
            program.wait()
        (tmp_path / "never").touch()

    assert ended_at(step, tmp_path, action, within=within)
    assert [path.name for path in tmp_path.iterdir()] == [late.name]
