"""`scripts/inv docs.generate`: what is made of the code, pages of docs/ and completion's table."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import invoke

from tensorflow_macos_build import checkout, files
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks import completion, task_help
from tensorflow_macos_build.tasks.command import Argument, Command, command, print_parts
from tensorflow_macos_build.tasks.examples import EXAMPLES
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from invoke.parser import ParserContext

    from tensorflow_macos_build.tasks.completion import TaskWords
    from tensorflow_macos_build.views.reference import FlagHelp, TaskHelp

FOLDER = Path("docs")

_EXAMPLE = FOLDER / "example.yaml"

_KINDS: Mapping[object, str] = {bool: "", int: "a whole number", float: "a number"}
"""What a flag takes, by invoke's kind of it; of any other it is text."""


def collection(described: invoke.Collection) -> invoke.Collection:
    """Return the tasks that make the pages; `described` has all tasks, in the end these too."""

    @command()
    def generate(_context: invoke.Context) -> None:
        """Make what is made of the code: pages of docs/, and the words that shells complete."""
        for path, text in pages(checkout.root(), described).items():
            files.write_text(checkout.path(path), text)
            print_parts([Line(f"made: {checkout.path(path)}")])

    @command()
    def check(_context: invoke.Context) -> ExitCode:
        """Show what of `docs.generate` is not as the code says; 1 when there is some."""
        stale = stale_pages(checkout.root(), described)
        print_parts(Line(f"stale: {checkout.path(path)}") for path in stale)
        return ExitCode.FAILED if stale else ExitCode.DONE

    return invoke.Collection("docs", generate, check)


def stale_pages(root: Path, described: invoke.Collection) -> list[Path]:
    """Return the pages of a checkout that are missing, or not as the code says."""
    made = pages(root, described).items()
    return [
        path
        for path, text in made
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]


def example_of(root: Path) -> dict[str, Any]:
    """Return the values of a checkout's config that has every key, as they are written.

    Raises:
        UsageError: it cannot be read.
    """
    from tensorflow_macos_build.config import tree

    table, problems = tree.read_file(root / _EXAMPLE, str(checkout.path(_EXAMPLE)))
    if problems:
        raise tree.ConfigError(problems)
    return {key: tree.plain(value) for key, value in table.items.items()}


def pages(root: Path, described: invoke.Collection) -> dict[Path, str]:
    """Return the text of each file that is made of the code, by its path in the checkout.

    Raises:
        UsageError: the example of a config cannot be read.
    """
    from tensorflow_macos_build import config, errors
    from tensorflow_macos_build.views import reference

    return {
        FOLDER / "config-reference.md": reference.config_page(config.schema(), example_of(root)),
        FOLDER / "task-reference.md": reference.tasks_page(task_helps(root, described)),
        FOLDER / "exit-codes.md": reference.exit_codes_page(errors.refusals()),
        completion.TABLE.relative_to(Path(__file__).parents[2]): completion.dumps(
            _completed(described)
        ),
    }


def _completed(described: invoke.Collection) -> dict[str, TaskWords]:
    from tensorflow_macos_build.tasks import completion_table, core_flags

    return completion_table.of_tasks(core_flags.context(), described.to_contexts())


def task_helps(root: Path, described: invoke.Collection) -> Iterator[TaskHelp]:
    """Yield what each task says of itself, in the order of their names."""
    from tensorflow_macos_build.views.reference import TaskHelp

    contexts = {min((*c.aliases, str(c.name)), key=len): c for c in described.to_contexts()}
    for name, context in sorted(contexts.items()):
        task = described[name]
        assert isinstance(task, Command)
        usage = task_help.usage_line("inv", context, task.required)
        example = EXAMPLES[str(context.name)]
        flags = tuple(_flags(context, task.required, root))
        yield TaskHelp(name, usage, example, inspect.getdoc(task) or "", flags, task.needs)


def _flags(context: ParserContext, required: Sequence[str], root: Path) -> Iterator[FlagHelp]:
    from tensorflow_macos_build.views.reference import FlagHelp

    for argument in context.args.values():
        default = argument.left_out if isinstance(argument, Argument) else argument.default
        if isinstance(default, type) or not default:
            shown = ""
        else:  # what is the checkout's stands there as from its folder
            is_inside = isinstance(default, str) and default.startswith(f"{root}{os.sep}")
            shown = os.path.relpath(default, root) if is_inside else str(default)
        kind = _KINDS.get(argument.kind, "text")
        is_on = argument.kind is bool and default
        name = f"--no-{argument.names[0]}" if is_on else f"--{argument.names[0]}"
        needed = argument.name in required
        yield FlagHelp(name, kind, "" if is_on else shown, needed, argument.help or "")
