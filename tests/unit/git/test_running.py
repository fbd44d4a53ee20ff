"""Programs of git's that go on running answer as one does that is started for each question."""

from __future__ import annotations

import contextlib
import itertools
import threading
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import diffs, trees
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import Quarantine, open_quarantine
from tensorflow_macos_build.git.repository import Git, ObjectMissing

if TYPE_CHECKING:
    from pathlib import Path


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


def test_answers_that_come_beside_are_those_of_one_program(quarantine: Quarantine) -> None:
    """Of several programs, of many questions to one, and where others ask it meanwhile."""
    made = [tree_of(quarantine, b"%d\n" % number * 300) for number in range(300)]
    pairs = list(itertools.pairwise(made))
    alone = Git(quarantine.git.git_dir)
    waiting = [
        (part, context, diffs.ask_trees(quarantine.git, part, list, context=context))
        for context in (0, 1, 3)
        for part in (pairs[:100], pairs[100:200], pairs[200:])
    ]
    whole = diffs.of_trees(quarantine.git, pairs)
    for part, context, answer in waiting:
        assert answer() == diffs.of_trees(alone, part, context=context)
    assert whole == diffs.of_trees(alone, pairs)


def test_a_missing_object_is_named_by_each_answer_that_needs_it_and_by_no_other(
    quarantine: Quarantine,
) -> None:
    first, second = tree_of(quarantine, b"a\n"), tree_of(quarantine, b"b\n")
    gone = quarantine.write_tree({"f": TreeEntry("100644", "1" * 40)})
    asked = [(first, second), (first, gone), (second, first), (second, gone)]
    answers = [diffs.ask_trees(quarantine.git, [pair], list) for pair in asked]
    for pair, answer in zip(asked, answers, strict=True):
        if gone in pair:
            with pytest.raises(ObjectMissing, match="1111"):
                answer()
        else:
            assert len(answer()[0]) == 1
    assert len(diffs.of_trees(quarantine.git, [(first, second)])[0]) == 1


def test_what_nobody_reads_ends_with_the_quarantine(tmp_path: Path) -> None:
    """Also where git is at work, or waits for its answer to be read; no thread is left."""
    git = Git(tmp_path / "r.git")
    git.init()
    threads = threading.active_count()
    for leaves_by_interrupt in (False, True):
        with contextlib.suppress(KeyboardInterrupt), open_quarantine(git) as quarantine:
            made = [tree_of(quarantine, b"%d\n" % number * 50_000) for number in range(40)]
            pairs = list(itertools.pairwise(made))
            for context in range(6):
                for _ in range(5):
                    diffs.ask_trees(quarantine.git, pairs, list, context=context)
            if leaves_by_interrupt:
                raise KeyboardInterrupt
        assert not quarantine.git.git_dir.exists()
        assert threading.active_count() == threads
