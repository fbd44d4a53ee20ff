"""What can stand where a person has typed no further: for shells that complete words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.tasks import implied
from tensorflow_macos_build.tasks.task_help import operands_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import invoke
    from invoke.parser import ParserContext

SHELLS = ("bash", "zsh", "fish")

_FOLDER = Path(__file__).with_name("shells")

_PATCHES = {"name", "patch", "into", "before", "after"}
"""Arguments that name a patch, of tasks that take a queue."""

_WHEELS = {"first", "second", "wheel", "plugin"}

_WORDS: Mapping[str, tuple[str, ...]] = {
    "arch": ("arm64", "x86_64", "host"),
    "audit": ("local", "always", "never"),
    "on-conflict": ("provisional", "skip", "stop"),
}


def script(shell: str) -> str:
    """Return what a shell reads to complete the words of this program."""
    return (_FOLDER / f"inv.{shell}").read_text(encoding="utf-8")


def candidates(
    words: Sequence[str], core: ParserContext, tasks: Mapping[str, ParserContext]
) -> list[str]:
    """Return what the last of some words may become, sorted.

    Args:
        words: those behind the program's name; the last one is unfinished, and may be empty.
        core: the flags before the first task.
        tasks: the tasks, by all of their names.
    """
    *before, word = words or [""]
    name = next((typed for typed in before if typed in tasks), "")
    if not name and not word.startswith("-"):
        return _beginning(word, tasks)
    context = tasks.get(name, core)
    flag, equals, value = word.partition("=")
    if equals:
        argument = context.flags.get(flag)
        values = _values(name, argument, value, before) if argument else []
        return [f"{flag}={one}" for one in values]
    if word.startswith("-"):
        return _beginning(word, (flag for flag in context.flags if flag.startswith("--")))
    asked = context.flags.get(before[-1])
    if asked is None or not asked.takes_value:
        asked = _operand(context, before[before.index(name) + 1 :])
    return _values(name, asked, word, before) if asked else []


def _operand(context: ParserContext, given: Sequence[str]) -> invoke.Argument | None:
    """Return the operand that comes after those that were given, if there is one."""
    count = 0
    for at, typed in enumerate(given):
        flag = context.flags.get(given[at - 1]) if at else None
        count += not typed.startswith("-") and not (flag and flag.takes_value)
    left = list(operands_of(context).values())[count:]
    repeated = [argument for argument in context.positional_args if argument.kind is list]
    return next(iter([*left, *repeated]), None)


def _values(task: str, argument: invoke.Argument, word: str, words: Sequence[str]) -> list[str]:
    """Return the values of an argument that begin as `word`."""
    name = str(argument.names[0]).replace("_", "-")
    if name == "config" or (task, name) == ("config.show", "name"):
        return _beginning(word, _configs())
    if name == "queue":
        return _beginning(word, _queues())
    if name in {"until", "force"}:
        return _beginning(word, _stages(words))
    if name in _PATCHES and task.startswith("patches."):
        return _beginning(word, _patches(task, words))
    if name in _WORDS:
        return _beginning(word, _WORDS[name])
    return sorted(_paths(word, ".whl" if name in _WHEELS else ""))


def _beginning(word: str, names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(word)})


def _configs() -> list[str]:
    from tensorflow_macos_build.config import loading

    return loading.names(checkout.root())


def _queues() -> list[str]:
    from tensorflow_macos_build.patchqueue.queue import locate

    return locate.names()


def _stages(words: Sequence[str]) -> list[str]:
    from tensorflow_macos_build.config import load
    from tensorflow_macos_build.pipeline import table

    config = _given("--config", words) or next((word for word in words if word in _configs()), "")
    return [stage.name for stage in table.stages_for(load(config or "demo").release)]


def _patches(task: str, words: Sequence[str]) -> list[str]:
    from tensorflow_macos_build.patchqueue.queue import locate

    queue = _given("--queue", words) or implied.value(task, "queue")
    queue = queue or next((word for word in words if word in locate.names()), "")
    series = locate.queue_folder(queue) / "series" if queue else None
    lines = series.read_text(encoding="utf-8").splitlines() if series and series.is_file() else []
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def _given(flag: str, words: Sequence[str]) -> str:
    """Return the value that a flag was given, or ""."""
    for at, word in enumerate(words):
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
        if word == flag:
            return words[at + 1] if at + 1 < len(words) else ""
    return ""


def _paths(word: str, ending: str) -> Iterator[str]:
    """Yield the folders, with a slash, and the files of an ending whose paths begin as `word`."""
    folder, slash, beginning = word.rpartition("/")
    here = Path((folder or "/") if slash else ".")
    for path in here.iterdir() if here.is_dir() else ():
        is_hidden = path.name.startswith(".") and not beginning.startswith(".")
        if path.name.startswith(beginning) and not is_hidden:
            if path.is_dir():
                yield f"{folder}{slash}{path.name}/"
            elif path.name.endswith(ending):
                yield f"{folder}{slash}{path.name}"
