"""The program behind scripts/inv: invoke with this project's tasks, exit codes and tools.

Invoke itself ends with 1 for wrong usage and for an interrupt; the contract of the command line is
2 and 130. What is wrong with a command line is found by `usage` before invoke reads it. Before a
task runs, the tools that it names are brought or asked for.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import inspect
import io
import os
import signal
import sys
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

import invoke
from invoke.exceptions import Exit, ParseError

import tensorflow_macos_build
from tensorflow_macos_build import checkout, dependency_groups, interrupts
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode, UsageError, naming
from tensorflow_macos_build.pipeline import tools
from tensorflow_macos_build.tasks import completion, core_flags, implied, task_help, usage
from tensorflow_macos_build.tasks.command import (
    Command,
    guard,
    report,
    written_if_possible,
)
from tensorflow_macos_build.tasks.examples import EXAMPLES
from tensorflow_macos_build.tasks.namespace import namespace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from invoke.parser import Parser, ParserContext


_SHORT = 12
"""How many digits of a commit's id are shown: enough for a repository of TensorFlow's size."""

_LIST_FORMATS = ("flat", "nested", "json")
"""Invoke calls its method of that name, whatever the name is."""


class _Settings(invoke.Config):
    """Invoke's settings, as they come: no task here runs a command by invoke."""

    def load_shell_env(self) -> None:
        """Leave `INVOKE_*` variables alone; invoke ends by a traceback where one does not fit."""


class Program(invoke.Program):
    """Invoke's command line, with the exit codes of `errors.ExitCode`."""

    def core_args(self) -> list[invoke.Argument]:
        """Return the flags before the first task."""
        return core_flags.kept(super().core_args())

    def create_config(self) -> None:
        """Make invoke's settings: its defaults, whatever files of this user or system say."""
        # lazy: invoke loads no file then.
        self.config = _Settings(lazy=True)

    @functools.cache  # noqa: B019 - one program a process
    def _make_parser(self) -> Parser:
        """Return the parser of tasks, which takes a while to make."""
        return super()._make_parser()

    def update_config(self, merge: bool = True) -> None:
        """Leave invoke's settings as they are; no flag is about them."""

    def parse_core(self, argv: list[str] | None) -> None:
        """Parse the flags before the first task, and do what needs no task."""
        with self._usage_errors():
            self.normalize_argv(self._help_first(sys.argv if argv is None else argv))
            self.parse_core_args()
            self._check_list_format()
            if self.args.version.value:
                self.print_version()
                raise Exit
            if shell := self.args["print-completion-script"].value:
                sys.stdout.write(self._script(shell))
                raise Exit

    def parse_tasks(self) -> None:
        """Parse the tasks and their flags."""
        with self._usage_errors():
            takes = usage.Takes(self.initial_context, self._tasks(), self._required, implied.value)
            completed = usage.check(self.argv[1:], takes)
            own = len(self.argv) - 1 - len(self.core.unparsed)  # flags before the first task
            self.core.unparsed[:] = completed[own:]
            super().parse_tasks()

    def _tasks(self) -> dict[str, ParserContext]:
        """Return what each task takes, by all of its names."""
        # Invoke's mapping knows other names of a task, and does not list them.
        contexts = self._make_parser().contexts.values()
        return {str(name): task for task in contexts for name in (task.name, *task.aliases)}

    def parse_cleanup(self) -> None:
        """Do what needs no task: help and lists."""
        with self._usage_errors():
            super().parse_cleanup()

    def execute(self) -> None:
        """Provide the tools that the asked-for tasks need, then run the tasks."""
        code = guard(self._provide, json="--json" in self.argv)
        if code is not ExitCode.DONE:
            raise Exit(code=int(code))
        try:
            super().execute()
        except KeyboardInterrupt:
            raise Exit(code=int(ExitCode.INTERRUPTED)) from None

    def print_help(self) -> None:
        """Print the flags before the first task, and the tasks."""
        sys.stdout.write(f"Usage: {self.binary} TASK [arguments] [--flags]\n\nFlags:\n\n")
        self.print_columns(self.initial_context.help_tuples())
        self._print_tasks()
        sys.stdout.write(f"`{self.binary} TASK --help` tells what a task takes.\n")

    def list_flat(self) -> None:
        """Print the tasks, in their groups; those of one namespace as invoke does."""
        if self.list_root or self.list_depth:
            super().list_flat()
        else:
            self._print_tasks()

    def _print_tasks(self) -> None:
        """Print each task by its shortest name and what it does, in groups."""
        names = self.collection.task_names
        tasks = {
            aliases[0] if aliases else name: self.collection[name].__doc__
            for name, aliases in names.items()
        }
        briefs = {name: (text or "").strip().partition("\n")[0] for name, text in tasks.items()}
        for title, rows in task_help.sections(dict(sorted(briefs.items()))):
            sys.stdout.write(f"{title}:\n\n")
            self.print_columns(rows)

    def print_task_help(self, name: str) -> None:
        """Print what a task does, and its flags."""
        context = self.parser.contexts[name]
        usage_line = task_help.usage_line(self.binary, context, self._required(name))
        sys.stdout.write(f"Usage: {usage_line}\n\n{inspect.getdoc(self.collection[name])}\n\n")
        for title, rows in (
            ("Arguments", task_help.operand_rows(context)),
            ("Flags", task_help.flag_rows(context)),
        ):
            if rows:
                sys.stdout.write(f"{title}:\n\n")
                self.print_columns(rows)
        if example := EXAMPLES.get(str(context.name)):
            sys.stdout.write(f"Example:\n\n  {self.binary} {example}\n")

    def print_columns(self, tuples: Sequence[tuple[str, str | None]]) -> None:
        """Print names with what they mean; where there is no terminal, a line each."""
        if sys.stdout.isatty():
            super().print_columns(tuples)
            return
        width = max(len(name) for name, _ in tuples)
        lines = [f"  {name:{width}}   {text or ''}".rstrip() for name, text in tuples]
        sys.stdout.write("\n".join([*lines, "", ""]))

    def print_version(self) -> None:
        """Print the version, and the commit of the checkout."""
        from tensorflow_macos_build.pipeline import builder

        commit = builder.tool_commit(checkout.root())[:_SHORT]
        sys.stdout.write(f"{self.name} {self.version}{f' ({commit})' if commit else ''}\n")

    def _script(self, shell: str) -> str:
        if shell not in completion.SHELLS:
            hint = f"there are: {', '.join(completion.SHELLS)}"
            raise UsageError(f"there is no completion for `{shell}`", hint=hint)
        return completion.script(shell)

    def _check_list_format(self) -> None:
        name = self.args["list-format"].value
        if name not in _LIST_FORMATS:
            hint = f"it takes {', '.join(_LIST_FORMATS)}"
            raise UsageError(f"there is no `--list-format` `{name}`", hint=hint)

    def _help_first(self, argv: list[str]) -> list[str]:
        """Return a command line that asks for help in the one way that invoke always understands.

        Behind a task with a positional argument, invoke takes `--help` for that argument.
        """
        if "--complete" in argv[1:2]:
            return argv
        known = self.namespace.task_names if self.namespace else {}
        names = {name for task, aliases in known.items() for name in (task, *aliases)}
        task = next((word for word in argv[1:] if word in names), None)
        if task is None or not {"--help", "-h"} & set(argv[argv.index(task) :]):
            return argv
        return [argv[0], "--help", task]

    def _provide(self) -> None:
        tasks = [self.collection[context.name] for context in self.tasks]
        groups = {name for task in tasks if isinstance(task, Command) for name in task.groups}
        dependency_groups.require(sorted(groups))
        tools.provide(self._needs(), announce=Console().line)

    def _needs(self) -> list[str]:
        return sorted({need for context in self.tasks for need in self._needs_of(context)})

    def _needs_of(self, context: ParserContext) -> tuple[str, ...]:
        task = self.collection[context.name]
        if not isinstance(task, Command):
            return ()
        flag = task.needs_none_with
        return () if flag and context.args[flag].value else task.needs

    def _required(self, task: str) -> Sequence[str]:
        command = self.collection[task]
        return command.required if isinstance(command, Command) else ()

    @contextlib.contextmanager
    def _usage_errors(self) -> Iterator[None]:
        try:
            yield
        except UsageError as error:
            raise self._refused(error) from None
        except (ParseError, ValueError) as error:  # a flag's value is not of the flag's type
            raise self._refused(UsageError(str(error))) from None
        except Exit as error:
            if error.message:
                raise self._refused(UsageError(error.message)) from None
            raise

    def _refused(self, error: UsageError) -> Exit:
        # Looked for as a word: this command line may be one that nobody can read.
        return Exit(code=int(report(error, json="--json" in self.argv)))


def _hold_environment() -> None:
    """Keep scripts/environment/ from deleting the environment that this program runs in.

    The lock lives as long as this process; the descriptor is left open on purpose.
    """
    # A Python that scripts/inv has not made, such as a developer's own, has no such file.
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
    program = Program(
        version=tensorflow_macos_build.__version__,
        namespace=namespace,
        name="inv",
        binary=checkout.program(),
    )
    if isinstance(signal.getsignal(signal.SIGINT), FunctionType):
        # Until here __main__ ended the process at once; from here on an interrupt can be caught.
        interrupts.install()
    try:
        program.run()
        code = ExitCode.DONE
    except SystemExit as end:
        # Invoke's own code makes an exit with 1 of an interrupt.
        if isinstance(end.__context__, KeyboardInterrupt):
            raise end.__context__ from None
        code = ExitCode(int(end.code or 0))
    with naming("standard output"):
        sys.stdout.flush()
    return code


def main() -> None:
    """Run the command line of scripts/inv."""
    _ready_streams()
    _hold_environment()
    try:
        code = guard(_run)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except BrokenPipeError:  # whoever read the output has enough (`inv --list | head`)
        code = ExitCode.FAILED
    except KeyboardInterrupt:  # while another error was reported
        code = ExitCode.INTERRUPTED
    # What is left is Python's own end, which complains of interrupts and of what it cannot write.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        with written_if_possible(stream):
            stream.flush()
    if code is ExitCode.INTERRUPTED:
        # Python would end by the signal where the interrupt met `exec` of a string, as dataclasses
        # run: it notes that as unhandled, handled or not (CPython's run_eval_code_obj).
        os._exit(int(code))
    sys.exit(int(code))
