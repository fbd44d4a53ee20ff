"""`patches.lint` from end to end: the rules on a queue's files, and upstream for its conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.patchqueue.queue import opening
from tensorflow_macos_build.patchqueue.queue.conditions import UpstreamRevision
from tensorflow_macos_build.patchqueue.queue.locate import name_of
from tensorflow_macos_build.patchqueue.review import allowances, lint
from tensorflow_macos_build.patchqueue.review.lint import LintSeverity

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.review.allowances import Allowances
    from tensorflow_macos_build.patchqueue.review.lint import LintFinding, LintLimits


@dataclass(frozen=True)
class LintRequest:
    """What is to be looked at.

    Attributes:
        folder: the queue's folder.
        limits: what the queue allows.
        cache: the folder that holds the mirrors of upstream repositories.
        onto: the ref of its upstream at which its conditions are decided; "": they are not.
        allowed: what is let pass this time, beside what the queue itself allows.
    """

    folder: Path
    limits: LintLimits
    cache: Path
    onto: str = ""
    allowed: Allowances = field(default_factory=dict)


@dataclass(frozen=True)
class LintResult:
    """What is wrong with a queue.

    Attributes:
        queue: its folder's name.
        typed: its name as a command line takes it.
        findings: its faults.
    """

    queue: str
    typed: str
    findings: tuple[LintFinding, ...]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity is not LintSeverity.ERROR for finding in self.findings)


def run(request: LintRequest, ticker: Ticker = silent) -> LintResult:
    """Lint a queue.

    Raises:
        UsageError: there is no such queue, or upstream has no such revision.
        transfer.Unreachable: the server could not be asked.
    """
    folder = request.folder
    # all but conditions is decided without upstream, and so without a network
    upstream = _revision(request, ticker) if request.onto else None
    findings = lint.lint(folder, request.limits, upstream, ticker)
    sources = (allowances.of_queue(folder), request.allowed)
    return LintResult(folder.name, name_of(folder), allowances.applied(findings, sources))


def _revision(request: LintRequest, ticker: Ticker) -> UpstreamRevision:
    opened = opening.open(request.folder, request.cache, ticker)
    return UpstreamRevision(opened.mirror, opened.mirror.resolve(request.onto, ticker))
