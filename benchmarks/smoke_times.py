"""What each check of the smoke test takes: `python -m benchmarks.smoke_times ENVIRONMENT`.

ENVIRONMENT is one with TensorFlow in it, or its interpreter. The sets are quick (at most 60 s on
two cores) and full (at most 6 minutes). With `--repeat N` each check runs N times: a check that
fails once in N clean runs is a false alarm. The machine's load is printed, since seconds mean
nothing beside other work.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from benchmarks.measure import machine
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.smoke.environment import EnvironmentRequest
from tensorflow_macos_build.smoke.model import CheckOutcome, SmokeReport
from tensorflow_macos_build.smoke.run import SmokeOptions, smoke


def main() -> int:
    """Print the seconds and the memory of each check, and what did not pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("--set", choices=("quick", "full", "soak"), default="quick")
    parser.add_argument("--device", default="CPU:0")
    parser.add_argument("--reference", default="CPU:0")
    parser.add_argument("--checks", default="")
    parser.add_argument("--repeat", type=int, default=1)
    given = parser.parse_args()
    python = given.environment / "bin" / "python"
    options = SmokeOptions(
        device=given.device,
        reference=given.reference,
        python=str(python if python.is_file() else given.environment),
        check_set=given.set,
        checks=tuple(name for name in given.checks.split(",") if name),
    )
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}; {given.set} set in {given.environment}")
    failed = 0
    for _ in range(given.repeat):
        before, begun = os.times(), time.perf_counter()
        report = smoke(EnvironmentRequest(), options, silent)
        after = os.times()
        busy = after.children_user + after.children_system
        busy -= before.children_user + before.children_system
        failed += show(report, wall=time.perf_counter() - begun, busy=busy)
    return 1 if failed else 0


def show(report: SmokeReport, *, wall: float, busy: float) -> int:
    """Print a report; return how many checks failed."""
    for check in sorted(report.checks, key=lambda check: -(check.seconds or 0)):
        why = f"  {check.why[:300]}" if check.outcome is not CheckOutcome.PASSED else ""
        memory = f"{check.max_rss_mb or 0:6} MB"
        print(f"{check.seconds or 0:7.2f} s {memory}  {check.outcome.value:15} {check.name}{why}")
    failures = [check for check in report.checks if check.outcome.is_failure]
    checks = len(report.checks)
    print(f"{wall:.1f} s, {busy:.1f} s of processors; {checks} checks, {len(failures)} failed")
    return len(failures)


if __name__ == "__main__":
    raise SystemExit(main())
