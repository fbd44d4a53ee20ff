"""Random work on a queue against a plain model: commands, kills anywhere, two processes at once."""

from __future__ import annotations

import hypothesis
from hypothesis import stateful

from tests.queue_machine.base import QueueMachine
from tests.queue_machine.editing import EditingRules
from tests.queue_machine.moving import MovingRules

_AT_ONCE = 50
"""Steps on one queue; then another one is begun."""


class Machine(EditingRules, MovingRules):
    """All rules together."""


def run(machine: type[Machine], steps: int, *, derandomize: bool = True) -> int:
    """Let a machine take so many steps; return how many it took.

    Raises:
        AssertionError: the queue is not what the model says; hypothesis prints the way there.
    """
    before = QueueMachine.steps
    settings = hypothesis.settings(
        max_examples=-(-steps // _AT_ONCE),
        stateful_step_count=_AT_ONCE,
        deadline=None,
        database=None,
        derandomize=derandomize,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    stateful.run_state_machine_as_test(machine, settings=settings)
    return QueueMachine.steps - before
