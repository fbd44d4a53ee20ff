import errno
import os
import resource
import threading
from pathlib import Path

import pytest

from tensorflow_macos_build import errors, files
from tensorflow_macos_build.errors import ExitCode


def test_an_error_reads_where_what_detail_hint() -> None:
    error = errors.UsageError(
        "no key `pyton`", where="a.yaml:3:1", hint="use `python`", detail="x\ny"
    )
    assert str(error) == "a.yaml:3:1: no key `pyton`\n    x\n    y\nhint: use `python`"


def test_exit_codes_are_those_of_the_contract() -> None:
    codes = {
        errors.WorkFailed: 1,
        errors.UsageError: 2,
        errors.BudgetReached: 75,
        errors.Interrupted: 130,
    }
    assert {kind: int(kind("x").exit_code) for kind in codes} == codes


def _of(path: Path) -> errors.MacosBuildError:
    """Return the error for what the kernel says when a file is made at `path`."""
    with pytest.raises(OSError, match="Errno") as caught:
        path.write_bytes(b"x")
    return errors.of_machine(caught.value)


def test_a_path_that_the_kernel_refuses_is_wrong_usage_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    for path in ("missing/file", "file/inside", "folder", "n" * 300, "circle"):
        error = _of(tmp_path / path)
        assert (error.exit_code, error.where) == (ExitCode.USAGE, str(tmp_path / path)), path
        assert error.hint


def test_what_the_machine_ran_out_of_is_failed_work_and_the_file_is_named(tmp_path: Path) -> None:
    """write(2) knows its file by a descriptor only: here it may write no byte (setrlimit(2))."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            files.write_bytes(tmp_path / "wheel", b"x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    error = errors.of_machine(caught.value)
    assert (error.exit_code, error.where) == (ExitCode.FAILED, str(tmp_path / "wheel"))
    assert error.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_every_error_of_the_system_is_a_sentence(number: int) -> None:
    error = errors.of_machine(OSError(number, os.strerror(number), "some/file"))
    assert error.what
    assert error.where == "some/file"
    assert error.exit_code in (ExitCode.FAILED, ExitCode.USAGE)


def test_an_error_without_a_number_says_what_it_was_given() -> None:
    assert errors.of_machine(OSError("it timed out")).what == "it timed out"
    assert errors.of_machine(TimeoutError()).what == "TimeoutError"
    assert errors.of_machine(MemoryError()).exit_code is ExitCode.FAILED


def test_a_thread_that_the_machine_refuses_is_failed_work() -> None:
    """No machine has memory for a stack of this size."""
    usual = threading.stack_size(1 << 46)
    try:
        with pytest.raises(RuntimeError) as caught:
            threading.Thread(target=print).start()
    finally:
        threading.stack_size(usual)
    assert errors.of_machine(caught.value).exit_code is ExitCode.FAILED
