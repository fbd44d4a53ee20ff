r"""How long it takes to find who changed lines: one walk for all files, or `git log -L` for each.

    python -m benchmarks.line_changes GIT_DIR 4d6df3889441 919f693420e3 .bazelrc:1:20 \
        tensorflow/tools/pip_package/setup.py:75:40 tensorflow/workspace.bzl:1:60

with GIT_DIR a repository that has TensorFlow's v2.4.3 and v2.6.0 (graphcore/tensorflow has their
history); each PATH:FIRST:COUNT is a stretch of lines of the newer revision. Both must find the same
commits. A merge that differs from all its parents is left out: git shows it without lines.
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

from benchmarks import measure
from tensorflow_macos_build.git.diffs import LineRange
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
from tensorflow_macos_build.patchqueue.verdict.line_history import LineHistory

Stretch = tuple[str, LineRange]


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("stretches", nargs="+", type=_stretch, metavar="PATH:FIRST:COUNT")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    git = Git(arguments.git_dir)
    span = (resolve(git, arguments.old), resolve(git, arguments.new))
    ours, theirs = (arm(git, span, arguments.stretches) for arm in (_in_memory, _by_git))
    assert ours == theirs, f"{ours}\nare not git's\n{theirs}"
    print(f"{len(arguments.stretches)} stretches, {sum(map(len, ours))} commits, the same as git's")
    arms = {
        "in memory": functools.partial(_in_memory, git, span, arguments.stretches),
        "git log -L": functools.partial(_by_git, git, span, arguments.stretches),
    }
    runs = measure.interleaved(
        {name: functools.partial(measure.in_child, body) for name, body in arms.items()},
        arguments.rounds,
    )
    print(measure.machine())
    for name, measured in runs.items():
        cpu = sorted(run.cpu_seconds for run in measured)[len(measured) // 2]
        print(f"{name}: {cpu:.2f} s of CPU, {measure.median_seconds(measured):.2f} s (medians)")


def _stretch(text: str) -> Stretch:
    path, first, count = text.rsplit(":", 2)
    return path, LineRange(int(first) - 1, int(count))


def _in_memory(git: Git, span: tuple[str, str], stretches: list[Stretch]) -> list[list[str]]:
    with open_quarantine(git) as quarantine:
        history = UpstreamHistory(quarantine.git, *span)
        lines = LineHistory(quarantine, history)
        changed = (lines.of_lines(span[1], path, [stretch])[0] for path, stretch in stretches)
        merges = {commit.oid for commit in history.commits.values() if commit.is_merge}
        return [[c.commit for c in changes if c.commit not in merges] for changes in changed]


def _by_git(git: Git, span: tuple[str, str], stretches: list[Stretch]) -> list[list[str]]:
    old, new = span
    commits = []
    for path, lines in stretches:
        where = f"-L{lines.start + 1},{lines.end}:{path}"
        out = git.out("log", where, "--no-color", "--format=%x00%H", new, f"^{old}")
        records = [record.split(b"\n") for record in out.split(b"\0")[1:]]
        commits.append([head.decode() for head, *body in records if any(body)])
    return commits


if __name__ == "__main__":
    main()
