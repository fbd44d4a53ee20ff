"""What became of patches that do not conflict: carried on as they were or otherwise, or gone.

What upstream's commits have to do with it git is asked for some patches ahead.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.patchqueue.replay.steps import StepOutcome
from tensorflow_macos_build.patchqueue.verdict import commit_diffs
from tensorflow_macos_build.patchqueue.verdict.carried_texts import CarriedTexts
from tensorflow_macos_build.patchqueue.verdict.status import Evidence, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.diffs import TreeDiff
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.replay.steps import ReplayStep
    from tensorflow_macos_build.patchqueue.verdict.carried_texts import ComparedTrees
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
    from tensorflow_macos_build.patchqueue.verdict.patches_by_path import PatchesByPath
    from tensorflow_macos_build.patchqueue.verdict.upstreamed import UpstreamedResolver

    _Patches = Sequence[tuple[QueueCommit, ReplayStep]]

CARRIED = (StepOutcome.TAKEN, StepOutcome.MERGED)
GONE = (StepOutcome.EMPTY, StepOutcome.LANDED)

_AHEAD = 100
"""Commits of upstream's that git is asked to compare before a patch needs them; few enough that
their differences are still there then (`commit_diffs`). The next are asked for when half of them
are used."""


class _Look(NamedTuple):
    """What a patch itself tells, before upstream's commits are asked about it.

    Attributes:
        upstream: of one that is gone, the commits that are it, and how they were found.
        texts: of one that is carried on otherwise than it was, its differences before and after.
        asked: how many commits git compares for it, its own included.
    """

    upstream: tuple[list[str], str] = ([], "")
    texts: tuple[TreeDiff, TreeDiff] | None = None
    asked: int = 0


class SettledReporter:
    """Says what became of the patches of one replay that do not conflict, in their order.

    Args:
        quarantine: where the replay was made.
        history: what upstream did.
        landed: finds the commits that are a patch.
        patches: those that will be asked about, and their steps.
        compared: what was compared for other replays in the quarantine.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        history: UpstreamHistory,
        landed: UpstreamedResolver,
        patches: _Patches,
        compared: ComparedTrees,
    ) -> None:
        self._history = history
        self._landed = landed
        self._texts = CarriedTexts(quarantine, [step for _, step in patches], compared)
        self._waiting = deque(
            (patch, step) for patch, step in patches if step.outcome in (*CARRIED, *GONE)
        )
        self._looks: dict[str, _Look] = {}
        self._ahead = 0

    def of(
        self, patch: QueueCommit, step: ReplayStep, before: PatchesByPath
    ) -> tuple[Status, Evidence]:
        """Return a patch's status; `before` are the patches before it."""
        if self._ahead <= _AHEAD // 2:
            self.go_ahead()
        look = self._looks.pop(step.commit)
        self._ahead -= look.asked
        if step.outcome in CARRIED:
            return self._carried_on(patch, step, look)
        return self._gone(patch, step, look, before)

    def go_ahead(self) -> None:
        """Let git compare commits until enough are asked for that are needed next."""
        while self._waiting and self._ahead < _AHEAD:
            patch, step = self._waiting.popleft()
            look = self._looks[step.commit] = self._look(patch, step)
            self._ahead += look.asked

    def _look(self, patch: QueueCommit, step: ReplayStep) -> _Look:
        paths = [change.path for change in step.changes]
        if step.outcome in GONE:
            upstream = self._landed.evidence(patch, step.changes) if paths else ([], "")
            if upstream[0] or not paths:
                return _Look(upstream)
            self._history.expect([patch.commit])
            return _Look(upstream, asked=1 + self._history.expect_lines(paths))
        if not self._texts.may_be_otherwise(step):
            return _Look()
        before, after = self._texts.of(step)
        if not _changed_files(before, after):
            self._texts.note_unchanged(step)
            return _Look()
        asked = self._history.expect_lines([*paths, *(file.path for file in after)])
        return _Look(texts=(before, after), asked=1 + asked)

    def _carried_on(
        self, patch: QueueCommit, step: ReplayStep, look: _Look
    ) -> tuple[Status, Evidence]:
        if look.texts is None:
            return Status.CLEAN, _NO_EVIDENCE
        before, after = look.texts
        files = _changed_files(before, after)
        # A recorded commit is evidence that upstream has it only while nothing took it back, and it
        # gives the status only where the patch lost lines: message and tree must agree.
        recorded = self._history.recorded(patch.message)
        stands = recorded.complete and not self._history.reverts(recorded.commits)
        upstream = self._history.describe(recorded.commits) if stands else ()
        lost = commit_diffs.significant_lines(before) - commit_diffs.significant_lines(after)
        paths = [change.path for change in step.changes]
        if lost and upstream:
            return Status.UPSTREAM_CHANGED, Evidence(upstream, "recorded", changed_files=files)
        if shared := self._history.sharing(paths, lost):
            described = self._history.describe(shared)
            return Status.UPSTREAM_IN_PART, Evidence(described, "same lines", changed_files=files)
        behind = self._history.describe(self._history.responsible_commits(paths, before, after))
        found_by = "recorded" if upstream else ""
        evidence = Evidence(upstream, found_by, changed_files=files, changed_by=behind)
        return Status.ADAPTED, evidence

    def _gone(
        self, patch: QueueCommit, step: ReplayStep, look: _Look, before: PatchesByPath
    ) -> tuple[Status, Evidence]:
        if not step.changes:  # the patch was empty from the start
            return Status.CLEAN, _NO_EVIDENCE
        # The surest evidence first: equal changes, what its message names, then equal lines.
        commits, found_by = look.upstream
        if found_by == "same changes":
            return Status.UPSTREAM_IDENTICAL, Evidence(self._history.describe(commits), found_by)
        if commits:
            return Status.UPSTREAM_CHANGED, Evidence(self._history.describe(commits), found_by)
        lines = self._history.lines_of(patch.commit)
        paths = [change.path for change in step.changes]
        if shared := self._history.sharing(paths, lines):
            whole = self._history.covers(shared, paths, lines)
            status = Status.UPSTREAM_IDENTICAL if whole else Status.UPSTREAM_CHANGED
            return status, Evidence(self._history.describe(shared), "same lines")
        # A file that only moved, a mode, a binary file: no lines tell, so the paths do.
        if not lines and (touching := self._history.touching(paths)):
            return Status.UPSTREAM_CHANGED, Evidence(self._history.describe(touching), "same files")
        names = tuple(patch.name for patch in before.on_files_of(step))
        return Status.EMPTY, Evidence(knock_on_of=names)


_NO_EVIDENCE = Evidence()


def _changed_files(before: TreeDiff, after: TreeDiff) -> tuple[str, ...]:
    """Return the files whose difference reads otherwise than before, line numbers aside."""
    texts = [{file.path: diffs.text_digest((file,)) for file in diff} for diff in (before, after)]
    paths = sorted(set(texts[0]) | set(texts[1]))
    return tuple(path for path in paths if texts[0].get(path) != texts[1].get(path))
