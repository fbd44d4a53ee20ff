"""Where the time of a Bazel build went, as lines for people and as a part of a job's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.pipeline.records import WheelResult
from tensorflow_macos_build.views import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tensorflow_macos_build.pipeline.records import Effort, TimedAction, TimeSpent
    from tensorflow_macos_build.pipeline.stage import FinishedStage


def effort_of(finished: FinishedStage) -> Effort | None:
    """Return what a stage's wheel cost, if the stage has just built one."""
    built = finished.value
    if finished.up_to_date or not isinstance(built, WheelResult):
        return None
    return built.effort


def in_short(effort: Effort) -> str:
    """Return what a build cost in a few words."""
    if effort.time is None:
        return _hits(effort)
    return f"{_hits(effort)}, critical path {effort.time.critical_seconds:.1f} s"


def title(finished: FinishedStage) -> str:
    """Return what the lines are about."""
    return f"{finished.stage.name}: where the time went"


def as_lines(effort: Effort) -> Iterator[str]:
    """Yield what a build cost, for people."""
    yield f"  {_counted(effort)}"
    if saving := _saving(effort):
        yield f"  {saving}"
    if effort.reasons:
        yield f"  run because: {_listed(effort.reasons)}"
    if effort.time is None:
        yield "  Bazel's profile does not say where the time went"
        return
    for kind in effort.time.kinds:
        yield f"  {kind.seconds:9.1f} s  {kind.kind}, {_number(kind.actions, 'action')}"
    if rest := _rest(effort, effort.time):
        yield f"  {rest}"
    yield from _actions("slowest actions", effort.time.slowest)
    critical = effort.time.critical_seconds
    yield from _actions(f"critical path, {critical:.1f} s", effort.time.critical_path)


def _actions(heading: str, actions: Sequence[TimedAction]) -> Iterator[str]:
    yield f"  {heading}"
    for action in actions:
        yield f"  {action.seconds:9.1f} s  {action.description}"


def as_markdown(finished: FinishedStage, effort: Effort) -> str:
    """Return what a build cost as a section of a job's summary on GitHub Actions."""
    lines = [f"### {markdown.escaped(title(finished))}", ""]
    lines += [markdown.escaped(f"{finished.seconds:.0f} s, {_counted(effort)}"), ""]
    if saving := _saving(effort):
        lines += [markdown.escaped(saving), ""]
    if effort.reasons:
        lines += [markdown.escaped(f"run because: {_listed(effort.reasons)}"), ""]
    if effort.time is not None:
        rows = ((kind.seconds, f"{kind.kind}, {kind.actions}") for kind in effort.time.kinds)
        lines += _table("actions of a kind", rows)
        if rest := _rest(effort, effort.time):
            lines += [markdown.escaped(rest), ""]
        lines += _table("slowest actions", _rows(effort.time.slowest))
        heading = f"critical path, {effort.time.critical_seconds:.1f} s"
        lines += _table(heading, _rows(effort.time.critical_path))
    return "\n".join(lines) + "\n"


def _rows(actions: Sequence[TimedAction]) -> Iterator[tuple[float, str]]:
    return ((action.seconds, action.description) for action in actions)


def _table(heading: str, rows: Iterator[tuple[float, str]]) -> list[str]:
    cells = ((f"{seconds:.1f}", description) for seconds, description in rows)
    return markdown.table(("seconds", heading), cells, numbers=1)


def _counted(effort: Effort) -> str:
    runners = f" ({_listed(effort.runners)})" if effort.runners else ""
    return f"{_hits(effort)}{runners}"


def _hits(effort: Effort) -> str:
    actions = _number(effort.actions, "action")
    return f"{actions}, {effort.cache_hits:,} of them from caches{_hit_rate(effort)}"


def _hit_rate(effort: Effort) -> str:
    """Return which part of what a cache can hold came from one; Bazel's own work is not of it."""
    cacheable = sum(count for name, count in effort.runners.items() if name != "internal")
    return f", hit rate {100 * effort.cache_hits / cacheable:.1f} %" if cacheable else ""


def _saving(effort: Effort) -> str:
    """Return what was not done because the output base had it; "" for nothing."""
    reused = effort.needed - effort.actions
    if reused <= 0:
        return ""
    # Bazel may end before it prints its last counts: of 31 reused it told 14, 27 and 30 (4.2.3).
    return (
        f"at least {reused:,} more reused from builds before, of at least {effort.needed:,} needed"
    )


def _rest(effort: Effort, time: TimeSpent) -> str:
    """Return how many actions are of none of the kinds shown; "" for none."""
    rest = effort.actions - sum(kind.actions for kind in time.kinds)
    # Bazel 4.2.3 joins them to events without a category, so that their kinds are lost.
    why = "of other kinds, or so short that Bazel's profile joins them"
    return f"{_number(rest, 'action')} more, {why}" if rest > 0 else ""


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
