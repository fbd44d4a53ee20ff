"""A queue that commands change, killed anywhere, and how each is judged by a plain model.

The queue is a real one over a real repository. Each patch changes files of its own, one line each,
so what every command must make of the queue can be said in a line; one file is changed upstream
too, so that moving its patch between releases conflicts. Picks, of commits and of pull requests,
change files of their own, and may become patches. After each step the patch files are read
by the few lines of `QueueMachine.observed`, and at the end `git am` has to make of them what the
model says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from hypothesis import stateful
from hypothesis import strategies as st

from tests.kills import ended_at
from tests.queue_model import (
    PICKS,
    Begun,
    Outcome,
    Patch,
    Queue,
    QueueSandbox,
    make_repository,
    pick_of,
    start_with,
    upstream,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit

FEW = 3
"""Patches of which none is taken away."""


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


class QueueMachine(stateful.RuleBasedStateMachine):
    """A queue and its model; `steps` counts the steps of all runs."""

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

    @stateful.rule()
    def look(self) -> None:
        """Status commands write nothing."""
        QueueMachine.steps += 1
        kept = self.listing()
        self.sandbox.outcome(lambda: self.sandbox.edit().status())
        self.sandbox.outcome(lambda: self.sandbox.rebase().status())
        assert self.listing() == kept
        assert self.observed() == self.queue

    def listing(self) -> dict[str, int]:
        tops = (self.root / name for name in ("patches", "edit", "rebase"))
        paths = (path for top in tops for path in top.rglob("*") if "objects" not in path.parts)
        return {str(path): path.lstat().st_mtime_ns for path in paths}

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
