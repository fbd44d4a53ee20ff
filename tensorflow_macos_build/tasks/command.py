"""What every task shares: errors become exit codes, documents go to stdout, people read stderr."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import invoke

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode, MacosBuildError

if TYPE_CHECKING:
    from collections.abc import Callable

    Body = Callable[..., ExitCode | None]


def command(**options: Any) -> Callable[[Body], invoke.Task[Any]]:
    """Make an invoke task of a function; `options` are those of `invoke.task`.

    The function returns the exit code of its result (None: done). An error that a user can meet
    is printed without a traceback, and its exit code is the task's.
    """

    def decorate(body: Body) -> invoke.Task[Any]:
        @functools.wraps(body)
        def guarded(*args: Any, **kwargs: Any) -> None:
            code = _guard(functools.partial(body, *args, **kwargs))
            if code is not ExitCode.DONE:
                raise invoke.Exit(code=int(code))

        made: invoke.Task[Any] = invoke.task(**options)(guarded)
        return made

    return decorate


def emit(found: documents.Json) -> None:
    """Print a document, and nothing else, to standard output."""
    sys.stdout.write(documents.dumps(found))
    sys.stdout.flush()


def _guard(body: Callable[[], ExitCode | None]) -> ExitCode:
    try:
        return body() or ExitCode.DONE
    except MacosBuildError as error:
        Console().line(f"error: {error}", "red")
        return error.exit_code
    except KeyboardInterrupt:
        Console().line("interrupted; run the same command again to go on", "red")
        return ExitCode.INTERRUPTED
