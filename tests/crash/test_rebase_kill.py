"""Law 8: a rebase killed wherever it writes loses nothing; the same command finishes the work."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.rebase import state
from tests.integration.patchqueue.test_rebase_session import ONTO, Desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KILLED = 9
_WRITES = ("update-ref", "pack-objects", "read-tree")


def writes(event: str, args: tuple[Any, ...]) -> bool:
    """Whether an audited event is one in which a rebase changes what others can see."""
    if event == "subprocess.Popen":
        return any(word in _WRITES for word in args[1])
    # The quarantine's own objects come and go by hundreds and are nobody's.
    return event in {"os.rename", "shutil.rmtree"} and "quarantine-" not in str(args[0])


def run_until(body: Callable[[], object], number: int) -> bool:
    """Run `body` in a child that dies just before its write of a number; say whether it died."""
    child = os.fork()
    if child == 0:
        calls = 0

        def hook(event: str, args: tuple[Any, ...]) -> None:
            nonlocal calls
            if writes(event, args):
                calls += 1
                if calls == number:
                    os._exit(_KILLED)

        sys.addaudithook(hook)
        try:
            body()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == _KILLED


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return what the queue is in the end when nothing is killed."""
    desk = Desk(tmp_path_factory.mktemp("settled"))
    desk.session.start(ONTO)
    desk.settle()
    return desk.contents()


def state_of(desk: Desk) -> tuple[object, ...]:
    """Return all that the rest of a rebase depends on, but for where it is."""
    kept = state.load(storage.load(desk.queue), desk.git)
    assert kept is not None
    files = {
        path.relative_to(desk.work): path.read_bytes()
        for path in desk.work.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    argv = ["git", "ls-files", "--stage"]
    index = subprocess.run(argv, cwd=desk.work, check=True, capture_output=True).stdout
    return replace(kept, folder="", kept=""), desk.contents(), files, index


def test_a_start_killed_at_any_write_can_be_gone_on_with(
    tmp_path: Path, settled: dict[str, bytes]
) -> None:
    before = Desk(tmp_path / "desk")
    states = []
    for number in range(1, 40):
        desk = before.copy(tmp_path / str(number))
        died = run_until(functools.partial(desk.session.start, ONTO), number)
        desk.session.start(ONTO)
        reached = state_of(desk)
        if reached not in states:  # from the same state the same follows
            states.append(reached)
            desk.settle()
            assert desk.contents() == settled
        shutil.rmtree(tmp_path / str(number))
        if not died:
            return
    raise AssertionError("there is no end of writes")


def test_a_continue_killed_at_any_write_can_be_gone_on_with(tmp_path: Path) -> None:
    """It keeps the answer, then how far it came, then shows the next conflict."""
    home, before = tmp_path / "desk", tmp_path / "before"
    desk = Desk(home)
    desk.session.start(ONTO)
    desk.edit("<")
    # in one place: the conflict's work tree is that of the queue there
    shutil.copytree(home, before, symlinks=True)
    expected = desk.session.go_on().result
    reached = state_of(desk)
    for number in range(1, 60):
        shutil.rmtree(home)
        shutil.copytree(before, home, symlinks=True)
        died = run_until(desk.session.go_on, number)
        assert desk.session.go_on().result == expected
        assert state_of(desk) == reached  # from the same state the same follows
        if not died:
            return
    raise AssertionError("there is no end of writes")


def test_the_last_continue_killed_at_any_write_can_be_repeated(
    tmp_path: Path, settled: dict[str, bytes]
) -> None:
    before = Desk(tmp_path / "desk")
    before.session.start(ONTO)
    before.edit()
    for number in range(1, 60):
        desk = before.copy(tmp_path / str(number))
        died = run_until(desk.session.go_on, number)
        assert desk.session.go_on().done
        assert desk.contents() == settled
        assert state.load(storage.load(desk.queue), desk.git) is None
        shutil.rmtree(tmp_path / str(number))
        if not died:
            return
    raise AssertionError("there is no end of writes")
