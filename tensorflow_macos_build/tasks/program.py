"""The program behind scripts/inv: invoke with this project's tasks, exit codes and tools.

Invoke itself ends with 1 for wrong usage and for an interrupt; the contract of the command line is
2 and 130. Before a task runs, the tools that it names are brought or asked for.
"""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import io
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import invoke
from invoke.exceptions import Exit, ParseError

import tensorflow_macos_build
from tensorflow_macos_build import files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.pipeline import tools
from tensorflow_macos_build.tasks import namespace
from tensorflow_macos_build.tasks.command import Command, guard

if TYPE_CHECKING:
    from collections.abc import Iterator


class Program(invoke.Program):
    """Invoke's command line, with the exit codes of `errors.ExitCode`."""

    def parse_core(self, argv: list[str] | None) -> None:
        """Parse the flags before the first task."""
        with self._usage_errors():
            super().parse_core(self._help_first(sys.argv if argv is None else argv))

    def parse_tasks(self) -> None:
        """Parse the tasks and their flags."""
        with self._usage_errors():
            super().parse_tasks()

    def parse_cleanup(self) -> None:
        """Do what needs no task: help and lists."""
        with self._usage_errors():
            super().parse_cleanup()

    def execute(self) -> None:
        """Provide the tools that the asked-for tasks need, then run the tasks."""
        code = guard(
            lambda: tools.provide(self._needs(), say=Console().line), json="--json" in self.argv
        )
        if code is not ExitCode.DONE:
            raise Exit(code=int(code))
        try:
            super().execute()
        except KeyboardInterrupt:
            raise Exit(code=int(ExitCode.INTERRUPTED)) from None

    def _help_first(self, argv: list[str]) -> list[str]:
        """Ask for a task's help in the way that invoke understands whatever the task takes.

        Behind a task with a positional argument, invoke takes `--help` for that argument.
        """
        known = self.namespace.task_names if self.namespace else {}
        names = {name for task, aliases in known.items() for name in (task, *aliases)}
        task = next((word for word in argv[1:] if word in names), None)
        asked = task is not None and "--help" in argv[argv.index(task) :]
        return [argv[0], "--help", task] if asked and task else argv

    def _needs(self) -> list[str]:
        tasks = [self.collection[context.name] for context in self.tasks]
        return sorted({need for task in tasks if isinstance(task, Command) for need in task.needs})

    @contextlib.contextmanager
    def _usage_errors(self) -> Iterator[None]:
        try:
            yield
        except ParseError as error:
            raise _usage(self._explain(error)) from None
        except ValueError as error:  # a flag's value is not of the flag's type
            raise _usage(str(error)) from None
        except Exit as error:
            raise (_usage(error.message) if error.message else error) from None

    def _explain(self, error: ParseError) -> str:
        # Invoke shows the flag at fault by the repr() of its Argument.
        text = re.sub(r"<Argument: ([^\s>]+)[^>]*>", r"`--\1`", str(error))
        near = difflib.get_close_matches(self._unknown(error), self._names(error), n=1)
        return f"{text}\nhint: did you mean `{near[0]}`?" if near else text

    def _unknown(self, error: ParseError) -> str:
        """Give the word that the parser did not know, or "" when something else is wrong."""
        told = str(error)
        words = [word.partition("=")[0] for word in self.argv[1:]]
        return next((word for word in words if told == f"No idea what {word!r} is!"), "")

    def _names(self, error: ParseError) -> list[str]:
        """Give every word that would be right where the parser stopped."""
        tasks: dict[str, list[str]] = self.collection.task_names
        known = {name for task, aliases in tasks.items() for name in (task, *aliases)}
        known |= set(self.initial_context.flags)
        if error.context is not None:
            known |= {*error.context.flags, *error.context.inverse_flags}
        return sorted(known)


def _usage(message: str) -> Exit:
    return Exit(f"error: {message}", code=int(ExitCode.USAGE))


def _hold_environment() -> None:
    """Keep scripts/environment.py from deleting the environment that this program runs in.

    The lock lives as long as this process; the descriptor is left open on purpose.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(Path(sys.prefix) / "stamp/in-use", os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def _ready_streams() -> None:
    """Make standard streams that any text fits, and that are there though the caller closed them.

    A file opened in place of a closed stream would get what is meant for people.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # open(2) gives the lowest number that is free
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - a descriptor
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115 - a descriptor
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run() -> ExitCode:
    version = tensorflow_macos_build.__version__
    try:
        Program(version=version, namespace=namespace, name="inv", binary="inv").run()
        code = ExitCode.DONE
    except SystemExit as end:
        # Invoke's own code makes an exit with 1 of an interrupt.
        if isinstance(end.__context__, KeyboardInterrupt):
            raise end.__context__ from None
        code = ExitCode(int(end.code or 0))
    with files.named("standard output"):
        sys.stdout.flush()
    return code


def main() -> None:
    """Run the command line of scripts/inv."""
    _ready_streams()
    _hold_environment()
    try:
        code = guard(_run)
    except BrokenPipeError:  # whoever read the output has enough (`inv --list | head`)
        code = ExitCode.FAILED
    except KeyboardInterrupt:  # a second one, while the first was told
        code = ExitCode.INTERRUPTED
    # What is left is Python's own end, which complains of interrupts and of what it cannot write.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(int(code))


if __name__ == "__main__":
    main()
