"""The queues and their stated truth, judged by git itself."""

from __future__ import annotations

import shutil
from bisect import bisect_left
from typing import TYPE_CHECKING

import pytest
import yaml

from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream import embedded
from tests import situations
from tests.fork import DEMO, Fork, names
from tests.situations import BASE, SITUATIONS
from tests.truth import Status, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

ONTO = ("v2.17.0", "v2.18.0")

_IDENTITY: dict[str, str | None] = {
    "GIT_AUTHOR_NAME": "Judge",
    "GIT_AUTHOR_EMAIL": "judge@example.org",
    "GIT_COMMITTER_NAME": "Judge",
    "GIT_COMMITTER_EMAIL": "judge@example.org",
    "GIT_COMMITTER_DATE": "2024-06-01T00:00:00Z",
}

_LEFT_BY_GIT = {
    Status.CLEAN: {"applied"},
    Status.ADAPTED: {"applied"},
    Status.PART: {"applied"},
    Status.IDENTICAL: {"empty"},
    Status.CHANGED: {"conflict"},
    Status.CONFLICT: {"conflict"},
    Status.CLEAN_AFTER: {"conflict"},
}
"""What `git cherry-pick`, with conflicting patches left out, must have made of a patch."""


class CherryPicks:
    """A work tree in which git replays a queue, and one in which it was written."""

    def __init__(self, git: Git, folder: Path) -> None:
        self.git = Git(git.git_dir, work_tree=folder, env=_IDENTITY)
        folder.mkdir(parents=True)

    def at(self, revision: str) -> None:
        self.git.run("checkout", "--quiet", "--force", "--detach", revision)
        self.git.run("clean", "-qfdx")

    def pick(self, commit: str, *options: str) -> str:
        """Put one commit on top; say whether it was applied, was empty, or conflicts."""
        picked = self.git.run("cherry-pick", "--no-commit", *options, commit, expected=())
        if picked.status != 0:
            return "conflict"
        changed = self.git.run("diff", "--cached", "--quiet", "HEAD", expected=(0, 1)).status
        if changed == 0:
            return "empty"
        self.git.run("commit", "--quiet", "--no-verify", "-m", "picked")
        return "applied"

    def refuses(self, commit: str) -> Callable[[str], bool]:
        """Whether one patch alone conflicts on upstream revisions."""

        def at(revision: str) -> bool:
            self.at(revision)
            conflicts = self.pick(commit) == "conflict"
            self.undo()
            return conflicts

        return at

    def undo(self) -> None:
        self.git.run("reset", "--quiet", "--hard")
        self.git.run("clean", "-qfdx")

    def text(self, commit: str) -> list[bytes]:
        """A commit as a patch, but for blob ids and line numbers."""
        shown = self.git.out("diff-tree", "-p", "-M", "--binary", "--no-commit-id", commit)
        return [line for line in shown.split(b"\n") if not line.startswith((b"index ", b"@@ "))]

    def am(self, patches: Sequence[Path]) -> str:
        self.git.run("am", "--quiet", "--keep-cr", *patches)
        return self.git.line("rev-parse", "HEAD^{tree}")

    def subjects(self, commits: Sequence[str]) -> dict[str, str]:
        return {self.git.line("log", "-1", "--format=%s", commit): commit for commit in commits}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Git, Path, list[str]]]:
    """The miniature with the situations' branch, their folder, their commits."""
    folder = tmp_path_factory.mktemp("situations")
    git = embedded.create(folder / "up.git")
    queue = situations.write(git, folder / "queue")
    yield git, queue, git.line("rev-list", "--reverse", f"{BASE}..{situations.BRANCH}").split()
    shutil.rmtree(folder)


def _check(picks: CherryPicks, onto: str, queue: list[tuple[str, str, Truth]]) -> None:
    """Replay a queue by git with conflicts left out, and hold each patch to its truth."""
    picks.at(onto)
    for commit, name, truth in queue:
        outcome = picks.pick(commit)
        assert outcome in _LEFT_BY_GIT[truth.status], (onto, name, outcome)
        if outcome == "applied":
            same = picks.text("HEAD") == picks.text(commit)
            assert same == (truth.status is Status.CLEAN), (onto, name)
        else:
            picks.undo()


@pytest.mark.parametrize("onto", ONTO)
def test_git_agrees_with_the_truth_of_the_situations(
    made: tuple[Git, Path, list[str]], tmp_path: Path, onto: str
) -> None:
    git, queue, commits = made
    truths = [situation.onto[onto] for situation in SITUATIONS]
    _check(
        CherryPicks(git, tmp_path / "tree"),
        onto,
        list(zip(commits, names(queue), truths, strict=True)),
    )


@pytest.mark.parametrize("onto", ONTO)
def test_a_patch_that_waits_is_clean_when_its_first_cause_is_taken(
    made: tuple[Git, Path, list[str]], tmp_path: Path, onto: str
) -> None:
    git, _, commits = made
    picks = CherryPicks(git, tmp_path / "tree")
    by_subject = picks.subjects(commits)
    for situation in SITUATIONS:
        truth = situation.onto[onto]
        if truth.status is Status.CLEAN_AFTER:
            picks.at(onto)
            assert picks.pick(by_subject[truth.because[0]], "-Xtheirs") == "applied"
            assert picks.pick(by_subject[situation.subject]) == "applied"


@pytest.mark.parametrize("onto", ONTO)
def test_every_culprit_is_an_upstream_commit_between_the_releases(
    made: tuple[Git, Path, list[str]], onto: str
) -> None:
    git = made[0]
    between = git.line("log", "--format=%s", f"{BASE}..{onto}").splitlines()
    truths = [situation.onto[onto] for situation in SITUATIONS]
    truths += [truth[onto] for truth in situations.DEMO.values()]
    for truth in truths:
        if truth.status is not Status.CLEAN_AFTER:
            for subject in truth.because:
                assert between.count(subject) == 1, subject


@pytest.mark.parametrize("onto", ONTO)
def test_the_first_culprit_is_the_commit_from_which_on_a_patch_conflicts(
    made: tuple[Git, Path, list[str]], tmp_path: Path, onto: str
) -> None:
    git, _, commits = made
    picks = CherryPicks(git, tmp_path / "tree")
    line = git.line("rev-list", "--reverse", f"{BASE}..{onto}").split()
    for situation, commit in zip(SITUATIONS, commits, strict=True):
        truth = situation.onto[onto]
        if truth.status in {Status.CONFLICT, Status.CHANGED}:
            breaking = line[bisect_left(line, True, key=picks.refuses(commit))]
            assert git.line("log", "-1", "--format=%s", breaking) == truth.because[0]


def test_every_status_occurs() -> None:
    occurring = {truth.status for situation in SITUATIONS for truth in situation.onto.values()}
    assert occurring == set(Status)


def test_git_am_takes_the_situations_on_their_base(
    made: tuple[Git, Path, list[str]], tmp_path: Path
) -> None:
    git, queue, commits = made
    picks = CherryPicks(git, tmp_path / "tree")
    picks.at(BASE)
    with_context = [s for s in SITUATIONS if s.context]
    tree = picks.am([queue / situation.name for situation in with_context])
    last = commits[SITUATIONS.index(with_context[-1])]
    assert tree == git.line("rev-parse", f"{last}^{{tree}}")
    written = git.out("log", "--format=%an%n%B", "--reverse", f"{BASE}..{last}")
    assert git.out("log", "--format=%an%n%B", "--reverse", f"{BASE}..HEAD") == written


def test_the_queue_without_context_applies_at_its_base(
    made: tuple[Git, Path, list[str]], tmp_path: Path
) -> None:
    git, queue, commits = made
    picks = CherryPicks(git, tmp_path / "tree")
    bare = [s for s in SITUATIONS if not s.context]
    assert bare
    for situation in bare:
        commit = commits[SITUATIONS.index(situation)]
        picks.at(f"{commit}^")
        picks.git.run("apply", "--index", "--unidiff-zero", queue / situation.name)
        assert picks.git.line("write-tree") == git.line("rev-parse", f"{commit}^{{tree}}")


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Fork:
    folder = tmp_path_factory.mktemp("fork")
    patches = [DEMO / name for name in names(DEMO)]
    return Fork(embedded.create(folder / "up.git"), folder / "clone", patches)


def test_plain_git_am_takes_the_demo_queue_in_both_orders(fork: Fork, tmp_path: Path) -> None:
    git = embedded.create(tmp_path / "up.git")
    by_name = Fork(git, tmp_path / "clone", sorted(DEMO.glob("*.patch")))
    assert by_name.plain("rev-parse", "HEAD^{tree}") == fork.plain("rev-parse", "HEAD^{tree}")
    assert len(fork.commits()) == len(names(DEMO)) == len(situations.DEMO)


def test_the_demo_queue_is_stored_as_the_design_says() -> None:
    config = yaml.safe_load((DEMO / "queue.yaml").read_text(encoding="utf-8"))
    assert config == {"upstream": "embedded:", "ref": BASE, "commit": embedded.TAGS[BASE]}
    assert sorted(names(DEMO)) == sorted(path.name for path in DEMO.glob("*.patch"))
    for name in names(DEMO):
        lines = (DEMO / name).read_bytes().split(b"\n")
        assert lines[0] == b"From %040d Mon Sep 17 00:00:00 2001" % 0
        assert not [line for line in lines if line.startswith((b"index ", b"-- "))]
        assert [line for line in lines if line.startswith(b"Reason: ")]
        assert [line for line in lines if line.startswith(b"Owner: ")]


@pytest.mark.parametrize("onto", ONTO)
def test_git_agrees_with_the_truth_of_the_demo_queue(fork: Fork, tmp_path: Path, onto: str) -> None:
    queue = [
        (commit, name, situations.DEMO[name][onto])
        for commit, name in zip(fork.commits(), names(DEMO), strict=True)
    ]
    _check(CherryPicks(Git(fork.folder / ".git"), tmp_path / "tree"), onto, queue)


def test_the_demo_queue_has_one_first_cause_and_one_that_waits(fork: Fork, tmp_path: Path) -> None:
    picks = CherryPicks(Git(fork.folder / ".git"), tmp_path / "tree")
    first, second = (
        commit
        for commit, name in zip(fork.commits(), names(DEMO), strict=True)
        if situations.DEMO[name]["v2.18.0"].status in {Status.CONFLICT, Status.CLEAN_AFTER}
    )
    picks.at(f"{first}^")
    picks.at("v2.18.0")
    kernels = picks.subjects(fork.commits())["Add the device MLC and its matrix product"]
    assert picks.pick(kernels) == "applied"
    assert picks.pick(second) == "conflict"
    picks.undo()
    assert picks.pick(first, "-Xtheirs") == "applied"
    assert picks.pick(second) == "applied"


def test_the_backport_names_the_upstream_commit_that_has_it(fork: Fork) -> None:
    backport = fork.commits()[0]
    trailer = "--format=%(trailers:key=Upstream,valueonly,separator=%x2C)"
    named = fork.plain("log", "-1", trailer, backport)
    truths = [truth["v2.17.0"] for truth in situations.DEMO.values()]
    landed = [truth.because for truth in truths if truth.status is Status.IDENTICAL]
    assert landed == [(fork.plain("log", "-1", "--format=%s", named),)]
    fork.plain("merge-base", "--is-ancestor", named, "v2.17.0")
