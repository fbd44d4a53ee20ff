"""The commands that move a queue between releases, also while another one changes it."""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import stateful
from hypothesis import strategies as st

from tensorflow_macos_build.patchqueue.edit import operations
from tensorflow_macos_build.patchqueue.rebase import engine
from tests.kills import ended_at
from tests.queue_machine.base import FEW, KILLS, Kill, QueueMachine
from tests.queue_model import RELEASES, SHARED, Outcome, position


class MovingRules(QueueMachine):
    """A rebase in one go, one that waits at its conflict, and two commands at once."""

    @stateful.rule(release=st.sampled_from(RELEASES), kill=KILLS)
    def move(self, release: str, kill: Kill | None) -> None:
        """`rebase --write`; a conflict writes nothing, unless its resolution is recorded."""
        QueueMachine.steps += 1

        def command() -> object:
            return engine.rebase_folder(self.sandbox.queue, self.sandbox.git, release, write=True)

        before, moved = self.queue, replace(self.queue, release=release)
        if kill is not None:
            ended_at(kill.step, self.root, command, within=kill.within)
        engine.rebase_folder(self.sandbox.queue, self.sandbox.git, release, write=True)
        self.queue = self.observed()
        allowed = (before, moved) if before.conflicting(release) else (moved,)
        assert self.queue in allowed

    @stateful.rule(release=st.sampled_from(RELEASES), kill=KILLS)
    def start(self, release: str, kill: Kill | None) -> None:
        """`rebase.start`; the same again goes on, another one is refused."""
        QueueMachine.steps += 1
        if self.moving is not None:
            outcome: Outcome = "waits" if self.moving == self.begun(release) else "refused"
            self.perform(lambda: self.begin(release), self.queue, outcome, kill)
            return
        before, moved = self.queue, replace(self.queue, release=release)
        if kill is not None:
            ended_at(kill.step, self.root, lambda: self.begin(release), within=kill.within)
            assert self.observed() in (before, moved)
        waits = self.sandbox.outcome(lambda: self.begin(release)) == "waits"
        assert not waits or before.conflicting(release)
        self.queue = before if waits else moved
        assert self.observed() == self.queue
        self.moving = self.begun(release) if waits else None

    def begin(self, release: str) -> object:
        session = self.sandbox.rebase()
        progress = session.start(release)
        session.shown(progress)
        return progress

    @stateful.precondition(lambda self: self.moving is not None)
    @stateful.rule(kill=KILLS, settle=st.booleans(), named=st.booleans())
    def go_on_moving(self, kill: Kill | None, settle: bool, named: bool) -> None:
        """`rebase.continue` with the patch's line, or `rebase.skip`."""
        QueueMachine.steps += 1
        assert self.moving is not None
        release = self.moving.request
        subject = self.moving.queue.conflicting(release)
        patch = subject if named else ""

        def command() -> object:
            session = self.sandbox.rebase()
            return session.go_on(patch) if settle else session.skip(patch)

        if self.is_changed_since(self.moving):
            self.perform(command, self.queue, "refused", kill)
            return
        moved = replace(self.queue, release=release)
        if settle:
            line = self.queue.text(SHARED)
            (self.root / "rebase/q" / SHARED).write_text(f"{line}\n")
        self.perform(command, moved if settle else moved.without(subject), "done", kill)
        self.moving = None

    @stateful.rule(kill=KILLS)
    def abort_moving(self, kill: Kill | None) -> None:
        QueueMachine.steps += 1
        self.perform(lambda: self.sandbox.rebase().abort(), self.queue, "done", kill)
        self.moving = None

    @stateful.precondition(lambda self: self.is_free() and len(self.queue.patches) > FEW)
    @stateful.rule(data=st.data(), release=st.sampled_from(RELEASES))
    def two_at_once(self, data: st.DataObject, release: str) -> None:
        """A patch is dropped while the queue is moved: as the one after the other, in any order."""
        QueueMachine.steps += 1
        subject = data.draw(st.sampled_from(self.queue.patches)).subject
        request = ("patches.drop", subject)
        other = os.fork()
        if not other:
            code = 1
            try:
                self.sandbox.edit().change(
                    lambda _, pieces: operations.dropped(pieces, position(pieces, subject)), request
                )
                code = 0
            finally:
                os._exit(code)
        engine.rebase_folder(self.sandbox.queue, self.sandbox.git, release, write=True)
        _, status = os.waitpid(other, 0)
        assert status == 0
        before, dropped = self.queue, self.queue.without(subject)
        moved = replace(dropped, release=release)
        assert self.observed() in ((dropped, moved) if before.conflicting(release) else (moved,))
        # so that the rest does not depend on who was first
        engine.rebase_folder(self.sandbox.queue, self.sandbox.git, release, write=True)
        self.queue = self.observed()
        assert self.queue in ((dropped, moved) if dropped.conflicting(release) else (moved,))
