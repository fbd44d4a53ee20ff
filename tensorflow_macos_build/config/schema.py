"""The JSON Schema of a config file, for editors and for checks in other languages."""

from __future__ import annotations

from typing import Any

from tensorflow_macos_build.config.loading import EXTENDS, PARENT
from tensorflow_macos_build.config.model import FuseRule, Release

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the schema that each file under build_configs/ obeys."""
    whole = Release.model_json_schema()
    for part in (whole, *whole["$defs"].values()):
        # No key is required, because a file may leave to others what it says through `extends`;
        # what is missing in the end is told when the config is loaded. But a rule is in a list,
        # which is replaced as a whole.
        if part.get("title") != FuseRule.__name__:
            part.pop("required", None)
    extends = {
        "type": "string",
        "title": "Extends",
        "description": "The config beside this one, without `.yaml`, that it is laid over.",
    }
    parent = {
        "type": "boolean",
        "default": False,
        "title": "Parent",
        "description": "Whether this file is only extended by others, and no release by itself.",
    }
    # Beside the model's own, which forbids others: `_chain` takes the two out of each file.
    whole["properties"] = {EXTENDS: extends, PARENT: parent, **whole["properties"]}
    return {"$schema": _DIALECT, **whole}
