from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.objects import TREE_MODE, TreeEntry, reading
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine, reached
from tensorflow_macos_build.patchqueue.rebase.partial import PartialRebase
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.resolutions import RecordedResolution, ResolvedPath
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tests import repositories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.rebase.partial import PatchConflict
    from tensorflow_macos_build.patchqueue.rebase.reached import Reached
    from tests.repositories import Made


def by_the_patch(quarantine: Quarantine, conflict: PatchConflict) -> RecordedResolution:
    """Return the resolution that takes the patch's side of each file."""
    results = tuple(
        ResolvedPath(file.path, "", None)
        if file.theirs is None
        else ResolvedPath(
            file.path,
            file.theirs.mode,
            file.theirs.oid.encode()
            if file.is_submodule
            else quarantine.objects.blob(file.theirs.oid),
        )
        for file in conflict.merged.conflicted
    )
    return RecordedResolution(conflict.patch.name, resolutions.met_in(conflict.merged), results)


@given(
    repositories.cases(patches=7) | repositories.one_sided(),
    st.lists(st.booleans(), min_size=7, max_size=7),
)
@settings(max_examples=40, derandomize=True, deadline=None)
def test_a_rebase_that_goes_on_from_conflict_to_conflict_is_the_whole_rebase(
    case: repositories.Case, settled: list[bool]
) -> None:
    """Law: how a conflict is settled changes nothing before it."""
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        patches = repositories.commits_of(made.git, f"{made.base}..queue")
        base = QueueBase("", "base", made.base)
        answers: tuple[RecordedResolution, ...] = ()
        left_out: frozenset[str] = frozenset()
        with open_quarantine(made.git) as quarantine:
            partial = PartialRebase(quarantine, base, made.onto, patches)
            for takes in (*settled, False, False):
                decisions = Decisions(answers, left_out)
                conflict = partial.go_on(decisions)
                with open_quarantine(made.git) as fresh:
                    whole, replayed = engine.rebase_in(
                        fresh,
                        base,
                        made.onto,
                        patches,
                        OnConflict.STOP,
                        decisions=decisions,
                        write_trees=True,
                    )
                assert partial.result() == whole
                if conflict is None:
                    steps = partial.replay_with_trees().steps
                    trees = [step.after for step in steps]
                    assert trees == [step.after for step in replayed.steps]
                    break
                event("settled" if takes else "left out")
                names = {answer.patch for answer in answers}
                if takes and conflict.patch.name not in names:
                    answers = (*answers, by_the_patch(quarantine, conflict))
                else:
                    left_out |= {conflict.patch.name}


def kept(made: Made, quarantine: Quarantine, came_to: Reached) -> Reached:
    """Return what a rebase reached as another process reads it from the repository."""
    folder = quarantine.write_tree(reached.entries(came_to))
    tree = quarantine.write_tree({reached.FOLDER: TreeEntry(TREE_MODE, folder)})
    commit = quarantine.write_commit(tree, [made.onto, made.base])
    quarantine.keep([commit], [made.onto, made.base])
    with reading(made.git) as objects:
        read = reached.load(objects, commit)
    assert read == came_to
    return read


def from_scratch(
    made: Made, base: QueueBase, patches: Sequence[QueueCommit], decisions: Decisions
) -> engine.RebaseResult:
    with open_quarantine(made.git) as fresh:
        return engine.rebase_in(
            fresh, base, made.onto, patches, OnConflict.STOP, decisions=decisions
        )[0]


@given(
    repositories.cases(patches=7) | repositories.one_sided(),
    st.lists(st.sampled_from(["settle", "settle", "leave out", "undo"]), min_size=8, max_size=8),
    st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=7, max_size=7),
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_a_step_that_goes_on_from_what_an_earlier_one_reached_is_the_whole_rebase(
    case: repositories.Case, moves: list[str], words: list[str], ages: list[int]
) -> None:
    """Law: nothing that is kept of earlier steps changes what comes out, whatever it is of.

    Each step is one of a process of its own. Decisions are also taken back; patches may have one
    subject, by which resolutions are theirs; and what is gone on from may be of any step before.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        patches = [
            replace(patch, name=f"{at:05}-{word}.patch")
            for at, (patch, word) in enumerate(
                zip(repositories.commits_of(made.git, f"{made.base}..queue"), words, strict=False)
            )
        ]
        base = QueueBase("", "base", made.base)
        decisions = Decisions()
        known: list[Reached] = []
        for move, age in zip(moves, ages, strict=True):
            before = known[-1 - min(age, len(known) - 1)] if known else None
            with open_quarantine(made.git) as quarantine:
                partial = PartialRebase(quarantine, base, made.onto, patches, reached=before)
                conflict = partial.go_on(decisions)
                result = partial.result()
                assert result == from_scratch(made, base, patches, decisions)
                event(f"{len(before.passed) if before else 0} passed before")
                if came_to := partial.reached(result):
                    known.append(kept(made, quarantine, came_to))
                if move == "undo":
                    decisions = Decisions(decisions.resolutions[1:])
                elif conflict is None:
                    assert partial.go_through(decisions) is None
                    assert partial.result() == result
                    break
                elif move == "settle":
                    answer = by_the_patch(quarantine, conflict)
                    decisions = replace(decisions, resolutions=(*decisions.resolutions, answer))
                else:
                    left_out = decisions.left_out | {conflict.patch.name}
                    decisions = replace(decisions, left_out=left_out)
                # as `continue` does, in the same process
                partial.go_on(decisions)
                assert partial.result() == from_scratch(made, base, patches, decisions)
