"""Where a pull request's change begins, on repositories that git makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.picking import fork_point

if TYPE_CHECKING:
    from pathlib import Path


class History:
    """Commits by their names, in a bare repository."""

    def __init__(self, folder: Path) -> None:
        self.git = Git(folder)
        self.git.init()
        self.ids: dict[str, str] = {}
        self.tree = self.git.line("mktree")

    def add(self, name: str, *parents: str) -> None:
        number = len(self.ids)
        when = f"A <a@b> {1_700_000_000 + number} +0000"
        lines = [f"tree {self.tree}", *(f"parent {self.ids[parent]}" for parent in parents)]
        text = "\n".join([*lines, f"author {when}", f"committer {when}", "", name, ""])
        words = ("hash-object", "-t", "commit", "-w", "--stdin")
        self.ids[name] = self.git.line(*words, stdin=text.encode())

    def branch(self, name: str, commit: str) -> None:
        self.git.run("update-ref", f"refs/heads/{name}", self.ids[commit])

    def point(self, head: str) -> str:
        base = fork_point.find(self.git, self.ids[head], "pull-7")
        return next(name for name, oid in self.ids.items() if oid == base)


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "up.git")
    for name, *parents in (
        ("A",), ("B", "A"), ("C", "B"), ("D", "C"),
        ("p", "A"), ("q", "p"),          # parts at A
        ("m", "q", "C"), ("r", "m"),     # C was merged into it
        ("s", "B"),                      # on a release branch
        ("both", "r", "s"),
    ):  # fmt: skip
        made.add(name, *parents)
    made.branch("main", "D")
    return made


def test_an_open_request_begins_at_the_newest_commit_that_upstream_has(history: History) -> None:
    assert history.point("q") == "A"
    assert history.point("r") == "C"


def test_a_request_that_a_merge_brought_in_begins_where_its_sides_met(history: History) -> None:
    history.add("merged", "D", "r")
    history.add("later", "merged")
    history.branch("main", "later")
    assert history.point("r") == "C"
    history.branch("release", "later")  # whichever branch has it
    assert history.point("q") == "A"


@pytest.mark.parametrize("head", ["C", "alone", "both"])
def test_what_history_does_not_tell_is_asked_for(history: History, head: str) -> None:
    """Commits of the branch itself, of another history, and of two branches merged."""
    history.add("alone")
    history.branch("release", "s")
    history.add("t", "s")
    history.branch("release", "t")
    if head == "both":
        history.git.run("update-ref", "-d", "refs/heads/main")
        history.branch("main", "C")
    with pytest.raises(UsageError, match="--base") as caught:
        history.point(head)
    assert caught.value.where == "pull-7"
