"""Rounds of a build that never was: states saved, damaged, lost, and taken up on other machines."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING
from unittest import mock

from hypothesis import stateful
from hypothesis import strategies as st

from tensorflow_macos_build.pipeline.rounds import members, round, state_file
from tensorflow_macos_build.pipeline.rounds.folder import StateFolder
from tensorflow_macos_build.pipeline.rounds.model import RoundEnd, State
from tensorflow_macos_build.pipeline.rounds.round import RoundAtWork, RoundTerms
from tensorflow_macos_build.pipeline.rounds.store import Store
from tests import kills
from tests.disk_caches import Filler

if TYPE_CHECKING:
    from tensorflow_macos_build.bazel.disk_cache import DiskCache

ACTIONS = [f"action {number}" for number in range(10)]
"""What the build consists of, in the order in which it is run."""


def terms(**changes: object) -> RoundTerms:
    """Return what a round works for, by default without bounds that matter."""
    values = {"release": "r", "toolchain": {"cc": "1"}, "plan": "0" * 64, "max_bytes": 10**9}
    return RoundTerms(**{**values, "kept": 2, **changes})  # type: ignore[arg-type]  # as named


def key_of(name: str) -> str:
    """Return the key that `Filler` gives an action."""
    return hashlib.sha256(b"action " + name.encode()).hexdigest()


def build(cache: DiskCache, count: int) -> set[str]:
    """Do as Bazel does, until so many actions have run; return the keys of those."""
    filler, run = Filler(cache.folder), set[str]()
    for name in ACTIONS:
        if cache.read(key_of(name)) is None:
            if len(run) == count:
                break
            # Bazel replaces nothing that is there.
            assert not cache.entry(key_of(name)).exists()
            run.add(filler.action(name, {f"bazel-out/{name}": name.encode() * 99}))
    return run


class RoundMachine(stateful.RuleBasedStateMachine):
    """Whatever happens, the newest good state counts, and what ran is told rightly."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.states = StateFolder(self.folder / "states")
        self.store = Store(self.folder / "store")
        self.saved: dict[int, State] = {}
        self.bad: set[int] = set()
        self.unsaved: set[str] = set()
        """What broken-off rounds on this machine ran."""
        self.notes: list[str] = []

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def good(self) -> set[str]:
        numbers = [number for number in self.states.numbers() if number not in self.bad]
        return set(self.saved[numbers[0]].entries) if numbers else set()

    def begin(self) -> RoundAtWork:
        self.notes.clear()
        seen = set(self.bad) & set(self.states.numbers())
        begun = round.begin(terms(), self.store, self.states, self.notes.append)
        newest = max({*self.states.numbers(), 0} - self.bad)
        # Each bad one that is newer than the one taken is told, and no other.
        assert len([note for note in self.notes if "the state before it" in note]) == len(
            [number for number in seen if number > newest]
        )
        self.unsaved -= self.good()  # a state that is whole again has what was run anew meanwhile
        here = set(self.store.cache.inodes())
        assert here >= self.good() | self.unsaved
        assert self.store.cache.mend()[1] == 0
        return begun

    def end(self, begun: RoundAtWork, run: set[str]) -> None:
        gained = bool(run or self.unsaved)
        row = begun.finish(self._way(gained=gained), ())
        if row is None:
            assert not gained
            return
        assert (row.run, row.overlap, row.remade) == (len(run), 0, 0)
        assert row.number == begun.number == self.states.numbers()[0]
        state = state_file.check(self.states.path(row.number))
        assert set(state.entries) == set(self.store.cache.inodes())
        numbers = [row.number for row in state.rounds]
        assert len(numbers) == len(set(numbers))
        runs = [key for actions in state.runs.values() for key in actions]
        assert len(runs) == len(set(runs))
        assert len(self.states.numbers()) <= 2
        self.saved[row.number], self.unsaved = state, set()
        self.bad &= set(self.states.numbers())

    def _way(self, *, gained: bool) -> RoundEnd:
        """Return how a round ends; one that stopped at its budget must have gained something."""
        return RoundEnd.BUDGET if gained else RoundEnd.DONE

    @stateful.rule(count=st.integers(0, 4))
    def build(self, count: int) -> None:
        begun = self.begin()
        self.end(begun, build(self.store.cache, count))

    @stateful.rule(count=st.integers(0, 4))
    def build_and_be_killed(self, count: int) -> None:
        self.begin()
        self.unsaved |= build(self.store.cache, count)

    @stateful.rule(count=st.integers(0, 4), step=st.integers(1, 30))
    def be_killed_while_saving(self, count: int, step: int) -> None:
        begun = self.begin()
        self.unsaved |= build(self.store.cache, count)
        before, way = self.states.numbers(), self._way(gained=bool(self.unsaved))
        if kills.ended_at(step, self.folder, lambda: begun.finish(way, ())):
            # Whatever it has come to: the former state is there as it was, or a newer whole one.
            for number in self.states.numbers():
                if number not in self.bad:
                    self.saved[number] = state_file.check(self.states.path(number))
            assert set(before) - self.bad <= {*self.states.numbers(), *before[1:]}
        elif self.states.numbers() != before:
            self.saved[begun.number] = state_file.check(self.states.path(begun.number))
            self.unsaved.clear()
        self.bad &= set(self.states.numbers())

    @stateful.rule(count=st.integers(1, 4), room=st.integers(0, 20))
    def have_no_room_to_save(self, count: int, room: int) -> None:
        begun = self.begin()
        self.unsaved |= build(self.store.cache, count)
        before, way = self.states.numbers(), self._way(gained=bool(self.unsaved))
        try:
            with mock.patch.object(members, "write", _until_full(room)):
                row = begun.finish(way, ())
        except OSError:
            assert self.states.numbers() == before
            assert not list(self.states.folder.glob(".tmp*"))
            return
        if row is not None:
            self.unsaved.clear()
            self.saved[begun.number] = state_file.check(self.states.path(begun.number))
            self.bad &= set(self.states.numbers())

    @stateful.rule()
    def go_to_another_machine(self) -> None:
        shutil.rmtree(self.store.folder, ignore_errors=True)
        self.unsaved.clear()

    @stateful.precondition(lambda self: self.states.numbers())
    @stateful.rule(cut=st.booleans(), at=st.floats(0, 1, exclude_max=True), data=st.data())
    def damage_a_state(self, cut: bool, at: float, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.states.numbers()))
        damage(self.states.path(number), cut=cut, at=at)
        with contextlib.suppress(members.BadState):
            # What no reader looks at may have changed, such as the bytes that fill up a block.
            assert state_file.check(self.states.path(number)) == self.saved[number]
            self.bad.discard(number)  # a bit that is changed twice is as it was
            return
        self.bad.add(number)


def damage(path: Path, *, cut: bool, at: float) -> None:
    """Cut a file somewhere, or change one of its bits."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    position = int(at * len(content))
    if cut or not content:
        del content[position:]
    else:
        content[position] ^= 1 << (position % 8)
    path.write_bytes(content)


def _until_full(room: int) -> object:
    left, write = room, members.write

    def limited(stream: IO[bytes], name: str, size: int, content: IO[bytes]) -> str:
        nonlocal left
        if left == 0:
            stream.write(content.read(1))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left -= 1
        return write(stream, name, size, content)

    return limited
