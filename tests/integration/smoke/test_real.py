"""The smoke test on a real TensorFlow, with a second CPU device in the place of a GPU."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.smoke import (
    CheckOutcome,
    EnvironmentRequest,
    SmokeOptions,
    SmokeReport,
    smoke,
)
from tensorflow_macos_build.smoke.zygote import CheckBounds, CheckProcesses, program_argv
from tensorflow_macos_build.views import smoke as smoke_view
from tests import tensorflow_env


@pytest.fixture(scope="module")
def quick(real_tensorflow: Path) -> SmokeReport:
    options = SmokeOptions(device="CPU:1", check_set="quick", python=str(real_tensorflow))
    return smoke(EnvironmentRequest(), options, silent)


def test_the_quick_set_passes(quick: SmokeReport) -> None:
    expected = (CheckOutcome.PASSED, CheckOutcome.NOT_APPLICABLE)
    assert [(c.name, c.why) for c in quick.checks if c.outcome not in expected] == []
    assert quick.verdict == "passed"
    documents.check(smoke_view.as_document(quick))


def test_it_says_what_was_tried(quick: SmokeReport) -> None:
    evidence = {check.name: check.evidence for check in quick.checks}
    assert evidence["import"]["version"] == tensorflow_env.RELEASE
    assert evidence["import"]["keras"].startswith("3.")
    assert {"CPU:0", "CPU:1"} <= set(evidence["device"]["devices"])
    devices = set(evidence["compute"]["ran_on"].values())
    assert devices == {"/job:localhost/replica:0/task:0/device:CPU:1"}


def _threads(folder: Path) -> int:
    """Return how many threads the program has that starts the checks of a folder."""
    specified = str(folder / "serve.json").encode()
    (zygote,) = [
        path.parent for path in Path("/proc").glob("[0-9]*/cmdline") if specified in _content(path)
    ]
    return len(list((zygote / "task").iterdir()))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


@pytest.mark.skipif(sys.platform != "linux", reason="checks are spawned on a Mac, and not forked")
def test_what_starts_the_checks_never_computes_so_that_fit_works_in_each(
    real_tensorflow: Path, tmp_path: Path
) -> None:
    spec = {"module": "tensorflow", "device": "CPU:0", "reference": "CPU:0"}
    argv, bounds = program_argv((), real_tensorflow), CheckBounds(300.0, 8192)
    with CheckProcesses(argv, spec, tmp_path, bounds, spawn=False) as checks:
        assert checks.start().passed
        # The first op of a process starts TensorFlow's pools of threads, which no fork inherits.
        before = _threads(tmp_path)
        seen = [checks.run(name) for name in ("device", "compute", "train", "compute", "train")]
        assert all(check.passed for check in seen), seen
        assert _threads(tmp_path) <= before  # OpenBLAS ends its own pool at a fork
