"""Programs of git's that go on running answer as one does that is started for each question."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import diffs, trees
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import Quarantine, open_quarantine
from tensorflow_macos_build.git.repository import Git, ObjectMissing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def quarantine(tmp_path: Path) -> Iterator[Quarantine]:
    git = Git(tmp_path / "r.git")
    git.init()
    with open_quarantine(git) as quarantine:
        yield quarantine


def tree_of(quarantine: Quarantine, content: bytes) -> str:
    return quarantine.write_tree({"f": TreeEntry("100644", quarantine.write("blob", content))})


def test_many_questions_at_once_and_one_after_another_have_the_answers_of_one_program(
    quarantine: Quarantine,
) -> None:
    made = [tree_of(quarantine, b"%d\n" % number) for number in range(400)]
    pairs = list(itertools.pairwise(made))  # 33 KB of ids: more than is asked at once
    alone = Git(quarantine.git.git_dir)
    whole = diffs.of_trees(quarantine.git, pairs)
    assert whole == diffs.of_trees(alone, pairs)
    assert [diffs.of_trees(quarantine.git, [pair])[0] for pair in pairs[:9]] == whole[:9]
    assert trees.between(quarantine.git, pairs) == trees.between(alone, pairs)


def test_a_question_about_a_missing_object_ends_no_later_one(quarantine: Quarantine) -> None:
    first, second = tree_of(quarantine, b"a\n"), tree_of(quarantine, b"b\n")
    gone = quarantine.write_tree({"f": TreeEntry("100644", "1" * 40)})
    for _ in range(2):
        assert len(diffs.of_trees(quarantine.git, [(first, second)])[0]) == 1
        with pytest.raises(ObjectMissing, match="1111"):
            diffs.of_trees(quarantine.git, [(first, gone)])
