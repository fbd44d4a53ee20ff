"""What a rebase's steps keep for the next one: it saves work, and nothing depends on it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import ticker_of
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import reached, state
from tensorflow_macos_build.patchqueue.rebase.partial import PartialRebase
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tests.integration.patchqueue.test_rebase_session import ONTO, Desk
from tests.repositories import FILE, Case, commits_of, make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tensorflow_macos_build.pace import WorkProgress
    from tensorflow_macos_build.patchqueue.rebase.reached import Reached
    from tensorflow_macos_build.patchqueue.rebase.state import RebaseState
    from tensorflow_macos_build.patchqueue.rebase.step import RebaseProgress
    from tests.repositories import Files

PATCHES = 8


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A rebase that stands at its second conflict."""
    desk = Desk(tmp_path)
    desk.session.start(ONTO)
    desk.edit("<")
    assert desk.session.go_on().patch.startswith("00600")
    return desk


def kept(desk: Desk) -> RebaseState:
    found = state.load(storage.load(desk.queue), desk.git)
    assert found is not None
    return found


def keep(desk: Desk, came_to: Reached | None) -> None:
    """Let the rebase have reached something else."""
    with open_quarantine(desk.git) as quarantine:
        state.save(storage.load(desk.queue), quarantine, replace(kept(desk), reached=came_to))


def status(desk: Desk) -> tuple[RebaseProgress, int]:
    """Return how far the rebase is, and how many patches were replayed to see that."""
    told: list[int] = []

    def tick(progress: WorkProgress) -> None:
        if progress.phase.endswith("replaying"):
            told.append(progress.done)

    return replace(desk.session, ticker=ticker_of(tick)).status(), len(told)


def alter(desk: Desk, change: Callable[[documents.Json], object]) -> Reached:
    """Return what the rebase reached with its last part changed."""
    came_to = kept(desk).reached
    assert came_to is not None
    with open_quarantine(desk.git) as quarantine:
        body: documents.Json = json.loads(quarantine.objects.blob(came_to.parts[-1]))
        content = change(body)
        text = content if isinstance(content, str) else json.dumps(body)
        part = quarantine.write("blob", text.encode())
        quarantine.keep([part], [])
    return replace(came_to, parts=(*came_to.parts[:-1], part))


def set_to(**values: object) -> Callable[[documents.Json], object]:
    return lambda body: body.update(values)


def test_each_step_replays_and_judges_what_is_left(tmp_path: Path) -> None:
    """Every patch conflicts, so that a step comes to the next one, however many are before."""

    def files(side: str, count: int) -> Files:
        return {
            f"{n}.c": (FILE, f"{side if n < count else 'base'}\n".encode()) for n in range(PATCHES)
        }

    queue = tuple(files("patch", count + 1) for count in range(PATCHES))
    made = make(Case(files("", 0), (files("upstream", PATCHES),), queue), tmp_path / "repository")
    patches = commits_of(made.git, f"{made.base}..queue")
    came_to, decisions = None, Decisions()
    for number in range(PATCHES):
        told: list[tuple[str, int]] = []

        def tick(progress: WorkProgress, told: list[tuple[str, int]] = told) -> None:
            told.append((progress.phase.rpartition(" ")[2], progress.done))

        with open_quarantine(made.git) as quarantine:
            partial = PartialRebase(
                quarantine,
                QueueBase("", "base", made.base),
                made.onto,
                patches,
                ticker_of(tick),
                reached=came_to,
            )
            conflict = partial.go_on(decisions)
            assert conflict is not None
            assert conflict.patch == patches[number]
            result = partial.result()
            assert [done for phase, done in told if phase == "replaying"] == [number + 1]
            assert min(done for phase, done in told if phase == "classifying") == (
                len(came_to.passed) if came_to else 0
            )
            ours = resolutions.record(quarantine, conflict.patch.name, conflict.merged, ())
            decisions = replace(decisions, resolutions=(*decisions.resolutions, ours))
            partial.go_on(decisions)
            came_to = partial.reached(partial.result()) or came_to
            assert result.patches[number].status is Status.CONFLICT
            if came_to is not None:
                quarantine.keep([came_to.tree, *came_to.parts], [made.onto])


def test_all_that_is_kept_obeys_its_schema(desk: Desk) -> None:
    listed = desk.git.line("ls-tree", "-r", "--name-only", kept(desk).kept).split("\n")
    names = [name for name in listed if name.startswith("reached/0") or name == "state.json"]
    assert len(names) == 3
    for name in names:
        documents.check(json.loads(desk.git.out("cat-file", "blob", f"{kept(desk).kept}:{name}")))


@pytest.mark.parametrize(
    "change",
    [
        set_to(key="0" * 64),
        set_to(key=None),
        set_to(patches=[]),
        set_to(patches=[{}]),
        set_to(patches=7),
        set_to(schema={"name": "rebase-reached", "version": 2}),
        lambda body: body["patches"][0].update(status="no status"),
        lambda body: body["patches"][0].update(evidence=[]),
        lambda body: body["patches"].pop(),
        lambda _: "{",
        lambda _: "[]",
        lambda _: "null",
        lambda _: "[" * 100_000,
        lambda _: "",
    ],
)
def test_what_is_damaged_is_made_anew(desk: Desk, change: Callable[[Any], object]) -> None:
    before, replayed = status(desk)
    keep(desk, alter(desk, change))
    again, all_replayed = status(desk)
    assert (again, replayed, all_replayed) == (before, 1, 6)


def test_what_another_version_computed_is_made_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = status(desk)
    monkeypatch.setattr(reached, "__version__", "0.0.1")
    assert status(desk) == (before, 6)


def test_a_rebase_that_kept_nothing_goes_on_as_well(desk: Desk) -> None:
    before, _ = status(desk)
    keep(desk, None)
    assert status(desk) == (before, 6)
    assert desk.settle().done


def test_a_status_writes_nothing_and_a_repeated_step_no_more_than_it_did(desk: Desk) -> None:
    before = kept(desk)
    status(desk)
    assert kept(desk) == before
    assert "not shown" in desk.session.go_on().note
    assert kept(desk) == before


def test_the_queues_own_resolutions_are_those_of_now(desk: Desk, tmp_path: Path) -> None:
    """One that is edited, or gone, settles a patch otherwise that was passed by it."""
    (made,) = kept(desk).resolutions
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other")
    folder = other.queue / resolutions.FOLDER
    folder.mkdir(exist_ok=True)
    file = folder / made.file_name
    file.write_bytes(desk.git.out("cat-file", "blob", made.oid))
    first = other.session.start(ONTO)
    assert first.patch.startswith("00600")
    assert status(other) == (first, 1)
    content = file.read_text(encoding="utf-8")
    file.write_text(content.replace("// settled", "// otherwise"), encoding="utf-8")
    edited, _ = status(other)
    assert edited.result.tree != first.result.tree
    keep(other, None)
    assert status(other)[0] == edited
    file.unlink()
    assert status(other)[0].patch.startswith("00500")


def test_what_is_written_back_comes_of_the_queue_and_the_decisions_alone(
    desk: Desk, tmp_path: Path
) -> None:
    honest = desk.copy(tmp_path / "honest")
    expected = honest.settle()

    def lie(body: documents.Json) -> None:
        for patch in body["patches"]:
            patch.update(status="left-out", in_tree=False)

    keep(desk, alter(desk, lie))
    assert Status.LEFT_OUT in {patch.status for patch in status(desk)[0].result.patches}
    done = desk.settle()
    assert desk.contents() == honest.contents()
    assert replace(done.result, saved=None) == replace(expected.result, saved=None)
