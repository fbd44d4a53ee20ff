"""A made-up tree of each age, and what is said where a file does not say it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.upstream.tensorflow_tree import tree
from tensorflow_macos_build.upstream.tensorflow_tree.fact import Fact
from tensorflow_macos_build.upstream.tensorflow_tree.tree import BuildTarget, Requirements

if TYPE_CHECKING:
    from tensorflow_macos_build.upstream.tensorflow_tree.tree import TensorflowTree

PIP = "tensorflow/tools/pip_package"

OLD = {
    ".bazelversion": "3.1.0\n",
    ".bazelrc": "build:macos --copt=-w\n",
    "configure.py": "_TF_MIN_BAZEL_VERSION = '3.1.0'\n_TF_MAX_BAZEL_VERSION = '3.99.0'\n",
    "tensorflow/tensorflow.bzl": 'VERSION = "2.4.0"\n',
    f"{PIP}/BUILD": 'sh_binary(\n    name = "build_pip_package",\n)\n',
    f"{PIP}/setup.py": (
        "import sys\n_VERSION = '2.4.0'\nproject_name = 'tensorflow'\n"
        "REQUIRED = ['numpy ~= 1.19']\n"
        "if 'nightly' in project_name:\n  for i, p in enumerate(REQUIRED):\n    REQUIRED[i] = ''\n"
        "if sys.byteorder == 'little':\n  REQUIRED.append('grpcio')\n"
        "setup(install_requires=REQUIRED)\n"
    ),
}
NEW = {
    ".bazelversion": "7.4.1\n# NOTE: a note",
    ".bazelrc": "common:release_macos_arm64 --cpu=darwin_arm64\n",
    "configure.py": "_TF_CURRENT_BAZEL_VERSION = None\n",
    "requirements_lock_3_10.txt": "",
    "requirements_lock_3_9.txt": "",
    "tensorflow/tf_version.bzl": 'TF_VERSION = "2.21.0"\nMAJOR, MINOR = TF_VERSION.split(".")\n',
    "tensorflow/tensorflow.bzl": 'load(":tf_version.bzl", "TF_VERSION")\nVERSION = TF_VERSION\n',
    f"{PIP}/BUILD": 'genrule(name = "setup_py")\ntf_wheel(name = "wheel")\n',
    f"{PIP}/setup.py.tpl": (
        "import sys\n_VERSION = '0.0.0'\ncuda_version = 0  # placeholder\n"
        "REQUIRED = [\n  'numpy >= 1.26',\n  'intel == ' + _VERSION,\n"
        "  'h5py >= 3.11' if sys.version_info.minor < 13 else 'h5py',\n]\n"
        "setup(\n  install_requires=REQUIRED,\n  python_requires='>=3.9')\n"
    ),
}


def read(contents: dict[str, str]) -> TensorflowTree:
    return tree.read(lambda path: contents[path].encode() if path in contents else None)


def test_a_tree_of_2_4() -> None:
    facts = read(OLD)
    assert facts.bazel_version == Fact("3.1.0", ".bazelversion")
    assert facts.oldest_bazel == Fact("3.1.0", "configure.py:1")
    assert facts.newest_bazel == Fact("3.99.0", "configure.py:2")
    assert facts.version == Fact("2.4.0", f"{PIP}/setup.py:2")
    assert facts.requirements == Fact(
        Requirements(("numpy ~= 1.19", "grpcio"), ()), f"{PIP}/setup.py:10"
    )
    assert facts.wheel_targets == (BuildTarget("build_pip_package", "sh_binary", 1),)
    assert facts.python_requires.reason == f"{PIP}/setup.py gives setup() no python_requires"
    assert facts.locked_pythons.reason == "there is no requirements_lock_3_*.txt"


def test_a_tree_of_2_21() -> None:
    facts = read(NEW)
    assert facts.bazel_version.value == "7.4.1"
    assert facts.oldest_bazel.reason == "configure.py gives _TF_MIN_BAZEL_VERSION no value"
    assert facts.version == Fact("2.21.0", "tensorflow/tf_version.bzl:1")
    assert facts.requirements.value == Requirements(("numpy >= 1.26",), (6, 7))
    assert facts.python_requires == Fact(">=3.9", f"{PIP}/setup.py.tpl:11")
    assert facts.locked_pythons.value == ("3.9", "3.10")
    assert facts.targets.value == (
        BuildTarget("setup_py", "genrule", 1),
        BuildTarget("wheel", "tf_wheel", 2),
    )
    assert [target.name for target in facts.wheel_targets] == ["wheel"]
    assert facts.rc.value is not None
    assert facts.rc.value.configs() == ("release_macos_arm64",)


def test_of_an_empty_tree_nothing_is_known_and_each_fact_has_its_reason() -> None:
    facts = read({})
    for field in dataclasses.fields(facts):
        fact = getattr(facts, field.name)
        assert fact.value is None
        assert fact.reason, field.name
    assert facts.wheel_targets == ()


@pytest.mark.parametrize(
    ("path", "text", "field", "reason"),
    [
        (".bazelversion", "\n7.4.1", "bazel_version", "begins with an empty line"),
        ("tensorflow/tensorflow.bzl", 'VERSION = "2.5.0"', "version", "bzl:1 says 2.5.0"),
        ("configure.py", "_TF_MIN_BAZEL_VERSION = f()", "oldest_bazel", "py:1 gives"),
        ("configure.py", "_TF_MIN_BAZEL_VERSION = '1'\n" * 2, "oldest_bazel", "py:2 gives"),
        (f"{PIP}/setup.py", "setup(install_requires=f())", "requirements", "can be followed"),
        (f"{PIP}/setup.py", "setup(install_requires=[1])", "requirements", "that is no text"),
        (f"{PIP}/setup.py", "setup(python_requires=f())", "python_requires", "can be followed"),
        (f"{PIP}/setup.py", "run()", "python_requires", "calls no setup()"),
        (f"{PIP}/setup.py", "setup(", "requirements", "py:1 is no Python"),
        (".bazelrc", "import a b", "rc", ".bazelrc:1 imports 2 files"),
    ],
)
def test_a_file_that_does_not_say_it_leaves_it_unknown(
    path: str, text: str, field: str, reason: str
) -> None:
    fact = getattr(read({**OLD, path: text}), field)
    assert fact.value is None
    assert reason in fact.reason
