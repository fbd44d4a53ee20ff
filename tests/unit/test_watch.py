import sys
import time

import pytest

from tensorflow_macos_build import process


def test_a_watched_program_is_heard_while_it_runs_and_gives_its_output() -> None:
    pieces: list[bytes] = []
    script = (
        "import sys\n"
        "text = sys.stdin.read()\n"
        "print('to stderr', file=sys.stderr, flush=True)\n"
        "print(len(text))"
    )
    done = process.watch([sys.executable, "-c", script], pieces.append, stdin=b"x" * 3_000_000)
    assert b"".join(pieces) == b"to stderr\n"
    assert done.stdout == b"3000000\n"


def test_a_program_that_reads_nothing_is_no_failure() -> None:
    done = process.watch([sys.executable, "-c", ""], lambda _: None, stdin=b"x" * 3_000_000)
    assert done.status == 0


def test_a_silent_program_is_stopped() -> None:
    begun = time.monotonic()
    with pytest.raises(process.ProgramFailed):
        process.watch(
            [sys.executable, "-c", "import time; time.sleep(60)"], lambda _: None, idle=0.3
        )
    assert time.monotonic() - begun < 30


def test_an_unexpected_status_tells_what_the_program_said() -> None:
    script = "import sys; sys.exit('no such luck')"
    with pytest.raises(process.ProgramFailed, match="status 1") as caught:
        process.watch([sys.executable, "-c", script], lambda _: None)
    assert "no such luck" in str(caught.value)
