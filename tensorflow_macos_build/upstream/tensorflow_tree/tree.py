"""A TensorFlow source tree as a value: what its own files say of how it is built.

Nothing of the tree is run, nothing is guessed: what a file does not say is a fact without a value,
and with the reason.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.upstream.tensorflow_tree import bazelrc
from tensorflow_macos_build.upstream.tensorflow_tree.fact import (
    Fact,
    Unread,
    known,
    text_of,
    unknown,
)
from tensorflow_macos_build.upstream.tensorflow_tree.python_source import (
    Script,
    UnknownValue,
    calls_with_names,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.upstream.tensorflow_tree.bazelrc import BazelRc
    from tensorflow_macos_build.upstream.tensorflow_tree.fact import TreeFiles, Value

PACKAGE = "tensorflow/tools/pip_package"
"""The folder of the Bazel package that makes the wheel."""

WHEEL_TARGETS = ("wheel", "build_pip_package")
"""What makes the wheel: since 2.17, and up to 2.16."""

_SETUPS = (f"{PACKAGE}/setup.py.tpl", f"{PACKAGE}/setup.py")  # the template came with 2.21
# Up to 2.20 the number is in the last two, which people keep alike. Since 2.21 the last one says
# `VERSION = TF_VERSION`, which is no text and so has no say, and the template has a dummy, '0.0.0'.
_VERSIONS = (
    ("tensorflow/tf_version.bzl", "TF_VERSION"),  # since 2.21
    (f"{PACKAGE}/setup.py", "_VERSION"),
    ("tensorflow/tensorflow.bzl", "VERSION"),
)
_LOCKS = {f"3.{minor}": f"requirements_lock_3_{minor}.txt" for minor in range(6, 40)}
"""The lock files that are looked for, by Python: a tree of bare paths cannot be listed."""


@dataclass(frozen=True)
class BuildTarget:
    """A target that a BUILD file spells out: its name, its rule or macro, and its line."""

    name: str
    rule: str
    line: int


@dataclass(frozen=True)
class Requirements:
    """What the wheel requires on a Mac.

    Attributes:
        texts: the requirements, as upstream wrote them.
        unread: the lines of those that depend on what only the build knows: its Python, or what it
            fills in.
    """

    texts: tuple[str, ...]
    unread: tuple[int, ...]


@dataclass(frozen=True)
class TensorflowTree:
    """What a tree says.

    Attributes:
        bazel_version: the Bazel to build with (.bazelversion's first line, as bazelisk reads it).
        oldest_bazel: the oldest Bazel that configure.py takes.
        newest_bazel: the newest that it takes.
        rc: the run-control file, .bazelrc.
        targets: the targets of the package that makes the wheel.
        version: TensorFlow's version.
        requirements: what the wheel requires.
        python_requires: the Pythons that the wheel is for.
        locked_pythons: the versions of Python that upstream has locked requirements for.
    """

    bazel_version: Fact[str]
    oldest_bazel: Fact[str]
    newest_bazel: Fact[str]
    rc: Fact[BazelRc]
    targets: Fact[tuple[BuildTarget, ...]]
    version: Fact[str]
    requirements: Fact[Requirements]
    python_requires: Fact[str]
    locked_pythons: Fact[tuple[str, ...]]

    @property
    def wheel_targets(self) -> tuple[BuildTarget, ...]:
        """Return those targets that make the wheel."""
        return tuple(t for t in self.targets.value or () if t.name in WHEEL_TARGETS)


def read(files: TreeFiles) -> TensorflowTree:
    """Return what a tree's files say; `files` gives their contents."""
    return TensorflowTree(
        bazel_version=_fact(lambda: _bazel_version(files)),
        # 2.4 to 2.6 have these bounds, 2.13.1 and later have none.
        oldest_bazel=_constant(files, "configure.py", "_TF_MIN_BAZEL_VERSION"),
        newest_bazel=_constant(files, "configure.py", "_TF_MAX_BAZEL_VERSION"),
        rc=_fact(lambda: known(bazelrc.read(files), ".bazelrc")),
        targets=_fact(lambda: _targets(files)),
        version=_version(files),
        requirements=_fact(lambda: _requirements(files)),
        python_requires=_fact(lambda: _python_requires(files)),
        locked_pythons=_fact(lambda: _locked_pythons(files)),
    )


def _fact(reading: Callable[[], Fact[Value]]) -> Fact[Value]:
    try:
        return reading()
    except Unread as reason:
        return unknown(reason)


def _bazel_version(files: TreeFiles) -> Fact[str]:
    path = ".bazelversion"
    version = text_of(files, path).partition("\n")[0].strip()  # notes follow it since 2.13
    return known(version, path) if version else unknown(f"{path} begins with an empty line")


def _constant(files: TreeFiles, path: str, name: str) -> Fact[str]:
    """Return the text that a file's top gives a name, when nothing there gives it another."""
    return _fact(lambda: _only_text(parse(files, path), path, name))


def _only_text(tree: ast.Module, path: str, name: str) -> Fact[str]:
    # More than one is none: which of them counts, only a run can tell.
    given = [
        statement
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and [ast.unparse(target) for target in statement.targets] == [name]
    ]
    match given:
        case [ast.Assign(lineno=line, value=ast.Constant(value=str(text)))]:
            return known(text, f"{path}:{line}")
        case []:
            return unknown(f"{path} gives {name} no value")
        case _:
            return unknown(f"{path}:{given[-1].lineno} gives {name} a value that is no single text")


def _version(files: TreeFiles) -> Fact[str]:
    """Return the version; files that disagree leave it unknown."""
    facts = [_constant(files, path, name) for path, name in _VERSIONS]
    stated = [fact for fact in facts if fact.value is not None]
    if not stated:
        return unknown("; ".join(fact.reason for fact in facts))
    if len({fact.value for fact in stated}) > 1:
        return unknown(", but ".join(f"{fact.where} says {fact.value}" for fact in stated))
    return stated[0]


def _targets(files: TreeFiles) -> Fact[tuple[BuildTarget, ...]]:
    path = f"{PACKAGE}/BUILD"
    named = calls_with_names(parse(files, path))
    return known(tuple(BuildTarget(name, rule, line) for rule, name, line in named), path)


def _argument_of_setup(files: TreeFiles, name: str) -> tuple[object, str]:
    """Return the value that setup() gets by a name, and where that stands."""
    path = next((path for path in _SETUPS if files(path) is not None), _SETUPS[-1])
    # A setup.py is run as it is; only a template is rewritten first.
    placeholders = _placeholders(text_of(files, path)) if path.endswith(".tpl") else ()
    call = Script(parse(files, path), placeholders).calls.get("setup")
    if call is None:
        raise Unread(f"{path} calls no setup() that can be followed")
    if name not in call.arguments:
        raise Unread(f"{path} gives setup() no {name}")
    return call.arguments[name], f"{path}:{call.lines[name]}"


def _placeholders(template: str) -> tuple[int, ...]:
    """Return the lines of a template that the build rewrites."""
    # modify_setup_py.py (2.22) replaces `_VERSION = …` and the names with this comment behind.
    return tuple(
        number
        for number, line in enumerate(template.split("\n"), start=1)
        if line.startswith("_VERSION") or line.rstrip().endswith("# placeholder")
    )


def _requirements(files: TreeFiles) -> Fact[Requirements]:
    items, where = _argument_of_setup(files, "install_requires")
    if not isinstance(items, list):
        raise Unread(f"{where} gives install_requires no value that can be followed")
    texts = tuple(item for item in items if isinstance(item, str))
    unread = tuple(item.line for item in items if isinstance(item, UnknownValue))
    if len(texts) + len(unread) < len(items):
        raise Unread(f"{where} requires something that is no text")
    return known(Requirements(texts, unread), where)


def _python_requires(files: TreeFiles) -> Fact[str]:
    value, where = _argument_of_setup(files, "python_requires")
    if not isinstance(value, str):
        raise Unread(f"{where} gives python_requires no value that can be followed")
    return known(value, where)


def _locked_pythons(files: TreeFiles) -> Fact[tuple[str, ...]]:
    # They came with hermetic Python: 2.13.1 has none, 2.14.0 has three.
    pythons = tuple(python for python, path in _LOCKS.items() if files(path) is not None)
    pattern = "requirements_lock_3_*.txt"
    return known(pythons, pattern) if pythons else unknown(f"there is no {pattern}")
