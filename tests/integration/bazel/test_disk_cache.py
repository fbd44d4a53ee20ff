"""Real Bazel's disk cache: what it writes is read rightly, and what is bad there fails no build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import bazel, process
from tensorflow_macos_build.bazel.disk_cache import DiskCache
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import BudgetReached, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BUILD = """\
load(":folder.bzl", "folder")
folder(name = "folder")
genrule(
    name = "one",
    outs = ["one.txt", "none.txt"],
    cmd = "echo 1 > $(location one.txt); : > $(location none.txt); echo told",
)
genrule(name = "two", srcs = [":one"], outs = ["two.txt"], cmd = "cat $(SRCS) > $@; echo said >&2")
filegroup(name = "all", srcs = [":folder", ":two"])
genrule(name = "long", outs = ["long.txt"], cmd = "while sleep 1; do :; done")
filegroup(name = "endless", srcs = [":all", ":long"])
"""

FOLDER = """\
def _folder(ctx):
    out = ctx.actions.declare_directory(ctx.label.name + ".d")
    ctx.actions.run_shell(
        outputs = [out],
        command = "cd %s; mkdir sub; echo a > a; echo b > sub/b; : > none; ln -s a link" % out.path,
    )
    return [DefaultInfo(files = depset([out]))]

folder = rule(implementation = _folder)
"""


@dataclass
class CachedProject:
    """A small source tree that is built with a disk cache."""

    folder: Path

    @property
    def cache(self) -> DiskCache:
        return DiskCache(self.folder / "cache")

    def make(self) -> CachedProject:
        source = self.folder / "source"
        source.mkdir()
        for name, text in (("WORKSPACE", ""), ("BUILD", BUILD), ("folder.bzl", FOLDER)):
            (source / name).write_text(text)
        return self

    def invocation(self, target: str = "//:all") -> bazel.Invocation:
        return bazel.Invocation(
            self.folder / "source",
            self.folder / "base",
            bazel.BuildFiles.at(self.folder / "now"),
            (target,),
            flags=(f"--disk_cache={self.cache.folder}",),
        )

    def build(
        self, target: str = "//:all", *, is_over: Callable[[], bool] = lambda: False
    ) -> bazel.BuildResult:
        invocation = self.invocation(target)
        # The output base's own action cache would spare a look into the disk cache.
        clean = [*invocation.startup_argv(), "clean"]
        process.run(clean, cwd=invocation.workspace, env=invocation.env)
        log = self.folder / "bazel.log"
        return bazel.build(invocation, ticker=silent, log=log, is_over=is_over)


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], Path]
) -> Iterator[CachedProject]:
    tool("bazel")
    made = CachedProject(tmp_path_factory.mktemp("cached")).make()
    yield made
    bazel.shutdown(made.invocation())


def test_a_budget_stops_bazel_and_what_was_finished_is_in_the_cache(project: CachedProject) -> None:
    begun = project.folder / "base/execroot/__main__/bazel-out"

    def is_over() -> bool:
        return len(project.cache.inodes()) == 3 and begun.exists()

    with pytest.raises(BudgetReached):
        project.build("//:endless", is_over=is_over)
    actions, bad = project.cache.mend()
    outputs = sorted(path.rpartition("/")[2] for a in actions.values() for path in a.outputs)
    assert (outputs, bad) == (["folder.d", "none.txt", "one.txt", "two.txt"], 0)


def test_what_is_read_of_the_cache_is_all_that_a_hit_needs(project: CachedProject) -> None:
    actions, _ = project.cache.mend()
    before = sum(1 for _ in project.cache.folder.rglob("*"))
    project.cache.keep_only(actions.values())
    # What goes is of no use to a hit: the messages that describe commands and their inputs.
    assert sum(1 for _ in project.cache.folder.rglob("*")) < before
    assert project.cache.forget_uses()
    result = project.build()
    assert (result.cache_hits, project.cache.used()) == (3, set(actions))


def test_an_entry_without_its_blobs_makes_its_action_run_again(project: CachedProject) -> None:
    actions, _ = project.cache.mend()
    for action in actions.values():
        for blob in action.blobs:
            project.cache.blob(blob.digest).unlink(missing_ok=True)
    result = project.build()
    # "internal" is Bazel itself; the runner of actions has another name where there is no sandbox.
    ran = {name: count for name, count in result.runners.items() if name != "internal"}
    assert (result.cache_hits, sum(ran.values())) == (0, 3)
    assert project.cache.mend() == (actions, 0)


def test_an_entry_that_a_power_cut_emptied_fails_a_build_only_if_it_is_left_there(
    project: CachedProject,
) -> None:
    actions, _ = project.cache.mend()
    key = next(key for key, action in actions.items() if action.outputs[0].endswith("two.txt"))
    project.cache.entry(key).write_bytes(b"")
    with pytest.raises(WorkFailed):
        project.build()
    assert project.cache.mend()[1] == 1
    assert project.build().cache_hits == 2
