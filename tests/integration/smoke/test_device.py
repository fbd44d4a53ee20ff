"""The smoke test on a real TensorFlow with a device of the tests' own, sound and with faults.

Each fault counts how often it fired: one that never did would prove nothing.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.smoke import backends
from tensorflow_macos_build.smoke.model import CheckOutcome, SmokeCheck
from tensorflow_macos_build.smoke.zygote import (
    CheckBounds,
    CheckProcesses,
    program_argv,
)
from tests import fakedevice
from tests.programs import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.smoke.observation import Observation

SPEC = {
    "module": "tensorflow",
    "device": "GPU:0",
    "reference": "CPU:0",
    "quick": True,
    "virtual": False,
    "options": {},
}

PROOFS = ("placement", "training_on_device")


class Tried:
    """Processes that have loaded the device, and what is planted in it."""

    def __init__(self, plan: fakedevice.Plan, processes: CheckProcesses) -> None:
        self.plan = plan
        self._processes = processes

    def run(self, name: str, fault: str = "", seconds: float = 300.0) -> Observation:
        if fault:
            self.plan.plant(fault)
        seen = self._processes.run(name, bounds=CheckBounds(seconds, 4000))
        if fault:
            assert self.plan.fired[fault] > 0
        return seen


@contextlib.contextmanager
def loaded(python: Path, folder: Path, *faults: str) -> Iterator[Tried]:
    plan = fakedevice.Plan(folder, *faults)
    library = fakedevice.library(fakedevice.site_packages(python), ENVIRONMENTS / "fakedevice")
    env = {**plan.environment, "TF_PLUGGABLE_DEVICE_LIBRARY_PATH": str(library)}
    (folder / "runs").mkdir()
    argv = program_argv((), python)
    bounds = CheckBounds(300.0, 4000)
    # Forked, as on Linux: a fault is planted in a process that is yet to come.
    with CheckProcesses(argv, SPEC, folder / "runs", bounds, env=env, spawn=False) as processes:
        started = processes.start()
        assert started.passed, started.log_tail
        yield Tried(plan, processes)


@pytest.fixture(scope="module")
def device(real_tensorflow: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    with loaded(real_tensorflow, tmp_path_factory.mktemp("device")) as tried:
        yield tried


def test_a_sound_device_is_proved_by_graphs_and_traces_and_recognised(device: Tried) -> None:
    device.plan.plant()
    seen = {name: device.run(name) for name in ("device", *PROOFS)}
    assert [observation.outcome for observation in seen.values()] == [CheckOutcome.PASSED] * 3
    training = seen["training_on_device"].evidence
    assert {"MatMul", "Conv2DBackpropFilter"} <= set(training["fit"]["heavy_on_device"])
    assert training["session"]["microseconds"]["GPU:0"] > 0
    assert training["fit"]["copies"] > 0
    # The device's own count is the judge of what TensorFlow says.
    assert device.plan.runs["MatMul"] >= training["session"]["on_device"]["MatMul"] > 0
    checks = [SmokeCheck("x86_64", n, o.outcome, "", o.evidence) for n, o in seen.items()]
    verdict = backends.verdict_check(checks, "GPU:0")
    assert verdict is not None
    assert verdict.outcome is CheckOutcome.PASSED
    assert (verdict.evidence["backend"], verdict.evidence["calls_itself"]) == (
        "pluggable_device",
        "TEST",
    )


def test_no_device_at_all_is_a_failure_and_no_fallback(device: Tried) -> None:
    seen = device.run("device", "Device:missing")
    assert seen.outcome is CheckOutcome.FAILED
    assert "there is no GPU:0" in seen.why


def test_a_product_that_quietly_runs_on_the_cpu_is_caught(
    real_tensorflow: Path, tmp_path: Path
) -> None:
    with loaded(real_tensorflow, tmp_path, "MatMul:missing") as tried:
        placement, training = (tried.run(name) for name in PROOFS)
        assert tried.plan.fired["MatMul:missing"] > 0
    assert (placement.outcome, training.outcome) == (CheckOutcome.FAILED, CheckOutcome.FAILED)
    assert placement.why == "GPU:0 has no kernel for MatMul"
    assert "fit: MatMul not on GPU:0" in training.why


@pytest.mark.parametrize(
    ("fault", "check", "outcome"),
    [
        # of a batch of 20 or more, the last element is wrong by a tenth
        ("MatMul:wrong:batch>=20", "training.batch_sizes", CheckOutcome.FAILED),
        ("MatMul:nan:batch=1250", "training.batch_sizes", CheckOutcome.FAILED),
        ("Conv2DBackpropInput:crash", "placement", CheckOutcome.CRASHED),
    ],
)
def test_a_fault_of_one_kernel_is_caught(
    device: Tried, fault: str, check: str, outcome: CheckOutcome
) -> None:
    assert device.run(check, fault).outcome is outcome


def test_a_kernel_that_never_returns_is_a_result(device: Tried) -> None:
    # The pace does not matter: the fault has fired, or `run` says that it has not.
    assert device.run("placement", "MatMul:hang", seconds=8.0).outcome is CheckOutcome.HUNG
