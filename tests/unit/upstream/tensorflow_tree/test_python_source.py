"""What is worked out of a Python file that is not run, and what stays unknown."""

from __future__ import annotations

import ast

import pytest

from tensorflow_macos_build.upstream.tensorflow_tree.fact import Unread
from tensorflow_macos_build.upstream.tensorflow_tree.python_source import (
    Script,
    UnknownValue,
    calls_with_names,
    parse,
)


def value(text: str, name: str = "x") -> object:
    return Script(ast.parse(text)).names[name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 'a' 'b' + 'c'", "abc"),
        (
            "x = ['a'] + ['b']\nx.append('c')\nx.extend(['d'])\nx += ['e']",
            ["a", "b", "c", "d", "e"],
        ),
        ("import sys\nx = 'little' if sys.byteorder == 'little' else None", "little"),
        ("import sys\nx = 1\nif '--name' in sys.argv:\n  x = sys.argv[1]", 1),
        ("import os\nx = os.environ.get('A', 'b')", "b"),
        ("import os\nx = 1\nif os.environ.get('A'):\n  x = 2", 1),
        ("x = [p for p in ['a', None] if p is not None]", ["a"]),
        (
            "n = 'tf'\ndef f(a, b):\n  'Doc.'\n  return b if 'tf_n' in n else a\nx = f('s', 'n')",
            "s",
        ),
        ("import platform\nx = []\nif platform.system() == 'Linux':\n  x.append('l')", []),
        ("x = not '' and ('' or 'b')", "b"),
        ("x = 1\nif __name__ == '__main__':\n  x = 2", 2),
        ("x = 1\nif not True:\n  x = 2\nelif 'a' in ['a']:\n  x = 3", 3),
        ("x = ['a']\nfoo('x')\nclass C:\n  def f(self):\n    x.append(1)", ["a"]),
    ],
)
def test_constants_and_conditions_on_a_mac_are_followed(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "x = open('f').read()",
        "x = 'a' + y",
        "x = 'a' + 1",
        "x = 'v%s' % 1",
        "x = f'{1}'",
        "import sys\nx = 'a' if sys.version_info.minor < 9 else 'b'",
        "import platform\nx = 1\nif platform.machine() == 'arm64':\n  x = 2",
        "x = 1\nfor i in range(3):\n  x = i",
        "x = 1\ntry:\n  import y\nexcept ImportError:\n  x = 2",
        "x = ['a']\nx[0] = 'b'",
        "x = y = ['a']\ny[0] = 'b'",
        "x = ['a']\ny = x\ny[0] = 'b'",
        "x = ['a']\ny = x\ny += z",
        "x = ['a']\nx.remove('a')",
        "x = ['a']\nx.append",
        "x = ['a']\nchange(x)",
        "x = 'a'\ndel x",
        "def f(a): return a\nx = f(1, 2)",
        "def f(): return f()\nx = f()",
        "if open('f'):\n  def f(): return 1\nx = f()",
        "x = 1 < 'a'",
        "x = 1 in 2",
        "x = 0 < 1 < 2",
        "x = -1",
        "x = 'ab'\n" + "x = x + x\n" * 40,
        "x = ['ab']\n" + "x = x + x\n" * 40,
        "y = [" + "0, " * 50_000 + "]\nx = 1",
    ],
)
def test_what_depends_on_anything_else_is_unknown(text: str) -> None:
    assert isinstance(value(text), UnknownValue)


def test_a_list_changes_under_all_its_names() -> None:
    assert value("x = ['a']\ny = x\ny.append('b')\ny += ['c']") == ["a", "b", "c"]


def test_a_placeholder_is_unknown_and_so_is_what_is_made_from_it() -> None:
    names = Script(ast.parse("v = ''\nx = ['a' + v, 'b']\ny = v"), placeholders=[1]).names
    assert names == {"v": UnknownValue(1), "x": [UnknownValue(2), "b"], "y": UnknownValue(1)}


def test_the_last_call_of_a_foreign_function_is_kept_with_its_lines() -> None:
    text = "r = ['a']\nif __name__ == '__main__':\n  setup(\n    name='n',\n    requires=r)\n"
    call = Script(ast.parse(text)).calls["setup"]
    assert dict(call.arguments) == {"name": "n", "requires": ["a"]}
    assert dict(call.lines) == {"name": 4, "requires": 5}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no a.py"),
        (b"x = (\n", "a.py:1 is no Python"),
        (b"x = 1\n{{ x }} y\n", "a.py:2 is no Python"),
        (b"x = 1\0", "a.py"),
        (b"x = " + b"not " * 100_000 + b"1", "a.py cannot be read as Python"),
    ],
)
def test_a_file_that_is_no_python_says_so(content: bytes | None, reason: str) -> None:
    with pytest.raises(Unread, match=reason):
        parse(lambda _: content, "a.py")


def test_a_file_of_bad_style_is_read_without_a_warning() -> None:
    tree = parse(lambda _: b"x = '\\d'\ny = 1 is 1\n", "a.py")
    assert Script(tree).names["x"] == "\\d"


def test_an_expression_nested_too_deep_to_follow_leaves_nothing_known() -> None:
    deep = Script(ast.parse("x = 1\nsetup()\ny = " + " + ".join(["'a'"] * 900)))
    assert deep.names == {}
    assert deep.calls == {}


def test_targets_are_those_that_the_files_top_spells_out() -> None:
    build = 'load(":a.bzl", "r")\nr(name = "a")\n[r(name = n) for n in B]\n\nr(name = "b")'
    assert list(calls_with_names(ast.parse(build))) == [("r", "a", 2), ("r", "b", 5)]
