"""A snapshot, one commit on thousands of files, is read where the patches are, and nowhere else.

The contents of all its other files are missing from the repository: whatever reads one of them ends
with an error that names it (git's die(), tests/integration/patchqueue/test_missing_objects.py).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.git.repository import Git, ObjectMissing
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tests.repositories import Made
from tests.unit.patchqueue.rebase.test_engine import TEXT, changed, rebase_made, statuses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILES = 1200
IDENTITY = {
    f"GIT_{who}_{what}": "x@example.org"
    for who in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


@dataclass(frozen=True)
class Snapshots:
    """Commits of whole trees: some files that are there, and a folder of many that are not."""

    git: Git

    def commit(
        self, files: Mapping[str, list[str]], release: str, message: str, *parents: str
    ) -> str:
        """Make a commit, and return its id; the missing files are others in each release."""
        rows = [f"100644 blob {self._blob(lines)}\t{name}\n" for name, lines in files.items()]
        ids = (hashlib.sha1(f"{release} {at}".encode()).hexdigest() for at in range(FILES))
        others = self._tree(f"100644 blob {oid}\t{at:04}\n" for at, oid in enumerate(ids))
        tree = self._tree([*rows, f"040000 tree {others}\tothers\n"])
        above = [word for parent in parents for word in ("-p", parent)]
        return self.git.line("commit-tree", tree, *above, "-m", message)

    def _blob(self, lines: list[str]) -> str:
        text = "".join(f"{line}\n" for line in lines).encode()
        return self.git.line("hash-object", "-w", "--stdin", stdin=text)

    def _tree(self, rows: Iterable[str]) -> str:
        return self.git.line("mktree", "--missing", stdin="".join(rows).encode())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A queue on one snapshot, and the next one, which has some of its changes."""
    git = Git(tmp_path_factory.mktemp("snapshots") / "r", env=IDENTITY)
    git.init()
    snapshots = Snapshots(git)
    files = dict.fromkeys("abcde", TEXT)
    base = snapshots.commit(files, "2.20", "2.20")
    git.run("update-ref", "refs/heads/base", base)
    upstream = {
        "a": changed(3, "theirs", was=changed(15, "mine")),
        "b": changed(5, "mine"),
        "c": changed(13, "theirs"),
        "d": changed(10, "theirs"),
        "moved": changed(15, "mine"),
    }
    onto = snapshots.commit(upstream, "2.21", "2.21", base)
    queue = {
        "the same lines": {"a": changed(15, "mine")},
        "some of the lines": {"b": changed(15, "more", was=changed(5, "mine"))},
        "lines beside others": {"c": changed(15, "mine")},
        "lines that are elsewhere now": {"e": changed(15, "mine")},
        f"other lines than {onto}": {"d": changed(10, "mine")},
    }
    patches = [base]
    for message, change in queue.items():
        files |= change
        patches.append(snapshots.commit(files, "2.20", message, patches[-1]))
    git.run("update-ref", "refs/heads/queue", patches[-1])
    return Made(git, base, onto, (onto,), tuple(patches[1:]))


def test_the_whole_difference_of_a_snapshot_cannot_be_read(made: Made) -> None:
    with pytest.raises(ObjectMissing):
        diffs.of_commits(made.git, made.upstream)


@pytest.mark.parametrize("policy", [OnConflict.PROVISIONAL, OnConflict.SKIP])
def test_patches_get_their_status_from_what_a_snapshot_does_to_their_files(
    made: Made, policy: OnConflict
) -> None:
    result = rebase_made(made, policy)
    assert statuses(result) == [
        Status.UPSTREAM_IDENTICAL,
        Status.UPSTREAM_IN_PART,
        Status.ADAPTED,
        Status.UPSTREAM_IDENTICAL,
        Status.CONFLICT,
    ]
    same, part, adapted, moved, conflict = (patch.evidence for patch in result.patches)
    held = (same.upstream, part.upstream, moved.upstream)
    for commits in (*held, adapted.changed_by, conflict.upstream):
        assert [commit.oid for commit in commits] == [made.onto]
    assert conflict.found_by == "mention"
