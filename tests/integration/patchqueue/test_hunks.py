"""`patches.hunks` and `patches.trim`, as people type them."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tests import command_line
from tests.repositories import FILE, Case, Made, make

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repositories import Files

TEXT = [f"line {number}" for number in range(60)]


def tree(*changes: tuple[int, str], **more: str) -> Files:
    lines = list(TEXT)
    for at, text in changes:
        lines[at] = text
    texts = {"f": "\n".join(lines) + "\n", **more}
    return {path: (FILE, text.encode()) for path, text in texts.items()}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Of four parts of the first patch one landed, one conflicts, two are clean."""
    mine = ((5, "landed change"), (25, "own change"), (45, "clean change"))
    upstream = tree((5, "landed change"), (25, "other change"))
    first, second = tree(*mine, new="own\n"), tree(*mine, (55, "second change"), new="own\n")
    return make(Case(tree(), (upstream,), (first, second)), tmp_path / "upstream.git")


def fates(*flags: str) -> list[str]:
    done = command_line.run("patches.hunks", "queue-1", *flags, "--onto", "upstream", "--json")
    document = json.loads(done.stdout)
    documents.check(document)
    return [f"{hunk['path']} {hunk['fate']}" for hunk in document["hunks"]]


def test_hunks_are_shown_by_fate_with_the_commits_behind_it(flags: tuple[str, ...]) -> None:
    assert fates(*flags) == ["f landed", "f conflicts", "f clean", "new clean"]
    shown = command_line.run("patches.hunks", "queue-1", *flags, "--onto", "upstream").stdout
    assert "4 hunks: 1 landed, 2 clean, 1 conflicts" in shown
    assert "landed in " in shown
    assert "meets " in shown
    assert "patches.trim 00100-queue-1.patch" in shown
    (keep,) = re.findall(r"^keep some: \S+ (.*)", shown, re.MULTILINE)
    assert command_line.run(*shlex.split(keep)).returncode == 0
    assert fates(*flags) == ["f clean", "new clean"]


def test_a_picks_hunks_are_shown_and_not_to_be_trimmed(made: Made, tmp_path: Path) -> None:
    oid = made.git.line("rev-parse", "upstream")
    pick = f"- {{commit: {oid}, reason: backport, drop-when: never}}"
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue/series").touch()
    (tmp_path / "queue/queue.yaml").write_text(
        f"upstream: {made.git.git_dir}\nref: base\ncommit: {made.base}\npicks:\n{pick}\n"
    )
    flags = ("--queue", str(tmp_path / "queue"), "--cache", str(tmp_path / "mirrors"))
    shown = command_line.run("patches.hunks", "commit-", *flags, "--onto", "upstream").stdout
    assert "2 landed" in shown
    assert f"patches.vendor commit-{oid[:12]}" in shown
    assert "patches.trim" not in shown


def test_what_landed_is_trimmed_and_the_patches_after_it_follow(
    flags: tuple[str, ...], made: Made, tmp_path: Path
) -> None:
    words = ("patches.trim", "queue-1", *flags, "--onto", "upstream")
    assert command_line.run(*words).returncode == 0
    assert fates(*flags) == ["f conflicts", "f clean", "new clean"]
    patch = tmp_path / "queue" / "00100-queue-1.patch"
    assert "landed change" not in patch.read_text()
    # the tree of the whole queue is what it was but for the hunk, by git's own answer
    target = tmp_path / "exported"
    made.git.run("clone", "--quiet", "--branch", "base", made.git.git_dir, target)
    files = sorted((tmp_path / "queue").glob("*.patch"))
    made.git.run("-C", target, "apply", *files)
    lines = (target / "f").read_text().split("\n")
    assert [lines[at] for at in (5, 25, 45, 55)] == [
        "line 5", "own change", "clean change", "second change",
    ]  # fmt: skip
    # typed again it does nothing
    before = patch.read_bytes()
    assert command_line.run(*words).returncode == 0
    assert patch.read_bytes() == before


def test_chosen_hunks_are_kept(flags: tuple[str, ...], tmp_path: Path) -> None:
    assert command_line.run("patches.trim", "queue-1", *flags, "--keep", "1,3-4").returncode == 0
    assert fates(*flags) == ["f landed", "f clean", "new clean"]
    assert "own change" not in (tmp_path / "queue" / "00100-queue-1.patch").read_text()


def test_where_all_hunks_landed_the_line_that_drops_the_patch_is_printed(
    flags: tuple[str, ...],
) -> None:
    assert command_line.run("patches.trim", "queue-1", *flags, "--keep", "1").returncode == 0
    refused = command_line.run("patches.trim", "queue-1", *flags, "--onto", "upstream")
    assert refused.returncode == 2
    assert re.search(r"`\S+ patches\.drop --queue .* --cache .* 00100-queue-1", refused.stderr)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--keep", "1-4"), "nothing of 00100-queue-1.patch would be left out"),
        (("--keep", "7"), "has no hunk 7; it has 4"),
        (("--keep", "some"), "give numbers of hunks, such as 1,3-5"),
        ((), "give one of --keep and --onto"),
    ],
)
def test_what_cannot_be_trimmed_is_refused(
    flags: tuple[str, ...], tmp_path: Path, words: tuple[str, ...], error: str
) -> None:
    before = {path.name: path.read_bytes() for path in (tmp_path / "queue").glob("*.patch")}
    done = command_line.run("patches.trim", "queue-1", *flags, *words)
    assert (done.returncode, error in done.stderr) == (2, True)
    after = {path.name: path.read_bytes() for path in (tmp_path / "queue").glob("*.patch")}
    assert after == before
