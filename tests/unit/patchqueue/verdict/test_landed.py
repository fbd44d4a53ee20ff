"""Landed means that the new tree holds the patch's effect; a commit's existence is no proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tests.repositories import (
    EXECUTABLE,
    FILE,
    LINK,
    SUBMODULE,
    Case,
    Made,
    git_rebase_skipping,
    make,
)
from tests.unit.patchqueue.rebase.test_engine import rebase_made, statuses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseResult
    from tests.repositories import Files

NUMBERS = {number: str(number) for number in range(1, 31)}
COMMIT = "https://github.com/tensorflow/tensorflow/commit"


def f(changes: Mapping[int, str] | None = None, **more: tuple[str, bytes]) -> Files:
    """The lines 1 to 30 in `f`, some of them changed (to nothing: taken away)."""
    rows = {**NUMBERS, **(changes or {})}.values()
    return {"f": (FILE, "".join(f"{row}\n" for row in rows if row).encode()), **more}


def rebased(
    folder: Path,
    upstream: list[Files],
    patches: list[Files],
    messages: Mapping[str, str] | None = None,
    *,
    policy: OnConflict = OnConflict.PROVISIONAL,
    base: Files | None = None,
) -> tuple[RebaseResult, Made]:
    folder.mkdir(exist_ok=True)
    made = make(Case(base or f(), tuple(upstream), tuple(patches)), folder / "r", messages)
    return rebase_made(made, policy), made


@pytest.mark.parametrize("policy", list(OnConflict))
@pytest.mark.parametrize("words", ["", 'Revert "queue 1"\n\nThis reverts commit {}.\n'])
def test_a_landing_that_was_reverted_is_a_conflict_with_both_commits_named(
    tmp_path: Path, policy: OnConflict, words: str
) -> None:
    mine = f({15: "mine"})
    upstream = [mine, f(), f({16: "theirs"})]
    _, before = rebased(tmp_path / "before", upstream, [mine])
    messages = {"upstream 2": words.format(before.upstream[0])} if words else {}
    result, made = rebased(tmp_path / "after", upstream, [mine], messages, policy=policy)
    assert git_rebase_skipping(made, tmp_path / "work")[1] == 1
    assert statuses(result) == [Status.CONFLICT]
    evidence = result.patches[0].evidence
    assert [commit.oid for commit in evidence.upstream] == [made.upstream[0]]
    assert [commit.oid for commit in evidence.reverted_by] == [made.upstream[1]]


def test_a_landing_that_was_reverted_in_part_is_a_conflict(tmp_path: Path) -> None:
    mine = f({5: "mine", 15: "mine", 25: ""})
    for number, left in enumerate(({5: "mine", 15: "mine"}, {15: "mine", 25: ""}, {25: ""})):
        upstream = [mine, f({**left, 16: "theirs", 24: "theirs", 6: "theirs"})]
        result, _ = rebased(tmp_path / str(number), upstream, [mine])
        assert statuses(result) == [Status.CONFLICT]


def test_a_landing_that_was_reverted_and_made_again_is_one(tmp_path: Path) -> None:
    mine = f({15: "mine"})
    upstream = [mine, f(), mine, f({15: "mine", 16: "theirs"})]
    result, made = rebased(tmp_path, upstream, [mine])
    assert statuses(result) == [Status.UPSTREAM_IDENTICAL]
    assert result.tree == made.git.line("rev-parse", f"{made.onto}^{{tree}}")


def test_a_landing_that_upstream_changed_since_is_a_conflict(tmp_path: Path) -> None:
    mine = f({15: "mine"})
    result, made = rebased(tmp_path, [mine, f({15: "mine, again"})], [mine])
    assert statuses(result) == [Status.CONFLICT]
    evidence = result.patches[0].evidence
    assert ([commit.oid for commit in evidence.upstream], evidence.found_by) == (
        [made.upstream[0]],
        "same changes",
    )
    assert evidence.reverted_by == ()


@pytest.mark.parametrize("landed", [(1,), (2,), (1, 2)])
def test_all_commits_that_a_message_names_must_have_landed(
    tmp_path: Path, landed: tuple[int, ...]
) -> None:
    """Two commits picked into one patch; upstream has one of them, or both."""
    parts = {1: {10: "one"}, 2: {20: "two"}}
    changes: dict[int, str] = {}
    upstream = []
    for number in landed:
        changes |= parts[number]
        upstream.append(f(changes))
    upstream.append(f({**changes, 11: "theirs", 21: "theirs"}))
    mine = f({10: "one", 20: "two"})
    _, before = rebased(tmp_path / "before", upstream, [mine])
    ids = dict(zip(landed, before.upstream, strict=False))
    picked = [ids.get(number, f"{number}" * 40) for number in (1, 2)]
    message = "Two\n\n" + "".join(f"(cherry picked from commit {oid})\n" for oid in picked)
    result, made = rebased(tmp_path / "after", upstream, [mine], {"queue 1": message})
    expected = Status.UPSTREAM_CHANGED if len(landed) == 2 else Status.CONFLICT
    assert statuses(result) == [expected]
    assert [commit.oid for commit in result.patches[0].evidence.upstream] == list(
        made.upstream[: len(landed)]
    )
    assert result.patches[0].evidence.found_by == "recorded"


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        (
            "Mine\n\nReason: fork-only\nUpstream: https://github.com/tensorflow/tensorflow/issues/7\n",
            "Do it, as #7 asks",
        ),
        ("Mine\n\nUpstream: https://github.com/tensorflow/tensorflow/issues/7\n", "Do it (#7)"),
        (
            "Mine\n\nUpstream: https://github.com/tensorflow/tensorflow/pull/7\n",
            'Revert "other thing needed by #7"',
        ),
        (
            "Mine\n\nUpstream: https://github.com/tensorflow/tensorflow/pull/7\n",
            'Revert "Mine (#7)"',
        ),
        (
            "Mine\n\nUpstream: https://github.com/tensorflow/tensorflow/pull/7\n",
            "A step that prepares for #7",
        ),
        ("Mine\n\nUpstream: https://github.com/tensorflow/tensorflow/pull/7\n", "Other (#77)"),
        (
            "Mine\n\nUpstream: #7\n",
            "Other\n\nFixes #7, see https://github.com/tensorflow/tensorflow/pull/7",
        ),
        ("Mine (#7)\n", "Other (#7)"),
        ("Mine\n\nUpstream: broken by {}\n", "Other"),
        (
            "Mine\n\nUpstream: broken by https://github.com/tensorflow/tensorflow/commit/{}\n",
            "Other",
        ),
        (
            "Mine\n\nUpstream: https://github.com/tensorflow/tensorflow/commit/{} broke it\n",
            "Other",
        ),
        ("Mine\n\nReason: fork-only\nUpstream: {}\n", "Other"),
        ("Mine\n\nReason: fork-only\n(cherry picked from commit {})\n", "Other"),
        ("Mine\n\nBefore (cherry picked from commit {}) it worked.\n", "Other"),
    ],
)
def test_a_mention_proves_nothing(tmp_path: Path, message: str, subject: str) -> None:
    """Whatever the tree holds: here even the patch's own line, by the same commit's doing."""
    for name, theirs in (("lacks", {15: "theirs"}), ("holds", {15: "mine", 16: "x", 2: "y"})):
        upstream, mine = [f(theirs)], [f({15: "mine"})]
        _, before = rebased(tmp_path / name, upstream, mine, {"upstream 1": subject})
        messages = {"upstream 1": subject, "queue 1": message.format(before.onto)}
        result, _ = rebased(tmp_path / f"{name}-said", upstream, mine, messages)
        assert statuses(result) == [Status.CONFLICT]
        assert not result.ok


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("https://github.com/tensorflow/tensorflow/pull/7", "Mine, reviewed (#7)"),
        ("https://github.com/tensorflow/tensorflow/pull/7", "PR #7: Mine, reviewed"),
        (
            "https://github.com/tensorflow/tensorflow/pull/7",
            "Merge pull request #7 from a/b\n\nMine",
        ),
        (
            "https://github.com/tensorflow/tensorflow/pull/7",
            "Mine\n\nPR-URL: https://github.com/tensorflow/tensorflow/pull/7\n",
        ),
        (
            "https://github.com/tensorflow/tensorflow/pull/7",
            "Mine\n\nImported from GitHub PR https://github.com/tensorflow/tensorflow/pull/7\n",
        ),
        (
            "https://github.com/tensorflow/tensorflow/pull/7",
            "Mine\n\n"
            "COPYBARA_INTEGRATE_REVIEW=https://github.com/tensorflow/tensorflow/pull/7 from a:b\n",
        ),
        ("#7", "Mine, reviewed (#7)"),
    ],
)
def test_a_pull_request_has_landed_in_the_commit_that_came_of_it(
    tmp_path: Path, value: str, message: str
) -> None:
    messages = {
        "queue 1": f"Mine\n\nReason: upstreaming\nUpstream: {value}\n",
        "upstream 1": message,
    }
    upstream = [f({15: "mine", 16: "theirs"})]
    result, made = rebased(tmp_path, upstream, [f({15: "mine"})], messages)
    assert statuses(result) == [Status.UPSTREAM_CHANGED]
    evidence = result.patches[0].evidence
    assert ([commit.oid for commit in evidence.upstream], evidence.found_by) == (
        [made.onto],
        "recorded",
    )


def test_the_number_of_another_projects_pull_request_is_no_landing(tmp_path: Path) -> None:
    messages = {
        "queue 1": "Mine\n\nUpstream: https://github.com/openxla/xla/pull/7\n",
        "upstream 1": "Another thing (#7)",
    }
    upstream = [f({15: "mine", 16: "theirs"})]
    result, _ = rebased(tmp_path, upstream, [f({15: "mine"})], messages)
    assert statuses(result) == [Status.CONFLICT]


def test_a_recorded_commit_whose_effect_is_not_there_does_not_stand_for_the_patch(
    tmp_path: Path,
) -> None:
    """The patch is carried on, and the commit is named as evidence."""
    upstream, mine = [f({13: "theirs"})], [f({15: "mine"})]
    _, before = rebased(tmp_path / "before", upstream, mine)
    message = f"Mine\n\nReason: backport\nUpstream: {before.onto}\n"
    result, made = rebased(tmp_path / "after", upstream, mine, {"queue 1": message})
    assert statuses(result) == [Status.ADAPTED]
    evidence = result.patches[0].evidence
    assert ([commit.oid for commit in evidence.upstream], evidence.found_by) == (
        [made.onto],
        "recorded",
    )


def test_what_stands_on_a_patch_that_only_seems_landed_is_clean_after_it(tmp_path: Path) -> None:
    upstream = [f({15: "theirs"})]
    patches = [f({15: "mine"}), f({15: "mine", 16: "and mine"}), f({15: "mine", 16: "more"})]
    _, before = rebased(tmp_path / "before", upstream, patches)
    message = f"Mine\n\nUpstream: broken by {COMMIT}/{before.onto}\n"
    result, _ = rebased(tmp_path / "after", upstream, patches, {"queue 1": message})
    assert statuses(result) == [Status.CONFLICT, Status.CLEAN_AFTER, Status.CLEAN_AFTER]
    assert result.patches[2].evidence.clean_after == ("0001",)


def test_what_stands_on_a_landed_patch_is_judged_by_upstream_alone(tmp_path: Path) -> None:
    """Its conflict is none of the landed patch's, and what needs no more goes on."""
    upstream = [f({15: "mine"}), f({15: "mine", 16: "theirs"})]
    patches = [
        f({15: "mine"}),
        f({15: "mine", 16: "and mine"}),
        f({15: "mine", 16: "and mine", 25: "far"}),
    ]
    result, made = rebased(tmp_path, upstream, patches)
    assert statuses(result) == [Status.UPSTREAM_IDENTICAL, Status.CONFLICT, Status.CLEAN]
    (conflict,) = result.patches[1].evidence.conflicts
    assert [commit.oid for commit in conflict.blamed] == [made.upstream[1]]


REPEATED = {4: "same", 14: "same", 24: "same"}


@pytest.mark.parametrize(
    ("base", "patch", "left"),
    [
        ({4: "same"}, {4: "same", 15: "same"}, {4: "same", 25: "same"}),
        ({4: "same"}, {4: "same", 15: "same"}, {4: "same", 14: "", 13: "same"}),
        (REPEATED, {**REPEATED, 14: ""}, {**REPEATED, 24: "", 25: ""}),
        (REPEATED, {**REPEATED, 14: ""}, {4: "", 5: "", 14: "same", 24: "same"}),
        ({}, {15: "\tmine"}, {15: "    mine"}),
        ({}, {15: "mine"}, {15: "mine "}),
        ({}, {15: "mine"}, {15: "mine\r"}),
        ({}, {15: ""}, {15: "15", 14: "x"}),
    ],
    ids=["elsewhere", "beside", "other-gone", "first-gone", "indented", "blank", "cr", "removal"],
)
def test_equal_lines_elsewhere_and_other_white_space_are_not_the_patchs(
    tmp_path: Path, base: dict[int, str], patch: dict[int, str], left: dict[int, str]
) -> None:
    """Upstream made the patch's very change, then that of `left`, and changed what is beside."""
    mine = f(patch)
    upstream = [mine, f({**left, 16: "theirs", 13: left.get(13, "theirs")})]
    result, made = rebased(tmp_path, upstream, [mine], base=f(base))
    if git_rebase_skipping(made, tmp_path / "work")[1]:
        assert statuses(result) == [Status.CONFLICT]
    else:
        assert statuses(result)[0] in (Status.CLEAN, Status.ADAPTED, Status.UPSTREAM_IN_PART)


BINARY = bytes(range(256))
ONE, TWO, THREE = ("1" * 40).encode(), ("2" * 40).encode(), ("3" * 40).encode()


@pytest.mark.parametrize(
    ("base", "patch", "now", "holds"),
    [
        ((FILE, BINARY), (FILE, BINARY + b"x"), (FILE, BINARY + b"x"), True),
        ((FILE, BINARY), (FILE, BINARY + b"x"), (FILE, BINARY + b"xy"), False),
        ((LINK, b"a"), (LINK, b"b"), (LINK, b"b"), True),
        ((LINK, b"a"), (LINK, b"b"), (LINK, b"c"), False),
        ((SUBMODULE, ONE), (SUBMODULE, TWO), (SUBMODULE, TWO), True),
        ((SUBMODULE, ONE), (SUBMODULE, TWO), (SUBMODULE, THREE), False),
        ((FILE, b"a\n"), (EXECUTABLE, b"a\n"), (EXECUTABLE, b"a\nb\n"), True),
        ((FILE, b"a\n"), (EXECUTABLE, b"a\nc\n"), (FILE, b"a\nc\n"), False),
        ((FILE, b"a\n"), None, None, True),
        ((FILE, b"a\n"), None, (FILE, b"a\n\n"), False),
        (None, (FILE, b"a\nb\n"), (FILE, b"0\na\nb\nc\n"), True),
        (None, (FILE, b"a\nb\n"), (FILE, b"b\na\n"), False),
        (None, (FILE, b"a\nb\n"), None, False),
        (None, (EXECUTABLE, b"a\nb\n"), (FILE, b"a\nb\n"), False),
        (None, (FILE, b""), (FILE, b""), True),
        ((LINK, b"a"), (FILE, b"a\n"), (LINK, b"a"), False),
        ((FILE, b"a\nb"), (FILE, b"a\nb\n"), (FILE, b"a\nb"), False),
    ],
)  # fmt: skip
def test_every_kind_of_change_is_looked_for_in_the_tree(
    tmp_path: Path,
    base: tuple[str, bytes] | None,
    patch: tuple[str, bytes] | None,
    now: tuple[str, bytes] | None,
    holds: bool,
) -> None:
    """Beside a change of `f` that landed and that git cannot merge."""

    def tree(changes: dict[int, str], other: tuple[str, bytes] | None) -> Files:
        return f(changes, **({"g": other} if other else {}))

    mine = tree({15: "mine"}, patch)
    upstream = [mine, tree({15: "mine", 16: "theirs"}, now)]
    result, made = rebased(tmp_path, upstream, [mine], base=tree({}, base))
    assert git_rebase_skipping(made, tmp_path / "work")[1] == 1
    assert statuses(result) == [Status.UPSTREAM_IDENTICAL if holds else Status.CONFLICT]


def test_a_file_that_upstream_moved_after_it_landed_is_not_gone(tmp_path: Path) -> None:
    text = (FILE, b"".join(b"text %d\n" % number for number in range(30)))
    mine = f({15: "mine"})
    upstream = [mine, f({15: "mine", 16: "theirs"}, h=text)]
    result, _ = rebased(tmp_path, upstream, [mine], base=f(g=text))
    assert statuses(result) == [Status.CONFLICT]


@pytest.mark.parametrize(
    ("subject", "is_namesake"),
    [
        ("Do the thing", True),
        ("do the  thing", True),
        ("[r2.1] Do the thing (#9) (#12)", True),
        ("PR #9: Do the thing", True),
        ("Do the thing (#8)", False),
        ("Do the thing well", False),
    ],
)
def test_a_namesake_upstream_is_pointed_out_beside_a_conflict(
    tmp_path: Path, subject: str, is_namesake: bool
) -> None:
    messages = {"upstream 1": subject, "queue 1": "Do the thing (#9)"}
    result, made = rebased(tmp_path, [f({15: "theirs"})], [f({15: "mine"})], messages)
    assert statuses(result) == [Status.CONFLICT]
    evidence = result.patches[0].evidence
    assert [commit.oid for commit in evidence.upstream] == ([made.onto] if is_namesake else [])
    assert evidence.found_by == ("same subject" if is_namesake else "")
