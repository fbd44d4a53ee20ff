"""What can stand where a person has typed no further: for shells that complete words.

A shell asks at each press of a key, so this is done without invoke and the tasks, which take longer
to import than all else: from a table of what each task takes (`completion_table` makes it).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.tasks import implied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SHELLS = ("bash", "zsh", "fish")

_FOLDER = Path(__file__).with_name("shells")

TABLE = _FOLDER / "tasks.json"
"""What each task takes; `docs.generate` writes it."""

_CORE = ""
"""In the table, the name of what stands before the first task."""

_PATCHES = {"name", "patch", "into", "before", "after"}
"""Arguments that name a patch, of tasks that take a queue."""

_WHEELS = {"first", "second", "wheel", "plugin"}

_WORDS: Mapping[str, tuple[str, ...]] = {
    "arch": ("arm64", "x86_64", "host"),
    "group": ("build", "queue", "wheels", "smoke", "release", "project"),
    "audit": ("local", "always", "never"),
    "on-conflict": ("provisional", "skip", "stop"),
}


@dataclass(frozen=True)
class TaskWords:
    """What a task takes.

    Attributes:
        flags: its flags, each with the name of the argument whose value follows; "": none does.
        operands: the names of the arguments that are given without a flag, in their order.
        repeated: the name of an argument that may be given again and again; "": there is none.
    """

    flags: Mapping[str, str]
    operands: tuple[str, ...] = ()
    repeated: str = ""


def script(shell: str) -> str:
    """Return what a shell reads to complete the words of this program."""
    return (_FOLDER / f"inv.{shell}").read_text(encoding="utf-8")


def dumps(tasks: Mapping[str, TaskWords]) -> str:
    """Return a table as text: a line a task, so that a change of one is a line's change."""
    rows = (
        f"{json.dumps(name)}: {json.dumps([dict(task.flags), task.operands, task.repeated])}"
        for name, task in sorted(tasks.items())
    )
    return "{\n" + ",\n".join(rows) + "\n}\n"


def loads(text: str) -> dict[str, TaskWords]:
    """Return the table of a text that `dumps` has made."""
    return {
        name: TaskWords(flags, tuple(operands), repeated)
        for name, (flags, operands, repeated) in json.loads(text).items()
    }


def main() -> None:
    """Print what the last word of an unfinished command line may become, a line each.

    The command line is `--complete -- WORDS`, with the words that are typed behind the program's
    name. Nothing is printed where that cannot be told: a shell has no use for an error.
    """
    typed = sys.argv[3:]
    with contextlib.suppress(MacosBuildError, OSError):
        lines = candidates(typed, loads(TABLE.read_text(encoding="utf-8")))
        # Names of files as they are, whatever the locale.
        sys.stdout.buffer.write(b"".join(os.fsencode(line) + b"\n" for line in lines))
        sys.stdout.flush()


def candidates(words: Sequence[str], tasks: Mapping[str, TaskWords]) -> list[str]:
    """Return what the last of some words may become, sorted.

    Args:
        words: those behind the program's name; the last one is unfinished, and may be empty.
        tasks: what each task takes, by all of its names.
    """
    *before, word = words or [""]
    name = next((typed for typed in before if typed in tasks), _CORE)
    if name == _CORE and not word.startswith("-"):
        return _beginning(word, filter(None, tasks))
    task = tasks[name]
    flag, equals, value = word.partition("=")
    if equals:
        argument = task.flags.get(flag)
        return [f"{flag}={item}" for item in _values(name, argument, value, before)]
    if word.startswith("-"):
        return _beginning(word, task.flags)
    asked = task.flags.get(before[-1]) or _operand(task, before[before.index(name) + 1 :])
    return _values(name, asked, word, before)


def _operand(task: TaskWords, given: Sequence[str]) -> str:
    """Return the operand that comes after those that were given, if there is one."""
    count = 0
    for at, typed in enumerate(given):
        is_value = at > 0 and bool(task.flags.get(given[at - 1]))
        count += not typed.startswith("-") and not is_value
    return next(iter(task.operands[count:]), task.repeated)


def _values(task: str, name: str | None, word: str, words: Sequence[str]) -> list[str]:
    """Return the values of a task's argument that begin as `word`; none where it takes none."""
    if not name:
        return []
    named = _named(task, name, words)
    if named is not None:
        return _beginning(word, named)
    return sorted(_paths(word, ".whl" if name in _WHEELS else ""))


def _named(task: str, name: str, words: Sequence[str]) -> Iterable[str] | None:
    """Return the values that an argument may have; None: it is the path of something."""
    if name == "config" or (task, name) == ("config.show", "name"):
        return _configs()
    if name == "queue":
        return _queues()
    if name in {"until", "force"}:
        return _stages(words)
    if name in _PATCHES and task.startswith("patches."):
        return _patches(task, words)
    return _WORDS.get(name)


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
