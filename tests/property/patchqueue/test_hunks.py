"""A patch in units: all of them make it, none makes nothing, and git says what landed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.proof import fates, units
from tensorflow_macos_build.patchqueue.proof.fates import UnitFate
from tensorflow_macos_build.patchqueue.replay import conflicts
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
            inputs = merges.MergeInputs(base, quarantine.tree(made.upstream[0]), theirs)
            units = fates.of_patch(quarantine, history, inputs, silent)
    assert {unit.fate for unit in units} <= {UnitFate.LANDED}


LINES = st.lists(st.sampled_from("abcde"), max_size=9)


@settings(max_examples=15, deadline=None)
@given(LINES, LINES, LINES)
# git's merge compares these otherwise than its diff does.
@example([*"bcc"], [*"bcdca"], [*"bcdcd"])
@example([*"cacb"], [*"aecba"], [*"acbb"])
@example([*"bcbcccca"], [*"bcbcacccab"], [*"bcbbcecccaa"])
@example([*"bcabbbbb"], [*"bcaabbbbbd"], [*"bcaebbbbc"])
def test_a_region_is_placed_where_its_lines_are(
    base: list[str], ours: list[str], theirs: list[str]
) -> None:
    texts = ["".join(f"{line}\n" for line in side).encode() for side in (base, ours, theirs)]
    with tempfile.TemporaryDirectory() as folder:
        git = Git(Path(folder) / "repository")
        git.init()
        with open_quarantine(git) as quarantine:
            blobs = [TreeEntry("100644", quarantine.write("blob", text)) for text in texts]
            merged = merges.merge(quarantine, *(quarantine.write_tree({"f": b}) for b in blobs))
            for file in merged.conflicted:
                for placed in conflicts.placed_hunks(quarantine, file):
                    for where, lines, text in (
                        (placed.base, placed.hunk.base, texts[0]),
                        (placed.ours, placed.hunk.ours, texts[1]),
                    ):
                        there = text.splitlines(keepends=True)[where.start : where.end]
                        assert b"".join(lines) in b"".join(there)
