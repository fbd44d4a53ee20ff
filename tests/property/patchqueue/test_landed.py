"""Landed means that the effect is in the new tree, over histories that land, revert and rework."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.quarantine import Quarantine, open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tests import repositories
from tests.repositories import EXECUTABLE, FILE, Case, Made, commits_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tests.repositories import Files

SIZE = 12
PLACES = [(name, number) for name in ("f", "g") for number in range(SIZE)]
PLAIN = {place: (f"{place[0]} line {place[1]}",) for place in PLACES}
NOT_THERE = ("!",)
"""What the first place of a file holds that is not there."""

Place = tuple[str, int]
Content = tuple[str, ...]
State = dict[Place, Content]
"""What stands at each line of the base; a patch, or a commit, sets some places."""


@dataclass(frozen=True)
class History:
    """A case, and the messages of its commits; `{N}` stands for the id of upstream's commit N."""

    case: Case
    messages: Mapping[str, str]


def files(state: Mapping[Place, Content]) -> Files:
    made: Files = {"other": (FILE, b"other\n")}
    for name in ("f", "g"):
        pieces = [state[name, number] for number in range(SIZE)]
        if pieces[0] != NOT_THERE:
            text = "".join(f"{line}\n" for piece in pieces for line in piece)
            mode = EXECUTABLE if "run" in pieces[-1] else FILE
            made[name] = (mode, text.encode())
    return made


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a queue, and upstream's commits that land, squash, revert, repeat and rework it."""
    patches = [_edits(draw, f"mine {number}") for number in range(draw(st.integers(1, 3)))]
    state: State = dict(PLAIN)
    past: list[State] = [state]
    landings: list[list[int]] = []
    subjects: dict[str, str] = {}
    for number in range(1, draw(st.integers(1, 5)) + 1):
        state, landed = _commit(draw, state, past, patches, number)
        landings.append(landed)
        subjects[f"upstream {number}"] = draw(
            st.sampled_from(("Do it", "Do it (#7)", 'Revert "Do it (#7)"', "Prepare for #7"))
        )
        past.append(state)
    queue: list[State] = [dict(PLAIN)]
    for patch in patches:
        if files(queue[-1] | patch) != files(queue[-1]):  # git keeps what was empty from the start
            queue.append(queue[-1] | patch)
    messages = {
        f"queue {number}": _message(draw, number, landings) for number in range(1, len(queue))
    }
    assume(len(queue) > 1)
    case = Case(files(PLAIN), tuple(map(files, past[1:])), tuple(map(files, queue[1:])))
    return History(case, subjects | messages)


def _edits(draw: st.DrawFn, salt: str) -> State:
    places = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True))
    return {place: draw(_contents(place, salt)) for place in places}


def _contents(place: Place, salt: str) -> st.SearchStrategy[Content]:
    own, was = f"{salt} at {place[1]}", PLAIN[place][0]
    kinds = [(own,), (own,), (own, f"{own} too"), (), (was, own), ("same",), (was, "same"), ("}",)]
    if place[1] == 0:
        kinds.append(NOT_THERE)
    if place[1] == SIZE - 1:
        kinds.append((was, "run"))
    return st.sampled_from(kinds)


def _commit(
    draw: st.DrawFn, state: State, past: list[State], patches: list[State], number: int
) -> tuple[State, list[int]]:
    """Make upstream's next commit; also return the numbers of the patches that it lands."""
    at = draw(st.integers(0, len(patches) - 1))
    match draw(st.sampled_from(("land", "land", "part", "squash", "revert", "own", "near"))):
        case "land":
            return state | patches[at], [at]
        case "part":
            kept = draw(st.sampled_from(sorted(patches[at])))
            return state | {kept: patches[at][kept]}, []
        case "squash":
            return {**state, **{k: v for p in patches[: at + 1] for k, v in p.items()}}, [at]
        case "revert":
            return dict(draw(st.sampled_from(past))), []
        case "near":
            name, line = draw(st.sampled_from(sorted(patches[at])))
            beside = (name, max(0, min(SIZE - 1, line + draw(st.sampled_from((-1, 1))))))
            return {**state, beside: (f"theirs {number}",)}, []
        case _:
            return state | _edits(draw, f"theirs {number}"), []


def _message(draw: st.DrawFn, number: int, landings: list[list[int]]) -> str:
    """Write a patch's message: it names what landed it, or any commit, or only mentions."""
    oids = [f"{{{at}}}" for at in range(len(landings))]
    true = [oid for oid, landed in zip(oids, landings, strict=True) if number - 1 in landed]
    some = draw(st.lists(st.sampled_from(oids), max_size=2))
    picked = "".join(f"(cherry picked from commit {oid})\n" for oid in (*true, *some))
    upstream = f"Upstream: {(true or oids)[0]}\n"
    mention = "Reason: fork-only\nUpstream: https://github.com/t/t/issues/7\n"
    broken = f"Upstream: broken by {oids[0]}\n"
    claim = draw(st.sampled_from(("", picked, upstream, "Upstream: #7\n", mention, broken)))
    return f"queue {number}\n\n{claim}"


def make(history: History, folder: Path) -> Made:
    """Write a history; the ids in messages are known from a first time without them."""
    plain = {name: text for name, text in history.messages.items() if name.startswith("up")}
    ids = repositories.make(history.case, folder / "first", plain).upstream
    messages = {name: text.format(*ids) for name, text in history.messages.items()}
    return repositories.make(history.case, folder / "repository", messages)


@given(histories())
@settings(max_examples=40, derandomize=True, deadline=None)
def test_no_patch_is_dropped_whose_lines_the_new_tree_lacks(history: History) -> None:
    """Law: whatever commits and messages say. The lines are compared as a person would."""
    with tempfile.TemporaryDirectory() as scratch:
        made = make(history, Path(scratch))
        for policy in (OnConflict.PROVISIONAL, OnConflict.SKIP):
            for dropped in dropped_by(made, policy):
                note(f"{policy} {dropped}")
                assert not dropped.missing, dropped


@given(histories())
@settings(max_examples=25, derandomize=True, deadline=None)
def test_git_rebase_carries_the_patches_that_are_not_landed(history: History) -> None:
    """Law: git, told to skip at each stop, has the same patches left, and the same tree.

    So git stops at no landed patch, or to skip it is right, for its lines are there (above).
    """
    with tempfile.TemporaryDirectory() as scratch:
        made = make(history, Path(scratch))
        tree, stops = repositories.git_rebase_skipping(made, Path(scratch) / "work")
        git = made.git
        with open_quarantine(git) as quarantine:
            result, _ = engine.rebase_in(
                quarantine,
                QueueBase("", "base", made.base),
                made.onto,
                queue_of(made),
                OnConflict.SKIP,
            )
        kept = Git(Path(scratch) / "work" / ".git").line(
            "log", "--reverse", "--format=%s", f"{made.onto}..HEAD"
        )
        note(str([(patch.status, patch.in_tree) for patch in result.patches]))
        assert result.tree == tree
        assert [patch.subject for patch in result.patches if patch.in_tree] == kept.split("\n") * (
            bool(kept)
        )
        left = sum(patch.status.is_blocking for patch in result.patches)
        assert left <= stops


@dataclass(frozen=True)
class Dropped:
    """A patch that left the queue by itself, and what the tree that it was for lacks of it."""

    subject: str
    status: str
    missing: tuple[str, ...]


def dropped_by(made: Made, policy: OnConflict) -> list[Dropped]:
    patches = queue_of(made)
    with open_quarantine(made.git) as quarantine:
        base = QueueBase("", "base", made.base)
        result, done = engine.rebase_in(
            quarantine, base, made.onto, patches, policy, write_trees=True
        )
        before = [quarantine.tree(made.onto), *(step.after for step in done.steps)]
        dropped = []
        for patch, tree in zip(result.patches, before, strict=False):
            # One that waits for a conflict is named with it, and nothing is written meanwhile.
            waits = patch.status is Status.CLEAN_AFTER
            assert not (waits and result.ok)
            if not patch.in_tree and not patch.status.is_blocking and not waits:
                own = quarantine.parent_tree(patch.commit), quarantine.tree(patch.commit)
                sides = [texts_of(quarantine, oid) for oid in (*own, tree)]
                dropped.append(Dropped(patch.subject, patch.status.value, lacking(*sides)))
    return dropped


def texts_of(quarantine: Quarantine, tree: str) -> dict[str, list[str]]:
    objects = quarantine.objects
    return {
        name: objects.blob(entry.oid).decode().splitlines()
        for name, entry in objects.tree(tree).items()
    }


def queue_of(made: Made) -> tuple[QueueCommit, ...]:
    return commits_of(made.git, f"{made.base}..queue")


def lacking(
    base: Mapping[str, list[str]], patched: Mapping[str, list[str]], now: Mapping[str, list[str]]
) -> tuple[str, ...]:
    """Name what a patch does to lines that is not so now; of lines that are there once only."""
    faults = []
    for name in sorted({*base, *patched}):
        was, patched_lines, lines = (Counter(side.get(name, ())) for side in (base, patched, now))
        faults += [
            f"{name}: {line} is not there" for line in patched_lines - was if not lines[line]
        ]
        unique = [line for line in was if "line" in line and not patched_lines[line]]
        faults += [f"{name}: {line} is there" for line in unique if lines[line]]
        if (name in base) != (name in patched) and (name in now) != (name in patched):
            faults.append(f"{name} is there, or is not")
    return tuple(faults)
