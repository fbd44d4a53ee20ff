"""How often, and after which pauses, what failed on a bad network is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Retry:
    """How patient one is with a server.

    Attributes:
        attempts: how often the conversation is begun at most.
        first_pause: seconds before the second attempt; each later pause is twice as long.
        longest_pause: seconds that no pause exceeds.
        idle: seconds of silence after which an attempt is given up.
        grace: seconds after which a web server that drips its answer is given up, as in
            `http_session.session`.
    """

    attempts: int = 5
    first_pause: float = 1.0
    longest_pause: float = 30.0
    idle: float = 30.0
    grace: float = 120.0

    def pauses(self) -> Iterator[float]:
        """Return the seconds to wait after each failed attempt but the last."""
        for index in range(self.attempts - 1):
            yield min(self.first_pause * 2**index, self.longest_pause)
