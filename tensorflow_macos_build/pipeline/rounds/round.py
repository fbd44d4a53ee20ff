"""One round of a time-boxed build: from the newest good state to the next one."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.bazel import pruning
from tensorflow_macos_build.bazel.action_results import Blob
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.pipeline.rounds import members, model, state_file
from tensorflow_macos_build.pipeline.rounds.members import BadState
from tensorflow_macos_build.pipeline.rounds.model import (
    MAX_ROUNDS,
    Entry,
    Round,
    RoundEnd,
    RunAction,
    State,
)
from tensorflow_macos_build.pipeline.rounds.store import BrokenRound, OpenRound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tensorflow_macos_build.bazel.disk_cache import CachedAction
    from tensorflow_macos_build.pipeline.rounds.folder import StateFolder
    from tensorflow_macos_build.pipeline.rounds.store import Store, StoreMark


class TooLarge(WorkFailed):
    """What the build itself needs is more than a state may hold."""


@dataclass(frozen=True)
class RoundTerms:
    """What a round works for, and within which bounds.

    Attributes:
        release: the config's name.
        toolchain: the tools of this machine.
        plan: a digest of all that decides what is built.
        max_bytes: how large a state may be.
        kept: how many states are kept.
    """

    release: str
    toolchain: Mapping[str, str]
    plan: str
    max_bytes: int
    kept: int


@dataclass(frozen=True)
class _Past:
    """What the rounds before left.

    Attributes:
        rounds: all of them, the broken-off ones on this machine included.
        runs: what those of this plan ran.
        last_use: the last round that used an action, by the action's key.
        bad: the numbers of the states that could not be used.
    """

    rounds: tuple[Round, ...]
    runs: Mapping[int, frozenset[RunAction]]
    last_use: Mapping[str, int]
    bad: frozenset[int]


@dataclass
class RoundAtWork:
    """A round that has begun. The release's lock and the state folder's are held.

    Attributes:
        terms: what it works for.
        number: its number.
        store: what Bazel fills.
    """

    terms: RoundTerms
    number: int
    store: Store
    _folder: StateFolder
    _mark: StoreMark
    _past: _Past
    _before: Mapping[str, int]
    _tells_uses: bool
    _begun: float = field(default_factory=time.monotonic)

    @property
    def pace(self) -> float | None:
        """How many seconds a byte took when this machine saved last."""
        return self._mark.pace

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The rounds before it, the broken-off ones on this machine included."""
        return self._past.rounds

    def finish(self, end: RoundEnd, stages: tuple[str, ...]) -> Round | None:
        """Save the state, and return what the round did; None: there was nothing new to save.

        Raises:
            WorkFailed: it ended at its budget, and there is nothing new to save.
            TooLarge: the state would be larger than it may be. Nothing was saved, and what was
                built is still in this machine's store.
            OSError: it cannot be written, as on a full disk; likewise.
        """
        begun = time.monotonic()
        used, after = self.store.cache.used(), self.store.cache.inodes()
        new = {key for key, inode in after.items() if self._before.get(key) != inode}
        hits = len((used & self._before.keys()) - new) if self._tells_uses else None
        seconds = round(begun - self._begun, 3)
        actions, _ = self.store.cache.mend()
        run = frozenset(RunAction.of(actions[key]) for key in new & actions.keys())
        row = self._row(end, stages, seconds, run, hits)
        if not self._is_news(row):
            return None
        uses = self._uses(actions, new | used)
        size = self._save(row, run, actions, uses)
        self._close((time.monotonic() - begun) / max(size, 1))
        return row

    def gains(self, row: Round) -> bool:
        """Whether this round has come further than the rounds of its plan before it."""
        before = [other for other in self._past.rounds if other.plan == row.plan]
        unsaved = sum(broken.row.run for broken in self._mark.broken)
        further = bool(before) and not {*row.stages} <= {*before[-1].stages}
        return row.run + unsaved > 0 or further

    def _is_news(self, row: Round) -> bool:
        """Whether a state that this round saves says more than the one before.

        Raises:
            WorkFailed: it does not, and the round has used up its time.
        """
        if self.gains(row):
            return True
        if row.end is RoundEnd.BUDGET:
            raise no_progress()
        before = self._past.rounds[-1:]
        is_done = [(other.plan, other.end) for other in before] == [(row.plan, RoundEnd.DONE)]
        # Gigabytes are not written again to say of the same build that it is still done, or to say
        # nothing but that something failed.
        return row.end is RoundEnd.DONE and not is_done

    def _row(
        self,
        end: RoundEnd,
        stages: tuple[str, ...],
        seconds: float,
        run: frozenset[RunAction],
        hits: int | None,
    ) -> Round:
        overlap, remade = model.compare(run, self._past.runs.values())
        return Round(
            number=self.number,
            plan=self.terms.plan,
            end=end,
            seconds=seconds,
            run=len(run),
            hits=hits,
            overlap=overlap,
            remade=remade,
            stages=stages,
        )

    def _uses(self, actions: Iterable[str], used: set[str]) -> dict[str, int]:
        """Return for each action the last round that used it.

        What an earlier round of this plan has used, this one needs, too, though it may have stopped
        before it came to it.
        """
        same = {row.number for row in self._past.rounds if row.plan == self.terms.plan}
        uses = {}
        for key in actions:
            before = self._past.last_use.get(key, 0)
            uses[key] = self.number if key in used or before in same else before
        return uses

    def _save(
        self,
        row: Round,
        run: frozenset[RunAction],
        actions: Mapping[str, CachedAction],
        uses: Mapping[str, int],
    ) -> int:
        """Save what of the actions fits; return its size."""
        runs = {**self._past.runs, self.number: run}
        while True:
            chosen = self._chosen(actions, uses, runs)
            state = self._state(row, runs, chosen, uses)
            try:
                path = self._folder.save(state, self.store.cache)
            except BadState:
                # Something in the store is not what its name says. All of it is read, so that this
                # comes once.
                if not self.store.cache.scrub(state.blobs):
                    raise
                actions, _ = self.store.cache.mend()
            else:
                size = path.stat().st_size
                self._folder.forget(self.terms.kept, self._past.bad)
                self.store.cache.keep_only(chosen)
                return size

    def _chosen(
        self,
        actions: Mapping[str, CachedAction],
        uses: Mapping[str, int],
        runs: Mapping[int, frozenset[RunAction]],
    ) -> tuple[CachedAction, ...]:
        rows = sum(map(len, runs.values()))
        room = self.terms.max_bytes - state_file.MANIFEST_BYTES - rows * state_file.ROW_BYTES
        chosen, _ = pruning.kept(actions.values(), uses, room, _weight)
        needed = [action for action in actions.values() if uses[action.key] == self.number]
        if len(needed) > sum(uses[action.key] == self.number for action in chosen):
            blobs = {blob for action in needed for blob in action.blobs}
            size = sum(_weight(blob.size) for blob in blobs)
            size += sum(_weight(action.size) for action in needed)
            raise TooLarge(
                f"what this build needs again takes {size / 1e9:.3g} GB, and a state may have "
                f"{self.terms.max_bytes / 1e9:.3g} GB; it was not saved",
                where=str(self._folder.folder),
                hint="allow more (--set time_box.max_gb=…), or build without a time budget on this "
                "machine: what was built is kept on it",
            )
        return chosen

    def _state(
        self,
        row: Round,
        runs: Mapping[int, frozenset[RunAction]],
        chosen: Iterable[CachedAction],
        uses: Mapping[str, int],
    ) -> State:
        entries, blobs = dict[str, Entry](), set[Blob]()
        for action in sorted(chosen, key=lambda action: action.key):
            content = self.store.cache.entry(action.key).read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            entries[action.key] = Entry(sha256, len(content), uses[action.key])
            blobs.update(action.blobs)
        terms, rounds = self.terms, (*self._past.rounds, row)[-MAX_ROUNDS:]
        head = (self.number, terms.release, dict(terms.toolchain), terms.plan, rounds)
        return State(*head, runs, entries, tuple(sorted(blobs)))

    def _close(self, pace: float) -> None:
        closed = self._mark.model_copy(update={"open": None, "broken": (), "pace": pace})
        self.store.write(closed)


def no_progress() -> WorkFailed:
    """Return the error of a round that has gained nothing, and so would be followed by its like."""
    return WorkFailed(
        "this round ran no action before its time was used up; others like it would come no "
        "further",
        where="--time-budget",
        hint="give it more time: a larger --time-budget",
    )


def _weight(size: int) -> int:
    return members.padded(size) + state_file.ROW_BYTES


def begin(
    terms: RoundTerms, store: Store, folder: StateFolder, note: Callable[[str], object]
) -> RoundAtWork:
    """Make a machine's store ready for a round.

    It has then what the newest good state has, and what a broken-off round on this machine left.
    `note` is told what people should know of that.

    Raises:
        UsageError: the folder's states are another release's.
    """
    mark = store.claim(terms.release, terms.toolchain, note)
    state, bad = folder.load(terms.release, terms.toolchain, store.cache, note)
    if bad and state is None:
        note("warning: no saved state can be used; the build begins anew")
    actions, damaged = store.cache.mend()
    if damaged:
        note(f"{damaged} actions will run again: their results in the store are damaged")
    mark = _without_saved(mark, state)
    if mark.open is not None:
        broken = _broken_off(mark.open, actions, state)
        if broken.run:  # else nothing is to be told of it
            mark = mark.model_copy(update={"broken": (*mark.broken, broken)})
    past = _past(state, mark.broken, terms.plan, bad)
    number = max([0, *folder.numbers(), *(row.number for row in past.rounds)]) + 1
    opened = OpenRound(number=number, plan=terms.plan, known=tuple(sorted(actions)))
    mark = mark.model_copy(update={"open": opened})
    store.write(mark)
    tells_uses = store.cache.forget_uses()
    return RoundAtWork(terms, number, store, folder, mark, past, store.cache.inodes(), tells_uses)


def _without_saved(mark: StoreMark, state: State | None) -> StoreMark:
    """Leave out broken-off rounds that a state has: a kill may come between the two."""
    rows = {_broken_name(row) for row in state.rounds} if state else set()
    left = tuple(broken for broken in mark.broken if _broken_name(broken.row) not in rows)
    return mark.model_copy(update={"broken": left})


def _broken_name(row: Round) -> tuple[int, str, RoundEnd, int]:
    return row.number, row.plan, row.end, row.run


def _past(state: State | None, broken: Iterable[BrokenRound], plan: str, bad: set[int]) -> _Past:
    rounds, runs, uses = list[Round](), dict[int, frozenset[RunAction]](), dict[str, int]()
    if state is not None:
        rounds += state.rounds
        runs |= state.runs if state.plan == plan else {}
        uses |= {key: entry.used for key, entry in state.entries.items()}
    for unsaved in broken:
        run = unsaved.actions()
        same_plan = unsaved.row.plan == plan
        overlap, remade = model.compare(run, runs.values() if same_plan else ())
        row = unsaved.row.model_copy(update={"overlap": overlap, "remade": remade})
        rounds.append(row)
        uses |= {action.key: row.number for action in run}
        if same_plan:
            runs[row.number] = run
    return _Past(tuple(rounds), runs, uses, frozenset(bad))


def _broken_off(
    opened: OpenRound, actions: Mapping[str, CachedAction], state: State | None
) -> BrokenRound:
    """Return the round that left the store unsaved, and what it ran."""
    known = {*opened.known, *(state.entries if state else ())}
    ran = (RunAction.of(action) for key, action in actions.items() if key not in known)
    run = tuple(sorted((action.key, action.outputs) for action in ran))
    row = Round(
        number=opened.number,
        plan=opened.plan,
        end=RoundEnd.BROKEN_OFF,
        seconds=None,
        run=len(run),
        hits=None,
        overlap=0,  # counted when it is known what the rounds before it ran
        remade=0,
        stages=(),
    )
    return BrokenRound(row=row, run=run)
