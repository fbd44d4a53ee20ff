"""What is wrong with a command line, found before invoke reads it.

Invoke takes a word that it does not know for a task's next positional argument, a flag too, and
then complains of the word after it.
"""

from __future__ import annotations

import difflib
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks import task_help
from tensorflow_macos_build.tasks.command import Argument

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import invoke
    from invoke.parser import ParserContext

_SYNONYMS = {"--dry": "--plan", "--dry-run": "--plan", "-R": "--plan", "-n": "--plan"}
"""What make, git and invoke itself call a run without effects."""

_HELP = ("--help", "-h")

_GREAT_LIKENESS = 0.8
"""Of a word to another, as difflib measures it: `st` has it to `set`, and `state-dir` begins so."""

_NUMBER = re.compile(r"-\d")


@dataclass(frozen=True)
class Takes:
    """What a command line may be made of.

    Attributes:
        core: the flags before the first task.
        tasks: the flags and positional arguments of each task, by all of its names.
        required: the arguments that a task cannot do without, by one of the task's names.
        implied: the only value that an argument of a task can have here; "" where there are others.
    """

    core: ParserContext
    tasks: Mapping[str, ParserContext]
    required: Callable[[str], Sequence[str]]
    implied: Callable[[str, str], str] = lambda _task, _name: ""


def check(words: Sequence[str], takes: Takes) -> list[str]:
    """Return a command line as invoke takes it, which knows no operands that may be left out.

    Raises:
        UsageError: a flag or a task is not known, or a value is missing or surplus.
    """
    line = _WordReader(words, takes)
    while line.waiting:
        line.take(line.waiting.popleft())
    line.end_of_task(len(words))
    completed = list(words)
    for at, flag in reversed(line.left_out):
        completed.insert(at, flag)
    return completed


def is_flag(word: str) -> bool:
    """Whether a word is a flag, and neither a number nor `-`."""
    return word.startswith("-") and word != "-" and not _NUMBER.match(word)


def nearest(word: str, names: Collection[str]) -> str:
    """Return the name that was probably meant by a word; "" when none is near."""
    plain = {_plain(name): name for name in sorted(names)}
    key = _plain(word)
    # a beginning that only one name has tells more than a likeness, if that is not a great one
    longer = [name for name in plain if key and name.startswith(key)]
    near = difflib.get_close_matches(key, plain, n=1, cutoff=_GREAT_LIKENESS)
    if not near:
        near = longer if len(longer) == 1 else difflib.get_close_matches(key, plain, n=1)
    return plain[near[0]] if near else ""


def _plain(name: str) -> str:
    return name.lstrip("-").replace("_", "-").casefold()


class _WordReader:
    """Reads a command line, word by word.

    Attributes:
        waiting: the words that are not read yet.
        left_out: operands that were not given and need not be, as flags without a value, and where
            they would stand.
    """

    def __init__(self, words: Sequence[str], takes: Takes) -> None:
        self.waiting = deque(words)
        self._words = words
        self._takes = takes
        self._tasks = takes.tasks
        self._task = ""
        self._context = takes.core
        self._missing: list[str] = []
        self._positional: list[str] = []
        self._given: set[str] = set()
        self.left_out: list[tuple[int, str]] = []

    def take(self, word: str) -> None:
        """Read a word, and the value that belongs to it."""
        if word == "--":  # invoke would keep what follows as a remainder, which no task reads
            raise UsageError("`--` is not taken", hint="flags and arguments stand in any order")
        if is_flag(word):
            self._take_flag(word)
        # Above tasks' names, as in invoke's parser: an operand may be called as a task is.
        elif self._positional:
            self._give(self._positional[0])
        elif word in self._tasks:
            self._begin(word)
        else:
            raise self._surplus(word)

    def end_of_task(self, at: int) -> None:
        """Refuse a task that lacks an argument, where the word number `at` is not its own."""
        for name in list(self._missing):
            if value := self._takes.implied(self._task, name):
                self.left_out.append((at, f"--{name}={value}"))
                self._give(name)
        if self._missing:
            needed = " and ".join(f"`--{name}`" for name in self._missing)
            raise UsageError(f"`{self._task}` needs {needed}", hint=self._usage())
        for name in self._positional:
            argument = self._context.flags[f"--{name}"]
            default = argument.left_out if isinstance(argument, Argument) else ""
            self.left_out.append((at, f"--{name}={default}"))

    def _begin(self, task: str) -> None:
        self.end_of_task(len(self._words) - len(self.waiting) - 1)
        self._task, self._context = task, self._tasks[task]
        self._positional = [_name(argument) for argument in self._context.missing_positional_args]
        self._missing = [name.replace("_", "-") for name in self._takes.required(task)]
        self._given = set()

    def _give(self, name: str) -> None:
        self._given.add(name)
        self._positional = [other for other in self._positional if other != name]
        self._missing = [other for other in self._missing if other != name]

    def _take_flag(self, word: str) -> None:
        flag, equals, value = word.partition("=")
        if flag in self._context.inverse_flags:  # `--no-x`, which invoke adds where x is on
            argument = None
        elif flag in self._context.flags:
            argument = self._context.flags[flag]
        else:
            raise self._unknown(flag)
        if argument is None or not argument.takes_value:
            if equals:
                raise UsageError(f"`{flag}` takes no value")
            return
        if not equals:
            value = self._take_value(flag, argument)
        # invoke would refuse it too, in words that suggest no task
        if flag in _HELP and value and value not in self._tasks:
            raise self._surplus(value)
        # invoke would look for a task of the second value's name; what may be repeated is a list.
        if _name(argument) in self._given and argument.kind is not list:
            raise UsageError(f"`{flag}` has two values", hint="give one")
        self._give(_name(argument))

    def _take_value(self, flag: str, argument: invoke.Argument) -> str:
        """Return the value that follows a flag; "" where the flag can do without and none does."""
        follows = self.waiting[0] if self.waiting else None
        if follows is not None and not is_flag(follows):
            return self.waiting.popleft()
        if not argument.optional:
            hint = f"write {flag}={follows} if that is the value" if follows else ""
            raise UsageError(f"`{flag}` needs a value", hint=hint)
        return ""

    def _unknown(self, flag: str) -> UsageError:
        if not self._task and any(flag in context.flags for context in self._tasks.values()):
            return self._too_early(flag)
        flags = {*self._context.flags, *self._context.inverse_flags, *_HELP}
        meant = _SYNONYMS.get(flag, "")
        if not self._task and meant:
            hint = f"`{checkout.command('build', meant)}` prints what would be done"
            return UsageError(f"there is no flag `{flag}`", hint=hint)
        near = meant if meant in flags else nearest(flag, flags)
        what = (
            f"`{self._task}` has no flag `{flag}`" if self._task else f"there is no flag `{flag}`"
        )
        listed = checkout.command(*([self._task] if self._task else []), "--help")
        return UsageError(what, hint=f"did you mean `{near}`?" if near else f"see {listed}")

    def _too_early(self, flag: str) -> UsageError:
        task = next((word for word in self._words if word in self._tasks), "TASK")
        others = [word for word in self._words if word != task]
        return UsageError(
            f"`{flag}` is a task's flag, and stands behind the task",
            hint=checkout.command(task, *others),
        )

    def _surplus(self, word: str) -> UsageError:
        # `import` is more like `ci.report` than like `patches.import`, which is meant.
        named_so = sorted(name for name in self._tasks if name.rpartition(".")[2] == word)
        near = "` or `".join(named_so) or nearest(word, self._tasks)
        hint = f"did you mean `{near}`?" if near else f"see {checkout.command('--list')}"
        if self._task:
            what = f"`{self._task}` takes no `{word}`, and there is no task of that name"
            return UsageError(what, hint=hint if near else self._usage())
        return UsageError(f"there is no task `{word}`", hint=hint)

    def _usage(self) -> str:
        """Return how the task is typed."""
        required = self._takes.required(self._task)
        return f"usage: {task_help.usage_line(checkout.program(), self._context, required)}"


def _name(argument: invoke.Argument) -> str:
    return str(argument.name).replace("_", "-")
