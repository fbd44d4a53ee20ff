"""What a smoke test saw, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class CheckOutcome(Enum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"
    CRASHED = "crashed"
    """Its process ended by a signal, or before it had answered."""
    HUNG = "hung"
    """It was stopped at its time limit."""
    KILLED = "killed"
    """It was stopped at its memory limit, or somebody else killed it."""
    KNOWN_LIMIT = "known_limit"
    """It failed, and the config says that it does."""
    NOT_APPLICABLE = "not_applicable"
    """This release or this device does not have what it tries."""
    NOT_RUN = "not_run"
    """It was not tried; never a pass."""

    @property
    def is_failure(self) -> bool:
        """Whether something is wrong that nobody has declared."""
        return self in _FAILURES

    @property
    def was_tried(self) -> bool:
        """Whether the check said something of the wheel."""
        return self not in (CheckOutcome.NOT_RUN, CheckOutcome.NOT_APPLICABLE)


_FAILURES = frozenset(
    {CheckOutcome.FAILED, CheckOutcome.CRASHED, CheckOutcome.HUNG, CheckOutcome.KILLED}
)


@dataclass(frozen=True)
class SmokeCheck:
    """One thing that was tried, or could not be.

    Attributes:
        target: the processor that the wheel was tried as.
        name: what was tried: `install`, `import`, or a check of `inside/`.
        outcome: how it came out.
        why: why it failed, was not run or does not apply.
        evidence: what was seen: versions, devices, which op ran where, losses.
        group: the subject of the check.
        issue: the report of the failure that it tells, such as `apple#195`; empty for none.
        seconds: how long it took; None where it was not run, or on a virtual GPU.
        max_rss_mb: the most memory that its process held, in MiB; None where that is not known.
        log_tail: the last lines that a check which failed has written.
        limit: why it is known to fail, or was; empty where nothing is declared of it.
    """

    target: str
    name: str
    outcome: CheckOutcome
    why: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    issue: str = ""
    seconds: float | None = None
    max_rss_mb: int | None = None
    log_tail: str = ""
    limit: str = ""


@dataclass(frozen=True)
class SmokeReport:
    """What a smoke test saw of a wheel, a requirement or an environment.

    Attributes:
        subject: the wheel's file name, the requirement, or the interpreter's path.
        device: the device that was tried, such as `GPU:0`.
        reference: the device that it was compared with.
        check_set: which checks: `quick`, `full`, `soak`, or those that were named.
        virtual: whether the device is a virtual GPU: float32 only, no timings.
        checks: what was tried, and how it came out.
        sha256: the wheel's SHA-256 as 64 hexadecimal digits; empty where no wheel was given.
    """

    subject: str
    device: str
    reference: str
    check_set: str
    virtual: bool
    checks: tuple[SmokeCheck, ...]
    sha256: str = ""

    @property
    def failed(self) -> tuple[SmokeCheck, ...]:
        """The checks that failed, in whichever way."""
        return tuple(check for check in self.checks if check.outcome.is_failure)

    @property
    def ran(self) -> bool:
        """Whether anything was tried at all."""
        return any(check.outcome.was_tried for check in self.checks)

    @property
    def verdict(self) -> str:
        """`passed`, `failed`, or `nothing_ran`, which is no pass."""
        if self.failed:
            return "failed"
        return "passed" if self.ran else "nothing_ran"

    @property
    def lifted_limits(self) -> tuple[SmokeCheck, ...]:
        """The checks that are declared to fail, and have passed."""
        passed = CheckOutcome.PASSED
        return tuple(check for check in self.checks if check.limit and check.outcome is passed)
