"""The smoke test on small wheels of its own: a sound one passes, each planted fault is caught."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke import (
    EnvironmentRequest,
    KnownLimit,
    SmokeOptions,
    SmokeReport,
    smoke,
    this_host,
)
from tensorflow_macos_build.views import smoke as smoke_view
from tests.smoke_wheels import make_wheel

GPU = """
class config:
    @staticmethod
    def list_physical_devices():
        return [Device("/physical_device:" + kind + ":0", kind) for kind in ("CPU", "GPU")]
"""
TALKS = """
for descriptor in range(3, 20):
    try:
        os.write(descriptor, b"[]\\n")
    except OSError:
        pass
"""
# What a thread that waits for all children does, without its race against the program's own wait.
WAITS_FOR_ALL = """
_wait4 = os.wait4
def wait4(pid, options):
    os.waitid(os.P_PID, pid, os.WEXITED)
    return _wait4(pid, options)
os.wait4 = wait4
"""
CHECKS = ("device", "compute", "train")
ALL = ("install", "import", *CHECKS)


def try_wheel(wheel: Path, **options: Any) -> SmokeReport:
    options = {"module": "tinyflow", "device": "CPU:0", "checks": CHECKS, **options}
    return smoke(EnvironmentRequest(wheel), SmokeOptions(**options), silent)


def outcomes(report: SmokeReport) -> dict[str, str]:
    return {check.name: check.outcome.value for check in report.checks}


def test_a_sound_wheel_passes_and_names_the_device_of_every_op(tmp_path: Path) -> None:
    report = try_wheel(make_wheel(tmp_path))
    assert outcomes(report) == dict.fromkeys(ALL, "passed")
    compute = next(check for check in report.checks if check.name == "compute")
    assert set(compute.evidence["ran_on"].values()) == {
        "/job:localhost/replica:0/task:0/device:CPU:0"
    }
    assert len(compute.evidence["ran_on"]) == 7
    documents.check(smoke_view.as_document(report))


@pytest.mark.parametrize(
    ("fault", "check", "outcome", "words"),
    [
        ("raise ImportError('no such symbol')", "import", "failed", "no such symbol"),
        ("import os; os.abort()", "import", "crashed", "ended by SIGABRT"),
        ("os._exit(0)", "import", "crashed", "ended the program that imports it"),
        (TALKS, "import", "crashed", "wrote over the answers"),
        (WAITS_FOR_ALL, "device", "crashed", "waits for processes that are not its own"),
        ("time.sleep(600)", "import", "hung", "stopped after 5 s"),
        ("def add(a, b): return subtract(a, b)", "compute", "failed", "add gave"),
        ("def square(a): return Tensor([1.0])", "compute", "failed", "square gave"),
        ("Tensor.device = '/device:GPU:0'", "compute", "failed", "and not on CPU:0"),
        ("Tensor.device = ''", "compute", "failed", "and not on CPU:0"),
        ("config.list_physical_devices = staticmethod(lambda: [])", "device", "failed", "no CPU:0"),
        ("LOSSES[:] = [1.0, 0.9, 0.8]", "train", "failed", "the loss went from 1 to 0.8"),
        ("LOSSES[:] = [1.0, float('nan'), 0.01]", "train", "failed", "the loss went"),
    ],
)
def test_each_planted_fault_is_caught_by_its_check(
    tmp_path: Path, fault: str, check: str, outcome: str, words: str
) -> None:
    report = try_wheel(make_wheel(tmp_path, fault), timeout_s=5.0 if outcome == "hung" else 300.0)
    first = report.failed[0]
    assert (first.name, first.outcome.value) == (check, outcome)
    assert words in first.why
    if check in ("import", "device"):
        later = list(outcomes(report).values())[ALL.index(check) + 1 :]
        assert later == ["not_run"] * len(later)


def test_an_import_that_takes_more_memory_than_it_may_is_stopped(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "held = b'x' * (400 << 20); time.sleep(600)")
    report = try_wheel(wheel, memory_mb=300)
    assert [(check.name, check.outcome.value, check.why) for check in report.failed] == [
        ("import", "killed", "it held more than 300 MB of memory")
    ]


def test_the_import_alone_can_be_asked_for_and_needs_no_device(tmp_path: Path) -> None:
    report = try_wheel(make_wheel(tmp_path), device="GPU", checks=("import",))
    assert outcomes(report) == {"install": "passed", "import": "passed"}
    assert report.verdict == "passed"


def test_a_device_that_is_not_there_is_a_failure_and_no_other_is_taken(tmp_path: Path) -> None:
    report = try_wheel(make_wheel(tmp_path), device="GPU")
    passed = dict.fromkeys(("install", "import"), "passed")
    assert outcomes(report) == {
        **passed,
        "device": "failed",
        "compute": "not_run",
        "train": "not_run",
    }
    assert report.failed[0].why == "there is no GPU:0: it lists CPU:0"


def test_a_wheel_that_cannot_be_installed_fails_and_the_rest_is_not_run(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    wheel.write_bytes(wheel.read_bytes()[:200])
    report = try_wheel(wheel)
    assert outcomes(report) == {"install": "failed", **dict.fromkeys(ALL[1:], "not_run")}


def test_a_wheel_for_another_system_is_not_run_and_that_is_no_pass(tmp_path: Path) -> None:
    wheel = tmp_path / "tinyflow-1.0-py3-none-win_amd64.whl"
    wheel.touch()
    report = try_wheel(wheel)
    assert set(outcomes(report).values()) == {"not_run"}
    assert report.verdict == "nothing_ran"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout_s": 0.0}, "--timeout"),
        ({"timeout_s": 1e300}, "--timeout"),
        ({"memory_mb": -1}, "--memory"),
        ({"device": "gpu"}, "--device"),
    ],
)
def test_what_no_process_can_be_held_to_is_wrong_usage(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        SmokeOptions(**options)


def test_a_check_that_there_is_not_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no check or group `trane`"):
        try_wheel(make_wheel(tmp_path), checks=("trane",))


def test_a_virtual_mac_s_gpu_is_marked_and_its_times_are_left_out(tmp_path: Path) -> None:
    virtual = dataclasses.replace(this_host(Path(sys.executable)), virtual=True)
    wheel = make_wheel(tmp_path, GPU)
    for device, is_marked in (("GPU:0", True), ("CPU:0", False)):
        options = SmokeOptions(module="tinyflow", device=device, checks=("device", "train"))
        report = smoke(EnvironmentRequest(wheel), options, silent, host=virtual)
        assert (report.verdict, report.virtual) == ("passed", is_marked)
        assert {check.seconds is None for check in report.checks[1:]} == {is_marked}
        document = smoke_view.as_document(report)
        documents.check(document)
        assert document["sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_a_known_limit_is_no_failure_and_one_that_is_over_is_told(tmp_path: Path) -> None:
    declared = (KnownLimit("compute", "why it fails"), KnownLimit("train", "why it failed"))
    wheel = make_wheel(tmp_path, "def square(a): return Tensor([1.0])")
    report = try_wheel(wheel, known_limits=declared)
    assert outcomes(report)["compute"] == "known_limit"
    assert report.verdict == "passed"
    assert [(check.name, check.limit) for check in report.lifted_limits] == [
        ("train", "why it failed")
    ]
