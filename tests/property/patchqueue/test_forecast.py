"""Forecasts of made-up queues on made-up histories."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.forecast.bisection import BreakKind
from tensorflow_macos_build.patchqueue.forecast.forecast import Forecaster
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tests import repositories
from tests.repositories import commits_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.patchqueue.forecast.model import ForecastColumn
    from tests.repositories import Files, Made

_UPSTREAM = {Status.UPSTREAM_IDENTICAL, Status.UPSTREAM_CHANGED, Status.UPSTREAM_IN_PART}


@dataclass(frozen=True)
class Outlook:
    """A forecast's one column, and the statuses of rebases on the commits that it speaks of."""

    column: ForecastColumn
    statuses: dict[str, tuple[Status, ...]]


def _line(made: Made) -> list[str]:
    return [made.base, *made.upstream]


def foresee(made: Made, *, everywhere: bool = False) -> Outlook:
    patches = commits_of(made.git, f"{made.base}..queue")
    base = QueueBase("", "base", made.base)

    def statuses(commit: str) -> tuple[Status, ...]:
        rebased, _ = engine.rebase_in(quarantine, base, commit, patches)
        return tuple(patch.status for patch in rebased.patches)

    with open_quarantine(made.git) as quarantine:
        (column,) = Forecaster(quarantine, base, patches, Decisions()).columns(
            {"upstream": made.onto}
        )
        breaks = [fate.breaking for fate in column.cells if fate.breaking]
        named = {made.onto} | {
            oid for breaking in breaks for oid in (breaking.commit.oid, breaking.clean)
        }
        asked = set(_line(made)) if everywhere else named
        return Outlook(column, {commit: statuses(commit) for commit in sorted(asked)})


@st.composite
def _to_and_fro(draw: st.DrawFn) -> repositories.Case:
    """Draw a history that changes few lines again and again, and moves a file away and back."""
    base = {name: (repositories.FILE, repositories.lines(name, 9)) for name in ("f", "d/g")}
    rows = st.sampled_from((("f", 3), ("f", 3), ("d/g", 3), ("f", 7)))
    trees = [base]
    for number in range(draw(st.integers(4, 8))):
        files = dict(trees[-1])
        path, row = draw(rows)
        if path in files:
            was = base[path][1].splitlines()[row]
            changed = files[path][1].splitlines()[row] != was
            back = changed and draw(st.integers(0, 3)) > 0
            words = was.decode() if back else f"upstream {number}"
            files = _edited(files, [(path, row)], words)
        if draw(st.integers(0, 9)) == 9:
            old, new = ("f", "e/f") if "f" in files else ("e/f", "f")
            files[new] = files.pop(old)
        trees.append(files)
    queue = [base]
    for number in range(draw(st.integers(1, 3))):
        places = draw(st.lists(rows, min_size=1, max_size=2))
        queue.append(_edited(queue[-1], places, f"patch {number}"))
    return repositories.Case(base, tuple(trees[1:]), tuple(queue[1:]))


@given(repositories.cases(patches=6, upstream=4))
@settings(max_examples=20, derandomize=True, deadline=None)
def test_each_revision_has_what_a_whole_rebase_there_says(case: repositories.Case) -> None:
    """Law: though only what is different from revision to revision is replayed."""
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        patches = commits_of(made.git, f"{made.base}..queue")
        base = QueueBase("", "base", made.base)
        with open_quarantine(made.git) as quarantine:
            forecaster = Forecaster(quarantine, base, patches, Decisions())
            columns = forecaster.columns({commit: commit for commit in made.upstream})
        for column in columns:
            with open_quarantine(made.git) as quarantine:
                whole, _ = engine.rebase_in(quarantine, base, column.commit, patches)
            told = [(cell.status, cell.evidence) for cell in column.cells]
            assert told == [(patch.status, patch.evidence) for patch in whole.patches]


@given(st.one_of(repositories.cases(patches=4, upstream=5), _to_and_fro()))
@settings(max_examples=10, derandomize=True, deadline=None)
def test_a_forecast_of_many_revisions_says_of_each_what_one_of_it_alone_does(
    case: repositories.Case,
) -> None:
    """Law: what the lines to them share is read and tried once, whichever line asked for it."""
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        patches = commits_of(made.git, f"{made.base}..queue")
        base = QueueBase("", "base", made.base)

        def columns(*commits: str) -> list[ForecastColumn]:
            with open_quarantine(made.git) as quarantine:
                forecaster = Forecaster(quarantine, base, patches, Decisions())
                return list(forecaster.columns({commit: commit for commit in commits}))

        shorter_first = columns(*made.upstream)
        assert shorter_first == [*columns(*reversed(made.upstream))][::-1]
        assert shorter_first == [column for oid in made.upstream for column in columns(oid)]


@given(repositories.cases(patches=4, upstream=6))
@settings(max_examples=15, derandomize=True, deadline=None)
def test_a_patch_conflicts_with_its_breaking_commit_and_not_with_the_parent(
    case: repositories.Case,
) -> None:
    """Law: whatever the history, and judged by whole rebases on the two commits."""
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        outlook = foresee(made)
        assert tuple(fate.status for fate in outlook.column.cells) == outlook.statuses[made.onto]
        for position, fate in enumerate(outlook.column.cells):
            assert (fate.breaking is not None) == (fate.status is Status.CONFLICT)
            if fate.breaking is not None:
                breaking = fate.breaking.commit.oid
                assert fate.breaking.kind is BreakKind.PRESENT
                assert fate.breaking.clean == made.git.line("rev-parse", f"{breaking}^")
                assert outlook.statuses[breaking][position] is Status.CONFLICT
                assert outlook.statuses[fate.breaking.clean][position] is not Status.CONFLICT


def _turns(made: Made, outlook: Outlook, position: int) -> list[tuple[bool, str]]:
    """Return the commits at which a patch turns, and whether it heals, by all rebases."""
    broken = [outlook.statuses[oid][position] is Status.CONFLICT for oid in _line(made)]
    pairs = zip(itertools.pairwise(broken), made.upstream, strict=True)
    return [(was, oid) for (was, broken), oid in pairs if was is not broken]


@given(st.one_of(repositories.cases(patches=4, upstream=7), _to_and_fro(), _to_and_fro()))
@settings(max_examples=12, derandomize=True, deadline=None)
def test_every_break_and_healing_is_told_that_a_rebase_on_each_commit_shows(
    case: repositories.Case,
) -> None:
    """Law: judged by rebases of the whole queue on every commit, each with a history of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        outlook = foresee(made, everywhere=True)
        for position, fate in enumerate(outlook.column.cells):
            if fate.breaking is not None:
                assert fate.all_tried
                turns = [(turn.heals, turn.commit.oid) for turn in fate.earlier]
                turns.append((False, fate.breaking.commit.oid))
                assert turns == _turns(made, outlook, position)


@given(repositories.cases(patches=1, upstream=6))
@settings(max_examples=15, derandomize=True, deadline=None)
def test_git_rebase_stops_at_the_breaking_commit_and_not_at_its_parent(
    case: repositories.Case,
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        outlook = foresee(made)
        for breaking in filter(None, (fate.breaking for fate in outlook.column.cells)):
            stops = [
                repositories.git_rebase_skipping(replace(made, onto=commit), Path(scratch) / commit)
                for commit in (breaking.commit.oid, breaking.clean)
            ]
            assert stops[0][1] == 1
            # git conflicts with what upstream took over in another form; a forecast knows better
            assert stops[1][1] == 0 or outlook.statuses[breaking.clean][0] in _UPSTREAM


@st.composite
def one_breaking_commit(draw: st.DrawFn) -> tuple[repositories.Case, int]:
    """Draw a history of which one commit changes the line that the second patch changes."""
    breaking = draw(st.integers(0, 9))
    base = {name: (repositories.FILE, repositories.lines(name, 30)) for name in ("f", "g")}
    trees = [base]
    for number in range(draw(st.integers(breaking + 1, 12))):
        places = [("f", 15)] if number == breaking else _elsewhere(draw)
        trees.append(_edited(trees[-1], places, f"upstream {number}"))
    first = _edited(base, [("g", 15)], "patch 1")
    second = _edited(first, [("f", 15)], "patch 2")
    return repositories.Case(base, tuple(trees[1:]), (first, second)), breaking


def _elsewhere(draw: st.DrawFn) -> Iterable[tuple[str, int]]:
    far = st.one_of(st.integers(0, 5), st.integers(24, 29))
    return draw(st.lists(st.tuples(st.sampled_from("fg"), far), min_size=1, max_size=3))


def _edited(files: Files, places: Iterable[tuple[str, int]], words: str) -> Files:
    made = dict(files)
    for path, at in places:
        mode, content = made[path]
        rows = content.splitlines(keepends=True)
        made[path] = (mode, b"".join([*rows[:at], f"{words}\n".encode(), *rows[at + 1 :]]))
    return made


@given(one_breaking_commit())
@settings(max_examples=15, derandomize=True, deadline=None)
def test_the_one_commit_that_breaks_a_patch_is_found(drawn: tuple[repositories.Case, int]) -> None:
    case, breaking = drawn
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        first, second = foresee(made).column.cells
    assert (first.status, first.breaking) == (Status.CLEAN, None)
    assert second.breaking is not None
    assert second.breaking.commit.oid == made.upstream[breaking]
    assert second.breaking.commit.subject == f"upstream {breaking + 1}"
