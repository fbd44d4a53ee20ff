"""A config as it is in effect: a document, and YAML with each value's source."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import documents
from tensorflow_macos_build.config import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.config import Loaded

_COMMENT_COLUMN = 56


def as_document(loaded: Loaded) -> documents.Json:
    """Return the values and, by dotted key, where each was written, as a document of config.v1."""
    values = loaded.release.model_dump(mode="json")
    sources = {key: str(source) for key, source in loaded.provenance.items()}
    return documents.document("config", 1, {"values": values, "sources": sources})


def yaml_lines(loaded: Loaded) -> list[str]:
    """Return lines of YAML that load to the same values, each with its source as a comment."""
    values = loaded.release.model_dump(mode="json")
    sources = {key: str(source) for key, source in loaded.provenance.items()}
    paths = [key for key, _ in flatten(values)]
    # A value without a source would look as if the line above it had set it.
    assert set(paths) == set(sources)
    return [
        # A line that opens a table has no source of its own.
        f"{text:<{_COMMENT_COLUMN}}  # {sources[path]}" if path in sources else text
        for text, path in _lines(values, "", 0)
    ]


def _lines(values: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        indent = "  " * depth
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:", prefix + key + "."
            yield from _lines(value, f"{prefix}{key}.", depth + 1)
        else:
            # JSON's scalars and lists are YAML too; quoted, no string reads as something else
            yield f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}", prefix + key
