"""YAML and command-line values as trees of text in which every node knows where it came from.

A plain scalar stays the text that was written (`3.10` is not the number 3.1): what it means is for
the model to say. So a value means the same in a file and behind `--set`. Anchors, aliases, tags,
control characters and duplicate keys are refused, and so are files that are too large or too deeply
nested. Configs and `queue.yaml` are read by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import yaml

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_BYTES = 1 << 18
"""The largest file that is read; the largest of ours has 3 KB."""

MAX_DEPTH = 32
"""How deep values may be nested."""

_NULLS = {"", "~", "null", "Null", "NULL"}
"""How a plain scalar says that there is no value (YAML 1.2, section 10.3.2, the core schema)."""

_SHOWN_PROBLEMS = 50
"""How many mistakes are listed: one wrong indent may make hundreds."""

# YAML's escapes can make what no command line, file name or text file holds.
_UNFIT = re.compile("[\0-\x08\x0b-\x1f\x7f\ud800-\udfff]")

# To the last `@`: a password may have one, and a `/` too.
_CREDENTIALS = re.compile(r"://\S*@")


def masked(value: str) -> str:
    """Return a value as it may be shown: addresses in it without names and passwords."""
    return _CREDENTIALS.sub("://***@", value)


@dataclass(frozen=True)
class Source:
    """Where a value was written: a line of a file, a flag, or this tool's defaults.

    `line` and `column` count from 1; they are 0 where there is no file.
    """

    origin: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column`, or the flag."""
        return f"{self.origin}:{self.line}:{self.column}" if self.line else self.origin


@dataclass(frozen=True)
class Scalar:
    """One value: its text, or None."""

    text: str | None
    source: Source


@dataclass(frozen=True)
class Items:
    """A list of values."""

    items: tuple[Tree, ...]
    source: Source


@dataclass(frozen=True)
class Table:
    """Values by key; `keys` says where each key was written."""

    items: dict[str, Tree]
    keys: dict[str, Source]
    source: Source


Tree: TypeAlias = Scalar | Items | Table


@dataclass(frozen=True)
class Problem:
    """One mistake in a config: what, where, and what to do."""

    what: str
    source: Source
    hint: str = ""

    def __str__(self) -> str:
        """Return one line: where, what, and the hint."""
        return f"{self.source}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(UsageError):
    """All mistakes that were found in a config.

    Attributes:
        problems: the mistakes, in the order of files and lines.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        ordered = tuple(sorted(set(problems), key=_order))
        if len(ordered) == 1:
            (only,) = ordered
            super().__init__(only.what, where=str(only.source), hint=only.hint)
        else:
            lines = [str(problem) for problem in ordered[:_SHOWN_PROBLEMS]]
            more = [f"and {len(ordered) - len(lines)} more"] if len(lines) < len(ordered) else []
            super().__init__(f"{len(ordered)} mistakes", detail="\n".join([*lines, *more]))
        self.problems = ordered


def read_file(path: Path, shown: str) -> tuple[Table, list[Problem]]:
    """Read a YAML file whose top level is a mapping; `shown` is what errors call the file.

    Raises:
        UsageError: the file is missing, no regular file, not UTF-8, too large, or no YAML at all.
    """
    try:
        content = files.read_small(path, MAX_BYTES, where=shown)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", where=shown) from None
    return read(content, shown)


def read(content: bytes, shown: str) -> tuple[Table, list[Problem]]:
    """Read the content of a YAML file, as `read_file` does.

    Raises:
        UsageError: it is not UTF-8, or no YAML at all.
    """
    # Decoded here: PyYAML would take UTF-16, too, by its byte order mark.
    text = files.decode(content, shown)
    top, problems = _read(text, shown, flag=False)
    if isinstance(top, Scalar) and top.text is None:  # an empty file, or comments only
        top = Table({}, {}, Source(shown, 1, 1))
    if not isinstance(top, Table):
        raise ConfigError([Problem("it must be a mapping of keys to values", top.source)])
    return top, problems


def read_flag(key: str, value: str) -> tuple[Table, list[Problem]]:
    """Read `--set KEY=VALUE`: KEY is a dotted path, VALUE is YAML.

    Raises:
        ConfigError: the value is not YAML.
    """
    source = Source(f"--set {key}={masked(value)}")
    nested, problems = _read(value, source.origin, flag=True)
    # From the innermost out; all of them are at the flag, which has no lines.
    for part in reversed(key.split(".")):
        nested = Table({part: nested}, {part: source}, source)
    assert isinstance(nested, Table)
    return nested, problems


def merge(below: Table, above: Table) -> Table:
    """Lay one table over another: mappings are merged key by key, all else is replaced."""
    items = dict(below.items)
    for key, value in above.items.items():
        old = items.get(key)
        both = isinstance(old, Table) and isinstance(value, Table)
        items[key] = merge(old, value) if both else value  # type: ignore[arg-type]  # both say so
    return Table(items, {**below.keys, **above.keys}, above.source)


def plain(tree: Tree) -> object:
    """Return a tree's values without their sources: dict, list, str and None."""
    match tree:
        case Scalar():
            return tree.text
        case Items():
            return [plain(item) for item in tree.items]
        case Table():
            return {key: plain(value) for key, value in tree.items.items()}


def _read(text: str, origin: str, *, flag: bool) -> tuple[Tree, list[Problem]]:
    try:
        loader = _Loader(text, origin, flag=flag)
    except yaml.reader.ReaderError as error:
        # It is raised before there are marks, and its position counts characters of the whole text.
        before = text[: error.position]
        at_line = Source(origin, before.count("\n") + 1, len(before) - before.rfind("\n"))
        source = Source(origin) if flag else at_line
        raise ConfigError([Problem("a character that YAML does not allow", source)]) from None
    try:
        node = loader.get_single_node()
        top = Scalar(None, loader.source(None)) if node is None else loader.tree(node)
    except yaml.MarkedYAMLError as error:
        what = ": ".join(part for part in (error.context, error.problem) if part)
        source = loader.source(error.problem_mark or error.context_mark)
        raise ConfigError([Problem(f"not YAML: {what}", source)]) from None
    except (ValueError, OverflowError):
        # PyYAML takes numbers from the text as they are: `%YAML 9…9.1`, `"\Uffffffff"`.
        source = loader.source(loader.get_mark())
        raise ConfigError([Problem("not YAML: a number in it is too large", source)]) from None
    finally:
        loader.dispose()  # it and its parser's states refer to each other
    return top, loader.problems


class _Loader(yaml.SafeLoader):
    """Composes nodes and keeps their places; constructs nothing."""

    def __init__(self, text: str, origin: str, *, flag: bool) -> None:
        self._origin = origin
        self._flag = flag
        self._depth = 0
        self.problems: list[Problem] = []
        super().__init__(text)

    def source(self, mark: yaml.error.Mark | None) -> Source:
        if self._flag:
            return Source(self._origin)
        if mark is None:
            return Source(self._origin, 1, 1)
        return Source(self._origin, mark.line + 1, mark.column + 1)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML leaves it bare
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._refuse("anchors and aliases are not supported", event.start_mark)
        if getattr(event, "tag", None):
            self._refuse(f"the tag `{event.tag}` is not supported", event.start_mark)
        # PyYAML composes what is nested by calling itself, so depth is counted here and not later.
        if self._depth >= MAX_DEPTH:
            self._refuse(f"values are nested deeper than {MAX_DEPTH} levels", event.start_mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def _refuse(self, what: str, mark: yaml.error.Mark) -> NoReturn:
        raise ConfigError(
            [Problem(what, self.source(mark), "write the values out, or use extends")]
        )

    def tree(self, node: yaml.Node) -> Tree:
        source = self.source(node.start_mark)
        match node:
            # Its text, whatever tag PyYAML has resolved (1.1: `yes` is true, `3.10` a float).
            case yaml.ScalarNode():
                self._check(node.value, source)
                is_null = node.style is None and node.value in _NULLS  # no style: no quotes
                return Scalar(None if is_null else node.value, source)
            case yaml.SequenceNode():
                return Items(tuple(self.tree(item) for item in node.value), source)
            case yaml.MappingNode():
                return self._table(node, source)
            case _:
                raise TypeError(f"PyYAML composed a {type(node).__name__}")

    def _check(self, text: str, source: Source) -> None:
        if unfit := _UNFIT.search(text):
            code = f"U+{ord(unfit[0]):04X}"
            self.problems.append(Problem(f"the control character {code} is not taken", source))

    def _table(self, node: yaml.MappingNode, source: Source) -> Table:
        items: dict[str, Tree] = {}
        keys: dict[str, Source] = {}
        for key_node, value_node in node.value:
            written = self.source(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem("a key must be plain text", written))
                continue
            key = str(key_node.value)
            self._check(key, written)
            if key in items:  # YAML forbids it (1.2, section 3.2.1.1); PyYAML takes it
                first = keys[key]
                self.problems.append(
                    Problem(f"the key `{key}` is there twice", written, f"first at {first}")
                )
                continue
            items[key] = self.tree(value_node)
            keys[key] = written
        return Table(items, keys, source)


def _order(problem: Problem) -> tuple[str, int, int, str]:
    source = problem.source
    return source.origin, source.line, source.column, problem.what
