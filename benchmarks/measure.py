"""What every benchmark shares: interleaved runs, medians, peak memory, and the machine's name.

Arms are run in turn, round after round, so that a machine that slows down slows all of them. A
figure is a median; a comparison is a ratio of medians from one run.

What makes and deletes thousands of files is best measured with TMPDIR on a memory file system.
ext4 looks at every inode that was deleted within the last five minutes before it gives one out
(recently_deleted in fs/ext4/ialloc.c): to make a file costs 0.02 ms on a disk at rest or in memory,
and 0.3 to 1.3 ms behind a run that deleted thousands. `scratch` says what it costs just now.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


_FILES = 200
"""Made for `scratch`: enough for a mean, too few to slow down the run that follows."""


@dataclass(frozen=True)
class Run:
    """One run of one arm.

    Attributes:
        seconds: wall-clock time.
        peak_mb: the peak resident set of its process, in MB.
        cpu_seconds: what it and its children kept processors busy; less shaken by other work.
    """

    seconds: float
    peak_mb: float
    cpu_seconds: float


def in_child(body: Callable[[], object]) -> Run:
    """Run `body` in a forked child; measure its wall time and its own peak resident set.

    Raises:
        RuntimeError: the child did not end with status 0.
    """
    begun = time.perf_counter()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            body()
            status = 0
        finally:
            os._exit(status)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - begun
    if status != 0:
        raise RuntimeError(f"an arm of the benchmark ended with wait status {status}")
    return Run(seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def interleaved(arms: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    """Run every arm once in each round; return each arm's runs in order."""
    runs: dict[str, list[Run]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, arm in arms.items():
            runs[name].append(arm())
    return runs


def median_seconds(runs: Sequence[Run]) -> float:
    """Return the median of the runs' wall-clock seconds."""
    return statistics.median(run.seconds for run in runs)


def median_cpu_seconds(runs: Sequence[Run]) -> float:
    """Return the median of the runs' processor seconds."""
    return statistics.median(run.cpu_seconds for run in runs)


def peak_mb(runs: Sequence[Run]) -> float:
    """Return the largest peak resident set of the runs, in MB."""
    return max(run.peak_mb for run in runs)


def machine() -> str:
    """Return the machine in one line: processor, cores, memory, system, Python."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    models = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, {platform.platform()}, Python {platform.python_version()}"
    )


def scratch() -> str:
    """Return in one line where temporary files are made, and what it costs to make one now."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        begun = time.perf_counter()
        for number in range(_FILES):
            Path(folder, str(number)).touch()
        seconds = time.perf_counter() - begun
    return f"making a file: {1000 * seconds / _FILES:.2f} ms ({tempfile.gettempdir()})"
