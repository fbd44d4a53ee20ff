"""The commands that change a queue's patches and picks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import stateful
from hypothesis import strategies as st

from tensorflow_macos_build.patchqueue.edit import operations
from tensorflow_macos_build.patchqueue.queue import picked_change
from tests.queue_machine.base import FEW, KILLS, Kill, QueueMachine
from tests.queue_model import PICKS, Outcome, Patch, pick_of, position

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit

_MANY = 6


class EditingRules(QueueMachine):
    """Dropping, reordering, folding, splitting, picking, and editing in a work tree."""

    @stateful.rule(data=st.data(), kill=KILLS)
    def drop(self, data: st.DataObject, kill: Kill | None) -> None:
        QueueMachine.steps += 1
        if len(self.queue.patches) <= FEW:
            return
        subject = data.draw(st.sampled_from(self.queue.patches)).subject
        expected = self.queue.without(subject)
        self.changing(
            lambda _, pieces: operations.dropped(pieces, position(pieces, subject)),
            ("patches.drop", subject),
            expected,
            kill,
        )

    @stateful.rule(data=st.data(), kill=KILLS)
    def reorder(self, data: st.DataObject, kill: Kill | None) -> None:
        QueueMachine.steps += 1
        subject = data.draw(st.sampled_from(self.queue.patches)).subject
        to = data.draw(st.integers(0, len(self.queue.patches) - 1))
        rest = self.queue.without(subject).patches
        moved = self.queue.patches[self.queue.at(subject)]
        expected = replace(self.queue, patches=(*rest[:to], moved, *rest[to:]))
        self.changing(
            lambda _, pieces: operations.moved(
                pieces, position(pieces, subject), to + len(self.queue.picks)
            ),
            ("patches.reorder", subject, str(to)),
            expected,
            kill,
        )

    @stateful.rule(data=st.data(), kill=KILLS)
    def fold(self, data: st.DataObject, kill: Kill | None) -> None:
        QueueMachine.steps += 1
        if len(self.queue.patches) <= FEW:
            return
        pair = st.lists(st.sampled_from(self.queue.patches), min_size=2, max_size=2, unique=True)
        away, stays = data.draw(pair)
        lines = tuple(sorted((*away.lines, *stays.lines)))
        joined = self.queue.with_at(self.queue.at(stays.subject), replace(stays, lines=lines))
        self.changing(
            lambda _, pieces: operations.folded(
                pieces, position(pieces, away.subject), position(pieces, stays.subject)
            ),
            ("patches.fold", away.subject, stays.subject),
            joined.without(away.subject),
            kill,
        )

    @stateful.rule(data=st.data(), kill=KILLS)
    def split(self, data: st.DataObject, kill: Kill | None) -> None:
        QueueMachine.steps += 1
        patch = data.draw(st.sampled_from(self.queue.patches))
        second = tuple(line for line in patch.lines if line[0].startswith("g"))
        first = tuple(line for line in patch.lines if line not in second)
        if len(self.queue.patches) >= _MANY or not first or not second:
            return
        subject = self.fresh("half")
        at = self.queue.at(patch.subject)
        expected = self.queue.with_at(at, replace(patch, lines=first), Patch(subject, second))

        def cut(quarantine: Quarantine, pieces: list[PatchEdit]) -> list[PatchEdit]:
            index = position(pieces, patch.subject)
            halves = operations.split(quarantine, pieces[index], ["g*"], subject)
            return [*pieces[:index], *halves, *pieces[index + 1 :]]

        self.changing(cut, ("patches.split", patch.subject, subject, "g*"), expected, kill)

    def is_patch(self, path: str) -> bool:
        """Whether a file's pick has become a patch, or part of one."""
        return any(path in dict(patch.lines) for patch in self.queue.patches)

    @stateful.rule(path=st.sampled_from(PICKS), kill=KILLS)
    def pick(self, path: str, kill: Kill | None) -> None:
        """`patches.pick`, behind the picks that are there; the same twice is refused."""
        QueueMachine.steps += 1
        if self.is_patch(path):
            return
        chosen = pick_of(self.sandbox.git, path)

        def add(quarantine: Quarantine, pieces: list[PatchEdit]) -> list[PatchEdit]:
            there = sum(piece.pick is not None for piece in pieces)
            piece = operations.of_change(picked_change.read(quarantine, chosen, "embedded:"))
            return [*pieces[:there], piece, *pieces[there:]]

        expected = self.queue
        if path not in self.queue.picks:
            expected = replace(self.queue, picks=(*self.queue.picks, path))
        self.changing(add, ("patches.pick", chosen.name), expected, kill)

    @stateful.precondition(lambda self: self.queue.picks)
    @stateful.rule(data=st.data(), kill=KILLS, vendor=st.booleans())
    def end_pick(self, data: st.DataObject, kill: Kill | None, vendor: bool) -> None:
        """`patches.vendor` or `patches.drop` of a pick."""
        QueueMachine.steps += 1
        path = data.draw(st.sampled_from(self.queue.picks))
        name = pick_of(self.sandbox.git, path).name
        rest = tuple(other for other in self.queue.picks if other != path)
        patches = self.queue.patches
        if vendor:
            patches = (Patch(path, ((path, f"picked {path}"),)), *patches)
        make = operations.vendored if vendor else operations.dropped
        self.changing(
            lambda _, pieces: make(pieces, position(pieces, name)),
            (f"patches.{'vendor' if vendor else 'drop'}", name),
            replace(self.queue, picks=rest, patches=patches),
            kill,
        )

    @stateful.rule(data=st.data(), kill=KILLS)
    def edit(self, data: st.DataObject, kill: Kill | None) -> None:
        QueueMachine.steps += 1
        subject = data.draw(st.sampled_from(self.queue.patches)).subject
        opened = self.editing
        is_refused = opened is not None and opened != self.begun(subject)
        outcome: Outcome = "refused" if is_refused else "done"
        self.perform(lambda: self.sandbox.edit().edit(subject), self.queue, outcome, kill)
        if opened is None:
            self.editing = self.begun(subject)

    @stateful.precondition(lambda self: self.editing is not None)
    @stateful.rule(kill=KILLS, amend=st.booleans())
    def go_on_editing(self, kill: Kill | None, amend: bool) -> None:
        QueueMachine.steps += 1
        assert self.editing is not None
        if self.is_changed_since(self.editing):
            self.perform(lambda: self.sandbox.edit().go_on(), self.queue, "refused", kill)
            return
        at = self.queue.at(self.editing.request)
        patch, expected = self.queue.patches[at], self.queue
        path, _ = patch.lines[0]
        if amend:
            line = self.fresh("amended ")
            (self.root / "edit/q/tree" / path).write_text(f"{line}\n")
            lines = tuple(sorted({**dict(patch.lines), path: line}.items()))
            expected = self.queue.with_at(at, replace(patch, lines=lines))
        self.perform(lambda: self.sandbox.edit().go_on(), expected, "done", kill)
        self.editing = None

    @stateful.rule(kill=KILLS)
    def abort_editing(self, kill: Kill | None) -> None:
        QueueMachine.steps += 1
        self.perform(lambda: self.sandbox.edit().abort(), self.queue, "done", kill)
        self.editing = None
