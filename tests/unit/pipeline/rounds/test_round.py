"""Rounds and their states: what is taken up, kept, refused and counted."""

from __future__ import annotations

import shutil
import tarfile
import threading
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import ExitCode, UsageError, WorkFailed
from tensorflow_macos_build.pipeline.rounds import round, state_file
from tensorflow_macos_build.pipeline.rounds.folder import StateFolder
from tensorflow_macos_build.pipeline.rounds.members import BadState
from tensorflow_macos_build.pipeline.rounds.model import Round, RoundEnd
from tensorflow_macos_build.pipeline.rounds.round import RoundAtWork, TooLarge
from tensorflow_macos_build.pipeline.rounds.store import Store
from tests.disk_caches import Filler
from tests.round_machine import damage, key_of, terms

if TYPE_CHECKING:
    from pathlib import Path


class Machines:
    """A folder of states, and machines that use it."""

    def __init__(self, folder: Path) -> None:
        self.states = StateFolder(folder / "states")
        self.store = Store(folder / "store")
        self.notes: list[str] = []

    def begin(self, **changes: object) -> RoundAtWork:
        return round.begin(terms(**changes), self.store, self.states, self.notes.append)

    def filler(self) -> Filler:
        return Filler(self.store.folder)

    def run(self, *names: str, **changes: object) -> Round:
        """Run a round in which these actions run."""
        begun = self.begin(**changes)
        for name in names:
            self.filler().action(name)
        return saved(begun)

    def move(self) -> None:
        shutil.rmtree(self.store.folder)

    def entries(self) -> int:
        return len(self.store.cache.inodes())


def saved(begun: RoundAtWork, end: RoundEnd = RoundEnd.BUDGET) -> Round:
    """End a round that has something to save."""
    row = begun.finish(end, ())
    assert row is not None
    return row


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    return Machines(tmp_path)


def test_a_state_has_the_same_bytes_wherever_it_is_made(machines: Machines, tmp_path: Path) -> None:
    begun = machines.begin()
    machines.filler().action("a", folder=[b"x", b"y"])
    begun.finish(RoundEnd.DONE, ("patch",))
    state = state_file.check(machines.states.path(1))
    again = tmp_path / "again.tar"
    state_file.write(again, state, machines.store.cache)
    assert again.read_bytes() == machines.states.path(1).read_bytes()
    assert machines.states.path(1).stat().st_mode & 0o777 == 0o444


def test_a_state_is_an_archive_that_tar_can_list(machines: Machines) -> None:
    machines.run("a")
    with tarfile.open(machines.states.path(1)) as archive:
        names = archive.getnames()
    assert names[:4] == ["manifest.json", "manifest.json.sha256", "actions", "blobs"]
    assert [name.partition("/")[0] for name in names[4:]] == ["rounds", "cas", "ac"]


def test_a_state_counts_under_the_name_alone_that_it_was_saved_with(machines: Machines) -> None:
    machines.run("a")
    shutil.copy(machines.states.path(1), machines.states.folder / "state-00009.tar")
    assert machines.states.numbers() == [1]
    assert [report.fault for report in machines.states.report(check=True)] == [""]
    assert machines.run("b").number == 2


def test_a_folder_with_a_states_name_stays_and_fails_no_round(machines: Machines) -> None:
    machines.states.path(3).mkdir(parents=True)
    assert machines.run("a").number == 4
    assert machines.run("b").number == 5
    assert machines.states.path(3).is_dir()


def test_other_tools_make_another_state(machines: Machines) -> None:
    machines.run("a")
    row = machines.run("b", toolchain={"cc": "2"})
    assert (row.number, row.hits, machines.entries()) == (2, 0, 1)
    assert "cache is emptied" in machines.notes[0]
    assert "cc: 1, here 2" in machines.notes[1]
    assert "begins anew" in machines.notes[2]
    assert machines.states.numbers() == [2]


def test_another_release_s_folder_is_refused_and_left_alone(machines: Machines) -> None:
    machines.run("a")
    machines.move()
    with pytest.raises(UsageError, match="are of the release r, not of s"):
        machines.begin(release="s")
    assert machines.states.numbers() == [1]


def test_a_bad_state_falls_back_to_the_one_before(machines: Machines) -> None:
    machines.run("a")
    machines.run("b")
    machines.move()
    damage(machines.states.path(2), cut=True, at=0.9)
    begun = machines.begin()
    machines.filler().action("c")
    assert machines.entries() == 2
    assert machines.notes == ["warning: state-0002.tar: it is cut off; the state before it counts"]
    assert saved(begun).number == 3
    assert machines.states.numbers() == [3, 1]


def test_the_state_before_is_kept_and_those_before_that_are_not(machines: Machines) -> None:
    for name in "abc":
        machines.run(name)
    assert machines.states.numbers() == [3, 2]
    machines.run("d", kept=1)
    assert machines.states.numbers() == [4]


def test_what_only_an_earlier_plan_used_goes_first(machines: Machines) -> None:
    machines.run("old", "shared")
    action = 2 * (512 + 512 + state_file.ROW_BYTES)  # a small entry and a small blob
    room = state_file.MANIFEST_BYTES + state_file.ROW_BYTES + 2 * action
    begun = machines.begin(plan="1" * 64, max_bytes=room)
    machines.filler().action("new")
    machines.store.cache.entry(key_of("shared")).read_bytes()  # a hit
    row = saved(begun)
    assert (row.run, row.hits) == (1, 1)
    assert set(machines.store.cache.inodes()) == {key_of("new"), key_of("shared")}
    assert machines.states.path(2).stat().st_size <= room


def test_what_this_plan_used_is_kept_though_this_round_did_not_come_to_it(
    machines: Machines,
) -> None:
    machines.run("a", plan="1" * 64)
    machines.run("b", plan="1" * 64)
    state = state_file.check(machines.states.path(2))
    assert {entry.used for entry in state.entries.values()} == {2}


def test_a_state_above_its_bound_is_refused_and_nothing_is_lost(machines: Machines) -> None:
    machines.run("a")
    begun = machines.begin(max_bytes=state_file.MANIFEST_BYTES + 4000)
    for name in "bcd":
        machines.filler().action(name)
    with pytest.raises(TooLarge, match="was not saved") as caught:
        begun.finish(RoundEnd.BUDGET, ())
    assert "time_box.max_gb" in caught.value.hint
    assert (machines.states.numbers(), machines.entries()) == ([1], 4)
    # With more room the next round saves what this one ran, and knows that it was this one.
    again = machines.run()
    assert (again.number, again.run, machines.entries()) == (3, 0, 4)
    rounds = state_file.check(machines.states.path(3)).rounds
    assert [(row.number, row.end.value, row.run) for row in rounds] == [
        (1, "budget", 1),
        (2, "broken off", 3),
        (3, "budget", 0),
    ]


def test_what_is_run_twice_is_counted(machines: Machines) -> None:
    machines.run("a", "b")
    machines.store.cache.entry(key_of("a")).unlink()
    machines.move()
    begun = machines.begin()
    machines.store.cache.entry(key_of("a")).unlink()
    machines.filler().action("a")
    other = machines.filler().action("c", {"bazel-out/b": b"made otherwise"})
    row = saved(begun)
    assert other != key_of("b")
    assert (row.run, row.overlap, row.remade) == (2, 1, 1)


def test_another_plan_may_make_the_same_files_again(machines: Machines) -> None:
    machines.run("a")
    begun = machines.begin(plan="1" * 64)
    machines.filler().action("c", {"bazel-out/a": b"of a changed source"})
    assert saved(begun).remade == 0


def test_a_blob_that_has_rotted_is_not_saved_but_made_again(machines: Machines) -> None:
    begun = machines.begin()
    good, bad = (machines.filler().action(name) for name in ("good", "bad"))
    action = machines.store.cache.read(bad)
    assert action is not None
    machines.store.cache.blob(action.blobs[0].digest).write_bytes(b"wro")
    begun.finish(RoundEnd.BUDGET, ())
    state = state_file.check(machines.states.path(1))
    assert set(state.entries) == {good}


def test_each_round_broken_off_in_turn_is_told(machines: Machines) -> None:
    for name in "ab":
        machines.begin()
        machines.filler().action(name)
    machines.run("c")
    state = state_file.check(machines.states.path(3))
    assert [(row.number, row.run, row.overlap) for row in state.rounds] == [
        (1, 1, 0),
        (2, 1, 0),
        (3, 1, 0),
    ]
    assert [len(run) for run in state.runs.values()] == [1, 1, 1]


def test_something_else_under_a_state_s_name_is_no_state(machines: Machines) -> None:
    machines.states.folder.mkdir()
    machines.states.path(7).write_bytes(b"\0" * 9000)
    machines.states.path(8).symlink_to("/dev/zero")
    with pytest.raises(BadState, match="header"):
        state_file.read_head(machines.states.path(7))
    row = machines.run("a")
    assert row.number == 9
    assert len(machines.notes) == 3


def test_a_round_at_its_end_that_has_run_nothing_is_an_error(machines: Machines) -> None:
    machines.run("a")
    with pytest.raises(WorkFailed, match="ran no action") as caught:
        machines.begin().finish(RoundEnd.BUDGET, ())
    assert caught.value.exit_code == ExitCode.FAILED
    # One more stage that is done is a gain, too: the next round need not do it again.
    assert machines.begin().finish(RoundEnd.BUDGET, ("build:arm64",)) is not None
    with pytest.raises(WorkFailed):
        machines.begin().finish(RoundEnd.BUDGET, ("build:arm64",))


def test_what_says_nothing_new_is_not_written_again(machines: Machines) -> None:
    machines.run("a")
    assert machines.begin().finish(RoundEnd.FAILED, ()) is None
    assert saved(machines.begin(), RoundEnd.DONE).run == 0
    assert machines.begin().finish(RoundEnd.DONE, ()) is None
    assert len(machines.states.numbers()) == 2


def test_one_writer_at_a_time_has_the_folder(machines: Machines) -> None:
    waited, done = threading.Event(), list[str]()

    def second() -> None:
        with machines.states.held("inv build two", lambda _: waited.set()):
            done.append("second")

    other = threading.Thread(target=second)
    with machines.states.held("inv build one", lambda _: None):
        other.start()
        assert waited.wait(60)
        done.append("first")
    other.join()
    assert done == ["first", "second"]
