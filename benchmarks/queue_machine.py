"""Random work on a queue, with kills and two processes at once, against a plain model.

    .venv/bin/python -m benchmarks.queue_machine [STEPS]

It is the test tests/property/patchqueue/test_queue_machine.py with more steps, 50,000 by default,
and other ones each time. It ends with status 0, or with the shortest way to a fault.
"""

from __future__ import annotations

import sys
import time

from benchmarks import measure
from tests.queue_machine.machine import Machine, run

AT_ONCE = 1000


def main(steps: int) -> None:
    begun, taken = time.monotonic(), 0
    print(measure.machine())
    while taken < steps:
        taken += run(Machine, min(AT_ONCE, steps - taken), derandomize=False)
        print(f"{taken} steps in {time.monotonic() - begun:.0f} s, no fault", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
