"""What becomes of a patch when its upstream moves on, as tests state it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """What becomes of a patch on another upstream revision."""

    CLEAN = "clean"
    """Its text stays the same; line numbers may move."""
    ADAPTED = "adapted"
    """A three-way merge takes it, and its text changes."""
    IDENTICAL = "identical"
    """Upstream has it; nothing is left."""
    CHANGED = "landed with changes"
    """Upstream has it in another form."""
    PART = "landed in part"
    """Upstream has some of it; the rest applies."""
    CONFLICT = "conflict"
    """Upstream changed the same place."""
    CLEAN_AFTER = "clean after"
    """It conflicts only while an earlier patch's conflict is not settled."""


@dataclass(frozen=True)
class Truth:
    """What becomes of a patch, and why.

    Attributes:
        status: what becomes of it.
        because: subjects of the upstream commits that are the evidence or the culprits, of which
            the first is the one from which on a patch conflicts; for one that waits the subject of
            the patch that is the first cause.
    """

    status: Status
    because: tuple[str, ...] = ()


CLEAN = Truth(Status.CLEAN)
ADAPTED = Truth(Status.ADAPTED)


def both(truth: Truth) -> dict[str, Truth]:
    """The same on both later releases."""
    return {"v2.17.0": truth, "v2.18.0": truth}
