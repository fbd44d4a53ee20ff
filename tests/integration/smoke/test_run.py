"""The smoke test on small wheels of its own: a sound one passes, each planted fault is caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke import CheckOutcome, SmokeOptions, SmokeReport, smoke
from tensorflow_macos_build.views import smoke as smoke_view
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
import collections, os, sys, time
__version__ = "1.0"

class Tensor(list):
    device = "/job:localhost/replica:0/task:0/device:CPU:0"
    def tolist(self):
        return list(self)

def constant(value):
    return Tensor(value)
def _flat(a):
    return [y for x in a for y in (_flat(x) if isinstance(x, list) else [x])]
def matmul(a, b):
    return Tensor([[sum(x * y for x, y in zip(r, c)) for c in zip(*b)] for r in a])
def _pairs(a, b, op):
    return Tensor([[op(x, y) for x, y in zip(*rows)] for rows in zip(a, b)])
def add(a, b):
    return _pairs(a, b, lambda x, y: x + y)
def subtract(a, b):
    return _pairs(a, b, lambda x, y: x - y)
def multiply(a, b):
    return _pairs(a, b, lambda x, y: x * y)
def square(a):
    return _pairs(a, a, lambda x, y: x * y)
def reduce_sum(a):
    return Tensor([sum(_flat(a))])
def reduce_mean(a):
    return Tensor([sum(_flat(a)) / len(_flat(a))])

Device = collections.namedtuple("Device", "name device_type")
class config:
    @staticmethod
    def list_physical_devices():
        return [Device("/physical_device:CPU:0", "CPU")]

LOSSES = [1.0, 0.5, 0.01]
class keras:
    class layers:
        Dense = int
    class optimizers:
        SGD = float
    class Sequential:
        def __init__(self, layers): pass
        def compile(self, optimizer, loss): pass
        def fit(self, x, y, epochs):
            return collections.namedtuple("History", "history")({"loss": LOSSES})
"""


def make_wheel(folder: Path, fault: str = "") -> Path:
    files = {"tinyflow/__init__.py": (MODULE + fault).encode()}
    return WheelFiles(files, name="tinyflow", tag="py3-none-any").write(folder)


def outcomes(report: SmokeReport) -> dict[str, str]:
    return {check.name: check.outcome.value for check in report.checks}


def test_a_sound_wheel_passes_and_names_the_device_of_every_op(tmp_path: Path) -> None:
    report = smoke(make_wheel(tmp_path), SmokeOptions("tinyflow"), silent)
    assert set(outcomes(report).values()) == {"passed"}
    compute = next(check for check in report.checks if check.name == "compute")
    assert set(compute.evidence["ran_on"].values()) == {
        "/job:localhost/replica:0/task:0/device:CPU:0"
    }
    assert len(compute.evidence["ran_on"]) == 7
    documents.check(smoke_view.as_document(report))


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("raise ImportError('no such symbol')", "import", "no such symbol"),
        ("import os; os.abort()", "import", "ended by SIGABRT"),
        (
            "import os, sys; open(sys.argv[2], 'w').write('[3]'); os._exit(0)",
            "import",
            "wrote over what",
        ),
        ("def add(a, b): return subtract(a, b)", "compute", "add gave"),
        ("def square(a): return Tensor([1.0])", "compute", "square gave"),
        ("Tensor.device = '/device:GPU:0'", "compute", "which is none of"),
        ("Tensor.device = ''", "compute", "which is none of"),
        ("config.list_physical_devices = staticmethod(lambda: [])", "devices", "no device"),
        ("LOSSES[:] = [1.0, 0.9, 0.8]", "train", "the loss went from 1 to 0.8"),
        ("LOSSES[:] = [1.0, float('nan'), 0.01]", "train", "the loss went"),
    ],
)
def test_each_planted_fault_is_caught_by_its_check(
    tmp_path: Path, fault: str, check: str, words: str
) -> None:
    report = smoke(make_wheel(tmp_path, fault), SmokeOptions("tinyflow"), silent)
    first = report.failed[0]
    assert first.name == check
    assert words in first.why
    if check == "import":
        assert [later.outcome for later in report.checks[2:]] == [CheckOutcome.NOT_RUN] * 3


def test_a_child_that_hangs_is_stopped_at_the_time_limit(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "time.sleep(60)")
    report = smoke(wheel, SmokeOptions("tinyflow", timeout_s=1.0), silent)
    assert outcomes(report)["import"] == "failed"
    assert "1.0 s" in report.failed[0].why


def test_a_wheel_that_cannot_be_installed_fails_and_the_rest_is_not_run(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    wheel.write_bytes(wheel.read_bytes()[:200])
    report = smoke(wheel, SmokeOptions("tinyflow"), silent)
    assert outcomes(report) == {
        "install": "failed",
        **dict.fromkeys(("import", "devices", "compute", "train"), "not_run"),
    }


def test_a_wheel_for_another_system_is_not_run_and_that_is_no_pass(tmp_path: Path) -> None:
    wheel = tmp_path / "tinyflow-1.0-cp311-cp311-win_amd64.whl"
    wheel.touch()
    report = smoke(wheel, SmokeOptions("tinyflow"), silent)
    assert set(outcomes(report).values()) == {"not_run"}
    assert not report.ran


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e300])
def test_a_time_limit_that_no_clock_counts_is_wrong_usage(seconds: float) -> None:
    with pytest.raises(UsageError, match="--timeout"):
        SmokeOptions("tinyflow", timeout_s=seconds)
