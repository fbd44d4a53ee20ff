"""Real Bazel on a small workspace: what was built, what failed in whose words, what was lost."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import bazel, interrupts
from tensorflow_macos_build.console import silent, ticker_of
from tensorflow_macos_build.errors import ExitCode, Interrupted, UsageError, WorkFailed
from tests import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tensorflow_macos_build.pace import WorkProgress

BUILD = """\
genrule(name = "one", outs = ["one.txt", "uno.txt"], cmd = "echo 1 | tee $(OUTS)")
genrule(name = "two", srcs = [":one"], outs = ["b/two words.txt"], cmd = "cat $(SRCS) > '$@'")
filegroup(name = "both", srcs = [":one", ":two"])
genrule(name = "bad", outs = ["bad.txt"], cmd = "echo 'clang: error: no such thing' >&2; exit 7")
genrule(name = "worse", outs = ["worse.txt"], cmd = "echo 'to stdout'; exit 3")
genrule(name = "silent", outs = ["silent.txt"], cmd = "exit 4")
genrule(name = "slow", outs = ["slow.txt"], cmd = "sleep 60; touch $@")
[genrule(name = "m%d" % n, outs = ["m%d.txt" % n], cmd = "echo $$A > $@") for n in range(30)]
filegroup(name = "many", srcs = ["m%d" % n for n in range(30)])
genrule(
    name = "stubborn",
    outs = ["s"],
    cmd = "trap '' TERM; : MARK; while sleep 1; do echo >> $@; done",
)
genrule(
    name = "told",
    outs = ["told.txt"],
    cmd = "for _ in {1..600}; do [ -e $$TOLD ] && exec touch $@; sleep 0.1; done; exit 1",
)
genrule(name = "late", outs = ["late.txt"], cmd = "sleep 3; touch $@")
genrule(name = "orphan", srcs = [":nowhere"], outs = ["o.txt"], cmd = "touch $@")
"""

# An interrupt may come between the opening of a file and `with`, which then closes none.
INTERRUPTED_ANYWHERE = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


class BazelProject:
    """A small source tree and the output base of its builds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "source"
        self.base = folder / "base"
        self.log = folder / "bazel.log"
        self.folder.mkdir()
        (self.folder / "WORKSPACE").touch()
        # By it a test knows its own among all processes of the machine: another run may be there.
        self.mark = uuid.uuid4().hex
        (self.folder / "BUILD").write_text(BUILD.replace("MARK", self.mark))

    def invocation(self, *targets: str, **changes: object) -> bazel.Invocation:
        files = bazel.BuildFiles.at(self.folder.parent / "now")
        return bazel.Invocation(self.folder, self.base, files, targets, **changes)  # type: ignore[arg-type]  # the test's names are right

    def build(self, *targets: str, **changes: object) -> bazel.BuildResult:
        return bazel.build(self.invocation(*targets, **changes), ticker=silent, log=self.log)


@pytest.fixture(scope="module")
def workspace(
    tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], Path]
) -> Iterator[BazelProject]:
    tool("bazel")
    made = BazelProject(tmp_path_factory.mktemp("bazel"))
    yield made
    bazel.shutdown(made.invocation())


def test_outputs_come_by_label_and_work_is_counted(workspace: BazelProject) -> None:
    result = workspace.build("//:both", "//:two")
    assert list(result.outputs) == ["//:both", "//:two"]
    names = [path.name for path in result.outputs["//:both"]]
    assert sorted(names) == ["one.txt", "two words.txt", "uno.txt"]
    assert result.outputs["//:two"][0].read_text() == "1\n1\n"
    assert result.runners["internal"] >= 1
    assert sum(result.runners.values()) == result.actions


def test_progress_is_told_while_an_action_runs(workspace: BazelProject) -> None:
    totals: list[int | None] = []

    tick = ticker_of(lambda progress: totals.append(progress.total))

    # Its action takes longer than Bazel lets pass between two lines of progress.
    bazel.build(workspace.invocation("//:late"), ticker=tick, log=workspace.log)
    assert any(totals)


def test_the_empty_environment_of_a_fresh_machine_will_do(workspace: BazelProject) -> None:
    removed = dict.fromkeys(("HOME", "USER", "LOGNAME", "TERM"))
    assert workspace.build("//:one", env=removed).outputs["//:one"]


def test_hits_of_a_cache_are_counted(workspace: BazelProject, tmp_path: Path) -> None:
    flags = (f"--disk_cache={tmp_path}", "--action_env=FRESH=1")
    first = workspace.build("//:both", flags=flags)
    other = BazelProject(tmp_path)
    try:
        second = other.build("//:both", flags=flags)
    finally:
        bazel.shutdown(other.invocation())
    assert (first.cache_hits, second.cache_hits) == (0, 2)


def test_a_failure_is_told_in_the_failing_tools_own_words(workspace: BazelProject) -> None:
    with pytest.raises(WorkFailed) as caught:
        workspace.build("//:bad")
    error = caught.value
    assert (error.what, error.where) == ("Genrule failed with status 7", "//:bad")
    assert error.detail.splitlines()[1:] == ["clang: error: no such thing"]
    assert str(workspace.log) in error.hint


def test_every_failure_is_told_where_bazel_goes_on(workspace: BazelProject) -> None:
    with pytest.raises(WorkFailed) as caught:
        workspace.build("//:bad", "//:worse", "//:silent", flags=("--keep_going",))
    for words in ("clang: error: no such thing", "to stdout", "silent.txt (Genrule of //:silent)"):
        assert words in caught.value.detail


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("//:none", "target 'none' not declared"),
        ("//:orphan", "nowhere"),
        ("//no:x", "no such pack"),
    ],
)
def test_a_target_that_cannot_be_analysed_says_why(
    workspace: BazelProject, target: str, words: str
) -> None:
    with pytest.raises(WorkFailed, match="could not") as caught:
        workspace.build(target)
    assert words in caught.value.detail
    assert "Loading:" not in caught.value.detail


def test_a_flag_that_bazel_does_not_know_is_a_mistake_of_the_config(
    workspace: BazelProject,
) -> None:
    with pytest.raises(UsageError, match="does not take its flags") as caught:
        workspace.build("//:one", flags=("--jbos=2",))
    assert "--jbos=2" in caught.value.detail


def when_at_work(
    workspace: BazelProject, act: Callable[[], object], action: str = "//:slow"
) -> threading.Thread:
    """Call `act` as soon as Bazel says that an action runs."""
    words = f"Executing genrule {action}".encode()

    def wait() -> None:
        for _ in range(600):
            if workspace.log.exists() and words in workspace.log.read_bytes():
                act()
                return
            time.sleep(0.05)

    workspace.log.unlink(missing_ok=True)
    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def server_pid(workspace: BazelProject) -> int:
    return int((workspace.base / "server" / "server.pid.txt").read_text())


@pytest.fixture
def interrupts_handled() -> Iterator[None]:
    """Handle interrupts as the command line does."""
    interrupts.install()
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)


@INTERRUPTED_ANYWHERE
def test_an_interrupt_stops_bazel_and_keeps_what_is_finished(workspace: BazelProject) -> None:
    workspace.build("//:one")
    thread = when_at_work(workspace, lambda: os.kill(os.getpid(), signal.SIGINT))
    server = server_pid(workspace)
    with pytest.raises(KeyboardInterrupt):
        workspace.build("//:slow")
    thread.join()
    events = workspace.log.with_suffix(".events.json").read_bytes()
    assert b'"name":"INTERRUPTED"' in events  # the server has come to a clean end
    assert b'"lastMessage":true' in events
    assert workspace.build("//:one").actions <= 1
    assert server_pid(workspace) == server


@INTERRUPTED_ANYWHERE
def test_a_second_interrupt_ends_bazel_at_once(
    workspace: BazelProject, interrupts_handled: None
) -> None:
    workspace.build("//:one")
    server, words = server_pid(workspace), list[str]()
    waited, ended = threading.Event(), threading.Event()

    def tick(progress: WorkProgress) -> None:
        words.append(progress.detail)
        if "a second interrupt ends it" in progress.detail:
            waited.set()

    def press() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def hold_and_press() -> None:
        # Whether an action obeys depends on Bazel's sandbox; a server that is stopped never does.
        os.kill(server, signal.SIGSTOP)
        press()

    def press_again() -> None:
        waited.wait(60)
        # Not before the first has been taken, and not into a test that comes after this one.
        if not ended.wait(1):
            press()

    second = threading.Thread(target=press_again)
    second.start()
    first = when_at_work(workspace, hold_and_press, "//:stubborn")
    begun = time.monotonic()
    # Only the Linux sandbox would end its action with the server.
    local = workspace.invocation("//:stubborn", flags=("--spawn_strategy=local",))
    with pytest.raises(KeyboardInterrupt):
        bazel.build(local, ticker=ticker_of(tick), log=workspace.log)
    ended.set()
    first.join()
    second.join()
    assert waited.is_set(), words
    assert time.monotonic() - begun < 15  # what the action alone would have had, after the first
    wait_until_gone(server)
    assert not [line for line in processes.command_lines() if workspace.mark in line]
    assert workspace.build("//:one").outputs["//:one"]


def test_a_build_that_someone_else_interrupts_is_interrupted(workspace: BazelProject) -> None:
    workspace.build("//:one")
    server = server_pid(workspace)
    thread = when_at_work(workspace, lambda: os.kill(server, signal.SIGINT))
    with pytest.raises((Interrupted, bazel.BazelBroken)) as caught:
        workspace.build("//:slow")
    thread.join()
    assert caught.value.hint


def test_a_dead_server_is_an_error_of_the_environment_and_the_next_build_works(
    workspace: BazelProject,
) -> None:
    workspace.build("//:one")
    server = server_pid(workspace)
    thread = when_at_work(workspace, lambda: os.kill(server, signal.SIGKILL))
    with pytest.raises(bazel.BazelBroken, match="server died") as caught:
        workspace.build("//:slow")
    thread.join()
    assert caught.value.exit_code is ExitCode.FAILED
    assert caught.value.hint == "run the same command again: what was finished is kept"
    assert workspace.build("//:one").outputs["//:one"]


@INTERRUPTED_ANYWHERE
def test_an_output_base_in_use_is_an_error_of_the_environment(workspace: BazelProject) -> None:
    errors: list[BaseException] = []

    def second() -> None:
        log = workspace.log.with_suffix(".second")
        now = workspace.invocation("//:one", startup=("--noblock_for_lock",))
        try:
            bazel.build(now, ticker=silent, log=log)
        except bazel.BazelBroken as error:
            errors.append(error)
        os.kill(os.getpid(), signal.SIGINT)

    thread = when_at_work(workspace, second)
    with pytest.raises(KeyboardInterrupt):
        workspace.build("//:slow")
    thread.join()
    assert "another Bazel command uses the same output base" in str(errors[0])


def wait_until_gone(pid: int) -> None:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"the process {pid} lingers")


def test_a_shut_down_server_is_gone(workspace: BazelProject) -> None:
    workspace.build("//:one")
    server = server_pid(workspace)
    bazel.shutdown(workspace.invocation())
    wait_until_gone(server)


def test_what_a_killed_build_left_at_work_is_ended(workspace: BazelProject) -> None:
    workspace.build("//:one")
    server = server_pid(workspace)
    bazel.end_server(workspace.base.with_name("another"))
    os.kill(server, 0)
    bazel.end_server(workspace.base)
    wait_until_gone(server)
    bazel.end_server(workspace.base)
    assert workspace.build("//:one").outputs["//:one"]


def test_no_file_beside_the_log_has_a_value_of_the_callers_environment(
    workspace: BazelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cr3t@proxy.example")
    workspace.build("//:one")
    texts = {path.name: path.read_bytes() for path in workspace.log.parent.glob("bazel*.*")}
    assert b"--client_env" in texts["bazel.events.json"]
    assert not [name for name, text in texts.items() if b"s3cr3t" in text]


def kept(workspace: BazelProject) -> set[str]:
    return {path.name for path in workspace.log.parent.glob("bazel*") if path.is_file()}


def test_a_build_says_where_its_time_went_and_why_actions_ran(workspace: BazelProject) -> None:
    result = workspace.build("//:both", flags=("--action_env=FRESH=2",))
    assert result.times is not None
    assert {"Executing genrule //:one", "Executing genrule //:two"} <= {
        action.description for action in result.times.slowest
    }
    assert [step.description for step in result.times.critical_path][-2:] == [
        "Executing genrule //:one",
        "Executing genrule //:two",
    ]
    assert sum(count for _, count in result.reasons) == result.actions
    assert {"bazel.log", "bazel.events.json", "bazel.profile.gz", "bazel.explanation.txt"} <= kept(
        workspace
    )
    workspace.build("//:both")
    assert "bazel.1.profile.gz" in kept(workspace)


def test_a_failure_is_passed_on_as_it_happens(workspace: BazelProject, tmp_path: Path) -> None:
    """Another action goes on until it is told of the failure."""
    passed_on, failures = tmp_path / "passed-on", list[str]()

    def tell(failure: object) -> None:
        failures.append(str(failure))
        passed_on.touch()

    flags = ("--keep_going", "--jobs=2", f"--action_env=TOLD={passed_on}")
    with pytest.raises(WorkFailed):
        bazel.build(
            workspace.invocation("//:bad", "//:told", flags=flags),
            ticker=silent,
            log=workspace.log,
            on_failure=tell,
        )
    (failure,) = failures
    assert "clang: error" in failure


def test_time_left_is_told_from_the_second_build_on(workspace: BazelProject) -> None:
    course = workspace.build("//:many", flags=("--action_env=A=1",)).course
    assert course is not None
    assert workspace.build("//:many", flags=("--action_env=A=1",)).course is None
    details: list[str] = []
    bazel.build(
        workspace.invocation("//:many", "//:late", flags=("--action_env=A=2",)),
        ticker=ticker_of(lambda progress: details.append(progress.detail)),
        log=workspace.log,
        past=(course,),
    )
    assert any("left; " in detail for detail in details)


def test_events_that_cannot_be_written_are_no_build_without_outputs(
    workspace: BazelProject,
) -> None:
    files = bazel.BuildFiles.at(workspace.folder.parent / "é" / "now")
    invocation = dataclasses.replace(workspace.invocation("//:one"), files=files)
    with pytest.raises(bazel.BazelBroken) as caught:
        bazel.build(invocation, ticker=silent, log=workspace.log)
    assert "now.events.json" in caught.value.detail


def test_a_server_that_is_killed_has_said_nothing_of_the_end(workspace: BazelProject) -> None:
    workspace.build("//:one")
    server = server_pid(workspace)
    thread = when_at_work(workspace, lambda: os.kill(server, signal.SIGKILL))
    with pytest.raises(bazel.BazelBroken, match="server died in the middle of the build"):
        workspace.build("//:slow")
    thread.join()
    stream = workspace.log.with_suffix(".events.json").read_bytes()
    assert b'"lastMessage"' not in stream


def test_a_cache_that_does_not_answer_is_no_fault_of_the_build(workspace: BazelProject) -> None:
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        address = f"--remote_cache=grpc://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(bazel.BazelBroken, match="does not answer") as caught:
            workspace.build("//:one", flags=(address, "--remote_retries=0"))
    assert "--set cache.address=" in caught.value.hint
