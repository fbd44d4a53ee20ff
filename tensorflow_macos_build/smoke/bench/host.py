"""What a benchmark's times depend on outside of it: the machine, its power, its load."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from pathlib import Path
from typing import Any

from tensorflow_macos_build import process

MAC_COMMANDS = {
    "processor": ("sysctl", "-n", "machdep.cpu.brand_string"),
    "model": ("sysctl", "-n", "hw.model"),
    "system": ("sw_vers", "-productVersion"),
    "power": ("pmset", "-g", "batt"),
    "thermal": ("pmset", "-g", "therm"),
}
"""What a Mac is asked. `pmset -g therm` names a limit of speed while the processor is throttled."""

_SECONDS = 20.0


def machine() -> dict[str, Any]:
    """Return what the machine is: system, processor, cores, MiB of memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    facts = {
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _linux_processor(),
        "cores": os.cpu_count() or 0,
        "memory_mb": memory,
    }
    return {**facts, **_of_mac("processor", "model", "system")}


def conditions() -> dict[str, Any]:
    """Return what a process meets: the load, and on a Mac its power and whether it is throttled."""
    return {"load": [round(load, 2) for load in os.getloadavg()], **_of_mac("power", "thermal")}


def _of_mac(*names: str) -> dict[str, Any]:
    if sys.platform != "darwin":
        return {}
    facts = {}
    for name in names:
        # It is a remark beside the times: a Mac that lacks a command is measured all the same.
        with contextlib.suppress(process.ProgramFailed, process.ProgramMissing):
            completed = process.run(MAC_COMMANDS[name], timeout=_SECONDS)
            facts[name] = completed.stdout.decode("utf-8", "replace").strip()
    return facts


def _linux_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
