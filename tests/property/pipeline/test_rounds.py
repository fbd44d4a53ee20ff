"""Law 2 and law 8 for saved states: whatever breaks off or is damaged, the former one counts."""

from __future__ import annotations

from hypothesis import Phase, settings

from tests.round_machine import RoundMachine

TestRounds = RoundMachine.TestCase
TestRounds.settings = settings(
    # Not shrunk: an example starts processes, and a thousand of them take minutes.
    max_examples=12,
    stateful_step_count=10,
    phases=(Phase.generate,),
)
