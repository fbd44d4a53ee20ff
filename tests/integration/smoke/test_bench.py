"""A benchmark's processes are started one by one, and what they measured is kept."""

from __future__ import annotations

import os
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import silent, ticker_of
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke.bench import (
    Arm,
    BenchDesign,
    BenchOptions,
    BenchResult,
    BenchVerdict,
    bench,
)
from tensorflow_macos_build.smoke.bench.run import measure
from tests import tensorflow_env

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.pace import WorkProgress


def _run(
    folder: Path,
    ticker: Ticker = silent,
    *,
    sessions: int = 1,
    seed: int = 1,
    module: str = "no_such_module",
) -> BenchResult:
    """Run a benchmark whose processes fail at once: this environment has no such module."""
    # As people type it: relative, and the process runs in a folder of its own.
    arms = (Arm("stock", os.path.relpath(sys.executable), "CPU:0"),)
    design = BenchDesign(arms, ("lstm",), "tiny", sessions, seed=seed, module=module)
    return bench(design, lambda arm: Path(arm.source), BenchOptions(folder), ticker)


def test_an_interrupt_loses_what_it_broke_off_and_the_same_command_goes_on(tmp_path: Path) -> None:
    def interrupt(progress: WorkProgress) -> None:
        if progress.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, ticker_of(interrupt))
    (kept,) = (tmp_path / "measurements").iterdir()
    before = kept.read_bytes()
    result = _run(tmp_path)
    assert kept.read_bytes() == before
    assert [item.run.arm for item in result.measurements] == ["stock", "stock (again)"] or [
        item.run.arm for item in result.measurements
    ] == ["stock (again)", "stock"]
    # More sessions go on where these ended.
    files = {path: path.read_bytes() for path in (tmp_path / "measurements").iterdir()}
    more = _run(tmp_path, sessions=2)
    assert {path: path.read_bytes() for path in files} == files
    assert len(more.measurements) == 4


def test_a_process_that_cannot_measure_says_why_and_ends_nothing(tmp_path: Path) -> None:
    result = _run(tmp_path)
    assert len(result.failed) == len(result.measurements) == 2
    assert all("no_such_module" in item.why for item in result.failed)
    (row,) = result.rows
    assert row.verdict is BenchVerdict.NOT_MEASURED
    assert "no_such_module" in row.why


def test_a_real_process_trains_and_reports_each_step(real_tensorflow: Path) -> None:
    design = BenchDesign((Arm("stock", str(real_tensorflow), "CPU:0"),), ("dense-small",), "tiny")
    run = next(design.runs())
    seen = measure(run, design.arms[0], real_tensorflow, design)
    assert seen.why == ""
    assert len(seen.steps_s) == design.pace.steps
    # The first step traces the graph; the losses are of the same two batches in turn.
    assert seen.first_step_s > max(seen.steps_s)
    assert len(seen.losses) == 1 + design.pace.warmup + design.pace.steps
    assert seen.losses[-2:] < seen.losses[:2]
    assert seen.losses[0] == pytest.approx(2.636643, rel=1e-4)
    assert seen.facts["software"]["tensorflow"] == tensorflow_env.RELEASE
    assert seen.facts["weights"] == 64 * 32 + 32 + 32 * 10 + 10


def test_a_folder_takes_the_measurements_of_one_design_and_of_nobody_else(tmp_path: Path) -> None:
    _run(tmp_path)
    with pytest.raises(UsageError, match="other arms"):
        _run(tmp_path, seed=2)
    with pytest.raises(UsageError, match="or modules"):
        _run(tmp_path, module="tensorflow")
    path = next((tmp_path / "measurements").iterdir())
    for content in (b"", b"{}", path.read_bytes().replace(b'"lstm"', b'"cyclegan"')):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="it is no measurement"):
            _run(tmp_path)
    design = tmp_path / "design.json"
    design.write_bytes(design.read_bytes()[:-9])
    with pytest.raises(UsageError, match="it is no design of a benchmark") as raised:
        _run(tmp_path)
    assert raised.value.where == str(design)


def _pretend_an_upgrade(folder: Path) -> str:
    """Make what is kept of each environment that of an older NumPy; return the words for it."""
    now = metadata.version("numpy")
    for path in (folder / "environments").iterdir():
        document = documents.read(path.read_bytes(), "bench-environment", 1)
        assert document["distributions"]["numpy"]["version"] == now
        document["distributions"]["numpy"]["version"] = "1.0"
        path.write_text(documents.dumps(document))
    return f"numpy 1.0 is {now}"


def test_more_sessions_are_refused_once_an_environment_was_upgraded(tmp_path: Path) -> None:
    _run(tmp_path)
    change = _pretend_an_upgrade(tmp_path)
    assert len(_run(tmp_path).measurements) == 2  # they are of one state, whatever came later
    with pytest.raises(UsageError, match=re.escape(change)) as raised:
        _run(tmp_path, sessions=2)
    assert "--out" in raised.value.hint
    assert len(list((tmp_path / "measurements").iterdir())) == 2


def test_an_upgrade_is_noticed_between_two_sessions_of_one_run(tmp_path: Path) -> None:
    def upgrade(progress: WorkProgress) -> None:
        if progress.done == 2:
            _pretend_an_upgrade(tmp_path)

    with pytest.raises(UsageError, match=r"numpy 1\.0 is"):
        _run(tmp_path, ticker_of(upgrade), sessions=2)
    assert len(list((tmp_path / "measurements").iterdir())) == 2
