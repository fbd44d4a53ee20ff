from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.rebase.partial import PartialRebase
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.resolutions import RecordedResolution, ResolvedPath
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tests import repositories

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.rebase.partial import PatchConflict


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
