"""JSON documents that the tasks print and the reports hold: one envelope, checked schemas.

Every document is an object whose `schema` member is `{"name": …, "version": …}`; the schema itself
is `schemas/<name>.v<version>.json` in this package (JSON Schema 2020-12).
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, cast

Json = dict[str, Any]


def document(name: str, version: int, body: Json) -> Json:
    """Put `body` into the envelope of schema `name`, version `version`."""
    return {"schema": {"name": name, "version": version}, **body}


def schema_of(name: str, version: int) -> Json:
    """Read the JSON Schema that documents called `name` at `version` obey.

    Raises:
        FileNotFoundError: this package has no such schema.
    """
    path = resources.files("tensorflow_macos_build").joinpath(f"schemas/{name}.v{version}.json")
    return cast("Json", json.loads(path.read_text(encoding="utf-8")))


def check(found: Json) -> None:
    """Check a document against the schema that its envelope names.

    Raises:
        jsonschema.ValidationError: the document does not obey its schema.
    """
    import jsonschema  # noqa: PLC0415 - a third of a task's start-up, and few tasks check

    schema = schema_of(found["schema"]["name"], found["schema"]["version"])
    jsonschema.Draft202012Validator(schema).validate(found)


def dumps(found: Json) -> str:
    """Write a document as JSON text: two-space indents, keys in given order, a final newline."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
