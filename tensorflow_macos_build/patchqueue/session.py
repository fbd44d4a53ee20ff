"""Working on a rebase's conflicts, one after the other: start, continue, skip, abort.

Each step replays the queue with what was decided so far up to the first conflict that is left, and
shows that in a work tree. When none is left, the queue is written back on its new base.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue import conflict_tree, prepared, resolutions, state
from tensorflow_macos_build.patchqueue import rebase as rebasing
from tensorflow_macos_build.patchqueue.queue import Base
from tensorflow_macos_build.patchqueue.ranges import resolve
from tensorflow_macos_build.patchqueue.replay import Change, OnConflict, Outcome
from tensorflow_macos_build.patchqueue.state import State
from tensorflow_macos_build.upstream.git import Git
from tensorflow_macos_build.upstream.objects import objects_folder, quarantine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.merging import Merged
    from tensorflow_macos_build.patchqueue.queue import Queue
    from tensorflow_macos_build.patchqueue.rebase import Rebase
    from tensorflow_macos_build.patchqueue.replay import Replay, Step
    from tensorflow_macos_build.patchqueue.status import Carried
    from tensorflow_macos_build.upstream.objects import Quarantine


@dataclass(frozen=True)
class Progress:
    """How far a rebase is.

    Attributes:
        onto_ref: where the queue goes, as it was asked for.
        result: what became of each patch so far.
        patch: the name of the patch in conflict; "" when there is none left.
        folder: the conflict's work tree.
        paths: the files in conflict.
    """

    onto_ref: str
    result: Rebase
    patch: str
    folder: Path
    paths: tuple[str, ...]

    @property
    def done(self) -> bool:
        """Say whether the queue stands on its new base."""
        return not self.patch


class Session:
    """A queue's rebase in a repository.

    Args:
        queue: the queue, as it is on disk.
        git: the repository that has its base and the new one, and keeps the state.
        folder: where conflicts are shown.
        ticker: told how many patches are done.
    """

    def __init__(self, queue: Queue, git: Git, folder: Path, ticker: Ticker | None = None) -> None:
        self._queue = queue
        self._git = git
        self._folder = folder
        self._ticker = ticker

    def start(self, onto: str) -> Progress:
        """Begin to move the queue to a revision.

        Raises:
            UsageError: a rebase of the queue is under way, or there is no such revision.
        """
        with self._alone():
            if self._current() is not None:
                raise UsageError(
                    f"a rebase of `{self._queue.name}` is under way",
                    hint=f"go on with `invoke rebase.continue --queue {self._queue.name}`, or "
                    f"give it up with `invoke rebase.abort --queue {self._queue.name}`",
                )
            commit = resolve(self._git, onto)
            begun = State(self._queue.base.commit, onto, commit)
            state.save(self._queue, self._git, begun)
            return self._advance(begun)

    def status(self) -> Progress:
        """Say how far the rebase is; its work tree is made again if it is gone.

        Raises:
            UsageError: none is under way.
        """
        with self._alone():
            return self._show(self._under_way())

    def go_on(self) -> Progress:
        """Take what the work tree holds as the conflict's resolution, and go on.

        Raises:
            UsageError: no rebase is under way.
            conflict_tree.Unresolved: markers are left.
        """
        with self._alone():
            now = self._under_way()
            with quarantine(self._with_work_tree()) as pen:
                patches, _, done = self._replay(pen, now, trees=False)
                found = _stopped_at(patches, done)
                if found and conflict_tree.is_of(self._folder, found[0].name, found[1]):
                    now = self._settle(pen, now, *found)
            return self._advance(now)

    def skip(self) -> Progress:
        """Leave the patch in conflict out of the queue, and go on.

        Raises:
            UsageError: no rebase is under way, or it has no conflict left.
        """
        with self._alone():
            now = self._under_way()
            shown = self._show(now)
            if shown.done:
                raise UsageError("no patch is in conflict", hint="invoke rebase.continue")
            now = replace(now, left_out=(*now.left_out, shown.patch))
            state.save(self._queue, self._git, now)
            return self._advance(now)

    def abort(self) -> None:
        """Give the rebase up; the queue is as it was.

        Raises:
            UsageError: none is under way.
        """
        with self._alone():
            if self._git.run(
                "rev-parse", "--verify", "--quiet", state.ref_name(self._queue), expected=(0, 1)
            ).status:
                raise self._none()
            self._end()

    def _advance(self, now: State) -> Progress:
        """Replay up to the next conflict and show it; at the end write the queue back."""
        with quarantine(self._git) as pen:
            patches, result, done = self._replay(pen, now, trees=True)
            found = _stopped_at(patches, done)
            if found is not None:
                return self._shown(pen, now, result, *found)
            base = Base(self._queue.base.upstream, now.onto_ref, now.onto)
            pen.keep([result.tree], [now.onto])
            made = {one.file_name: resolutions.emit(one) for one in now.resolutions}
            saved = rebasing.save(pen, self._queue, base, done, more=made)
        self._end()
        return Progress(now.onto_ref, replace(result, saved=saved), "", self._folder, ())

    def _show(self, now: State) -> Progress:
        with quarantine(self._git) as pen:
            patches, result, done = self._replay(pen, now, trees=False)
            found = _stopped_at(patches, done)
            if found is not None:
                return self._shown(pen, now, result, *found)
        return Progress(now.onto_ref, result, "", self._folder, ())

    def _shown(
        self, pen: Quarantine, now: State, result: Rebase, patch: Carried, merged: Merged
    ) -> Progress:
        if not conflict_tree.is_of(self._folder, patch.name, merged):
            labels = _labels(now, patch)
            conflict_tree.make(
                self._folder,
                pen,
                merged,
                onto=now.onto,
                base=now.base,
                patch=patch.name,
                labels=labels,
            )
        paths = tuple(found.path for found in merged.conflicted)
        return Progress(now.onto_ref, result, patch.name, self._folder, paths)

    def _settle(self, pen: Quarantine, now: State, patch: Carried, merged: Merged) -> State:
        tree = conflict_tree.take(self._folder, merged, _labels(now, patch))
        made = resolutions.record(pen, patch.name, merged, _changes(pen, merged.tree, tree))
        now = replace(now, resolutions=(*now.resolutions, made))
        state.save(self._queue, self._git, now)
        return now

    def _replay(
        self, pen: Quarantine, now: State, *, trees: bool
    ) -> tuple[tuple[Carried, ...], Rebase, Replay]:
        patches = prepared.of_queue(self._queue, self._git)
        known = (*resolutions.load(self._queue.folder), *now.resolutions)
        result, done = rebasing.rebase_in(
            pen,
            self._queue.base,
            now.onto,
            patches,
            OnConflict.STOP,
            decided=rebasing.Decisions(known, frozenset(now.left_out)),
            trees=trees,
            ticker=self._ticker,
        )
        return patches, result, done

    def _under_way(self) -> State:
        now = self._current()
        if now is None:
            raise self._none()
        return now

    def _current(self) -> State | None:
        """Give the state; one that the queue has left behind (a kill after writing) is ended."""
        now = state.load(self._queue, self._git)
        if now is not None and now.base != self._queue.base.commit:
            self._end()
            return None
        return now

    def _end(self) -> None:
        state.drop(self._queue, self._git)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _none(self) -> UsageError:
        return UsageError(
            f"no rebase of `{self._queue.name}` is under way",
            hint=f"invoke rebase.start --queue {self._queue.name} --onto REF",
        )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        name = state.ref_name(self._queue).rpartition("/")[2]
        with files.locked(self._git.git_dir / f"rebase-{name}.lock"):
            yield

    def _with_work_tree(self) -> Git:
        """Give the repository, seeing also the objects that somebody made in the work tree."""
        own = conflict_tree.git_of(self._folder)
        if not own.git_dir.is_dir():
            return self._git
        known = self._git.env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
        places = os.pathsep.join(filter(None, [str(objects_folder(own)), known]))
        env = {**self._git.env, "GIT_ALTERNATE_OBJECT_DIRECTORIES": places}
        return Git(self._git.git_dir, env=env)


def _stopped_at(patches: tuple[Carried, ...], done: Replay) -> tuple[Carried, Merged] | None:
    for patch, step in zip(patches, done.steps, strict=True):
        if step.outcome is Outcome.CONFLICT:
            return patch, _merged(step)
    return None


def _merged(step: Step) -> Merged:
    assert step.merged is not None
    return step.merged


def _labels(now: State, patch: Carried) -> conflict_tree.Labels:
    return conflict_tree.Labels(f"upstream {now.onto_ref}", "base", f"patch {patch.name}")


def _changes(pen: Quarantine, old: str, new: str) -> list[Change]:
    out = pen.git.out("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new)
    tokens = iter(out.split(b"\0")[:-1])
    return [Change.parse(facts, next(tokens)) for facts in tokens]
