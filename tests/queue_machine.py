"""Random work on a queue against a plain model: commands, kills anywhere, two processes at once.

The queue is a real one over a real repository. Each patch changes files of its own, one line each,
so what every command must make of the queue can be said in a line; one file is changed upstream
too, so that moving its patch between releases conflicts. Picks, of commits and of pull requests,
change files of their own, and may become patches. After each step the patch files are read
by the few lines of `Machine.observed`, and at the end `git am` has to make of them what the model
says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import yaml
from hypothesis import stateful
from hypothesis import strategies as st

from tensorflow_macos_build.patchqueue.edit import operations
from tensorflow_macos_build.patchqueue.queue import picked_change
from tensorflow_macos_build.patchqueue.rebase import engine
from tests.kills import ended_at
from tests.queue_model import (
    PICKS,
    RELEASES,
    SHARED,
    Begun,
    Outcome,
    Patch,
    Queue,
    QueueSandbox,
    make_repository,
    pick_of,
    position,
    start_with,
    upstream,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit

_FEW, _MANY = 3, 6
_AT_ONCE = 50
"""Steps on one queue; then another one is begun."""


@dataclass(frozen=True)
class Kill:
    """When a command is killed: at its n-th change of a file, or within its n-th program."""

    step: int
    within: float | None


KILLS = st.one_of(
    st.none(),
    st.builds(Kill, st.integers(1, 120), st.none()),
    st.builds(Kill, st.integers(1, 24), st.sampled_from((0.0005, 0.002, 0.006))),
)


class Machine(stateful.RuleBasedStateMachine):
    """The state machine; `steps` counts the steps of all runs."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        parent = memory if memory.is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix="machine-", dir=parent))
        self.sandbox = QueueSandbox(self.root)
        for name in ("tmp", "patches", "edit", "rebase"):
            (self.root / name).mkdir()
        self._tempdir, tempfile.tempdir = tempfile.tempdir, str(self.sandbox.tmp)
        make_repository(self.root / "upstream.git")
        patches = [Patch(f"p{n}", ((f"f{n}", f"f{n} 0"), (f"g{n}", f"g{n} 0"))) for n in range(4)]
        self.queue = Queue("v1", tuple(patches))
        start_with(self.sandbox, self.queue)
        self.picks = {pick_of(self.sandbox.git, path).name: path for path in PICKS}
        self.count = 0
        self.moving: Begun | None = None
        self.editing: Begun | None = None

    # What is run, and how it is judged

    def perform(
        self, command: Callable[[], object], expected: Queue, outcome: Outcome, kill: Kill | None
    ) -> None:
        """Run a command that must make `wanted` of the queue, killed first perhaps."""
        before = self.queue
        if kill is not None:
            ended_at(
                kill.step,
                self.root,
                lambda: self.sandbox.outcome(command),
                within=kill.within,
            )
            assert self.observed() in (before, expected)
        assert self.sandbox.outcome(command) == outcome
        self.queue = expected
        assert self.observed() == expected

    def observed(self) -> Queue:
        """Read the queue's files: the one line that each of its hunks adds, and the release."""
        folder = self.sandbox.queue
        patches = []
        for name in (folder / "series").read_text().split():
            text = (folder / name).read_text()
            subject = text.partition("\nSubject: ")[2].partition("\n")[0]
            rows = text.splitlines()
            paths = [row.removeprefix("+++ b/") for row in rows if row.startswith("+++ b/")]
            lines = [row[1:] for row in rows if row.startswith("+") and not row.startswith("+++")]
            patches.append(Patch(subject, tuple(sorted(zip(paths, lines, strict=True)))))
        described = yaml.safe_load((folder / "queue.yaml").read_text())
        picks = (f"pull-{p['pull']}" if "pull" in p else f"commit-{p['commit'][:12]}"
                 for p in described.get("picks", ()))  # fmt: skip
        return Queue(described["ref"], tuple(patches), tuple(self.picks[name] for name in picks))

    def begun(self, request: str) -> Begun:
        return Begun(request, self.queue, (self.sandbox.queue / "series").read_text())

    def is_changed_since(self, begun: Begun) -> bool:
        return begun != self.begun(begun.request)

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def is_free(self) -> bool:
        return self.editing is None

    def changing(
        self,
        make: Callable[[Quarantine, list[PatchEdit]], list[PatchEdit]],
        request: tuple[str, ...],
        expected: Queue,
        kill: Kill | None,
    ) -> None:
        """Run one of the commands that change the queue at once; an open edit refuses it."""
        if self.editing is not None:
            self.perform(
                lambda: self.sandbox.edit().change(make, request), self.queue, "refused", kill
            )
            return
        if expected == self.queue:
            return
        self.perform(lambda: self.sandbox.edit().change(make, request), expected, "done", kill)

    @stateful.invariant()
    def nothing_lies_around(self) -> None:
        assert [path.name for path in (self.root / "patches").iterdir()] == ["q"]
        assert list(self.sandbox.tmp.iterdir()) == []
        allowed = {"q"} if self.editing else set()
        assert {path.name for path in (self.root / "edit").iterdir()} <= allowed
        allowed = {"q"} if self.moving else set()
        assert {path.name for path in (self.root / "rebase").iterdir()} <= allowed

    # The commands

    @stateful.rule(data=st.data(), kill=KILLS)
    def drop(self, data: st.DataObject, kill: Kill | None) -> None:
        Machine.steps += 1
        if len(self.queue.patches) <= _FEW:
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
        Machine.steps += 1
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
        Machine.steps += 1
        if len(self.queue.patches) <= _FEW:
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
        Machine.steps += 1
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
        Machine.steps += 1
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
        Machine.steps += 1
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
        Machine.steps += 1
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
        Machine.steps += 1
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
        Machine.steps += 1
        self.perform(lambda: self.sandbox.edit().abort(), self.queue, "done", kill)
        self.editing = None

    @stateful.rule(release=st.sampled_from(RELEASES), kill=KILLS)
    def move(self, release: str, kill: Kill | None) -> None:
        """`rebase --write`; a conflict writes nothing, unless its resolution is recorded."""
        Machine.steps += 1

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
        Machine.steps += 1
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
        Machine.steps += 1
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
        Machine.steps += 1
        self.perform(lambda: self.sandbox.rebase().abort(), self.queue, "done", kill)
        self.moving = None

    @stateful.rule()
    def look(self) -> None:
        """Status commands write nothing."""
        Machine.steps += 1
        kept = self.listing()
        self.sandbox.outcome(lambda: self.sandbox.edit().status())
        self.sandbox.outcome(lambda: self.sandbox.rebase().status())
        assert self.listing() == kept
        assert self.observed() == self.queue

    def listing(self) -> dict[str, int]:
        tops = (self.root / name for name in ("patches", "edit", "rebase"))
        paths = (path for top in tops for path in top.rglob("*") if "objects" not in path.parts)
        return {str(path): path.lstat().st_mtime_ns for path in paths}

    @stateful.precondition(lambda self: self.is_free() and len(self.queue.patches) > _FEW)
    @stateful.rule(data=st.data(), release=st.sampled_from(RELEASES))
    def two_at_once(self, data: st.DataObject, release: str) -> None:
        """A patch is dropped while the queue is moved: as the one after the other, in any order."""
        Machine.steps += 1
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

    def teardown(self) -> None:
        tempfile.tempdir = self._tempdir
        try:
            self.check_by_git()
        finally:
            shutil.rmtree(self.root)

    def check_by_git(self) -> None:
        """`git am` makes of the queue what the model says."""
        series = (self.sandbox.queue / "series").read_text().split()
        clone = self.root / "clone"
        environment = {**os.environ, "GIT_COMMITTER_NAME": "c", "GIT_COMMITTER_EMAIL": "c@d"}
        heads = (pick_of(self.sandbox.git, path).commit for path in self.queue.picks)
        picked: list[list[str | Path]] = [["git", "-C", clone, "cherry-pick", h] for h in heads]
        argvs: tuple[list[str | Path], ...] = (
            ["git", "clone", "-q", "-b", self.queue.release, self.root / "upstream.git", clone],
            ["git", "-C", clone, "fetch", "-q", "origin", "refs/pull/*:refs/pull/*"],
            *picked,
            ["git", "-C", clone, "am", "-q", *(self.sandbox.queue / name for name in series)],
        )
        for argv in argvs:
            subprocess.run(argv, check=True, env=environment, stdout=subprocess.DEVNULL)
        for path in upstream(self.queue.release):
            assert (clone / path).read_text() == f"{self.queue.text(path)}\n"


def run(machine: type[Machine], steps: int, *, derandomize: bool = True) -> int:
    """Let a machine take so many steps; return how many it took.

    Raises:
        AssertionError: the queue is not what the model says; hypothesis prints the way there.
    """
    before = Machine.steps
    settings = hypothesis.settings(
        max_examples=-(-steps // _AT_ONCE),
        stateful_step_count=_AT_ONCE,
        deadline=None,
        database=None,
        derandomize=derandomize,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    stateful.run_state_machine_as_test(machine, settings=settings)
    return Machine.steps - before
