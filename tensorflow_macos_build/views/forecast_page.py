"""A forecast in words, and as one self-contained page of HTML."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build.patchqueue.forecast.bisection import BreakKind
from tensorflow_macos_build.patchqueue.verdict import wording
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.patchqueue.verdict.wording import WORDS, StatusTone
from tensorflow_macos_build.views import pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.patchqueue.forecast.model import (
        BrokenPatch,
        Forecast,
        ForecastColumn,
        ForecastRow,
        PatchForecast,
        Turn,
    )

_ROWS_AT_A_GLANCE = 40
"""A page with more patches than this shows at first only those that are not clean everywhere."""


def is_quiet(row: ForecastRow) -> bool:
    """Whether a patch is clean on every revision."""
    return all(fate.status is Status.CLEAN for fate in row.cells)


def summary(column: ForecastColumn) -> str:
    """Return how many patches of a revision have each status: `5 clean, 2 adapted, 1 conflict`."""
    words = counted(fate.status for fate in column.cells)
    unknown = sum(fate.status is Status.CONFLICT and not fate.breaking for fate in column.cells)
    if unknown:
        words += f" ({unknown:,} not bisected, which would take too long)"
    looks = len(column.audit.needs_look)
    return f"{words}, {looks} names need a look" if looks else words


def counted(statuses: Iterable[Status]) -> str:
    """Return how many patches have each status: `659 clean, 2 upstream, 1 conflict`."""
    counts = Counter(statuses)
    return ", ".join(
        f"{counts[status]:,} {WORDS[status][0]}" for status in Status if counts[status]
    )


def effect(kind: BreakKind) -> str:
    """Return in a few words what a breaking commit does."""
    match kind:
        case BreakKind.PRESENT:
            return "breaks"
        case BreakKind.MISSING:
            return "is missing for"
        case BreakKind.BETWEEN:
            return "or what came with it breaks"
        case _:
            assert_never(kind)


def before(patch: BrokenPatch) -> list[str]:
    """Return in words where a patch broke and healed before a commit that breaks it for good."""
    words = [f"{_turned(turn)} {wording.named(turn.commit)}" for turn in patch.earlier]
    if not patch.all_tried:
        words.append("it may have healed in between: not all commits on its files were tried")
    return words


def _turned(turn: Turn) -> str:
    match turn.kind:
        case BreakKind.PRESENT:
            return "healed by" if turn.heals else "broken before by"
        case BreakKind.MISSING:
            return "healed without" if turn.heals else "broken before without"
        case BreakKind.BETWEEN:
            return "healed up to" if turn.heals else "broken before up to"
        case _:
            assert_never(turn.kind)


def html(forecast: Forecast) -> str:
    """Return a forecast as one self-contained page of HTML, for light and dark screens."""
    values = {
        "forecast": forecast,
        "words": WORDS,
        "summary": summary,
        "shares": _shares,
        "effect": effect,
        "before": before,
        "about": _about,
        "needs": _needs,
        "only_others": len(forecast.patches) > _ROWS_AT_A_GLANCE,
    }
    return pages.render("forecast.html.j2", values, {"quiet": is_quiet})


def _needs(fate: PatchForecast) -> tuple[str, ...]:
    """Return the patches whose conflicts have to be settled before this one goes on."""
    match fate.status:
        case Status.KNOCK_ON:
            return fate.evidence.knock_on_of
        case Status.CLEAN_AFTER:
            return fate.evidence.clean_after
        case _:
            return ()


def _shares(column: ForecastColumn) -> list[tuple[str, int]]:
    """Return how many patches have each tone, for a bar."""
    counts = Counter(WORDS[fate.status][1] for fate in column.cells)
    # In the order of StatusTone, so that bars of several revisions can be compared by eye.
    return [(tone.value, counts[tone]) for tone in StatusTone if counts[tone]]


def _about(fate: PatchForecast) -> str:
    """Return the tooltip of a cell: whom its status is due to."""
    if fate.status is Status.KNOCK_ON:
        return wording.follows(fate.evidence.knock_on_of)
    if fate.status is Status.CLEAN_AFTER:
        return wording.waits(fate.evidence.clean_after)
    if fate.breaking is not None:
        return wording.named(fate.breaking.commit)
    commits = fate.evidence.upstream or fate.evidence.changed_by
    return "\n".join(map(wording.named, commits))
