import json
from importlib import resources

import jsonschema
import pytest

from tensorflow_macos_build import documents


def test_every_schema_is_valid_strict_and_named_by_its_file() -> None:
    folder = resources.files("tensorflow_macos_build").joinpath("schemas")
    for file in folder.iterdir():
        if not file.name.endswith(".json"):
            continue
        schema = json.loads(file.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False, file.name
        assert "schema" in schema["required"], file.name
        name, version, _ = file.name.split(".")
        assert documents.schema_of(name, int(version.removeprefix("v"))) == schema


def test_a_document_of_no_known_schema_is_refused() -> None:
    with pytest.raises(FileNotFoundError):
        documents.check(documents.document("no-such-document", 1, {}))


def test_text_keeps_key_order_and_non_ascii_letters() -> None:
    text = documents.dumps({"b": "é", "a": 1})
    assert text == '{\n  "b": "é",\n  "a": 1\n}\n'
