from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import ObjectMissing
from tensorflow_macos_build.patchqueue.replay.replay import replay
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict, StepOutcome
from tests.repositories import FILE, Case, Made, lines, make

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repositories import Files


def edited(number: int, upstream: bool) -> Files:
    """Five files in folders; the first `number` are edited at the end, and all of upstream's."""
    files: Files = {}
    for at in range(5):
        content = lines(str(at))
        head, tail = (b"upstream\n" if upstream else b""), (b"mine\n" if at < number else b"")
        files[f"a/{at}/f"] = (FILE, head + content + tail)
    return files


@pytest.fixture
def made(tmp_path: Path) -> Made:
    patches = tuple(edited(number, upstream=False) for number in range(1, 6))
    case = Case(edited(0, upstream=False), (edited(0, upstream=True),), patches)
    return make(case, tmp_path / "repository")


def test_no_tree_is_written_that_nobody_asked_for(made: Made) -> None:
    """Of five patches whose files git merges, only the last tree is there; asked for, all are."""
    with open_quarantine(made.git) as quarantine:
        asked = replay(quarantine, made.onto, made.patches, write_trees=True)
    assert {step.outcome for step in asked.steps} == {StepOutcome.MERGED}
    trees = [step.after for step in asked.steps]
    with open_quarantine(made.git) as quarantine:
        done = replay(quarantine, made.onto, made.patches, OnConflict.SKIP)
        assert done.tree == trees[-1]
        assert quarantine.objects.tree(done.tree)
        for tree in trees[:-1]:
            with pytest.raises(ObjectMissing):
                quarantine.objects.read(tree)
