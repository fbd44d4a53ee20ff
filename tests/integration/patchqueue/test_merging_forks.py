"""What `patches.import` makes of a small fork that merged upstream, flag by flag."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.exchange import importing
from tensorflow_macos_build.patchqueue.exchange.importing import (
    ImportSource,
    MergingRange,
    SourceKind,
)
from tensorflow_macos_build.patchqueue.queue import storage
from tests import command_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LINES = [f"line {number}\n" for number in range(40)]


class Repository:
    """A work tree, in which somebody commits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "upstream")

    def git(self, *args: str | Path, author: str = "An Author", status: int = 0) -> str:
        role = {"NAME": author, "EMAIL": f"{author[:2].lower()}@example.org"}
        dates = {f"GIT_{who}_DATE": "1700000000 +0100" for who in ("AUTHOR", "COMMITTER")}
        people = {f"GIT_{w}_{k}": v for w in ("AUTHOR", "COMMITTER") for k, v in role.items()}
        env = {**os.environ, **people, **dates, "GIT_CONFIG_GLOBAL": os.devnull}
        argv = ["git", "-C", self.folder, *args]
        done = subprocess.run(argv, capture_output=True, env=env, text=True, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout.strip()

    def commit(self, subject: str, files: Mapping[str, str], author: str = "An Author") -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-qm", subject, author=author)


def changed(**lines: str) -> str:
    """Return the file, with other lines where the names say so."""
    replaced = {int(key[1:]): value for key, value in lines.items()}
    return "".join(f"{replaced[at]}\n" if at in replaced else line for at, line in enumerate(LINES))


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Upstream's v1, v2 and v3; the fork merges v2 with a conflict, a branch, and v3 with none."""
    made = Repository(tmp_path_factory.mktemp("fork") / "work")
    made.commit("v1", {"core/a": changed(), "core/b": changed()})
    made.git("tag", "v1")
    made.commit("v2", {"core/a": changed(_5="upstream's five")})
    made.git("tag", "v2")
    made.commit("v3", {"core/b": changed(_30="upstream's thirty")})
    made.git("tag", "v3")
    made.git("checkout", "-q", "-b", "fork", "v1")
    made.commit("Change five", {"core/a": changed(_5="our five")})
    made.commit("Add a tool", {"tools/run": "#!/bin/sh\n"})
    made.git("merge", "-q", "v2", status=1)
    made.commit("Merge v2", {"core/a": changed(_5="both fives")})
    made.git("checkout", "-q", "-b", "side")
    made.commit("Begin a guide", {"docs/guide": "one\n"}, author="Berta B")
    made.commit("End the guide", {"docs/guide": "one\ntwo\n"}, author="Carl C")
    made.git("checkout", "-q", "fork")
    made.git("merge", "-q", "--no-ff", "-m", "Merge the guide", "side")
    made.git("merge", "-q", "--no-ff", "-m", "Merge v3", "v3")
    made.commit("Change twenty", {"core/b": changed(_20="our twenty", _30="upstream's thirty")})
    return made


def take(fork: Repository, queue: Path, *flags: str, tip: str = "fork") -> dict[str, Any]:
    """Import `v3..TIP` by the command line, and return its document."""
    argv = ("patches.import", "--queue", queue, "--upstream", fork.folder, "--range", f"v3..{tip}")
    cache = ("--cache", str(queue.parent / "cache"), "--json")
    done = command_line.run(*argv, *cache, *flags, module="invoke")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    documents.check(document)
    return document


def test_a_patch_a_commit_and_what_a_merge_of_upstream_resolved_by_itself(
    fork: Repository, tmp_path: Path
) -> None:
    document = take(fork, tmp_path / "q", "--first-parent")
    v2 = fork.git("rev-parse", "v2")[:12]
    assert [patch["subject"] for patch in document["patches"]] == [
        "Change five",
        "Add a tool",
        f"Resolve the merge of upstream {v2}",
        "Merge the guide",
        "Change twenty",
    ]
    assert [merge["subject"] for merge in document["upstream_merges"]] == ["Merge v2", "Merge v3"]
    assert [commit["subject"] for commit in document["conflicted"]] == ["Change five"]
    assert document["base"]["commit"] == fork.git("rev-parse", "v3")
    assert document["tree"] == fork.git("rev-parse", "fork^{tree}")
    guide = storage.load(tmp_path / "q").patches[3].patch.header
    assert "* Begin a guide" in guide.body
    assert {trailer.value for trailer in guide.trailers} >= {
        "Berta B <be@example.org>",
        "Carl C <ca@example.org>",
    }


def test_plain_git_am_makes_the_forks_tree_of_it(fork: Repository, tmp_path: Path) -> None:
    take(fork, tmp_path / "q", "--first-parent")
    fork.git("worktree", "add", "-q", "--detach", tmp_path / "tree", "v3")
    patches = sorted((tmp_path / "q").glob("*.patch"))
    fork.git("-C", tmp_path / "tree", "am", "-q", *patches)
    made = fork.git("-C", tmp_path / "tree", "rev-parse", "HEAD^{tree}")
    assert made == fork.git("rev-parse", "fork^{tree}")


def test_a_patch_a_topic_says_who_made_it_of_what(fork: Repository, tmp_path: Path) -> None:
    file = tmp_path / "topics.yaml"
    file.write_text("the documentation: docs\nthe core: ['core/*']\n", encoding="utf-8")
    by_file = take(fork, tmp_path / "1", "--by-topic", str(file))
    assert [patch["subject"] for patch in by_file["patches"]] == [
        "Change everything else",
        "Change the core",
        "Change the documentation",
    ]
    guide = storage.load(tmp_path / "1").patches[2].patch.header
    assert guide.author.name == "Carl C"
    assert guide.body.splitlines()[:2] == ["* End the guide", "* Begin a guide"]
    assert guide.trailer("Co-authored-by") == "Berta B <be@example.org>"
    by_folder = take(fork, tmp_path / "2", "--by-topic", "1")
    assert [patch["subject"] for patch in by_folder["patches"]] == [
        "Change core",
        "Change docs",
        "Change tools",
    ]
    assert by_file["tree"] == by_folder["tree"] == fork.git("rev-parse", "fork^{tree}")


def test_a_fork_that_was_merged_into_a_release_keeps_its_own_line(
    fork: Repository, tmp_path: Path
) -> None:
    fork.git("checkout", "-q", "-b", "released", "v3")
    fork.git("merge", "-q", "--no-ff", "-m", "Merge the fork into v3", "fork~2")
    document = take(fork, tmp_path / "q", "--first-parent", tip="released")
    assert [patch["subject"] for patch in document["patches"]][-2:] == [
        f"Resolve the merge of upstream {fork.git('rev-parse', 'v2')[:12]}",
        "Merge the guide",
    ]
    assert document["tree"] == fork.git("rev-parse", "released^{tree}")


def test_a_range_without_the_flag_says_which_takes_it(fork: Repository, tmp_path: Path) -> None:
    argv = ("--queue", tmp_path / "q", "--upstream", fork.folder, "--range", "v3..fork")
    done = command_line.run("patches.import", *argv, module="invoke")
    assert done.returncode == 2
    assert "--first-parent" in done.stderr
    assert not (tmp_path / "q").exists()


@pytest.mark.parametrize(
    ("tip", "what"),
    [("alone", "does not stand on upstream"), ("v2", "no change to import"), ("gone", "no commit")],
)
def test_a_fork_that_has_nothing_to_take_is_refused(
    fork: Repository, tmp_path: Path, tip: str, what: str
) -> None:
    fork.git("branch", "-f", "alone", fork.git("commit-tree", "-m", "x", "fork^{tree}"))
    source = ImportSource(
        SourceKind.RANGE, f"v3..{tip}", str(fork.folder), "v3", merging=MergingRange()
    )
    with pytest.raises(UsageError, match=what):
        importing.import_changes(source, tmp_path / "q", tmp_path / "cache", silent)
    assert not (tmp_path / "q").exists()
