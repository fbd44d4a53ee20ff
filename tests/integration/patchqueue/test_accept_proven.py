"""`rebase --propose` and `rebase.start --accept-proven`, as people type them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tests import command_line
from tests.repositories import FILE, Case, Made, make

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repositories import Files

BASE = {"a.py": "size = 1\n", "gone.py": "one()\ntwo()\nthree()\n", "b.py": "b()\n"}


def tree(**changes: str | None) -> Files:
    texts = {**BASE, **{f"{name}.py": text for name, text in changes.items()}}
    return {path: (FILE, text.encode()) for path, text in texts.items() if text is not None}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Upstream changed what the first patch changes and more, and deleted what the second cuts."""
    upstream = tree(a="size = 2\nmore()\n", gone=None, b="b()\nupstream()\n")
    first = tree(a="size = 2\n")
    second = {**first, **tree(a="size = 2\n", gone="one()\nthree()\n", new="own()\n")}
    case = Case(tree(), (upstream,), (first, second))
    return make(case, tmp_path / "upstream.git")


def test_proofs_are_shown_and_nothing_is_taken(flags: tuple[str, ...], tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in (tmp_path / "queue").iterdir()}
    words = (*flags, "--onto", "upstream", "--propose")
    done = command_line.run("rebase", *words, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    documents.check(document)
    whole = {proposal["patch"]: proposal["whole"] for proposal in document["proposals"]}
    assert list(whole.values()) == [True, True]
    shown = command_line.run("rebase", *words).stdout
    assert "a.py, region 1 of 1: upstream has it; upstream's side stands" in shown
    assert "gone.py: upstream deleted it, and the patch only takes lines away" in shown
    assert "--accept-proven" in shown
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "queue").iterdir()}


def test_accepted_proofs_are_recorded_as_such(
    flags: tuple[str, ...], made: Made, tmp_path: Path
) -> None:
    again = shutil.copytree(tmp_path / "queue", tmp_path / "again")
    work = ("--work", str(tmp_path / "work"))
    done = command_line.run("rebase.start", *flags, *work, "--onto", "upstream", "--accept-proven")
    assert (done.returncode, done.stderr.count("error")) == (0, 0)
    assert "no longer in the queue: 00100-queue-1.patch: resolved" in done.stdout
    files = sorted((tmp_path / "queue" / "resolutions").iterdir())
    assert [json.loads(file.read_text())["proof"] for file in files] == [
        "upstream-has-it",
        "stays-deleted",
    ]
    assert [path.name for path in (tmp_path / "queue").glob("*.patch")] == ["00200-queue-2.patch"]
    # they are resolutions like any other: the queue as it was is moved by them without a question
    shutil.copytree(tmp_path / "queue" / "resolutions", again / "resolutions")
    other = ("--queue", str(again), *flags[2:], "--onto", "upstream", "--json")
    document = json.loads(command_line.run("rebase", *other).stdout)
    assert [patch["status"] for patch in document["patches"]] == ["resolved", "resolved"]
    upstream = made.git.out("ls-tree", "upstream")
    own = made.git.line("rev-parse", "queue:new.py")
    tree_id = made.git.line("mktree", stdin=upstream + f"100644 blob {own}\tnew.py\n".encode())
    assert document["tree"] == tree_id


def test_a_file_that_moved_is_left_to_people(tmp_path: Path) -> None:
    """Upstream wrote the file anew elsewhere, with the line that the patch takes away."""
    upstream = tree(gone=None, moved="two()\nother()\nmany()\nmore()\nlines()\n")
    made = make(Case(tree(), (upstream,), (tree(gone="one()\nthree()\n"),)), tmp_path / "up.git")
    named = ("--queue", str(tmp_path / "queue"), "--cache", str(tmp_path / "mirrors"))
    span = ("--range", f"{made.base}..queue", "--upstream", str(made.git.git_dir))
    assert command_line.run("patches.import", *named, *span).returncode == 0
    done = command_line.run("rebase", *named, "--onto", "upstream", "--propose", "--json")
    (proposal,) = json.loads(done.stdout)["proposals"]
    assert (proposal["whole"], proposal["files"][0]["deleted"]) == (False, False)


def test_without_the_flag_the_first_conflict_is_shown(
    flags: tuple[str, ...], tmp_path: Path
) -> None:
    work = ("--work", str(tmp_path / "work"))
    done = command_line.run("rebase.start", *flags, *work, "--onto", "upstream")
    assert done.returncode == 1
    assert "patch 1 of 2 is in conflict" in done.stdout
    (tmp_path / "work" / "a.py").write_text("size = 2\nmore()\n")
    done = command_line.run("rebase.continue", *flags, *work, "--accept-proven")
    assert done.returncode == 0
    files = sorted((tmp_path / "queue" / "resolutions").iterdir())
    proofs = [json.loads(file.read_text()).get("proof") for file in files]
    assert proofs == [None, "stays-deleted"]
