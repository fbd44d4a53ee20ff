"""The command line as a program, ready for an interrupt from its first line on.

Everything else is imported after the handler stands: imports take a while, and an interrupt then
would end them by a traceback. `main` takes the handler away where it can catch an interrupt itself.
scripts/inv starts Python with the signal ignored for the same reason and says so in
INV_INTERRUPTIBLE; where it is not said, an ignored signal stays ignored, as it does for a shell's
background jobs.
"""

import os
import signal
import sys

_INTERRUPTED = 130  # errors.ExitCode, which is not imported yet


def _end(_number: int, _frame: object) -> None:
    os.write(2, b"error: interrupted\nhint: run the same command again to go on\n")
    os._exit(_INTERRUPTED)


_IS_WANTED = (
    os.environ.pop("INV_INTERRUPTIBLE", "") == "yes"
    or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
)
if _IS_WANTED:
    signal.signal(signal.SIGINT, _end)

import resource  # noqa: E402 - behind the handler, as all that follows

_LEAST_ROOM = 1 << 26


def _is_room_for_bytecode() -> bool:
    """Whether compiled modules would be written whole.

    CPython before 3.12.8 and 3.13.1 leaves a part of one where the disk is full or no file may be
    so large, and every later run ends there: `EOFError: marshal data too short` (gh-126606).
    """
    disk = os.statvfs(__file__)
    largest, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    is_enough = largest == resource.RLIM_INFINITY or largest >= _LEAST_ROOM
    return is_enough and disk.f_bavail * disk.f_frsize >= _LEAST_ROOM


# scripts/inv starts Python with -I, by which the caller's variables do not count, and with -B,
# since what is compiled before this line might be cut off, too.
_MAY_COMPILE = bool(sys.flags.isolated) or not sys.dont_write_bytecode
sys.dont_write_bytecode = not (_MAY_COMPILE and _is_room_for_bytecode())

if sys.argv[1:2] == ["--complete"]:  # at each press of a key, so without what tasks need
    from tensorflow_macos_build.tasks.completion import main
else:
    from tensorflow_macos_build.tasks.program import main

if __name__ == "__main__":
    main()
