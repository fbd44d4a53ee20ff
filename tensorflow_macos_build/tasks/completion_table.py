"""The table that words are completed from, made of the tasks themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.tasks.completion import TaskWords
from tensorflow_macos_build.tasks.task_help import operands_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import invoke
    from invoke.parser import ParserContext


def of_tasks(core: ParserContext, tasks: Iterable[ParserContext]) -> dict[str, TaskWords]:
    """Return what each task takes, by all of its names, and by "" what stands before the first."""
    by_name = {str(name): task for task in tasks for name in (task.name, *task.aliases)}
    return {name: _words_of(task) for name, task in {"": core, **by_name}.items()}


def _words_of(task: ParserContext) -> TaskWords:
    flags = {flag: _taken(task.flags[flag]) for flag in task.flags if flag.startswith("--")}
    flags |= dict.fromkeys(task.inverse_flags, "")
    repeated = [_name(argument) for argument in task.positional_args if argument.kind is list]
    return TaskWords(flags, tuple(operands_of(task)), next(iter(repeated), ""))


def _taken(argument: invoke.Argument) -> str:
    return _name(argument) if argument.takes_value else ""


def _name(argument: invoke.Argument) -> str:
    return str(argument.names[0]).replace("_", "-")
