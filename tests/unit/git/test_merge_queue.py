"""Merges that wait for a git: which ones are asked for first, and with which others."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from tensorflow_macos_build.git.merge_queue import Kind, MergeQueue, MergeRules, Urgency
from tensorflow_macos_build.git.merges import Stages
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.running_merges import RunningMergers

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine

KIND = Kind(MergeRules(), by_default=False, both_add=False)


def named(quarantine: Quarantine, path: str) -> Stages:
    """Return a file that both sides change."""
    sides = (quarantine.write("blob", f"{path}, {side}\n".encode()) for side in range(3))
    return Stages(path, *(TreeEntry("100644", oid) for oid in sides))


def questions(quarantine: Quarantine, waiting: dict[str, Urgency], kind: Kind = KIND) -> list[str]:
    """Return the paths of each question, in order of the alphabet."""
    queue = MergeQueue(quarantine, RunningMergers(quarantine))
    for path, urgency in waiting.items():
        queue.put(kind, named(quarantine, path), urgency)
    answers = iter(queue.receive, None)
    return sorted("".join(file.path for file in question.files) for question, _ in answers)


def test_the_longest_chain_is_asked_for_first_with_its_share_of_all_else(
    quarantine: Quarantine,
) -> None:
    """Thirty merges are left for one git, a chain of three of them: ten go with each of those."""
    waiting = {
        letter: Urgency(1, 3 if letter == "z" else 1) for letter in string.ascii_letters[:28]
    }
    assert questions(quarantine, waiting) == ["jklmnopqrstuvwxyAB", "zabcdefghi"]


def test_what_is_more_urgent_is_asked_for_alone(quarantine: Quarantine) -> None:
    waiting = {"a": Urgency(2, 5), "b": Urgency(1), "c": Urgency(2, 4)}
    assert questions(quarantine, waiting) == ["ac", "b"]


def test_a_file_whose_path_counts_is_asked_for_alone(quarantine: Quarantine) -> None:
    rules = MergeRules(by_path=True)
    waiting = dict.fromkeys("abc", Urgency())
    assert questions(quarantine, waiting, KIND._replace(rules=rules)) == ["a", "b", "c"]
