from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.verdict.carried_texts import ComparedTrees

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pytest

    from tensorflow_macos_build.git.diffs import TreeDiff


def test_trees_are_compared_once_and_with_renames_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, bool]] = []
    ask_trees = diffs.ask_trees

    def counted(
        git: Git,
        pairs: Sequence[tuple[str, str]],
        read: Callable[[list[TreeDiff]], list[TreeDiff]],
        *,
        renames: bool,
    ) -> Callable[[], list[TreeDiff]]:
        asked.append((len(pairs), renames))
        return ask_trees(git, pairs, read, renames=renames)

    monkeypatch.setattr(diffs, "ask_trees", counted)
    git = Git(tmp_path)
    git.init()
    with open_quarantine(git) as quarantine:
        blob = TreeEntry("100644", quarantine.write("blob", b"a line\n"))
        empty, here, there = (
            quarantine.write_tree(entries) for entries in ({}, {"here": blob}, {"there": blob})
        )
        compared = ComparedTrees(quarantine)
        moved, came = (here, there), (empty, here)
        plain = compared.ask([moved, came, moved], renames=False)()
        assert compared.ask([came, moved], renames=False)() == [plain[1], plain[0]]
        (followed,) = compared.ask([moved], renames=True)()
    assert plain[0] == plain[2]
    assert [file.path for file in plain[0]] == ["here", "there"]
    assert [file.path for file in followed] == ["there"]
    assert asked == [(2, False), (1, True)]
