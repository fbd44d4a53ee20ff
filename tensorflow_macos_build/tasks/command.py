"""What every task shares: errors become exit codes, documents go to stdout, people read stderr.

With `--json` an error is a document too (schema `error`): standard output holds one JSON document
whatever happens, so a failure can be told from a result that is bad news (a conflict).
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import os
import select
import sys
from enum import Enum
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import invoke

from tensorflow_macos_build import dependency_groups, documents, temporary
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.dependency_groups import GroupsMissing
from tensorflow_macos_build.errors import (
    ExitCode,
    Interrupted,
    MacosBuildError,
    UsageError,
    naming,
    of_machine,
)
from tensorflow_macos_build.views import markdown
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.workflow_commands import Annotation, remarks, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from tensorflow_macos_build.views.lines import Part
    from tensorflow_macos_build.views.tables import Table

    Body = Callable[..., ExitCode | None]

Choice = TypeVar("Choice", bound=Enum)


class Argument(invoke.Argument):
    """An argument of the command line, which names itself where its value is refused.

    Attributes:
        left_out: its value where it is not given; `default` is None for an operand, since invoke
            takes a word only for an operand that has no value yet.
    """

    left_out: Any = ""

    @classmethod
    def of(cls, plain: invoke.Argument) -> Argument:
        """Return an argument of invoke's as one of these."""
        is_operand = plain.positional and plain.kind is not list
        made = cls(
            names=plain.names,
            kind=plain.kind,
            default=None if is_operand else plain.default,
            help=plain.help,
            positional=plain.positional,
            optional=plain.optional,
            incrementable=plain.incrementable,
            attr_name=plain.attr_name,
        )
        made.left_out = "" if plain.default is None else plain.default
        return made

    def set_value(self, value: Any, cast: bool = True) -> None:
        """Take a value from the command line.

        Raises:
            ValueError: it is not of the flag's kind; in words for the user.
        """
        try:
            super().set_value(value, cast)
        except ValueError:
            raise ValueError(self._refusal(value)) from None
        # float() also takes `nan` and `inf`, which no limit or duration is
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise ValueError(self._refusal(value))

    def _refusal(self, value: object) -> str:
        number = "a whole number" if self.kind is int else "a number"
        return f"`--{self.names[0]}` takes {number}, not `{value}`"


class Command(invoke.Task[Any]):
    """An invoke task that names the tools and packages it needs beyond the package's own.

    Attributes:
        groups: names of the dependency groups that it needs; scripts/inv installs them.
        needs: names in `pipeline.tools.TOOLS`; scripts/inv provides them before the task runs.
        needs_none_with: the name of a flag with which the task needs none of them; empty: no flag.
        required: names of the arguments that have no default, in order.
        operands: names of those that are given without a flag.
    """

    groups: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    needs_none_with: str = ""
    required: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[invoke.Argument]:
        """Return the arguments of the task, as flags that name themselves in their refusals."""
        written = dict(self.help)
        arguments = super().get_arguments(ignore_unknown_help)
        self.help = written  # invoke takes out of it what it has put into an argument
        # Remade afterwards: invoke's own method has no place for another class of arguments.
        return [Argument.of(argument) for argument in arguments]


def command(
    *,
    groups: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    needs_none_with: str = "",
    **options: Any,
) -> Callable[[Body], Command]:
    """Make an invoke task of a function; `options` are those of `invoke.task`.

    `groups` are the dependency groups that it needs, and `needs` the tools beyond Python that the
    task cannot do without (`Command.needs`), except when it is given the flag `needs_none_with`.

    The function returns the exit code of its result (None: done). An error that a user can meet
    is printed without a traceback, and its exit code is the task's.
    """

    def decorate(body: Body) -> Command:
        # invoke makes flags of what inspect.signature says, which follows `__wrapped__` to the
        # body.
        @functools.wraps(body)
        def guarded(*args: Any, **kwargs: Any) -> None:
            temporary.sweep_scratch()  # here, since a task that finds its work done makes none
            # An operand that was not given has the value None, and the body its default.
            given = {name: value for name, value in kwargs.items() if value is not None}
            code = guard(functools.partial(body, *args, **given), json=kwargs.get("json", False))
            # Again: the programs of a killed task live on for a while, and write into what it left.
            temporary.sweep_scratch()
            if code is not ExitCode.DONE:
                # Program.run ends with this code, and prints nothing where it has no message.
                raise invoke.Exit(code=int(code))

        # the letters that invoke makes up mean other flags as soon as a flag is added
        made: Command = invoke.task(klass=Command, auto_shortflags=False, **options)(guarded)
        made.groups = groups
        made.needs, made.needs_none_with = needs, needs_none_with
        made.required = tuple(_required(body, options.get("iterable", ())))
        made.operands = tuple(options.get("positional", ()))
        return made

    return decorate


def _required(body: Body, iterable: Collection[str]) -> Iterator[str]:
    """Yield the arguments of a task that have no default; of the first it is the context."""
    # Where a task states no `positional`, invoke takes all of these without their flags, too
    # (`fill_implicit_positionals`).
    for name, parameter in list(inspect.signature(body).parameters.items())[1:]:
        if parameter.default is inspect.Parameter.empty and name not in iterable:
            yield name


def choice(flag: str, name: str, known: type[Choice]) -> Choice:
    """Return what a flag's value names, one of an enumeration's.

    Raises:
        UsageError: it names none.
    """
    try:
        return known(name)
    except ValueError:
        names = ", ".join(str(item.value) for item in known)
        raise UsageError(f"`{flag} {name}`: it is one of {names}") from None


def present(document: documents.Json, parts: Iterable[Part], *, json: bool) -> None:
    """Print a result: its document for programs, or its parts for people."""
    emit(document) if json else print_parts(parts)


def emit(document: documents.Json) -> None:
    """Print a document, and nothing else, to standard output, as UTF-8 whatever the locale."""
    # In strings only: the same value to who reads JSON, and no command to a runner (see `shown`).
    text = documents.dumps(document).replace("##[", r"#\u0023[")
    with naming("standard output"):
        sys.stdout.flush()  # text that is buffered above the bytes would come after them
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()


def print_parts(parts: Iterable[Part], console: Console | None = None) -> None:
    """Print what a view made for people, to standard output where no console is given."""
    console = console or Console(stderr=False)
    for part in parts:
        match part:
            case str():
                console.verbatim(part)
            case Line():
                console.line(part.text, part.style)
            case _:
                _print_table(part, console)


def _print_table(table: Table, console: Console) -> None:
    from tensorflow_macos_build.views import tables

    # Shown first: an escape is wider than what it stands for.
    plain = table.with_texts(lambda text: shown(text.expandtabs(), kept="\n"))
    for cells in tables.lines(plain, console.width):
        console.pieces((cell.text, cell.style) for cell in cells)


def guard(body: Callable[[], ExitCode | None], *, json: bool = False) -> ExitCode:
    """Run `body`; report an error that a user can meet, and return the exit code that it means.

    Args:
        body: the work; it returns the exit code of its result (None: done).
        json: whether an error is printed as a document too.

    Raises:
        BrokenPipeError: whoever read standard output has gone.
    """
    try:
        return body() or ExitCode.DONE
    except GroupsMissing as missing:
        dependency_groups.run_again(missing.groups)
        return report(missing, json=json)
    except MacosBuildError as error:
        return report(error, json=json)
    except KeyboardInterrupt:
        again = "run the same command again to go on"
        return report(Interrupted("interrupted", hint=again), json=json)
    except (OSError, MemoryError, RuntimeError) as error:  # RuntimeError: no thread can be started
        if isinstance(error, BrokenPipeError) and _reader_has_gone():
            raise
        return report(of_machine(error), json=json)


def report(error: MacosBuildError, *, json: bool) -> ExitCode:
    """Print an error, and return its exit code.

    A stream that cannot be written to is no reason for another error.
    """
    with written_if_possible(sys.stderr):
        console = Console()
        try:
            console.line(f"error: {error}", "red")
        except (ImportError, OSError):  # what draws cannot be read: no file can be opened any more
            sys.stderr.write(f"error: {shown(str(error), kept=chr(10))}\n")
        for annotation in _annotations(error):
            console.annotation(annotation)
        console.step_summary(markdown.failure(error))
    if json:
        with written_if_possible(sys.stdout):
            emit(as_document(error))
    return error.exit_code


def _annotations(error: MacosBuildError) -> list[Annotation]:
    """Return an error's mistakes, each at its line; where it lists none, the error itself."""
    listed = remarks(error.detail, error.what)
    if listed:
        return listed
    text = "\n".join(filter(None, (error.what, error.detail, error.hint)))
    return [Annotation(text, error.where)]


@contextlib.contextmanager
def written_if_possible(stream: TextIO) -> Iterator[None]:
    """Pass over that a stream cannot be written to, now and when Python writes what is left."""
    try:
        yield
    except OSError:
        # what is buffered is written again when Python ends; to here it can be
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def as_document(error: MacosBuildError) -> documents.Json:
    """Return an error as a document of the schema error.v1."""
    body = {name: getattr(error, name) for name in ("what", "where", "hint", "detail")}
    return documents.document("error", 1, {"exit_code": int(error.exit_code), **body})


def _reader_has_gone() -> bool:
    """Whether standard output is a pipe that nobody reads any more; a child's may be broken too."""
    # poll(2): at the writing end of a pipe POLLERR says that the reading end has been closed
    waiting = select.poll()
    waiting.register(sys.stdout.fileno(), select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in waiting.poll(0))
