"""Submodules (git's `160000` entries) in conflict: reported with their commits, and settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.forecast import forecast
from tensorflow_macos_build.patchqueue.queue import commit_range, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase.session import RebaseSession
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.patchqueue.worktree.conflict_tree import Unresolved
from tensorflow_macos_build.patchqueue.worktree.work_tree import git_of
from tests.repositories import FILE, SUBMODULE, Case, lines, make
from tests.unit.patchqueue.rebase.test_engine import rebase_made

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repositories import Files, Made

BASE, OURS, THEIRS = ("1" * 40, "2" * 40, "3" * 40)
TEXT = lines("f")


def tree(commit: str, text: bytes = TEXT, **more: str) -> Files:
    """A file, and two submodules on the same commit."""
    links = {path: (SUBMODULE, oid.encode()) for path, oid in more.items()}
    return {
        "f": (FILE, text),
        "a/sub": (SUBMODULE, commit.encode()),
        "sub": (SUBMODULE, commit.encode()),
        **links,
    }


@pytest.fixture
def made(tmp_path: Path) -> Made:
    upstream = tree(OURS, TEXT.replace(b"line 4", b"theirs"))
    patch = tree(THEIRS, TEXT.replace(b"line 4", b"mine"))
    return make(Case(tree(BASE), (upstream,), (patch,)), tmp_path / "repository")


@pytest.mark.parametrize("policy", list(OnConflict))
def test_a_conflict_of_submodules_names_their_commits(made: Made, policy: OnConflict) -> None:
    result = rebase_made(made, policy)
    (patch,) = result.patches
    assert patch.status is Status.CONFLICT
    reports = {report.path: report for report in patch.evidence.conflicts}
    assert sorted(reports) == ["a/sub", "f", "sub"]
    for path in ("a/sub", "sub"):
        assert f"upstream has commit {OURS}, the patch has commit {THEIRS}" in reports[path].words
        assert [commit.oid for commit in reports[path].blamed] == [made.onto]
    assert patch.in_tree is (policy is OnConflict.PROVISIONAL)


def test_what_git_says_of_a_merge_is_read_to_its_end(made: Made) -> None:
    """git 2.38 and later end with advice on submodules, which is no counted record."""
    with open_quarantine(made.git) as quarantine:
        trees = [quarantine.tree(oid) for oid in (made.base, made.onto, made.patches[0])]
        merged = merges.merge(quarantine, *trees)
    assert [conflict.path for conflict in merged.conflicted] == ["a/sub", "f", "sub"]
    assert {path for message in merged.messages for path in message.paths} == {"a/sub", "f", "sub"}
    assert all(message.kind for message in merged.messages)


@pytest.mark.parametrize(
    ("upstream", "patch"),
    [
        ({"f": (FILE, TEXT), "sub": (FILE, b"a file\n")}, tree(THEIRS)),
        ({"f": (FILE, TEXT)}, tree(THEIRS)),
        ({"f": (FILE, TEXT), "sub/g": (FILE, b"a folder\n")}, tree(THEIRS)),
        (tree(OURS), {"f": (FILE, TEXT)}),
        (tree(OURS), {"f": (FILE, TEXT), "sub": (FILE, b"a file\n")}),
        (tree(BASE, new=OURS), tree(BASE, new=THEIRS)),
    ],
    ids=["to-file", "deleted", "to-folder", "deletes", "makes-a-file", "both-add"],
)
def test_submodules_that_meet_something_else_conflict(
    tmp_path: Path, upstream: Files, patch: Files
) -> None:
    made = make(Case(tree(BASE), (upstream,), (patch,)), tmp_path / "repository")
    for policy in OnConflict:
        (status,) = rebase_made(made, policy).patches
        assert status.status is Status.CONFLICT
        assert any("commit" in report.words for report in status.evidence.conflicts)


def test_a_forecast_finds_the_commit_that_moved_the_submodule(tmp_path: Path) -> None:
    upstream = (tree(BASE, TEXT + b"more\n"), tree(OURS, TEXT + b"more\n"))
    made = make(Case(tree(BASE), upstream, (tree(THEIRS),)), tmp_path / "repository")
    history = commit_range.read(made.git, made.base, made.patches[-1])
    base = QueueBase("embedded:", "base", made.base)
    queue = storage.save(tmp_path / "q", base, history.steps, made.git).queue
    (column,) = forecast.forecast(queue, made.git, ["upstream"]).columns
    (fate,) = column.cells
    assert fate.status is Status.CONFLICT
    assert fate.breaking is not None
    assert fate.breaking.commit.oid == made.upstream[1]


def test_a_conflict_of_submodules_is_settled_in_the_index(made: Made, tmp_path: Path) -> None:
    history = commit_range.read(made.git, made.base, made.patches[-1])
    base = QueueBase("embedded:", "base", made.base)
    queue = storage.save(tmp_path / "q", base, history.steps, made.git).queue
    work = tmp_path / "work"
    begun = RebaseSession(queue, made.git, work).start(made.onto)
    assert begun.paths == ("a/sub", "f", "sub")
    (work / "f").write_bytes(TEXT.replace(b"line 4", b"both"))
    with pytest.raises(Unresolved, match="submodules") as refused:
        RebaseSession(queue, made.git, work).go_on()
    assert "update-index --cacheinfo 160000,COMMIT,a/sub" in str(refused.value.hint)
    for path, oid in (("sub", THEIRS), ("a/sub", OURS)):
        git_of(work).run("update-index", "--cacheinfo", f"160000,{oid},{path}")
    done = RebaseSession(queue, made.git, work).go_on()
    assert done.done
    shown = made.git.line("ls-tree", "-r", "--format=%(objectname) %(path)", done.result.tree)
    assert [row for row in shown.split("\n") if row.endswith("sub")] == [
        f"{OURS} a/sub",
        f"{THEIRS} sub",
    ]
    again = storage.load(queue.folder)
    assert again.base.commit == made.onto
    (recorded,) = resolutions.load(queue.folder)
    chosen = {result.path: (result.mode, result.content) for result in recorded.results}
    assert chosen["sub"] == (SUBMODULE, THEIRS.encode())
