"""Known limits of a backend: checks that are declared to fail, with the reason."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tensorflow_macos_build.smoke.model import CheckOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.smoke.model import SmokeCheck


@dataclass(frozen=True)
class KnownLimit:
    """A check that is known to fail on a device.

    Attributes:
        check: its name; `*` stands for any characters.
        device: the device's type, such as `GPU`; empty: whichever.
        reason: why it fails, with its issue.
    """

    check: str
    reason: str
    device: str = ""

    def is_about(self, check: SmokeCheck, device: str) -> bool:
        """Whether it declares that a check fails on a device such as `GPU:0`."""
        kind = device.partition(":")[0]
        return fnmatchcase(check.name, self.check) and self.device in ("", kind)


def apply(check: SmokeCheck, limits: Sequence[KnownLimit], device: str) -> SmokeCheck:
    """Return a check with what is declared of it: a failure that is known is no failure.

    A check that passes keeps the reason, so that whoever declared it learns that it is over.
    """
    reason = next((limit.reason for limit in limits if limit.is_about(check, device)), "")
    if not reason:
        return check
    outcome = CheckOutcome.KNOWN_LIMIT if check.outcome.is_failure else check.outcome
    return dataclasses.replace(check, outcome=outcome, limit=reason)
