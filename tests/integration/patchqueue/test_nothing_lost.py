"""What people have on their disk stays: folders, edits, rebases of other queues, repeated steps."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tensorflow_macos_build import temporary
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.edit import operations
from tensorflow_macos_build.patchqueue.edit.session import EditSession
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.rebase import state
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.patchqueue.worktree import work_tree
from tests.integration.patchqueue.test_rebase_session import ONTO, PLACER, Desk

FIRST, SECOND = "00500", "00600"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def everything(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def left_out(desk: Desk) -> list[str]:
    kept = state.load(storage.load(desk.queue), desk.git)
    return [name[:5] for name in kept.left_out] if kept else []


def edit_session(desk: Desk) -> EditSession:
    return EditSession(storage.load(desk.queue), desk.git, desk.queue.parent / "edit")


# Steps that are repeated


def test_a_skip_that_names_its_patch_leaves_one_out_however_often_it_is_repeated(
    desk: Desk,
) -> None:
    desk.session.shown(desk.session.start(ONTO))
    once = desk.session.skip(FIRST)
    again = desk.session.skip(FIRST)
    assert "left out already" in again.note
    assert again.patch == once.patch
    assert left_out(desk) == [FIRST]


def test_a_skip_without_a_name_leaves_nothing_out_that_nobody_was_told_of(desk: Desk) -> None:
    desk.session.shown(desk.session.start(ONTO))
    second = desk.session.skip()
    assert second.patch.startswith(SECOND)
    again = desk.session.skip()  # the first was killed before it told anybody
    assert "not shown" in again.note
    assert left_out(desk) == [FIRST]
    desk.session.shown(again)
    assert desk.session.skip().done


def test_a_continue_takes_nothing_that_nobody_was_told_of(desk: Desk) -> None:
    desk.session.start(ONTO)
    assert "not shown" in desk.session.go_on().note
    kept = state.load(storage.load(desk.queue), desk.git)
    assert kept is not None
    assert kept.resolutions == ()


def test_a_step_for_another_patch_than_the_one_in_conflict_is_refused(desk: Desk) -> None:
    desk.session.shown(desk.session.start(ONTO))
    for step in (desk.session.skip, desk.session.go_on):
        with pytest.raises(UsageError, match=r"00100.* is not in conflict now; 00500"):
            step("00100")
    assert left_out(desk) == []


@pytest.mark.parametrize("step", ["go_on", "skip"])
def test_a_finished_rebase_is_told_of_and_not_begun_again(desk: Desk, step: str) -> None:
    progress = desk.session.start(ONTO)
    while not progress.done:
        progress = desk.session.skip(progress.patch)
    before = everything(desk.queue)
    again = getattr(desk.session, step)()
    assert again.done
    assert "finished already" in again.note
    assert everything(desk.queue) == before
    assert "nothing to give up" in desk.session.abort()


def test_a_start_goes_on_with_the_same_revision(desk: Desk) -> None:
    first = desk.session.start(ONTO)
    desk.edit("<")
    (desk.work / "notes.txt").write_text("mine\n")
    assert desk.session.start(ONTO).patch == first.patch
    assert (desk.work / "notes.txt").read_text() == "mine\n"


def test_a_change_that_is_repeated_on_its_own_result_does_nothing(desk: Desk) -> None:
    request = ("patches.drop", "00800")

    def drop() -> tuple[int, str]:
        made = edit_session(desk).change(lambda _, pieces: operations.dropped(pieces, 7), request)
        return len(storage.load(desk.queue).patches), made.note

    assert drop() == (7, "")
    count, note = drop()
    assert count == 7
    assert "done already" in note
    made = edit_session(desk).change(
        lambda _, pieces: operations.dropped(pieces, 6), ("patches.drop", "00700")
    )
    assert made.note == ""
    assert len(storage.load(desk.queue).patches) == 6
    assert "done already" in edit_session(desk).go_on().note


def test_a_change_that_waits_goes_on_by_the_same_request_and_refuses_another(desk: Desk) -> None:
    request = ("patches.drop", "00500")
    first = edit_session(desk).change(lambda _, pieces: operations.dropped(pieces, 4), request)
    assert first.conflicts
    again = edit_session(desk).change(lambda _, pieces: operations.dropped(pieces, 4), request)
    assert again.conflicts == first.conflicts
    with pytest.raises(UsageError, match=r" patches\.drop --queue \S+ 00500`"):
        edit_session(desk).edit("00100")


def test_an_edit_whose_work_tree_a_kill_kept_from_being_made_is_gone_on_with(desk: Desk) -> None:
    opened = edit_session(desk).edit("00100")
    assert opened.folder is not None
    shutil.rmtree(opened.folder)
    assert edit_session(desk).edit("00100").folder == opened.folder
    assert opened.folder.is_dir()
    shutil.rmtree(opened.folder)
    again = edit_session(desk).go_on()
    assert (again.saved, again.folder) == (None, opened.folder)
    assert "not there" in again.note
    assert edit_session(desk).go_on().saved is not None


def test_an_abort_that_was_killed_while_it_deleted_the_work_tree_is_finished(
    desk: Desk, tmp_path: Path
) -> None:
    work = tmp_path / "build/rebase/demo"
    session = replace(desk.session, folder=work)
    session.start(ONTO)
    killed = work.with_name(f"{temporary.PREFIX}x")
    killed.mkdir()
    work.rename(killed / "old")
    assert session.abort() == ""
    assert list(work.parent.iterdir()) == []


# Folders


@pytest.mark.parametrize("step", ["start", "abort"])
def test_a_folder_that_is_not_its_own_work_tree_is_left_alone(desk: Desk, step: str) -> None:
    desk.work.mkdir()
    (desk.work / "thesis.txt").write_text("three years of work")
    subprocess.run(["git", "init", "-q", desk.work], check=True)
    before = everything(desk.work)
    if step == "start":
        with pytest.raises(UsageError, match="did not make"):
            desk.session.start(ONTO)
    else:
        other = replace(desk.session, folder=desk.queue.parent / "other")
        other.start(ONTO)
        assert "left alone" in desk.session.abort()
        assert state.load(storage.load(desk.queue), desk.git) is None
    assert everything(desk.work) == before


def test_an_empty_folder_and_a_link_to_one_are_taken(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    desk.work.symlink_to(tmp_path / "real")
    assert desk.session.start(ONTO).folder == (tmp_path / "real").resolve()
    assert desk.work.is_symlink()
    assert (tmp_path / "real" / PLACER).is_file()


@pytest.mark.parametrize("inside", ["work", "resolutions", "resolutions/work", ""])
def test_a_work_tree_has_no_place_in_the_queue(desk: Desk, inside: str) -> None:
    """A queue is written as a whole: a work tree in it would be copied, and read as its part."""
    before = everything(desk.queue)
    with pytest.raises(UsageError, match="cannot be in the queue"):
        replace(desk.session, folder=desk.queue / inside).start(ONTO)
    assert everything(desk.queue) == before
    assert state.load(storage.load(desk.queue), desk.git) is None


def test_edits_in_a_work_tree_whose_rebase_is_lost_are_not_overwritten(desk: Desk) -> None:
    desk.session.start(ONTO)
    desk.edit()
    state.drop(storage.load(desk.queue), desk.git)
    edited = (desk.work / PLACER).read_bytes()
    with pytest.raises(UsageError, match="not taken"):
        desk.session.start(ONTO)
    assert (desk.work / PLACER).read_bytes() == edited


def test_a_work_tree_of_another_queue_is_not_taken(desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path / "other")
    desk.session.start(ONTO)
    with pytest.raises(UsageError, match="of another queue"):
        replace(other.session, folder=desk.work).start(ONTO)


# Reading


@pytest.mark.parametrize(
    "change", ["base", "patch", "series", "work tree", "nothing", "nothing but a lock"]
)
def test_status_writes_nothing_whatever_was_changed(desk: Desk, change: str) -> None:
    desk.session.start(ONTO)
    desk.edit()
    queue = storage.load(desk.queue)
    match change:
        case "base":
            path = desk.queue / "queue.yaml"
            path.write_text(path.read_text().replace("v2.16.0", "v2.17.0"))
        case "patch":
            path = desk.queue / queue.patches[7].name
            path.write_bytes(path.read_bytes().replace(b"Subject: ", b"Subject: Not ", 1))
        case "series":
            path = desk.queue / "series"
            path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        case "work tree":
            shutil.rmtree(desk.work)
        case "nothing but a lock":
            (desk.work / ".git" / "index.lock").touch()
    before = everything(desk.queue.parent)
    kept = state.load(queue, desk.git)
    if change in ("base", "patch", "series"):
        for step in (desk.session.status, desk.session.go_on, desk.session.skip):
            with pytest.raises(UsageError, match=r"was changed since its rebase onto v2\.18\.0"):
                step()
    else:
        desk.session.status()
    after = everything(desk.queue.parent)
    kinds = ("cache/", "work/.git/objects/")  # packs of commits that are found again
    assert {k: v for k, v in after.items() if not k.startswith(kinds)} == {
        k: v for k, v in before.items() if not k.startswith(kinds)
    }
    assert state.load(queue, desk.git) == kept


def test_a_queue_that_is_brought_back_is_gone_on_with(desk: Desk) -> None:
    desk.session.shown(desk.session.start(ONTO))
    path = desk.queue / "queue.yaml"
    before = path.read_text()
    path.write_text(before.replace("v2.16.0", "v2.17.0"))
    with pytest.raises(UsageError, match="git checkout"):
        desk.session.go_on()
    path.write_text(before)
    desk.edit()
    assert not desk.session.go_on().note


def test_a_queue_reordered_there_and_back_is_gone_on_with_when_its_files_have_their_names(
    desk: Desk,
) -> None:
    desk.session.shown(desk.session.start(ONTO))
    desk.edit()
    before, edited = desk.contents(), (desk.work / PLACER).read_bytes()
    patches = [(patch.name, patch.content) for patch in storage.load(desk.queue).patches]
    for _ in ("there", "and back"):
        edit_session(desk).change(lambda _, pieces: operations.moved(pieces, 0, 1))
    now = storage.load(desk.queue).patches
    assert [patch.content for patch in now] == [content for _, content in patches]
    assert [patch.name for patch in now] != [name for name, _ in patches]
    for step in (partial(desk.session.start, ONTO), desk.session.go_on, desk.session.skip):
        with pytest.raises(UsageError, match=r"was changed since its rebase onto v2\.18\.0"):
            step()
    for name, content in before.items():
        (desk.queue / name).write_bytes(content)
    assert desk.session.start(ONTO).patch.startswith(FIRST)
    assert (desk.work / PLACER).read_bytes() == edited
    assert not desk.session.go_on().note


def test_queues_whose_names_look_alike_have_rebases_of_their_own(desk: Desk) -> None:
    names = ("nv.1", "nv-1", "NV-1")
    desks = []
    for name in names:
        queue = Path(shutil.copytree(desk.queue, desk.queue.parent / name))
        work = queue.parent / f"work of {name}"
        desks.append(replace(desk.session, queue=storage.load(queue), folder=work))
    desks[0].start(ONTO)
    for other in desks[1:]:
        with pytest.raises(UsageError, match="no rebase"):
            other.status()
        other.start("v2.17.0")
        other.abort()
    assert desks[0].status().patch.startswith(FIRST)


def test_a_queue_of_the_same_name_elsewhere_cannot_end_a_rebase(desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path / "other")
    first = sorted(other.queue.glob("*.patch"))[0]
    first.write_bytes(first.read_bytes().replace(b"Subject: ", b"Subject: Not ", 1))
    elsewhere = replace(other.session, git=desk.git)
    desk.session.start(ONTO)
    for step in (elsewhere.status, elsewhere.abort, lambda: elsewhere.start(ONTO)):
        with pytest.raises(UsageError, match="that is under way is that of"):
            step()
    assert desk.session.status().patch.startswith(FIRST)


def test_a_change_of_another_queue_is_neither_gone_on_with_nor_given_up(
    desk: Desk, tmp_path: Path
) -> None:
    edit_session(desk).edit("00100")
    other = Desk(tmp_path / "other")
    session = replace(edit_session(other), git=desk.git, folder=edit_session(desk).folder)
    for step in (session.status, session.go_on, session.abort):
        with pytest.raises(UsageError, match="is one of"):
            step()
    desk.queue.rename(desk.queue.with_name("moved"))
    moved = replace(session, queue=storage.load(desk.queue.with_name("moved")))
    assert moved.status().folder == session.folder / "tree"


# Locks of gits that were killed


def test_locks_that_killed_gits_left_are_in_nobodys_way(desk: Desk) -> None:
    desk.session.shown(desk.session.start(ONTO))
    reference = state.ref_name(storage.load(desk.queue))
    for left in (f"{reference}.lock", "packed-refs.lock"):
        (desk.git.git_dir / left).touch()
    (desk.work / ".git" / "index.lock").touch()
    desk.edit("<")
    progress = desk.session.go_on()
    assert progress.patch.startswith(SECOND)
    for left in (f"{reference}.lock", "packed-refs.lock"):
        (desk.git.git_dir / left).touch()
    desk.edit()
    done = desk.session.go_on()
    assert done.done
    assert all(patch.status is not Status.LEFT_OUT for patch in done.result.patches)


def test_a_lock_in_an_opened_patchs_work_tree_is_in_nobodys_way(desk: Desk) -> None:
    opened = edit_session(desk).edit("00100")
    assert opened.folder is not None
    (opened.folder / ".git" / "index.lock").touch()
    (opened.folder / "RELEASE.md").write_text("changed\n")
    assert edit_session(desk).go_on().saved is not None


def test_a_change_of_the_same_size_at_the_same_time_is_seen(desk: Desk) -> None:
    """git takes a file for unchanged by size and time, unless its index is as old as the file."""
    desk.session.start(ONTO)
    path = desk.work / PLACER
    index = (desk.work / ".git" / "index").stat()
    content = path.read_bytes()
    path.write_bytes(content.swapcase())
    os.utime(path, ns=(index.st_mtime_ns, index.st_mtime_ns))
    assert work_tree.is_changed(desk.work)


# What is to be typed next


def test_hints_name_the_flags_by_which_the_queue_and_its_rebase_were_named(desk: Desk) -> None:
    """Without them the next command would look for the rebase in another cache."""
    flags = ("--queue", str(desk.queue), "--work", "w", "--cache", "c")
    session = replace(desk.session, flags=flags)
    session.start(ONTO)
    with pytest.raises(UsageError) as other:
        session.start("v2.17.0")
    (desk.queue / "queue.yaml").write_text(
        (desk.queue / "queue.yaml").read_text().replace("ref: ", "ref: x")
    )
    with pytest.raises(UsageError) as changed:
        session.status()
    for caught in (other, changed):
        assert f"rebase.abort {' '.join(flags)}`" in (caught.value.hint or "")
