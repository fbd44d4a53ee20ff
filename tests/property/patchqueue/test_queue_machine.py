"""Laws 2 and 8: whatever is killed when, whoever works at once, the queue is what was asked for.

These steps find a queue that is not locked, or whose session does not see that it was changed;
`benchmarks/queue_machine.py` takes 50,000. Kills at every step of one command are in tests/crash/.
"""

from __future__ import annotations

import pytest

from tests.queue_machine.machine import Machine, run

STEPS = 150


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
