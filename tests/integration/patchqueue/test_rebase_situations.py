"""Rebases of the queues of every situation, checked against their stated truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.console import ticker_of
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.audit.engine import AuditWhen
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus, Status
from tensorflow_macos_build.upstream import embedded
from tests import situations
from tests.imports import ROOT
from tests.repositories import commits_of
from tests.situations import Status as Truth

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.pace import WorkProgress

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


def test_each_pass_of_a_rebase_is_told_in_its_order_and_counts_all_patches(tmp_path: Path) -> None:
    told: dict[str, list[tuple[int, int | None]]] = {}

    def note(progress: WorkProgress) -> None:
        told.setdefault(progress.phase, []).append((progress.done, progress.total))

    folder = ROOT / "patches/demo"
    request = engine.RebaseRequest(folder, "v2.18.0", tmp_path, audit=AuditWhen.ALWAYS)
    engine.run(request, ticker_of(note))
    assert [*told] == ["1/4 fetching", "2/4 replaying", "3/4 classifying", "4/4 auditing"]
    count = len(storage.load(folder).names)
    assert told["2/4 replaying"][-1] == (count, count)
    assert told["3/4 classifying"] == [(0, count), *((done, count) for done in range(count))]
