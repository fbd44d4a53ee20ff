"""What the reader of TensorFlow's trees reads of real ones: a table, and what it does not know.

    python -m benchmarks.upstream_trees GIT_DIR:COMMIT …

Nothing is checked out: contents come from the repositories' objects.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tensorflow_macos_build.git import revisions
from tensorflow_macos_build.git.objects import reading
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream.tensorflow_tree import bazelrc, sources, tree
from tensorflow_macos_build.upstream.tensorflow_tree.bazelrc import BadConfig

if TYPE_CHECKING:
    from tensorflow_macos_build.upstream.tensorflow_tree.fact import Fact, Value
    from tensorflow_macos_build.upstream.tensorflow_tree.tree import TensorflowTree

_SHOWN_REQUIREMENTS = ("numpy", "h5py", "protobuf")
_CONFIGS = ("macos", "macos_arm64", "release_cpu_macos", "release_macos_x86", "release_macos_arm64")


def main() -> None:
    """Read each tree, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("trees", nargs="+", metavar="GIT_DIR:COMMIT")
    trees = {name: _read(name) for name in parser.parse_args().trees}
    columns = ("tree", "Bazel", "configure", "target", "version", "Python", "requires", "seconds")
    table = Table(*columns)
    for name, (facts, seconds) in trees.items():
        table.add_row(_short(name), *_cells(facts), f"{seconds:.2f}")
    console = Console(width=200)
    console.print(table)
    for name, (facts, _) in trees.items():
        console.print(f"\n{_short(name)}", markup=False)
        for line in _configs(facts):
            console.print(f"  {line}", markup=False, soft_wrap=True)


def _read(name: str) -> tuple[TensorflowTree, float]:
    git_dir, _, commit = name.rpartition(":")
    git = Git(Path(git_dir))
    oid = revisions.find_commit(git, commit)
    if oid is None:
        raise SystemExit(f"{name}: there is no such commit")
    start = time.perf_counter()
    with reading(git) as objects:
        facts = tree.read(sources.of_commit(objects, oid))
    return facts, time.perf_counter() - start


def _short(name: str) -> str:
    return name.rpartition(":")[2][:10]


def _cells(facts: TensorflowTree) -> tuple[str, ...]:
    requirements = facts.requirements.value
    texts = requirements.texts if requirements else ()
    shown = [text for text in texts if text.startswith(_SHOWN_REQUIREMENTS)]
    if requirements and requirements.unread:
        shown.append(f"unknown: line {', '.join(map(str, requirements.unread))}")
    locks = ", ".join(facts.locked_pythons.value or ())
    return (
        _shown(facts.bazel_version),
        f"{_shown(facts.oldest_bazel)} to {_shown(facts.newest_bazel)}",
        ", ".join(f"{target.rule} {target.name}" for target in facts.wheel_targets),
        _shown(facts.version),
        f"{_shown(facts.python_requires)}; locks {locks or 'none'}",
        "\n".join(shown),
    )


def _shown(fact: Fact[Value]) -> str:
    return "none" if fact.value is None else str(fact.value)


def _configs(facts: TensorflowTree) -> list[str]:
    rc = facts.rc.value
    if rc is None:
        return [facts.rc.reason]
    lines = [f"{len(rc.configs())} configs, {len(rc.imports)} imports"]
    for config in _CONFIGS:
        try:
            flags = rc.flags_of(config)
        except BadConfig as reason:
            lines.append(str(reason))
        else:
            lines.append(f"{config}: {_in_short(flags)}")
    always = rc.flags()
    lines.append(f"always: {len(always)} flags; USE_PYWRAP_RULES {_repo_env(always)}")
    return lines


def _in_short(flags: tuple[str, ...]) -> str:
    """Return flags without the longest: 2.14 and later leave out 60 packages on a Mac."""
    return " ".join(flag for flag in flags if not flag.startswith("--deleted_packages="))


def _repo_env(flags: tuple[str, ...]) -> str:
    given = [value for value in bazelrc.values(flags, "--repo_env") if "USE_PYWRAP" in value]
    return given[-1].partition("=")[2] if given else "not set"


if __name__ == "__main__":
    main()
