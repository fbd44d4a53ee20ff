"""Which program is told which Bazel to take, and whose processes are let alone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tensorflow_macos_build import bazel

if TYPE_CHECKING:
    from pathlib import Path


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
