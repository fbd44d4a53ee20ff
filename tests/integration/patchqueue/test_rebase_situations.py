"""Rebases of the queues of every situation, checked against their stated truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.replay.replay import OnConflict
from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus, Status
from tensorflow_macos_build.upstream import embedded
from tests import situations
from tests.repositories import commits_of
from tests.situations import Status as Truth

if TYPE_CHECKING:
    from tensorflow_macos_build.git.repository import Git

SAME = {
    Truth.CLEAN: Status.CLEAN,
    Truth.ADAPTED: Status.ADAPTED,
    Truth.IDENTICAL: Status.UPSTREAM_IDENTICAL,
    Truth.CHANGED: Status.UPSTREAM_CHANGED,
    Truth.PART: Status.UPSTREAM_IN_PART,
    Truth.CONFLICT: Status.CONFLICT,
    Truth.CLEAN_AFTER: Status.CLEAN_AFTER,
}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Git:
    git = embedded.create(tmp_path_factory.mktemp("situations") / "embedded.git")
    situations.commits(git)
    return git


def because(patch: PatchStatus) -> set[str]:
    """Name the evidence: subjects of upstream commits, or patches that are the first cause."""
    evidence = patch.evidence
    if patch.status is Status.CLEAN_AFTER:
        return set(evidence.clean_after)
    blamed = [commit for conflict in evidence.conflicts for commit in conflict.blamed]
    return {commit.subject for commit in (*evidence.upstream, *evidence.changed_by, *blamed)}


@pytest.mark.parametrize("release", ["v2.17.0", "v2.18.0"])
@pytest.mark.parametrize("policy", [OnConflict.PROVISIONAL, OnConflict.SKIP])
def test_every_situation_has_its_true_status_and_evidence(
    upstream: Git, release: str, policy: OnConflict
) -> None:
    base = QueueBase(embedded.URL, situations.BASE, embedded.TAGS[situations.BASE])
    patches = commits_of(upstream, f"{base.commit}..{situations.BRANCH}")
    with open_quarantine(upstream) as quarantine:
        done, _ = engine.rebase_in(quarantine, base, embedded.TAGS[release], patches, policy)
    statuses = {patch.subject: (patch.status, because(patch)) for patch in done.patches}
    names = {patch.subject: patch.name for patch in done.patches}
    expected = {}
    for situation in situations.SITUATIONS:
        truth = situation.onto[release]
        reasons = {names.get(subject, subject) for subject in truth.because}
        expected[situation.subject] = (SAME[truth.status], reasons)
    assert {subject: (statuses[subject], truth) for subject, truth in expected.items()} == {
        subject: (truth, truth) for subject, truth in expected.items()
    }
