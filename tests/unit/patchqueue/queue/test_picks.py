"""What `picks:` of a `queue.yaml` may say: a file that somebody else may have written."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.edit import plan_file
from tensorflow_macos_build.patchqueue.queue import names, picks, queue_files
from tensorflow_macos_build.patchqueue.queue.picks import Pick
from tensorflow_macos_build.patchqueue.queue.queue_files import FilesOnDisk

if TYPE_CHECKING:
    from pathlib import Path

ID, OTHER = "1" * 40, "a" * 40
HEAD = f"upstream: 'embedded:'\nref: v1\ncommit: {ID}\n"
WHY = "reason: backport, drop-when: never"


def read(text: str) -> tuple[Pick, ...]:
    table, problems = tree.read(text.encode(), "queue.yaml")
    assert not problems
    return picks.read(table.items["picks"])


def test_a_pull_and_a_commit_are_read() -> None:
    commit, pull = read(
        f"picks:\n- commit: {OTHER}\n  reason: backport\n  drop-when: upstream  >= v2\n"
        "- pull: 126377\n  reason: upstreaming\n  drop-when: never\n  paths: [a/, '*.py']\n"
    )
    assert commit == Pick(OTHER, "", "", "backport", "upstream >= v2")
    assert (commit.name, commit.is_pinned) == (f"commit-{'a' * 12}", True)
    assert pull == Pick("", "126377", "", "upstreaming", "never", paths=("a/", "*.py"))
    assert (pull.name, pull.is_pinned) == ("pull-126377", False)
    assert [pull.takes(path) for path in ("a/b", "ab", "x/y.py", "y.c")] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "pick",
    [
        "x",
        "[x]",
        "{}",
        f"{{commit: {OTHER}}}",
        f"{{pull: 7, commit: {OTHER}, {WHY}}}",
        f"{{commit: {OTHER[1:]}, {WHY}}}",
        f"{{commit: {OTHER}1, {WHY}}}",
        f"{{commit: '{OTHER}\\n', {WHY}}}",
        f'{{commit: "{OTHER}\\n", {WHY}}}',
        f"{{commit: --upload-pack=x, {WHY}}}",
        f"{{commit: main, {WHY}}}",
        f"{{commit: {OTHER}, head: {ID}, base: {ID}, {WHY}}}",
        f"{{pull: 0, {WHY}}}",
        f"{{pull: -7, {WHY}}}",
        f"{{pull: 7/head, {WHY}}}",
        f"{{pull: ../7, {WHY}}}",
        f"{{pull: {'9' * 5000}, {WHY}}}",
        f"{{pull: 7, head: {ID}, {WHY}}}",
        f"{{pull: 7, head: {ID}, base: v1, {WHY}}}",
        "{pull: 7, reason: because, drop-when: never}",
        "{pull: 7, reason: backport, drop-when: some day}",
        f"{{pull: 7, {WHY}, url: --upload-pack=touch}}",
        f"{{pull: 7, {WHY}, url: ''}}",
        f"{{pull: 7, {WHY}, url: 'https://me:hunter2@host/x'}}",
        f"{{pull: 7, {WHY}, url: 'https://ghp_token@host/x'}}",
        f'{{pull: 7, {WHY}, owner: "a\\nReason: x"}}',
        f"{{pull: 7, {WHY}, paths: []}}",
        f"{{pull: 7, {WHY}, paths: a}}",
        f"{{pull: 7, {WHY}, paths: [[a]]}}",
        f"{{pull: 7, {WHY}, more: x}}",
        f"{{pull: 7, {WHY}}}\n- {{pull: 7, {WHY}}}",
    ],
)
def test_a_pick_that_says_something_else_is_refused(tmp_path: Path, pick: str) -> None:
    (tmp_path / "queue.yaml").write_text(f"{HEAD}picks:\n- {pick}\n")
    with pytest.raises(UsageError) as caught:
        queue_files.read_base(FilesOnDisk(tmp_path))
    assert str(tmp_path / "queue.yaml") in str(caught.value)
    assert len(str(caught.value)) < 2000
    assert "hunter2" not in str(caught.value)
    assert "ghp_token" not in str(caught.value)


def test_all_that_is_wrong_is_named_at_its_line() -> None:
    with pytest.raises(tree.ConfigError) as caught:
        read(f"picks:\n- pull: x\n  {WHY.replace(', ', chr(10) + '  ')}\n- commit: y\n")
    lines = {problem.source.line for problem in caught.value.problems}
    assert lines == {2, 5}


def test_too_many_picks_are_refused() -> None:
    many = "".join(f"- {{pull: {n}, {WHY}}}\n" for n in range(1, picks.MOST + 2))
    with pytest.raises(UsageError, match="at most"):
        read(f"picks:\n{many}")


LINE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1).filter(
    lambda text: not text.startswith("-")
)
PICKS = st.builds(
    Pick,
    st.just(OTHER),
    st.sampled_from(["", "7"]),
    st.just(ID),
    st.sampled_from(["backport", "fork-only", "upstreaming"]),
    st.sampled_from(["never", "upstream >= v2.22", "upstream has file a b"]),
    st.one_of(st.just(""), LINE),
    st.lists(LINE, max_size=3).map(tuple),
    st.one_of(st.just(""), LINE),
).map(lambda pick: pick if pick.pull else replace(pick, base=""))


@given(PICKS)
def test_what_is_written_is_read_as_it_was(pick: Pick) -> None:
    text = yaml.safe_dump({"picks": [picks.as_table(pick)]}, allow_unicode=True)
    assert read(text) == (pick,)


@given(st.lists(PICKS, max_size=2), st.lists(PICKS, max_size=2))
def test_only_the_same_picks_have_the_same_digest(first: list[Pick], second: list[Pick]) -> None:
    same = [*picks.digest_parts(first)] == [*picks.digest_parts(second)]
    assert same == (first == second)


def test_of_two_picks_with_one_name_the_second_is_pointed_at() -> None:
    pick = f"- {{commit: {OTHER}, {WHY}}}\n"
    with pytest.raises(UsageError, match="is picked twice") as raised:
        read(f"picks:\n{pick}- {{pull: 7, {WHY}}}\n{pick}")
    assert raised.value.where.startswith("queue.yaml:4:")
    assert raised.value.hint == "leave one of the two out"


def test_a_name_that_is_no_picks_is_told_of_picks() -> None:
    with pytest.raises(UsageError, match="the queue has no pick `nope`") as raised:
        names.position(["pull-7"], "nope", kind="pick")
    assert raised.value.hint == "the queue's `queue.yaml` lists its picks"


@pytest.mark.parametrize(
    ("request_", "typed"),
    [
        (
            ("patches.pick", "pull-8", ID, OTHER, "backport", "never", "", "", "a b"),
            "patches.pick 8 --reason backport --drop-when never --path 'a b'",
        ),
        (
            ("patches.pick", f"commit-{ID[:12]}", ID, "", "backport", "never", "", ""),
            f"patches.pick {ID} --reason backport --drop-when never",
        ),
        (("patches.pin", "pull-8", ID, OTHER), "patches.pin"),
        (("patches.trim", "fix", "1", "3"), "patches.trim fix --keep 1,3"),
        (("patches.trim", "fix", "onto", "v2"), "patches.trim fix --onto v2"),
        (
            ("patches.trailers", "replace", "*x", "", "Drop-When: never", "Owner: A"),
            "patches.trailers --replace --patch '*x' --drop-when never --owner A",
        ),
        (("patches.reorder", "a", "before", "b"), "patches.reorder a --before b"),
        (("patches.split", "a", "S t", "x"), "patches.split a --subject 'S t' --path x"),
        (("patches.fold", "a", "b"), "patches.fold a --into b"),
        (("patches.drop", "a"), "patches.drop a"),
    ],
)
def test_a_change_under_way_is_shown_as_it_is_typed(request_: tuple[str, ...], typed: str) -> None:
    assert shlex.join(plan_file.words(request_)) == typed
