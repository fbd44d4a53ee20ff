from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tests.repositories import FILE, Case, Made, commits_of, make

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseResult
    from tests.repositories import Files

TEXT = [f"line {number}" for number in range(1, 21)]
URL = "https://github.com/tensorflow/tensorflow.git"


def tree(**files: list[str]) -> Files:
    return {
        name: (FILE, "".join(f"{line}\n" for line in lines).encode())
        for name, lines in files.items()
    }


def changed(at: int, *new: str, was: list[str] = TEXT, take: int = 1) -> list[str]:
    """Return the lines with `take` of them from number `at` on (from 1) replaced."""
    return [*was[: at - 1], *new, *was[at - 1 + take :]]


def moved(
    folder: Path,
    upstream: list[Files],
    patches: list[Files],
    on_conflict: OnConflict = OnConflict.PROVISIONAL,
    messages: Mapping[str, str] | None = None,
) -> tuple[RebaseResult, Made]:
    folder.mkdir(exist_ok=True)
    case = Case(tree(f=TEXT, g=TEXT), tuple(upstream), tuple(patches))
    made = make(case, folder / "repository", messages)
    return rebase_made(made, on_conflict), made


def rebase_made(made: Made, on_conflict: OnConflict = OnConflict.PROVISIONAL) -> RebaseResult:
    patches = commits_of(made.git, f"{made.base}..queue")
    with open_quarantine(made.git) as quarantine:
        base = QueueBase(URL, "base", made.base)
        return engine.rebase_in(quarantine, base, made.onto, patches, on_conflict)[0]


def statuses(result: RebaseResult) -> list[Status]:
    return [patch.status for patch in result.patches]


def test_a_patch_whose_lines_only_move_is_clean(tmp_path: Path) -> None:
    upstream = [tree(f=["new", *TEXT], g=TEXT)]
    result, _ = moved(tmp_path, upstream, [tree(f=changed(15, "mine"), g=TEXT)])
    assert statuses(result) == [Status.CLEAN]
    assert result.ok


def test_a_patch_whose_context_changed_is_adapted_and_names_the_file(tmp_path: Path) -> None:
    upstream = [tree(f=changed(13, "theirs"), g=TEXT)]
    result, _ = moved(tmp_path, upstream, [tree(f=changed(15, "mine"), g=TEXT)])
    assert statuses(result) == [Status.ADAPTED]
    assert result.patches[0].evidence.changed_files == ("f",)


def test_a_patch_that_upstream_took_over_names_the_commit(tmp_path: Path) -> None:
    """Also when upstream changed the line beside it since, which git calls a conflict."""
    mine = tree(f=changed(15, "mine"), g=TEXT)
    beside = tree(f=changed(15, "mine", "theirs", take=2), g=TEXT)
    result, made = moved(tmp_path, [mine, beside], [mine])
    assert statuses(result) == [Status.UPSTREAM_IDENTICAL]
    (commit,) = result.patches[0].evidence.upstream
    assert commit.oid == made.upstream[0]
    assert commit.link == f"https://github.com/tensorflow/tensorflow/commit/{commit.oid}"
    assert result.tree == made.git.line("rev-parse", f"{made.onto}^{{tree}}")


def test_a_patch_that_upstream_reverted_since_is_carried_on(tmp_path: Path) -> None:
    mine = tree(f=changed(15, "mine"), g=TEXT)
    result, _ = moved(tmp_path, [mine, tree(f=TEXT, g=["x", *TEXT])], [mine])
    assert statuses(result) == [Status.CLEAN]
    assert result.patches[0].in_tree


def test_a_patch_that_landed_among_other_changes_names_the_commit(tmp_path: Path) -> None:
    upstream = [tree(f=TEXT, g=["x", *TEXT]), tree(f=changed(15, "mine"), g=["x", "y", *TEXT])]
    result, made = moved(tmp_path, upstream, [tree(f=changed(15, "mine"), g=TEXT)])
    assert statuses(result) == [Status.UPSTREAM_IDENTICAL]
    assert [commit.oid for commit in result.patches[0].evidence.upstream] == [made.upstream[1]]


def test_a_conflicting_patch_whose_recorded_commit_landed_is_left_out(tmp_path: Path) -> None:
    """Where the new tree holds its lines; upstream made another change, too."""
    mine = [tree(f=changed(15, "mine"), g=TEXT)]
    upstream = [tree(f=changed(15, "mine", "reviewed", take=2), g=TEXT)]
    _, before = moved(tmp_path / "before", upstream, mine)
    link = f"https://github.com/tensorflow/tensorflow/commit/{before.upstream[0]}"
    messages = {"queue 1": f"Fix it\n\nUpstream: {link}\n"}
    result, _ = moved(tmp_path / "after", upstream, mine, messages=messages)
    assert statuses(result) == [Status.UPSTREAM_CHANGED]
    assert result.patches[0].evidence.found_by == "recorded"
    assert result.ok


def test_a_recorded_commit_that_is_not_in_the_new_base_drops_nothing(tmp_path: Path) -> None:
    messages = {"queue 1": f"Fix it\n\nUpstream: {'ab' * 20}\n"}
    upstream = [tree(f=changed(15, "theirs"), g=TEXT)]
    patches = [tree(f=changed(15, "mine"), g=TEXT)]
    result, _ = moved(tmp_path, upstream, patches, messages=messages)
    assert statuses(result) == [Status.CONFLICT]


def test_a_patch_of_which_upstream_took_some_names_the_commit_and_goes_on(tmp_path: Path) -> None:
    upstream = [tree(f=changed(15, "mine f"), g=TEXT)]
    patches = [tree(f=changed(15, "mine f"), g=changed(15, "mine g"))]
    result, made = moved(tmp_path, upstream, patches)
    assert statuses(result) == [Status.UPSTREAM_IN_PART]
    assert [commit.oid for commit in result.patches[0].evidence.upstream] == [made.upstream[0]]
    assert result.patches[0].evidence.changed_files == ("f",)


def test_a_conflict_says_where_it_is_and_whose_change_it_meets(tmp_path: Path) -> None:
    """The culprit is the commit that changed the lines, not one that changed lines beside them."""
    upstream = [
        tree(f=["new", *TEXT], g=TEXT),
        tree(f=changed(16, "theirs", was=["new", *TEXT]), g=TEXT),
        tree(f=changed(16, "theirs again", was=["new", *TEXT]), g=["x"]),
        tree(f=changed(16, "theirs again", "and below", was=["new", *TEXT]), g=["x"]),
    ]
    result, made = moved(tmp_path, upstream, [tree(f=changed(15, "mine"), g=TEXT)])
    (conflict,) = result.patches[0].evidence.conflicts
    (hunk,) = conflict.hunks
    assert (hunk.base_line, hunk.base, hunk.theirs) == (15, ("line 15",), ("mine",))
    assert (hunk.line, hunk.ours) == (16, ("theirs again", "and below"))
    assert [commit.oid for commit in hunk.blamed] == [made.upstream[2], made.upstream[1]]
    assert hunk.blamed[0].subject == "upstream 3"
    assert hunk.blamed[0].author == "A U Thor <a@example.org>"


@pytest.mark.parametrize("on_conflict", [OnConflict.PROVISIONAL, OnConflict.SKIP])
def test_a_patch_on_lines_of_a_conflicting_one_is_clean_after_it(
    tmp_path: Path, on_conflict: OnConflict
) -> None:
    first = changed(15, "mine", "and mine")
    patches = [
        tree(f=first, g=TEXT),
        tree(f=first, g=changed(3, "other")),
        tree(f=changed(16, "and mine, too", was=first), g=changed(3, "other")),
    ]
    upstream = [tree(f=changed(15, "theirs"), g=TEXT)]
    result, _ = moved(tmp_path, upstream, patches, on_conflict)
    assert statuses(result) == [Status.CONFLICT, Status.CLEAN, Status.CLEAN_AFTER]
    assert result.patches[2].evidence.clean_after == ("0001",)
    assert result.patches[2].evidence.conflicts == ()
    assert result.patches[2].in_tree is (on_conflict is OnConflict.PROVISIONAL)
    assert not result.ok


def test_stopping_leaves_the_rest_not_reached(tmp_path: Path) -> None:
    first = tree(f=changed(15, "mine"), g=TEXT)
    upstream = [tree(f=changed(15, "theirs"), g=TEXT)]
    patches = [first, tree(f=changed(15, "mine"), g=changed(3, "other"))]
    result, _ = moved(tmp_path, upstream, patches, OnConflict.STOP)
    assert statuses(result) == [Status.CONFLICT, Status.NOT_REACHED]
    assert not result.ok


def test_a_file_that_upstream_deleted_names_the_commit(tmp_path: Path) -> None:
    upstream = [tree(f=changed(2, "x"), g=TEXT), tree(g=TEXT), tree(g=["y", *TEXT])]
    result, made = moved(tmp_path, upstream, [tree(f=changed(15, "mine"), g=TEXT)])
    (conflict,) = result.patches[0].evidence.conflicts
    assert conflict.kind == "CONFLICT (modify/delete)"
    assert [commit.oid for commit in conflict.blamed] == [made.upstream[1]]
    assert "deleted in upstream and modified in the patch" in conflict.words


def test_a_file_that_upstream_moved_is_followed(tmp_path: Path) -> None:
    upstream = [tree(h=["new", *TEXT], g=TEXT)]
    result, made = moved(tmp_path, upstream, [tree(f=changed(15, "mine"), g=TEXT)])
    assert statuses(result) == [Status.ADAPTED]
    assert [commit.oid for commit in result.patches[0].evidence.changed_by] == [made.upstream[0]]


def test_a_conflict_in_a_file_that_upstream_moved_names_who_changed_it(tmp_path: Path) -> None:
    upstream = [tree(h=TEXT, g=TEXT), tree(h=changed(15, "theirs"), g=TEXT)]
    result, made = moved(tmp_path, upstream, [tree(f=changed(15, "mine"), g=TEXT)])
    (conflict,) = result.patches[0].evidence.conflicts
    assert (conflict.path, conflict.hunks[0].base_line) == ("h", 15)
    assert [commit.oid for commit in conflict.blamed] == [made.upstream[1]]


def test_lines_that_upstream_only_deleted_name_who_did(tmp_path: Path) -> None:
    upstream = [tree(f=changed(14, "near"), g=TEXT), tree(f=changed(14, "near", take=2), g=TEXT)]
    result, made = moved(tmp_path, upstream, [tree(f=changed(15, "mine"), g=TEXT)])
    (conflict,) = result.patches[0].evidence.conflicts
    assert made.upstream[1] in [commit.oid for commit in conflict.blamed]
