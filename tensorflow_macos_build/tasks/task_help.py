"""What help says of a task: how it is typed, what it takes, and one example."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tensorflow_macos_build.tasks.command import Argument
from tensorflow_macos_build.tasks.examples import METAVARS, SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import invoke
    from invoke.parser import ParserContext

_KINDS: Mapping[object, str] = {int: "N", float: "NUMBER"}

_SHOWN = "out"
"""The one flag that a usage line names although it may be left out: where the result is."""


def usage_line(program: str, context: ParserContext, required: Iterable[str]) -> str:
    """Return how a task is typed: operands, then the flags that it needs, then all else.

    Args:
        program: how the program is typed.
        context: the task.
        required: names of the arguments that it cannot do without.
    """
    needed = {name.replace("_", "-") for name in required}
    words = [program, *context.aliases] if context.aliases else [program, str(context.name)]
    operands = operands_of(context)
    for name, argument in operands.items():
        words.append(metavar(argument) if name in needed else f"[{metavar(argument)}]")
    flags = {name: argument for name, argument in _by_name(context).items() if name not in operands}
    words += [f"--{name} {metavar(flags[name])}" for name in flags if name in needed]
    if _SHOWN in flags and _SHOWN not in needed:
        words.append(f"[--{_SHOWN} {metavar(flags[_SHOWN])}]")
    return " ".join([*words, "[--flags]"])


def operands_of(context: ParserContext) -> dict[str, invoke.Argument]:
    """Return the arguments that are given without a flag, each of them once."""
    positional = [argument for argument in context.positional_args if argument.kind is not list]
    return {_name(argument): argument for argument in positional}


def metavar(argument: invoke.Argument) -> str:
    """Return what stands for an argument's value in help; "" where a flag takes none."""
    if not argument.takes_value:
        return ""
    name = _name(argument)
    return METAVARS.get(name) or _KINDS.get(argument.kind) or name.upper()


def operand_rows(context: ParserContext) -> list[tuple[str, str]]:
    """Return the operands of a task, and what each of them is."""
    return [(metavar(item), _explained(item)) for item in operands_of(context).values()]


def flag_rows(context: ParserContext) -> list[tuple[str, str]]:
    """Return the flags of a task, and what each of them means."""
    operands = operands_of(context)
    rows = []
    for written, _ in context.help_tuples():
        argument = context.flags[_long_name(written)]
        if _name(argument) not in operands:
            bare = re.sub(r"\[?=(?:STRING|INT|FLOAT)\]?", "", written)
            rows.append((f"{bare} {metavar(argument)}".rstrip(), _explained(argument)))
    return rows


def sections(tasks: Mapping[str, str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each group of tasks: its title, and its tasks with what they do, in their order."""
    for title, beginnings in SECTIONS.items():
        rows = [row for row in tasks.items() if row[0].partition(".")[0] in beginnings]
        if rows:
            yield title, rows
    others = {word for words in SECTIONS.values() for word in words}
    rows = [row for row in tasks.items() if row[0].partition(".")[0] not in others]
    if rows:
        yield "More", rows


def _by_name(context: ParserContext) -> dict[str, invoke.Argument]:
    return {_name(argument): argument for argument in context.args.values()}


def _name(argument: invoke.Argument) -> str:
    return str(argument.names[0]).replace("_", "-")


def _long_name(written: str) -> str:
    """Return the flag of a row of invoke's, such as `--[no-]lint` or `-D INT, --list-depth=INT`."""
    (name,) = re.findall(r"--(?:\[no-\])?([\w-]+)", written)[-1:]
    return f"--{name}"


def _explained(argument: invoke.Argument) -> str:
    text = str(argument.help or "")
    default = argument.left_out if isinstance(argument, Argument) else argument.default
    if argument.kind in (bool, list) or default in (None, "", False):
        return text
    return f"{text} [default: {default}]".lstrip()
