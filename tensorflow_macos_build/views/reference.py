"""The pages of docs/ that are made of the code: config keys, tasks, exit codes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.errors import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.errors import MacosBuildError

    Schema = Mapping[str, Any]

_MADE = (
    "Made of the code by `scripts/inv docs.generate`; `scripts/inv docs.check` compares the two."
)

_REFERENCE = "#/$defs/"

_IMPLIED = ("extends", "name")
"""Keys without a default that need not be set: nothing is extended; the file's name is taken."""


@dataclass(frozen=True)
class FlagHelp:
    """A flag of a task.

    Attributes:
        name: as it is typed, with its dashes.
        value: what it takes: `text`, `number`; "" for none.
        default: its value where it is not given; "" for none.
        is_required: whether the task cannot do without it.
        meaning: its help.
    """

    name: str
    value: str
    default: str
    is_required: bool
    meaning: str


@dataclass(frozen=True)
class TaskHelp:
    """A task.

    Attributes:
        name: as it is typed.
        usage: how it is typed, as its help shows it.
        example: a command line of it, without the program.
        meaning: the task's docstring.
        flags: those that it takes, those of operands included.
        needs: the tools that it needs beyond Python.
    """

    name: str
    usage: str
    example: str
    meaning: str
    flags: tuple[FlagHelp, ...]
    needs: tuple[str, ...]


def config_page(schema: Schema, example: Mapping[str, Any]) -> str:
    """Return the page of all keys of a config.

    Args:
        schema: the JSON Schema of configs.
        example: a config that has every key, as plain values.
    """
    lines = [
        "# Every key of a config",
        "",
        _MADE,
        "",
        "[config.md](config.md) says how configs are written and laid over one another. The",
        "examples are those of [example.yaml](example.yaml), which has every key.",
    ]
    for title, table, values in _tables("", schema, schema, example):
        lines += ["", f"## {title or 'The file'}", "", table["description"], ""]
        lines += _table(
            ("key", "takes", "default", "example", "meaning"), _keys(table, values, schema)
        )
    return _text(lines)


def tasks_page(tasks: Iterable[TaskHelp]) -> str:
    """Return the page of all tasks and their flags."""
    lines = ["# Every task", "", _MADE, "", "`--help` of a task shows the same."]
    for task in tasks:
        lines += ["", f"## {task.name}", "", f"`scripts/{task.usage}`"]
        lines += ["", *task.meaning.splitlines(), "", f"Example: `scripts/inv {task.example}`"]
        lines += ["", f"Needs {', '.join(task.needs)}."] if task.needs else []
        rows = [(_code(flag.name), flag.value, _default(flag), flag.meaning) for flag in task.flags]
        lines += ["", *_table(("flag", "takes", "default", "meaning"), rows)] if rows else []
    return _text(lines)


def exit_codes_page(refusals: Iterable[MacosBuildError]) -> str:
    """Return the page of exit codes, and of what the operating system refuses."""
    codes = [(str(int(code)), code.name.lower(), text) for code, text in MEANINGS.items()]
    rows = [(error.what, str(int(error.exit_code)), error.hint) for error in refusals]
    return _text(
        [
            "# Exit codes",
            "",
            _MADE,
            "",
            "With `--json` an error is a document, too (schema `error.v1`: `what`, `where`,",
            "`hint`, `detail`, `exit_code`). So it can be told from a result that is bad news.",
            "",
            *_table(("code", "called", "meaning"), codes),
            "",
            "## What the operating system refuses",
            "",
            "The message begins with the file or folder that is meant.",
            "",
            *_table(("message", "exit code", "hint"), rows),
        ]
    )


def _default(flag: FlagHelp) -> str:
    return "must be given" if flag.is_required else _code(flag.default)


def _tables(
    path: str, table: Schema, whole: Schema, example: Mapping[str, Any]
) -> Iterator[tuple[str, Schema, Mapping[str, Any]]]:
    """Yield each mapping that a config may have: its path, its schema, and its example."""
    yield path, table, example
    for key, schema in table["properties"].items():
        inner, is_list = _inner(schema, whole)
        if inner is not None:
            below = f"{path}.{key}" if path else key
            values = example[key][0] if is_list else example[key]
            yield from _tables(f"{below}[]" if is_list else below, inner, whole, values)


def _inner(schema: Schema, whole: Schema) -> tuple[Schema | None, bool]:
    """Return the schema of the mapping that a key holds, and whether it holds a list of them."""
    is_list = schema.get("type") == "array"
    known = _resolved(schema["items"] if is_list else schema, whole)
    return (known, is_list) if "properties" in known else (None, is_list)


def _resolved(schema: Schema, whole: Schema) -> Schema:
    """Return what a schema refers to, or itself; of what may be empty the other choice."""
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return _resolved(choice, whole)
    reference = schema.get("$ref")
    known: Schema = whole["$defs"][reference.removeprefix(_REFERENCE)] if reference else schema
    return known


def _keys(
    table: Schema, example: Mapping[str, Any], whole: Schema
) -> Iterator[tuple[str, str, str, str, str]]:
    for key, schema in table["properties"].items():
        known = _resolved(schema, whole)
        meaning = schema.get("description") or known["description"]
        if _inner(schema, whole)[0] is not None:
            yield _code(key), "see below", "", "", meaning
        else:
            takes, shown = _takes(known, whole), _code(_yaml(example[key]))
            yield _code(key), takes, _default_of(key, schema), shown, meaning


def _default_of(key: str, schema: Schema) -> str:
    if "default" in schema:
        return _code(_yaml(schema["default"]))
    return "" if key in _IMPLIED else "must be set"


def _takes(schema: Schema, whole: Schema) -> str:
    """Return in words what a value may be."""
    if "enum" in schema:
        return " or ".join(_code(value) for value in schema["enum"])
    match schema["type"]:
        case "array":
            return f"a list: {_takes(_resolved(schema['items'], whole), whole)}"
        case "object":
            return "names with values"
        case "boolean":
            return "`true` or `false`"
        case "integer" | "number" as kind:
            return f"{'a whole number' if kind == 'integer' else 'a number'}{_bounds(schema)}"
        case _:
            return "text"


def _bounds(schema: Schema) -> str:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    above = "above " if "exclusiveMinimum" in schema else ""
    return f", {above}{least:,} to {schema['maximum']:,}"


def _yaml(value: Any) -> str:
    """Return a value as one line of YAML; nothing for what is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table of GitHub Flavored Markdown (4.10)."""
    yield f"| {' | '.join(heading)} |"
    yield f"| {' | '.join('---' for _ in heading)} |"
    for row in rows:
        # Also in code a bar ends a cell, if it is not escaped.
        cells = (" ".join(cell.replace("|", "\\|").split()) for cell in row)
        yield f"| {' | '.join(cells)} |"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
