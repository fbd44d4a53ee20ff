"""What jobs on GitHub's machines print for whoever reads their log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.release.hosted.rounds import NextStep, RoundDecision
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.release.hosted.issue import ForecastIssue, PublishedIssue
    from tensorflow_macos_build.release.hosted.states import FetchedStates, StatesRequest
    from tensorflow_macos_build.release.workflows import StagedRelease
    from tensorflow_macos_build.views.lines import Part

_STYLES = {
    NextStep.DISPATCH: "cyan",
    NextStep.FINISH: "green",
    NextStep.STOP: "red",
    NextStep.NOTHING: "",
}


def states_planned(request: StatesRequest) -> Iterator[Part]:
    """Yield what would be looked for."""
    since = f", made by run {request.since} or later" if request.since else ""
    yield Line(f"artifacts state-{request.part} of {request.branch}{since}")
    yield Line(f"the newest two that come whole go into {request.folder}")


def states_fetched(request: StatesRequest, fetched: FetchedStates) -> Iterator[Part]:
    """Yield what was fetched, and what was not and why."""
    for reason in fetched.passed_over:
        yield Line(f"passed over: {reason}", "yellow")
    if not fetched.states:
        yield Line(f"there is no state of {request.part} yet: the build begins anew")
    for state in fetched.states:
        yield str(request.folder / state)


def round_planned(release: StagedRelease) -> Iterator[Part]:
    """Yield what each outcome of a round would lead to."""
    limits = release.limits
    yield Line(f"{release.workflow}: {', '.join(release.parts)}")
    yield Line("each has a wheel: the halves are joined")
    yield Line("a build failed: it stops, and somebody has to look")
    yield Line(f"a part is not done: the next round is dispatched, up to {limits.rounds}")
    yield Line(f"a part lost its round: the same, up to {limits.failures} times in a row")


def round_decided(decision: RoundDecision) -> Iterator[Part]:
    """Yield how far each part is, and what comes next."""
    for part, outcome in decision.parts.items():
        yield Line(f"{part}: {outcome.value}")
    yield Line(f"{decision.step.value}: {decision.reason}", _STYLES[decision.step])
    if decision.following is not None:
        yield Line(f"dispatched: {decision.following}")


def issues_planned(issues: Sequence[ForecastIssue]) -> Iterator[Part]:
    """Yield what the issues would say."""
    for issue in issues:
        yield Line(f"{issue.title}: {'open' if issue.needs_somebody else 'closed'}", "bold")
        yield from issue.body.splitlines()


def issues_settled(issues: Sequence[PublishedIssue]) -> Iterator[Part]:
    """Yield what became of the issues."""
    for issue in issues:
        yield Line(f"{issue.queue}: the issue is {issue.change.value} {issue.address}".rstrip())
