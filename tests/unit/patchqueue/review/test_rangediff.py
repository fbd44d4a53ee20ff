import os
import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.patchqueue.review import rangediff
from tensorflow_macos_build.patchqueue.review.rangediff import PatchFate, QueueEntry
from tensorflow_macos_build.views import rangediff_page


def entry(number: int, name: str, *added: str, start: int = 1, ident: str = "0" * 40) -> QueueEntry:
    lines = [f"From {ident} Mon Sep 17 00:00:00 2001", f"Subject: {name}", "", "---"]
    lines += [f"--- a/{name}", f"+++ b/{name}", f"@@ -{start},0 +{start},{len(added)} @@"]
    return QueueEntry(
        f"{number:04}-{name}.patch", name, "\n".join([*lines, *(f"+{a}" for a in added)])
    )


def fates(old: list[QueueEntry], new: list[QueueEntry]) -> list[tuple[str, str]]:
    return [(pair.subject, pair.fate.value) for pair in rangediff.compare(old, new)]


def test_a_patch_that_only_moved_is_the_same() -> None:
    old = [entry(1, "a", "x", "y")]
    new = [entry(7, "a", "x", "y", start=91, ident="f" * 40)]
    assert fates(old, new) == [("a", "same")]


def test_what_a_patch_makes_of_line_ends_and_of_patch_files_is_its_meaning() -> None:
    for before, after in (("x", "x\r"), ("x\fy", "x\vy"), ("@@ -1 +1 @@ f", "@@ -2 +2 @@ f")):
        (pair,) = rangediff.compare([entry(1, "a", before)], [entry(1, "a", after)])
        assert pair.fate is PatchFate.CHANGED
        assert pair.difference.split("\n")[-2:] == [f"-+{before}", f"++{after}"]


def test_a_removed_patch_stands_where_it_was_and_is_shown_whole() -> None:
    old = [entry(1, "a", "1"), entry(2, "b", "2"), entry(3, "c", "3")]
    new = [entry(1, "a", "1"), entry(3, "c", "3")]
    pairs = rangediff.compare(old, new)
    assert [(pair.subject, pair.fate) for pair in pairs] == [
        ("a", PatchFate.SAME),
        ("b", PatchFate.REMOVED),
        ("c", PatchFate.SAME),
    ]
    assert pairs[1].difference == old[1].text


def test_a_renamed_and_reworded_patch_is_found_by_its_text() -> None:
    old = [entry(1, "one", *"abcdefgh")]
    new = [entry(1, "two", *"abcdefgx")]
    [pair] = rangediff.compare(old, new)
    assert pair.fate is PatchFate.CHANGED
    assert "-+h" in pair.difference.splitlines()
    assert "++x" in pair.difference.splitlines()


def test_patches_with_nothing_in_common_are_not_one_patch() -> None:
    assert fates([entry(1, "one", *"abc")], [entry(1, "two", *"xyz")]) == [
        ("one", "removed"),
        ("two", "added"),
    ]


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 9), max_size=6, unique=True),
    st.lists(st.integers(0, 9), max_size=6, unique=True),
)
def test_every_patch_of_both_queues_is_named_once(before: list[int], after: list[int]) -> None:
    old = [
        entry(position, f"p{number}", f"line {number}") for position, number in enumerate(before)
    ]
    new = [entry(position, f"p{number}", f"line {number}") for position, number in enumerate(after)]
    pairs = rangediff.compare(old, new)
    assert sorted(pair.old.name for pair in pairs if pair.old) == sorted(e.name for e in old)
    assert [pair.new.name for pair in pairs if pair.new] == [e.name for e in new]
    assert {pair.subject for pair in pairs if pair.fate is PatchFate.SAME} == {
        f"p{number}" for number in set(before) & set(after)
    }


def test_the_fates_are_those_of_git_range_diff(tmp_path: Path) -> None:
    def git(*args: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        # one date for all: a clock that ticks between two commits would make a patch another one
        done = subprocess.run(
            ["git", *identity, *args],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "GIT_AUTHOR_DATE": "1700000000 +0000"},
        )
        return done.stdout

    def commit(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        git("add", ".")
        git("commit", "-qm", f"add {name}")

    def entries(span: str) -> list[QueueEntry]:
        ids = git("rev-list", "--reverse", span).split()
        texts = [git("format-patch", "-1", "--stdout", "--zero-commit", ident) for ident in ids]
        subjects = [git("log", "-1", "--format=%s", ident).strip() for ident in ids]
        return [
            QueueEntry(f"{n}-{s}", s, t)
            for n, (s, t) in enumerate(zip(subjects, texts, strict=True))
        ]

    body = "".join(f"line {number}\n" for number in range(20))
    git("init", "-q", "-b", "old")
    commit("base", "base\n")
    git("branch", "new")
    for name in ("kept", "edited", "dropped"):
        commit(name, f"{name}\n{body}")
    git("checkout", "-q", "new")
    commit("edited", f"edited\n{body}more\n")
    commit("kept", f"kept\n{body}")
    commit("fresh", "something else\n" * 5)
    theirs = git("range-diff", "--no-color", "base..old".replace("base", "new~3"), "new~3..new")
    marks = {
        line.split(" ", 7)[-1].strip().split()[-1]: line.split(":")[1].split()[1]
        for line in theirs.splitlines()
        if line[:1] != " "
    }
    ours = {
        pair.subject.removeprefix("add "): rangediff_page.MARKS[pair.fate]
        for pair in rangediff.compare(entries("new~3..old"), entries("new~3..new"))
    }
    assert ours == marks == {"kept": "=", "edited": "!", "dropped": "<", "fresh": ">"}
