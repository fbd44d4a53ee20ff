"""The command line as a program, ready for an interrupt from its first line on.

Everything else is imported after the handler stands: imports take a while, and an interrupt then
would end them by a traceback. `main` takes the handler away where it can catch an interrupt itself.
scripts/inv starts Python with the signal ignored for the same reason and says so in
INV_INTERRUPTIBLE; where it is not said, an ignored signal stays ignored, as it does for a shell's
background jobs.
"""

import os
import signal

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

from tensorflow_macos_build.tasks.program import main  # noqa: E402 - see above

if __name__ == "__main__":
    main()
