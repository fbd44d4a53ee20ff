"""Giving each patch of a finished replay its status, with the evidence."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build.patchqueue import diffs, history
from tensorflow_macos_build.patchqueue.replay import Outcome, Resolved
from tensorflow_macos_build.patchqueue.status import Carried, Evidence, PatchStatus, Status
from tensorflow_macos_build.patchqueue.trouble import Troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tensorflow_macos_build.patchqueue.diffs import TreeDiff
    from tensorflow_macos_build.patchqueue.history import History
    from tensorflow_macos_build.patchqueue.merging import Merged
    from tensorflow_macos_build.patchqueue.replay import Change, Replay, Step
    from tensorflow_macos_build.upstream.objects import Quarantine


class Landed:
    """Says of a conflicting patch whether upstream holds it; a `Resolver` of the replay."""

    def __init__(self, git_history: History, patches: Sequence[Carried]) -> None:
        self._history = git_history
        self._patches = {patch.commit: patch for patch in patches}

    def __call__(self, commit: str, _: tuple[Change, ...], merged: Merged) -> Resolved | None:
        """Leave a patch out when upstream made its very changes, or a recorded commit landed."""
        commits, _found_by = self.evidence(self._patches[commit])
        return Resolved(Outcome.LANDED, merged.ours) if commits else None

    def evidence(self, patch: Carried) -> tuple[list[str], str]:
        """Give the commits that are the patch, and how they were found."""
        diff = diffs.of_commits(self._history.git, [patch.commit])[patch.commit]
        if identical := self._history.identical(diff):
            return identical, "same changes"
        names = (self._history.contains(name) for name in patch.recorded_upstream)
        recorded = [commit for commit in names if commit]
        return recorded, "recorded" if recorded else ""


class Judge:
    """Gives each patch of a finished replay its status.

    Args:
        quarantine: where the replay was made.
        git_history: what upstream did.
        patches: the queue.
        provisional: replays the queue with provisional resolutions; asked where a replay that
            leaves patches out does not show by itself what a conflict follows from.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        git_history: History,
        patches: Sequence[Carried],
        provisional: Callable[[], Replay] | None = None,
    ) -> None:
        self._provisional = provisional
        self._quarantine = quarantine
        self._history = git_history
        self._patches = patches
        self._landed = Landed(git_history, patches)
        self._troubles = Troubles(quarantine, git_history)
        self._steps: tuple[Step, ...] = ()

    def judge(self, replay: Replay) -> tuple[PatchStatus, ...]:
        """Give the statuses, in the queue's order."""
        self._steps = replay.steps
        judged: list[PatchStatus] = []
        troubled: list[tuple[Carried, Step]] = []
        for patch, step in zip(self._patches, replay.steps, strict=True):
            status, evidence = self._fate(patch, step, troubled)
            if status in (Status.CONFLICT, Status.KNOCK_ON):
                troubled.append((patch, step))
            judged.append(
                PatchStatus(
                    patch.name, patch.subject, patch.commit, status, evidence, _in_tree(step)
                )
            )
        return tuple(judged)

    def _fate(
        self, patch: Carried, step: Step, troubled: Sequence[tuple[Carried, Step]]
    ) -> tuple[Status, Evidence]:
        match step.outcome:
            case Outcome.TAKEN if not step.upstream_had and not patch.recorded_upstream:
                return Status.CLEAN, Evidence()
            case Outcome.TAKEN | Outcome.MERGED:
                return self._carried_on(patch, step)
            case Outcome.EMPTY | Outcome.LANDED:
                return self._gone(patch, step)
            case Outcome.RESOLVED:
                return Status.RESOLVED, Evidence(conflicts=self._troubles.of(step, troubled))
            case Outcome.CONFLICT:
                return self._trouble(step, troubled)
            case Outcome.NOT_REACHED:
                return Status.NOT_REACHED, Evidence()
            case _:
                assert_never(step.outcome)

    def _carried_on(self, patch: Carried, step: Step) -> tuple[Status, Evidence]:
        before, after = self._texts(patch, step)
        files = _changed_files(before, after)
        commits, found_by = self._landed.evidence(patch) if patch.recorded_upstream else ([], "")
        if commits:
            upstream = self._history.describe(commits)
            return Status.UPSTREAM_CHANGED, Evidence(upstream, found_by, changed_files=files)
        if not files:
            return Status.CLEAN, Evidence()
        lost = history.telling(before) - history.telling(after)
        paths = [change.path for change in step.changes]
        if shared := self._history.sharing(paths, lost):
            upstream = self._history.describe(shared)
            return Status.UPSTREAM_IN_PART, Evidence(upstream, "same lines", changed_files=files)
        return Status.ADAPTED, Evidence(changed_files=files)

    def _texts(self, patch: Carried, step: Step) -> tuple[TreeDiff, TreeDiff]:
        """Give the patch's difference on its old base, and what is left of it on the new one."""
        own = diffs.of_commits(self._quarantine.git, [patch.commit], context=3)[patch.commit]
        if step.merged is None:
            return own, tuple(file for file in own if file.path not in step.upstream_had)
        pairs = [(step.merged.ours, step.result)]
        return own, diffs.of_trees(self._quarantine.git, pairs)[0]

    def _gone(self, patch: Carried, step: Step) -> tuple[Status, Evidence]:
        if not step.changes:
            return Status.CLEAN, Evidence()
        commits, found_by = self._landed.evidence(patch)
        if found_by == "same changes":
            upstream = self._history.describe(commits)
            return Status.UPSTREAM_IDENTICAL, Evidence(upstream, found_by)
        if not commits:
            diff = diffs.of_commits(self._quarantine.git, [patch.commit])[patch.commit]
            paths = [change.path for change in step.changes]
            commits = self._history.sharing(paths, history.telling(diff))
            # A file that only moved, a mode, a binary file: no lines tell, so the paths do.
            commits = commits or self._history.touching(paths)
            found_by = "same lines"
        if commits:
            return Status.UPSTREAM_CHANGED, Evidence(self._history.describe(commits), found_by)
        return Status.EMPTY, Evidence(knock_on_of=self._earlier_on(patch, step))

    def _earlier_on(self, patch: Carried, step: Step) -> tuple[str, ...]:
        """Name the earlier patches that touch the same files."""
        paths = {change.path for change in step.changes}
        earlier = zip(self._patches, self._steps, strict=True)
        before = itertools.takewhile(lambda pair: pair[0] is not patch, earlier)
        return tuple(
            each.name for each, its in before if any(change.path in paths for change in its.changes)
        )

    def _trouble(
        self, step: Step, troubled: Sequence[tuple[Carried, Step]]
    ) -> tuple[Status, Evidence]:
        reports = self._troubles.of(step, troubled)
        names = tuple(dict.fromkeys(name for report in reports for name in report.knock_on_of))
        follows = bool(reports) and all(report.knock_on_of for report in reports)
        if not follows and (healers := self._healers(step, troubled)):
            follows, names = True, tuple(dict.fromkeys([*names, *healers]))
        status = Status.KNOCK_ON if follows else Status.CONFLICT
        return status, Evidence(conflicts=reports, knock_on_of=names)

    def _healers(self, step: Step, troubled: Sequence[tuple[Carried, Step]]) -> tuple[str, ...]:
        """Name the earlier conflicting patches whose own way heals a patch.

        That is so when it does not conflict in a replay that resolves them provisionally. Those
        on the same files are named; all, where none is (git followed a renamed folder).
        """
        if not troubled or self._provisional is None:
            return ()
        if self._provisional_outcomes[step.commit] is Outcome.CONFLICT:
            return ()
        paths = {change.path for change in step.changes}
        related = tuple(
            patch.name
            for patch, its in troubled
            if any(change.path in paths for change in its.changes)
        )
        return related or tuple(patch.name for patch, _ in troubled)

    @functools.cached_property
    def _provisional_outcomes(self) -> dict[str, Outcome]:
        assert self._provisional is not None
        return {step.commit: step.outcome for step in self._provisional().steps}


def _in_tree(step: Step) -> bool:
    """Say whether the replay changed the tree for a patch."""
    if step.merged is not None:
        return step.result != step.merged.ours
    return step.outcome is Outcome.TAKEN and bool(step.changes)


def _changed_files(before: TreeDiff, after: TreeDiff) -> tuple[str, ...]:
    """Name the files whose difference reads otherwise than before, line numbers aside."""
    texts = [{file.path: diffs.wording((file,)) for file in diff} for diff in (before, after)]
    paths = sorted(set(texts[0]) | set(texts[1]))
    return tuple(path for path in paths if texts[0].get(path) != texts[1].get(path))
