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


class Command(invoke.Task[Any]):
    """An invoke task that names the tools it needs beyond Python.

    Attributes:
        needs: names in `pipeline.tools.TOOLS`; scripts/inv provides them before the task runs.
    """

    needs: tuple[str, ...] = ()


def command(*, needs: tuple[str, ...] = (), **options: Any) -> Callable[[Body], Command]:
    """Make an invoke task of a function; `options` are those of `invoke.task`.

    `needs` are the tools beyond Python that the task cannot do without (`Command.needs`).

    The function returns the exit code of its result (None: done). An error that a user can meet
    is printed without a traceback, and its exit code is the task's.
    """

    def decorate(body: Body) -> Command:
        @functools.wraps(body)
        def guarded(*args: Any, **kwargs: Any) -> None:
            code = guard(functools.partial(body, *args, **kwargs))
            if code is not ExitCode.DONE:
                raise invoke.Exit(code=int(code))

        made: Command = invoke.task(klass=Command, **options)(guarded)
        made.needs = needs
        return made

    return decorate


def emit(found: documents.Json) -> None:
    """Print a document, and nothing else, to standard output."""
    sys.stdout.write(documents.dumps(found))
    sys.stdout.flush()


def guard(body: Callable[[], ExitCode | None]) -> ExitCode:
    """Run `body`; print an error that a user can meet and give the exit code that it means."""
    try:
        return body() or ExitCode.DONE
    except MacosBuildError as error:
        Console().line(f"error: {error}", "red")
        return error.exit_code
    except KeyboardInterrupt:
        Console().line("interrupted; run the same command again to go on", "red")
        return ExitCode.INTERRUPTED
