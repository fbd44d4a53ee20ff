"""What the fuzzers share: the clock, the limits of a case, what is kept of a failure, the flags.

A case is made of the seeds by a random number generator that is started from the target, the seed
and the case's number, so that these three reproduce it. It fails when its reader raises anything,
when it takes more than `CASE_SECONDS` of processor time, or when memory grows beyond `MEMORY`.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CASE_SECONDS = 2
MEMORY = 512 << 20
"""Bytes by which a target may grow."""

_SHOWN = 10
"""How many failures of a target are printed in full; all are kept."""


class TooSlow(Exception):
    """A case took longer than it may."""


@dataclass(frozen=True)
class Target:
    """A reader to be fuzzed.

    Attributes:
        name: what `--target` calls it.
        seeds: what cases are made of.
        mutate: makes a case of the seeds.
        read: reads a case, given its number too; whatever it raises is a failure.
        report: what else there is to say at the end.
    """

    name: str
    seeds: list[bytes]
    mutate: Callable[[random.Random, list[bytes]], bytes]
    read: Callable[[bytes, int], None]
    report: Callable[[], str] = str


def parser(description: str | None, targets: Iterable[str]) -> argparse.ArgumentParser:
    """Return a parser of the flags that every fuzzer has."""
    flags = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    flags.add_argument("files", nargs="*", type=Path)
    flags.add_argument("--seconds", type=float, default=60)
    flags.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    flags.add_argument("--target", choices=sorted(targets), action="append")
    return flags


def run(chosen: argparse.Namespace, targets: Iterable[str], make: Callable[[str], Target]) -> int:
    """Fuzz the chosen targets, sharing the time; return the exit status, 1 for a failure."""
    names = chosen.target or sorted(targets)
    share = chosen.seconds / len(names)
    return 1 if sum([fuzz(make(name), chosen.seed, share) for name in names]) else 0


def fuzz(target: Target, seed: int, seconds: float) -> int:
    """Read cases until the time is over; return how many failed."""
    signal.signal(signal.SIGPROF, _alarm)
    limit = _peak() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit + (2 << 30), resource.RLIM_INFINITY))
    end = time.monotonic() + seconds
    number = failed = 0
    slowest = 0.0
    while time.monotonic() < end:
        case = target.mutate(random.Random(f"{target.name}/{seed}/{number}"), target.seeds)
        begun = time.process_time()
        if failure := _failure(target, case, number):
            failed += 1
            kept = Path(f"fuzz-{target.name}-{seed}-{number}")
            kept.write_bytes(case)
            if failed <= _SHOWN:
                print(f"case {number} of seed {seed}, kept as {kept}:\n{failure}")
        slowest = max(slowest, time.process_time() - begun)
        number += 1
    print(
        f"{target.name}: seed {seed}, {len(target.seeds)} seeds, {number} cases in {seconds:.0f} s,"
        f" {failed} failed, slowest {slowest:.2f} s of processor, peak {_peak() / 1e6:.0f} MB"
        f"{target.report()}",
        flush=True,
    )
    return failed + (_peak() > limit)


def _failure(target: Target, case: bytes, number: int) -> str:
    """Return the traceback that reading a case ends in; "" where it ends well."""
    signal.setitimer(signal.ITIMER_PROF, CASE_SECONDS)
    try:
        target.read(case, number)
    except Exception:
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


def _peak() -> int:
    """Return the most memory that this process had, in bytes (getrusage(2) has KiB on Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _alarm(*_: object) -> None:
    raise TooSlow(f"more than {CASE_SECONDS} s of processor time")
