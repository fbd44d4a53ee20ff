"""The search for a change, and the line of commits that it goes along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.forecast import bisection
from tensorflow_macos_build.patchqueue.forecast.bisection import BreakKind

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(st.booleans(), max_size=50), st.sets(st.integers(-3, 60)))
def test_each_turn_that_is_returned_is_one_and_they_alternate(
    between: list[bool], asked: set[int]
) -> None:
    """Law: so it is whatever is asked for, also where things turn between those positions."""
    states = [False, *between, True]
    turned = bisection.turns(len(states) - 1, lambda position: states[position], asked)
    changes = [states[position] for position in turned]
    assert all(states[position] is not states[position - 1] for position in turned)
    assert changes == [number % 2 == 0 for number in range(len(turned))]
    assert changes[-1]


@given(st.lists(st.booleans(), max_size=50), st.sets(st.integers(1, 50)))
def test_where_it_turns_only_at_what_is_asked_for_all_turns_are_returned(
    between: list[bool], more: set[int]
) -> None:
    states = [False, *between, True]
    true = [at for at in range(1, len(states)) if states[at] is not states[at - 1]]
    asked: list[int] = []

    def holds(position: int) -> bool:
        asked.append(position)
        return states[position]

    assert bisection.turns(len(states) - 1, holds, {*true, *more}) == true
    assert set(asked) <= {near for at in {*true, *more} for near in (at - 1, at)}


@given(st.integers(1, 5000), st.data())
def test_the_only_turn_is_found_with_as_many_questions_as_bits(
    last: int, data: st.DataObject
) -> None:
    change = data.draw(st.integers(1, last))
    questions: list[int] = []

    def holds(position: int) -> bool:
        questions.append(position)
        return position >= change

    assert bisection.turns(last, holds, ()) == [change]
    # one more than a bisection: first the position before the end is asked about
    assert len(questions) <= last.bit_length() + 1
    assert len(set(questions)) == len(questions)


class _Graph:
    """Commits by name, each with the parents that are named."""

    def __init__(self, folder: Path, parents: dict[str, str]) -> None:
        self.git = Git(folder)
        self.git.init()
        tree = self.git.line("hash-object", "-t", "tree", "-w", "--stdin")
        env = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }
        writer = Git(folder, env=env)
        self.ids: dict[str, str] = {}
        for name, above in parents.items():
            flags = [word for parent in above for word in ("-p", self.ids[parent])]
            self.ids[name] = writer.line("commit-tree", "-m", name, *flags, tree)

    def line(self, base: str, revision: str) -> tuple[str, list[BreakKind]]:
        """Return the line's commits by name, and how each breaks what the last did."""
        names = {oid: name for name, oid in self.ids.items()}
        with open_quarantine(self.git) as quarantine:
            # as if lines were asked for to all of them
            parents = bisection.FirstParents(self.git, self.ids[base], [*self.ids.values()])
            commits = bisection.line_of(parents, quarantine.objects, self.ids[revision])
            ways = [
                bisection.cause_of(quarantine.objects, commits, at)[0]
                for at in range(1, len(commits))
            ]
        return "".join(names[oid] for oid in commits), ways


GRAPH = {
    "a": "",
    "b": "a",
    "c": "b",
    "r": "b",
    "s": "r",
    "d": "c",
    "x": "c",
    "y": "x",
    "m": "dx",
    "t": "m",
}
"""a-b-c-d-m-t, with s on a release branch from b, and x merged into m."""


@pytest.mark.parametrize(
    ("base", "revision", "line", "ways"),
    [
        ("b", "d", "bcd", [BreakKind.PRESENT, BreakKind.PRESENT]),
        ("c", "t", "cdmt", [BreakKind.PRESENT] * 3),
        (
            "s",
            "d",
            "srbcd",
            [BreakKind.MISSING, BreakKind.MISSING, BreakKind.PRESENT, BreakKind.PRESENT],
        ),
        ("d", "b", "dcb", [BreakKind.MISSING, BreakKind.MISSING]),
        ("d", "d", "d", []),
        (
            "x",
            "t",
            "xcdmt",
            [BreakKind.MISSING, BreakKind.PRESENT, BreakKind.PRESENT, BreakKind.PRESENT],
        ),
        ("t", "y", "tmdcxy", [BreakKind.MISSING] * 3 + [BreakKind.PRESENT] * 2),
        (
            "t",
            "x",
            "tmdcx",
            [BreakKind.MISSING, BreakKind.MISSING, BreakKind.MISSING, BreakKind.PRESENT],
        ),
    ],
)
def test_the_line_goes_down_to_where_histories_meet_and_up_first_parents(
    tmp_path: Path, base: str, revision: str, line: str, ways: list[BreakKind]
) -> None:
    assert _Graph(tmp_path / "g", GRAPH).line(base, revision) == (line, ways)


def test_where_first_parents_do_not_connect_the_change_is_not_laid_to_one_commit(
    tmp_path: Path,
) -> None:
    graph = _Graph(tmp_path / "g", {**GRAPH, "1": "", "2": "1", "n": "2d"})
    assert graph.line("b", "2") == ("b12", [BreakKind.BETWEEN, BreakKind.PRESENT])
    assert graph.line("n", "d") == (
        "n21d",
        [BreakKind.MISSING, BreakKind.MISSING, BreakKind.BETWEEN],
    )
