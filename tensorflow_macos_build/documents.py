"""JSON documents that the tasks print and the reports hold: one envelope, checked schemas.

Every document is an object whose `schema` member is `{"name": …, "version": …}`; the schema itself
is `schemas/<name>.v<version>.json` in this package (JSON Schema 2020-12).

A document that is read may come from anybody: its reader says which schema it expects (`read`).
"""

from __future__ import annotations

import functools
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any, NoReturn, cast

from tensorflow_macos_build.errors import MacosBuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import jsonschema
    from jsonschema.protocols import Validator

Json = dict[str, Any]

MAX_DEPTH = 32
"""How deep the values of a document that is read may be nested; none of ours comes near. The checks
of a schema call themselves for each level, and so would meet Python's limit (1,000) first."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class NotTheDocument(MacosBuildError):
    """What was read is not a document of the schema that its reader expects."""


def document(name: str, version: int, body: Json) -> Json:
    """Put `body` into the envelope of schema `name`, version `version`."""
    return {"schema": {"name": name, "version": version}, **body}


def schema_of(name: str, version: int) -> Json:
    """Return the JSON Schema that documents called `name` at `version` obey.

    Raises:
        FileNotFoundError: this package has no such schema.
    """
    path = resources.files("tensorflow_macos_build").joinpath(f"schemas/{name}.v{version}.json")
    return cast("Json", json.loads(path.read_text(encoding="utf-8")))


def read(content: bytes, name: str, version: int) -> Json:
    """Return a document of schema `name`, version `version`, read from bytes of anybody's making.

    Numbers are those of Python's int and float, of at most 4,300 digits; text may hold bytes of
    file names that are no UTF-8, as surrogate escapes (U+DC80 to U+DCFF), and no other surrogates.

    Raises:
        NotTheDocument: it is no JSON, is nested deeper than `MAX_DEPTH`, holds what no text or
            number is, or does not obey that schema.
    """
    import jsonschema  # noqa: PLC0415 - a third of a task's start-up, and few tasks check

    try:
        value = json.loads(content, parse_constant=_refuse_constant)
        # Before the schema, whose checks call themselves for each level.
        _check_values(value)
        _validator(name, version).validate(value)
    except RecursionError:
        raise NotTheDocument(f"its values are nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise NotTheDocument(str(error).partition("\n")[0]) from None
    except jsonschema.ValidationError as error:
        raise NotTheDocument(f"{error.json_path}: {error.message[:200]}") from None
    return cast("Json", value)


def check(value: Json) -> None:
    """Check a document of this package's own making against the schema that its envelope names.

    Raises:
        jsonschema.ValidationError: the document does not obey its schema.
    """
    _validator(value["schema"]["name"], value["schema"]["version"]).validate(value)


def dumps(value: Json) -> str:
    r"""Return a document as JSON text: two-space indents, keys in given order, a final newline.

    What UTF-8 cannot hold, a file name's byte in a surrogate escape, is escaped as `\udcff`.
    """
    # As they are: names in other scripts than ours would be escapes, which nobody can read.
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return _SURROGATE.sub(lambda surrogate: f"\\u{ord(surrogate[0]):04x}", text)


@functools.cache
def _validator(name: str, version: int) -> jsonschema.Draft202012Validator:
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 - as in `read`

    extend: Callable[..., type[jsonschema.Draft202012Validator]] = validators.extend
    check = functools.partial(_check_items, Draft202012Validator.VALIDATORS["items"])
    return extend(Draft202012Validator, {"items": check})(schema_of(name, version))


def _check_items(
    one_by_one: Callable[..., Iterator[jsonschema.ValidationError]],
    validator: Validator,
    items: Json | bool,
    instance: object,
    schema: Json,
) -> Iterator[jsonschema.ValidationError]:
    """Yield the errors of the keyword `items`; texts that may be any are looked at together.

    Resolutions and reports hold files as lists of lines, and a check of its own for each of them
    costs more than all else of reading one (a third of a step of a rebase, with fifteen of them).
    """
    texts = items == {"type": "string"} and isinstance(instance, list)
    if texts and all(isinstance(item, str) for item in cast("list[object]", instance)):
        return
    yield from one_by_one(validator, items, instance, schema)


def _check_values(root: object) -> None:
    """Raise ValueError for values nested too deep, and for text that no file name or line is.

    It goes level by level, and does not call itself, so that no depth is too much for it.
    """
    level, depth = [root], 0
    while level:
        if depth > MAX_DEPTH:
            raise ValueError(f"its values are nested deeper than {MAX_DEPTH} levels")
        inner: list[object] = []
        for value in level:
            match value:
                case dict():
                    inner += [*value, *value.values()]
                case list():
                    inner += value
                case str():
                    # It fails for surrogates that are no byte of a file name; JSON can write any.
                    value.encode("utf-8", "surrogateescape")
        level, depth = inner, depth + 1


def _refuse_constant(word: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's json takes and RFC 8259 does not have (section 6)."""
    raise ValueError(f"{word} is no number of JSON")
