"""A patch in units: all of them make it, none makes nothing, and git says what landed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.proof import fates, units
from tensorflow_macos_build.patchqueue.proof.fates import UnitFate
from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
from tests.repositories import Case, cases, make


@settings(max_examples=10, deadline=None)
@given(cases(patches=1, upstream=1), st.data())
def test_units_make_up_a_patch(case: Case, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = make(case, Path(folder) / "repository")
        with open_quarantine(made.git) as quarantine:
            before, after = map(quarantine.tree, (made.base, made.patches[0]))
            parts = units.units_of(quarantine, before, after)
            assert units.tree_with(quarantine, before, after, parts) == after
            assert units.tree_with(quarantine, before, after, []) == before
            # what one half leaves out the other one holds: git merges the two into the whole
            if parts and all(unit.hunk is not None for unit in parts):
                chosen = data.draw(st.sets(st.sampled_from(parts)))
                halves = (
                    units.tree_with(quarantine, before, after, half)
                    for half in (chosen, set(parts) - chosen)
                )
                merged = merges.merge(quarantine, before, *halves)
                assert (merged.clean, merged.tree) == (True, after)


@settings(max_examples=6, deadline=None)
@given(cases(patches=1, upstream=2))
def test_a_hunk_that_landed_leaves_nothing_to_do(case: Case) -> None:
    """A queue whose patch is upstream's own change: every part of it landed."""
    taken = Case(case.base, case.upstream, (case.upstream[0],))
    with tempfile.TemporaryDirectory() as folder:
        made = make(taken, Path(folder) / "repository")
        with open_quarantine(made.git) as quarantine:
            base, theirs = map(quarantine.tree, (made.base, made.patches[0]))
            history = UpstreamHistory(quarantine.git, made.base, made.upstream[0])
            merged = merges.merge(quarantine, base, quarantine.tree(made.upstream[0]), theirs)
            units = fates.of_patch(quarantine, history, merged, silent)
    assert {unit.fate for unit in units} <= {UnitFate.LANDED}
