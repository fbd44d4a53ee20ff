"""Laws 2 and 8: whatever is killed when, whoever works at once, the queue is what was asked for.

`benchmarks/queue_machine.py` takes more steps.
"""

from __future__ import annotations

import pytest

from tests.queue_machine import Machine, run

STEPS = 500


class First(Machine):
    pass


class Second(Machine):
    pass


class Third(Machine):
    pass


class Fourth(Machine):
    pass


@pytest.mark.parametrize("machine", [First, Second, Third, Fourth])
def test_random_work_with_kills_gives_what_the_model_says(machine: type[Machine]) -> None:
    assert run(machine, STEPS) >= STEPS
