import json
import os
from importlib import resources

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def _resolution(**changes: object) -> bytes:
    body = {"patch": "a.patch", "met": [], "results": [], **changes}
    return documents.dumps(documents.document("resolution", 1, body)).encode()


def test_a_document_is_read_by_the_schema_that_its_reader_expects() -> None:
    assert documents.read(_resolution(), "resolution", 1)["patch"] == "a.patch"
    for content in (
        _resolution(schema={"name": "../../evil", "version": 1}),
        _resolution(schema={"name": "rebase-state", "version": 1}),
        _resolution(schema={"name": "resolution", "version": 2}),
        _resolution(schema={"name": "resolution", "version": "1/../../evil"}),
        _resolution(schema=None),
        b"{}",
        b"[]",
        b"null",
    ):
        with pytest.raises(documents.NotTheDocument):
            documents.read(content, "resolution", 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"[" * 500 + b"]" * 500,
        b'{"a":' * 100_000,
        b"9" * 5_000,
        b"NaN",
        b'{"schema": Infinity}',
        b'"\\ud800"',
        b'{"\\udbff": 1}',
        "\ufeff{}".encode("utf-16"),
        _resolution(patch=[[[[["x" * 100_000]]]]]),
    ],
    ids=range(13),
)
def test_what_anybody_may_write_is_refused_in_one_short_line(content: bytes) -> None:
    with pytest.raises(documents.NotTheDocument) as caught:
        documents.read(content, "resolution", 1)
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_a_file_name_that_is_no_utf8_survives_writing_and_reading() -> None:
    name = os.fsdecode(b"caf\xe9")
    text = documents.dumps(documents.document("resolution", 1, {"patch": name}))
    assert text.encode().isascii()
    assert json.loads(text)["patch"] == name
    assert documents.read(_resolution(patch=name), "resolution", 1)["patch"] == name


_VALUES = st.one_of(st.none(), st.integers(), st.text(max_size=3), st.lists(st.text(max_size=3)))


@given(st.lists(_VALUES, max_size=5) | _VALUES)
def test_lines_are_judged_as_by_the_validator_of_the_standard(lines: object) -> None:
    results = [{"path": "a", "mode": "100644", "lines": lines}]
    content = _resolution(results=results)
    judge = jsonschema.Draft202012Validator(documents.schema_of("resolution", 1))
    if judge.is_valid(json.loads(content)):
        assert documents.read(content, "resolution", 1)["results"] == results
    else:
        with pytest.raises(documents.NotTheDocument):
            documents.read(content, "resolution", 1)
