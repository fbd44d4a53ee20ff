"""How one check of a smoke test came out: what it said, how its process ended, what it logged."""

from __future__ import annotations

import contextlib
import json
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke.model import CheckOutcome

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_LINES, _TAIL_BYTES = 20, 16 << 10

LONGEST_RESULT = 16 << 20
"""Bytes of what a check may have seen."""

_UNWRITTEN = 74  # EX_IOERR of sysexits.h; so `inside/zygote.py` ends

_ANSWERS = {
    outcome.value: outcome
    for outcome in (CheckOutcome.PASSED, CheckOutcome.FAILED, CheckOutcome.NOT_APPLICABLE)
}
"""What a check can say of itself."""


@dataclass(frozen=True)
class Observation:
    """How one check came out; the attributes are those of `SmokeCheck`."""

    outcome: CheckOutcome
    why: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    max_rss_mb: int | None = None
    log_tail: str = ""

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.outcome is CheckOutcome.PASSED


def ended(status: int) -> tuple[CheckOutcome, str]:
    """Return what a process's end says by itself; no words where it says nothing."""
    if status == _UNWRITTEN:
        why = "its log or result could not be written: is TMPDIR full (`df -h`, `df -i`)?"
        return CheckOutcome.CRASHED, why
    if status >= 0:
        return CheckOutcome.CRASHED, f"it ended with status {status}" if status else ""
    with contextlib.suppress(ValueError):
        name = signal.Signals(-status).name
        killed = name in ("SIGKILL", "SIGTERM", "SIGINT")
        return CheckOutcome.KILLED if killed else CheckOutcome.CRASHED, f"it was ended by {name}"
    return CheckOutcome.CRASHED, f"it was ended by the signal {-status}"


def written(result: Path) -> object:
    """Return what a check wrote down; None where it wrote nothing that can be read."""
    try:
        return json.loads(files.read_small(result, LONGEST_RESULT))
    except (OSError, ValueError, RecursionError, UsageError):
        return None


def observed(row: object, seconds: float, max_rss_mb: int | None, log: Path) -> Observation:
    """Return what a row says, read as a stranger's: the wheel's code shares the check's process."""
    try:
        assert isinstance(row, dict)
        outcome = _ANSWERS[row["outcome"]]
        why, evidence = str(row["why"]), dict(row["evidence"])
    except (AssertionError, KeyError, TypeError, ValueError):
        why = "it ended without an answer, or the wheel's own code wrote over it"
        outcome, evidence = CheckOutcome.CRASHED, {}
    log_tail = tail(log) if outcome.is_failure else ""
    return Observation(outcome, why, evidence, seconds, max_rss_mb, log_tail)


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    try:
        with log.open("rb") as opened:
            opened.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = opened.read(_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
