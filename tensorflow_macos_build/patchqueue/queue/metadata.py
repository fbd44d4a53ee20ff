"""The trailers that a queue's patches carry, and that its rules ask for."""

from __future__ import annotations

from dataclasses import dataclass

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.formats.trailers import Trailer
from tensorflow_macos_build.patchqueue.queue import conditions

REASONS = ("fork-only", "backport", "upstreaming")
"""The values that a `Reason:` trailer may have."""

# not `Upstream`: a patch that is the fork's alone has none
REQUIRED = ("Reason", "Drop-When", "Owner")
"""Trailers that every patch of a queue has."""

KEYS = (*REQUIRED, "Upstream")
"""All trailers that say something about a patch in its queue."""


@dataclass(frozen=True)
class Metadata:
    """The trailers that patches without them are to get; "" for none.

    Attributes:
        reason: one of `REASONS`.
        drop_when: a condition, as `conditions.parse` takes it.
        owner: who looks after the patches.
        upstream: a link or a commit.
    """

    reason: str = ""
    drop_when: str = ""
    owner: str = ""
    upstream: str = ""

    def trailers(self) -> tuple[Trailer, ...]:
        """Return the trailers that have a value.

        Raises:
            UsageError: the reason or the condition is none.
        """
        if self.reason and self.reason not in REASONS:
            raise UsageError(f"`{self.reason}` is no reason", hint=f"use {', '.join(REASONS)}")
        if self.drop_when:
            conditions.parse(self.drop_when, "--drop-when")
        values = (self.reason, self.drop_when, self.owner, self.upstream)
        # a trailer is one line: a line end in a flag's value would end the message's trailers
        lines = [(key, " ".join(value.split())) for key, value in zip(KEYS, values, strict=True)]
        return tuple(Trailer(key, value) for key, value in lines if value)


NOTHING = Metadata()
"""No trailer at all."""
