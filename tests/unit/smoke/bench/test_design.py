"""What is run, in which order, by which command lines."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke.bench import (
    Arm,
    BenchDesign,
    BenchOptions,
    chosen_workloads,
    parse_arm,
)
from tensorflow_macos_build.smoke.bench.environments import target
from tensorflow_macos_build.smoke.bench.host import MAC_COMMANDS
from tensorflow_macos_build.smoke.bench.run import argv, check_arch, time_left
from tensorflow_macos_build.smoke.bench.store import identity
from tensorflow_macos_build.smoke.targets import SmokeTarget
from tests.bench_times import FORK, STOCK, design


def test_every_participant_runs_once_in_each_round_of_each_workload_side_by_side() -> None:
    planned = design(sessions=3, rounds=2, workloads="lstm,cyclegan")
    runs = list(planned.runs())
    assert max(Counter(runs).values()) == 1
    blocks = [runs[start : start + 3] for start in range(0, len(runs), 3)]
    for block in blocks:
        assert {run.arm for run in block} == {"stock", "stock (again)", "fork"}
        assert len({(run.session, run.round, run.workload) for run in block}) == 1
    assert len(blocks) == 3 * 2 * 2
    assert len({tuple(run.arm for run in block) for block in blocks}) > 1


def test_the_order_follows_from_the_seed_and_stays_when_sessions_are_added() -> None:
    few, more = list(design(sessions=6).runs()), list(design(sessions=9).runs())
    assert more[: len(few)] == few
    assert list(replace(design(sessions=6), seed=2).runs()) != few


@pytest.mark.parametrize(
    "wrong", [{"arms": ()}, {"arms": (STOCK, STOCK)}, {"size": "huge"}, {"sessions": 0}]
)
def test_what_no_benchmark_can_be_made_of_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        replace(design(), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("pause", [-1.0, 1e9, float("nan")])
def test_a_rest_that_no_clock_counts_is_refused(pause: float) -> None:
    with pytest.raises(UsageError, match="--pause"):
        BenchOptions(Path("out"), pause_s=pause)


def test_an_arm_is_read_from_one_word(tmp_path: Path) -> None:
    wheel = tmp_path / "tensorflow-2.4.0-cp38-cp38-macosx_11_0_arm64.whl"
    wheel.touch()
    text = f"fork={wheel},arch=x86_64,device=mlcompute:gpu,python=3.8"
    assert parse_arm(text, "GPU:0") == Arm(
        "fork", str(wheel), "mlcompute:gpu", arch="x86_64", python="3.8"
    )
    ranged = parse_arm("stock=tensorflow-cpu>=2.16,<2.17,device=CPU:0", "GPU:0")
    assert (ranged.source, ranged.device) == ("tensorflow-cpu>=2.16,<2.17", "CPU:0")
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.touch()
    assert parse_arm(f"e={tmp_path}", "CPU:0").interpreter == python
    assert parse_arm(f"e={python}", "CPU:0").interpreter == python


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stock",
        "=tensorflow",
        "a\x1b=tensorflow",
        "a=no/such.whl",
        "a=no/such/folder",
        "a=tensorflow,device=gpu",
        "a=tensorflow,arch=ppc",
        "a=tensorflow,arch=arm64,arch=arm64",
        "a=tensorflow,plugin=no.whl",
    ],
)
def test_an_arm_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_arm(text, "GPU:0")


def test_an_environment_takes_no_plugin_and_no_other_python(tmp_path: Path) -> None:
    # They would be named in the report, and not measured.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch()
    plugin = tmp_path / "metal-1.0-py3-none-any.whl"
    plugin.touch()
    for setting in (f"plugin={plugin}", "python=3.9"):
        with pytest.raises(UsageError, match="measured as it is"):
            parse_arm(f"a={tmp_path},{setting}", "GPU:0")


def test_measurements_of_another_build_of_a_plugin_are_not_of_this_design(tmp_path: Path) -> None:
    plugin = tmp_path / "metal-1.0-py3-none-any.whl"
    plugin.write_bytes(b"first")
    arm = parse_arm(f"a=tensorflow,plugin={plugin}", "GPU:0")
    before = identity(replace(design(), arms=(arm,)))
    plugin.write_bytes(b"second")
    assert identity(replace(design(), arms=(arm,))) != before


def test_workloads_are_known_by_name() -> None:
    assert chosen_workloads("lstm,cyclegan") == ("cyclegan", "lstm")
    assert "bert-encoder" in chosen_workloads("")
    with pytest.raises(UsageError, match="no workload `lstn`") as raised:
        chosen_workloads("lstn")
    assert raised.value.hint == "did you mean `lstm`?"


def test_a_mac_is_asked_and_starts_the_processor_that_an_arm_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python, specification = Path("/envs/x/bin/python"), Path("/s.json")
    intel = replace(FORK, arch="x86_64")
    head, child = argv(intel, python, specification)[:-2], Path("smoke/inside/bench")
    assert head == ["arch", "-x86_64", python, "-I", "-X", "faulthandler"]
    assert target(intel) == SmokeTarget("x86_64", ("arch", "-x86_64"))
    assert target(FORK).prefix == ()
    assert argv(FORK, python, specification)[:-2] == [python, "-I", "-X", "faulthandler"]
    assert str(argv(FORK, python, specification)[-2]).endswith(str(child))
    assert MAC_COMMANDS == {
        "processor": ("sysctl", "-n", "machdep.cpu.brand_string"),
        "model": ("sysctl", "-n", "hw.model"),
        "system": ("sw_vers", "-productVersion"),
        "power": ("pmset", "-g", "batt"),
        "thermal": ("pmset", "-g", "therm"),
    }
    monkeypatch.setattr(sys, "platform", "darwin")
    check_arch(intel)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(UsageError, match="of a Mac"):
        check_arch(intel)


def test_the_time_that_is_left_follows_from_what_each_workload_took() -> None:
    runs = list(BenchDesign((STOCK,), ("lstm", "cyclegan"), "tiny", 2).runs())
    assert time_left({}, runs) is None
    assert time_left({"lstm": [10.0]}, runs) == 80.0
    assert time_left({"lstm": [10.0, 20.0], "cyclegan": [100.0]}, runs) == 4 * 15 + 4 * 100
