"""Picks on random repositories, with git as the judge."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, note, settings

from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.exchange import exporting
from tensorflow_macos_build.patchqueue.queue import materialise, storage
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase
from tensorflow_macos_build.patchqueue.queue.picks import Pick
from tests import repositories


@given(repositories.cases())
@settings(max_examples=20, derandomize=True, deadline=None)
def test_picks_make_the_tree_that_gits_cherry_picks_make(case: repositories.Case) -> None:
    """Law: those that git picks cleanly give its tree; those it cannot pick are told apart.

    Their export, patches alone, makes the same commits; and so does the queue that is written.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        tree, stops = repositories.git_rebase_skipping(made, Path(scratch) / "work")
        picks = tuple(Pick(oid, "", "", "backport", "never") for oid in made.patches)
        folder = Path(scratch) / "q"
        wanted = Queue("q", QueueBase("embedded:", "onto", made.onto), (), folder, picks)
        with open_quarantine(made.git) as quarantine:
            queue = materialise.applicable(wanted, quarantine)
            commits = materialise.commits(queue, quarantine)
            note(str([len(picks), len(queue.picks), stops]))
            assert len(queue.picks) <= len(picks) - stops
            before = quarantine.tree(made.onto)
            assert (commits[-1].tree if commits else before) == tree
            flat = materialise.commits(exporting.flattened(queue, quarantine), quarantine)
            assert [commit.id for commit in flat] == [commit.id for commit in commits]
            steps = []
            for commit, pick in zip(commits, queue.picks, strict=True):
                steps.append(PatchStep(commit.patch.header, before, commit.tree, pick=pick))
                before = commit.tree
            saved = storage.save(folder, queue.base, steps, quarantine.git)
        assert saved.queue.picks == queue.picks
