"""Which program is told which Bazel to take, and whose processes are let alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import bazel
from tensorflow_macos_build.bazel import servers

if TYPE_CHECKING:
    import pytest


def test_debians_wrapper_takes_what_is_installed_and_others_are_let_alone(tmp_path: Path) -> None:
    program = tmp_path / "bazel"
    program.write_text("#!/bin/sh\n")
    assert bazel.environment(program) == {}
    (tmp_path / "bazel-4.2.3").touch()
    assert bazel.environment(program) == {"USE_BAZEL_VERSION": "latest"}
    program.write_bytes(b"\x7fELF")  # the real one
    assert bazel.environment(program) == {}


def test_a_process_that_only_has_the_servers_old_id_lives_on(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "input()", f"--output_base={tmp_path / 'another'}"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as child:
        (tmp_path / "server").mkdir()
        (tmp_path / "server/server.pid.txt").write_text(str(child.pid))
        bazel.end_server(tmp_path)
        assert child.poll() is None
        child.communicate(b"\n")
    assert child.returncode == 0


def test_an_output_base_without_a_server_is_nothing_to_end(tmp_path: Path) -> None:
    bazel.end_server(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_below_another_root_is_another_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # proc(5) as Linux has it, made by hand: only the system's administrator may change a root.
    roots = {"self": "here", "11": "here", "12": "elsewhere", "13": "gone"}
    for name in ("here", "elsewhere"):
        (tmp_path / name).mkdir()
    for pid, root in roots.items():
        (tmp_path / "proc" / pid).mkdir(parents=True)
        (tmp_path / "proc" / pid / "root").symlink_to(tmp_path / root)
        (tmp_path / "proc" / pid / "cmdline").write_bytes(b"bazel\0--output_base=/b\0")
    monkeypatch.setattr(servers, "_PROCESSES", tmp_path / "proc")
    assert servers._at_work(Path("/b")) == [11]


def test_what_a_dying_server_starts_behind_the_list_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server dies, and its child is there, between a list of processes and what it says."""
    proc = tmp_path / "proc"
    for pid in ("self", "11"):
        (proc / pid).mkdir(parents=True)
        (proc / pid / "root").symlink_to(tmp_path)
    os.mkfifo(proc / "11/cmdline")
    ended: list[int] = []

    def die() -> None:
        # It waits here until somebody reads the command line, and so has listed the processes.
        with (proc / "11/cmdline").open("wb"):
            (proc / "12").mkdir()
            (proc / "12/root").symlink_to(tmp_path)
            (proc / "12/cmdline").write_bytes(b"java\0--output_base=/b\0")
            shutil.rmtree(proc / "11")

    def kill(pid: int) -> None:
        ended.append(pid)
        shutil.rmtree(proc / str(pid))

    monkeypatch.setattr(servers, "_PROCESSES", proc)
    monkeypatch.setattr(servers, "_kill_family", kill)
    with ThreadPoolExecutor() as pool:
        dying = pool.submit(die)
        bazel.end_server(Path("/b"), at_once=True)
        dying.result()
    assert ended == [12]
