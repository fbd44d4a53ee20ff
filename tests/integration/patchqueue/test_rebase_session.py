"""Settling the conflicts of patches/demo on v2.18.0: one, then the one that waited for it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.console import ticker_of
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.rebase import engine, state
from tensorflow_macos_build.patchqueue.rebase.remarks import NothingLeft
from tensorflow_macos_build.patchqueue.rebase.session import RebaseSession
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.patchqueue.worktree.conflict_tree import Unresolved
from tensorflow_macos_build.upstream import embedded, mirror
from tensorflow_macos_build.views import rebase
from tensorflow_macos_build.views.lines import Line
from tests.fork import DEMO

if TYPE_CHECKING:
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.pace import WorkProgress
    from tensorflow_macos_build.patchqueue.rebase.step import RebaseProgress

ONTO = "v2.18.0"
PLACER = "tensorflow/core/common_runtime/placer.c"


class Desk:
    """A copy of the queue, a mirror, a folder for the work tree; each step has a new session."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        if not (folder / "demo").is_dir():
            shutil.copytree(DEMO, folder / "demo")
        self.queue = folder / "demo"
        self.git: Git = mirror.open("embedded:", folder / "cache")
        self.work = folder / "work"

    def copy(self, folder: Path) -> Desk:
        """Return a copy of all of it."""
        shutil.copytree(self.queue.parent, folder, symlinks=True)
        return Desk(folder)

    @property
    def session(self) -> RebaseSession:
        return RebaseSession(storage.load(self.queue), self.git, self.work)

    def edit(self, side: str = "=") -> None:
        """Settle the conflict by the patch's lines, or upstream's (side "<").

        With upstream's lines the next patch, which stands on this one, conflicts, too.
        """
        path = self.work / PLACER
        inside, lines = "", []
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.startswith(("<<<<<<< ", "||||||| ", "=======", ">>>>>>> ")):
                inside = line[0].strip(">")
            elif inside in ("", side):
                lines.append(line)
        settled = "".join(lines)
        path.write_text(f"{settled}// settled\n" if side == "<" else settled, encoding="utf-8")

    def settle(self) -> RebaseProgress:
        progress = self.session.status()
        if not progress.done and not self.work.exists():
            progress = self.session.go_on()
        while not progress.done:
            self.edit()
            progress = self.session.go_on()
        return progress

    def contents(self) -> dict[str, bytes]:
        files = (path for path in self.queue.rglob("*") if path.is_file())
        return {str(path.relative_to(self.queue)): path.read_bytes() for path in files}


def renumber(queue: Path, number: str, new: str) -> None:
    """Let a patch's file have another number, as patches around it bring it about."""
    (path,) = queue.glob(f"{number}-*.patch")
    name = path.name.replace(number, new, 1)
    series = queue / "series"
    series.write_text(series.read_text().replace(path.name, name))
    path.rename(queue / name)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_work_tree_holds_only_the_conflicting_files_folders(desk: Desk) -> None:
    progress = desk.session.start(ONTO)
    assert progress.paths == (PLACER,)
    files = {path.relative_to(desk.work) for path in desk.work.rglob("*") if path.is_file()}
    shown = {path for path in files if path.parts[0] != ".git"}
    assert {str(path.parent) for path in shown} == {str(Path(PLACER).parent)}
    text = (desk.work / PLACER).read_text(encoding="utf-8")
    assert f"<<<<<<< upstream {ONTO}\n" in text
    assert "||||||| base\n" in text
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=desk.work, capture_output=True, check=True
    )
    assert f"UU {PLACER}\n".encode() in status.stdout


def test_settled_conflicts_end_in_a_queue_on_its_new_base(desk: Desk) -> None:
    desk.session.start(ONTO)
    progress = desk.settle()
    queue = storage.load(desk.queue)
    assert (queue.base.ref, queue.base.commit) == (ONTO, embedded.TAGS[ONTO])
    again = engine.rebase(queue, desk.git, ONTO)
    assert {patch.status for patch in again.patches} == {Status.CLEAN}
    assert again.tree == progress.result.tree
    assert not desk.work.exists()
    assert state.load(queue, desk.git) is None


def test_a_step_that_settles_a_conflict_goes_on_behind_it(desk: Desk) -> None:
    desk.session.start(ONTO)
    desk.edit("<")
    told: list[tuple[int, int | None]] = []

    def tick(progress: WorkProgress) -> None:
        if progress.phase.endswith("replaying"):
            told.append((progress.done, progress.total))

    stopped = replace(desk.session, ticker=ticker_of(tick)).go_on()
    count = len(storage.load(desk.queue).patches)
    assert {total for _, total in told} == {count}
    # the conflict, it again as it was settled, and the one behind: no patch before is replayed
    assert stopped.patch.startswith("00600")
    assert [done for done, _ in told] == [5, 5, 6]


def test_a_recorded_resolution_is_replayed_anywhere_and_shown_as_such(desk: Desk) -> None:
    before = Path(shutil.copytree(desk.queue, desk.queue.parent / "before"))
    desk.session.start(ONTO)
    done = desk.settle()
    shutil.copytree(desk.queue / resolutions.FOLDER, before / resolutions.FOLDER)
    other = mirror.open("embedded:", desk.queue.parent / "elsewhere")
    again = engine.rebase(storage.load(before), other, ONTO)
    assert again.ok
    assert again.tree == done.result.tree
    statuses = {patch.name[:5]: patch.status for patch in again.patches}
    assert statuses["00500"] is Status.RESOLVED


def test_a_recorded_resolution_is_replayed_when_its_patch_has_another_number(desk: Desk) -> None:
    before = Path(shutil.copytree(desk.queue, desk.queue.parent / "before"))
    desk.session.start(ONTO)
    done = desk.settle()
    shutil.copytree(desk.queue / resolutions.FOLDER, before / resolutions.FOLDER)
    renumber(before, "00500", "00450")
    again = engine.rebase(storage.load(before), desk.git, ONTO)
    assert again.tree == done.result.tree
    statuses = {patch.name[:5]: patch.status for patch in again.patches}
    assert statuses["00450"] is Status.RESOLVED


@pytest.mark.parametrize("number", ["00500", "00450"])
def test_a_resolution_for_another_context_is_refused_and_named(desk: Desk, number: str) -> None:
    before = Path(shutil.copytree(desk.queue, desk.queue.parent / "before"))
    desk.session.start(ONTO)
    desk.settle()
    shutil.copytree(desk.queue / resolutions.FOLDER, before / resolutions.FOLDER)
    (path,) = (before / resolutions.FOLDER).glob("00500*.json")
    recorded = resolutions.load(before)
    met = tuple(
        resolutions.ConflictKey(key.path, key.base, "0" * 40, key.patched)
        for key in recorded[0].met
    )
    other = resolutions.RecordedResolution(recorded[0].patch, met, recorded[0].results)
    path.unlink()
    (before / resolutions.FOLDER / other.file_name).write_bytes(resolutions.emit(other))
    renumber(before, "00500", number)
    progress = engine.rebase(storage.load(before), desk.git, ONTO)
    evidence = {patch.name[:5]: patch for patch in progress.patches}[number]
    assert evidence.status is Status.CONFLICT
    assert evidence.evidence.refused == (other.file_name,)


def test_markers_that_are_left_are_not_taken(desk: Desk) -> None:
    desk.session.shown(desk.session.start(ONTO))
    with pytest.raises(Unresolved, match="conflict markers"):
        desk.session.go_on()
    assert not desk.session.status().done


def test_giving_up_leaves_the_queue_as_it_was(desk: Desk) -> None:
    before = desk.contents()
    desk.session.start(ONTO)
    desk.edit("<")
    assert not desk.session.go_on().done
    desk.session.abort()
    assert desk.contents() == before
    assert not desk.work.exists()
    with pytest.raises(UsageError, match="no rebase"):
        desk.session.status()


def test_a_skipped_patch_leaves_the_queue_by_name(desk: Desk) -> None:
    progress = desk.session.start(ONTO)
    while not progress.done:
        progress = desk.session.skip(progress.patch)
    left_out = [patch.name for patch in progress.result.patches if patch.status is Status.LEFT_OUT]
    assert "00500-place-ops-on-the-device-mlc-where-it-has-a-kernel.patch" in left_out
    assert set(left_out) <= set(progress.result.saved.removed if progress.result.saved else ())


def test_a_lost_work_tree_is_made_again(desk: Desk) -> None:
    desk.session.start(ONTO)
    shutil.rmtree(desk.work)
    progress = desk.session.status()
    assert (progress.paths, "is not in" in progress.note) == ((PLACER,), True)
    assert not desk.work.exists()
    assert desk.session.go_on().paths == (PLACER,)
    assert (desk.work / PLACER).is_file()


def test_another_clone_goes_on_from_the_reference_alone(desk: Desk, tmp_path: Path) -> None:
    desk.session.start(ONTO)
    desk.edit("<")
    first = desk.session.go_on()
    assert first.patch.startswith("00600")
    other = Desk(tmp_path / "other")
    ref = state.ref_name(storage.load(desk.queue))
    other.git.run("fetch", "--quiet", desk.git.git_dir, f"{ref}:{ref}")
    progress = other.session.status()
    assert (progress.done, progress.patch) == (first.done, first.patch)
    assert other.settle().result.tree == desk.settle().result.tree
    assert other.contents() == desk.contents()


def test_a_second_start_is_refused(desk: Desk) -> None:
    desk.session.start(ONTO)
    with pytest.raises(UsageError, match=r"onto v2\.18\.0 is under way.* onto v2\.17\.0"):
        desk.session.start("v2.17.0")


def test_other_files_edited_with_a_conflict_belong_to_its_resolution(desk: Desk) -> None:
    desk.session.start(ONTO)
    desk.edit()
    (desk.work / "tensorflow/extra.txt").write_text("also\n", encoding="utf-8")
    (desk.work / PLACER).with_name("executor.h").unlink()
    tree = desk.session.go_on().result.tree
    paths = desk.git.line("ls-tree", "-r", "--name-only", tree).split("\n")
    assert "tensorflow/extra.txt" in paths
    assert "tensorflow/core/common_runtime/executor.h" not in paths


def test_of_a_queue_that_upstream_has_no_rebase_is_left_under_way(desk: Desk) -> None:
    moved = engine.rebase(storage.load(desk.queue), desk.git, "v2.17.0")
    (landed,) = [patch.name for patch in moved.patches if not patch.in_tree]
    (desk.queue / "series").write_text(f"{landed}\n")
    before = desk.contents()
    result = engine.rebase(storage.load(desk.queue), desk.git, "v2.17.0")
    assert (result.ok, result.is_empty, moved.is_empty) == (True, True, False)
    request = engine.RebaseRequest(desk.queue, "v2.17.0", desk.work)
    *_, last = rebase.as_lines("demo", request, result, ())
    assert last == Line(f"no patch is left to carry; next: rm -r {desk.queue}", "green")
    with pytest.raises(NothingLeft) as raised:
        desk.session.start("v2.17.0")
    assert raised.value.hint == f"delete the queue: `rm -r {desk.queue}`"
    assert desk.contents() == before
    with pytest.raises(UsageError, match=r"no rebase .* is under way") as none:
        desk.session.status()
    assert "--cache" in none.value.hint


def test_a_rebase_that_skipped_all_can_be_given_up(desk: Desk) -> None:
    placer = "00500-place-ops-on-the-device-mlc-where-it-has-a-kernel.patch"
    (desk.queue / "series").write_text(f"{placer}\n")
    assert desk.session.start(ONTO).patch == placer
    with pytest.raises(NothingLeft, match=r"rebase\.abort"):
        desk.session.skip(placer)
    assert desk.session.status().result.is_empty
    assert desk.session.abort() == ""
