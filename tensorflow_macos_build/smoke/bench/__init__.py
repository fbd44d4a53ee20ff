"""A benchmark of training: what is run in which order, and what its times prove."""

from tensorflow_macos_build.smoke.bench.arms import Arm, parse_arm
from tensorflow_macos_build.smoke.bench.catalogue import chosen_workloads
from tensorflow_macos_build.smoke.bench.design import BenchDesign, PlannedRun
from tensorflow_macos_build.smoke.bench.environments import arm_environments
from tensorflow_macos_build.smoke.bench.model import (
    BenchResult,
    BenchRow,
    BenchVerdict,
    Measurement,
)
from tensorflow_macos_build.smoke.bench.run import BenchOptions, bench

__all__ = [
    "Arm",
    "BenchDesign",
    "BenchOptions",
    "BenchResult",
    "BenchRow",
    "BenchVerdict",
    "Measurement",
    "PlannedRun",
    "arm_environments",
    "bench",
    "chosen_workloads",
    "parse_arm",
]
