"""The reader of configs against PyYAML's own reading, and the laws of merging."""

import tempfile
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError

KEYS = st.text("abcdef", min_size=1, max_size=3)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
VALUES = st.recursive(
    TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)
EXAMPLES = settings(max_examples=60, derandomize=True, deadline=None)


def read(values: object) -> tree.Table:
    table, problems = tree.read_flag("root", yaml.safe_dump(values, allow_unicode=True))
    assert not problems
    root = table.items["root"]
    assert isinstance(root, tree.Table)
    return root


@EXAMPLES
@given(TABLES)
def test_texts_come_back_as_any_yaml_reader_gives_them(values: dict[str, object]) -> None:
    assert tree.plain(read(values)) == values


@EXAMPLES
@given(TABLES, TABLES, TABLES)
def test_merging_is_associative_and_idempotent(
    first: dict[str, object], second: dict[str, object], third: dict[str, object]
) -> None:
    a, b, c = read(first), read(second), read(third)
    left = tree.merge(tree.merge(a, b), c)
    assert tree.plain(left) == tree.plain(tree.merge(a, tree.merge(b, c)))
    assert tree.plain(tree.merge(a, a)) == tree.plain(a)


@EXAMPLES
@given(st.binary(max_size=60) | TEXTS.map(str.encode))
def test_any_file_is_read_or_refused_with_a_place(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.yaml"
        path.write_bytes(content)
        assert "c.yaml" in _place_of_refusal(path)


def _place_of_refusal(path: Path) -> str:
    try:
        table, problems = tree.read_file(path, "c.yaml")
    except UsageError as error:
        return str(error)
    return "\n".join([str(table.source), *map(str, problems)])
