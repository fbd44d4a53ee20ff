"""A tree is data: whatever its files hold, each fact has a value or a reason."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.upstream.tensorflow_tree import tree

PIP = "tensorflow/tools/pip_package"
PATHS = (
    ".bazelrc", ".bazelversion", "configure.py", "requirements_lock_3_11.txt",
    "tensorflow/tf_version.bzl", "tensorflow/tensorflow.bzl",
    f"{PIP}/BUILD", f"{PIP}/setup.py", f"{PIP}/setup.py.tpl",
)  # fmt: skip

_WORDS = st.sampled_from(
    [
        "x", "_VERSION", "REQUIRED", "setup", "=", "+=", "+", "(", ")", "[", "]", ",", "'a'", '"b"',
        "\n", "\n  ", "if ", " else ", ":", "for x in ", "def f(x): return ", "lambda: ", "not ",
        ".append(", "install_requires=", "python_requires=", "name=", "sys.argv", "None",
        "# placeholder",
    ]
)  # fmt: skip
_PYTHON = st.lists(_WORDS, max_size=30).map(lambda words: "".join(words).encode())


@given(st.dictionaries(st.sampled_from(PATHS), st.one_of(st.binary(max_size=60), _PYTHON)))
def test_each_fact_of_any_tree_has_a_value_or_a_reason(files: dict[str, bytes]) -> None:
    """What a file does not say is no value, with the reason; nothing is guessed."""
    facts = tree.read(files.get)
    for field in dataclasses.fields(facts):
        fact = getattr(facts, field.name)
        assert (fact.value is None) == bool(fact.reason)
        assert bool(fact.where) == (fact.value is not None)
