"""A fork that merges upstream becomes a queue that makes its tree, with git as the judge."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.exchange import importing, topics
from tensorflow_macos_build.patchqueue.exchange.importing import (
    ImportSource,
    MergingRange,
    SourceKind,
)
from tensorflow_macos_build.patchqueue.queue import materialise, storage
from tests import repositories
from tests.repositories import BASE, SUBMODULE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.repositories import Files

UPSTREAM = 4
"""How many commits upstream has."""

AM = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_COMMITTER_NAME": "C",
    "GIT_COMMITTER_EMAIL": "c@c",
}


@dataclass
class History:
    """Commits: what each holds, and the numbers of its parents; upstream's come first.

    Attributes:
        trees: what each commit holds.
        parents: the numbers of each one's parents.
        newest: the number of the newest commit of upstream that the fork has.
    """

    trees: list[Files] = field(default_factory=list)
    parents: list[tuple[int, ...]] = field(default_factory=list)
    newest: int = 0

    def add(self, files: Files, *parents: int) -> int:
        self.trees.append(files)
        self.parents.append(parents)
        return len(self.trees) - 1

    def merged(self, base: int, ours: int, theirs: int) -> Files:
        """Merge by whole files, ours where both changed; whatever stands in the way is left out."""
        before, files, other = self.trees[base], dict(self.trees[ours]), self.trees[theirs]
        for path in sorted(before.keys() | other.keys()):
            if files.get(path) == before.get(path) != other.get(path):
                files.pop(path, None)
                if path in other and repositories.is_free(files, path):
                    files[path] = other[path]
        return files

    def write(self, folder: Path) -> Git:
        """Write a repository with the branches `upstream` and `fork`."""
        git = Git(folder)
        git.init()
        stream: list[bytes] = []
        for number, (files, parents) in enumerate(zip(self.trees, self.parents, strict=True)):
            ref, subject = f"refs/heads/{number}", f"change {number}".encode()
            stream.append(
                f"commit {ref}\nmark :{number + 1}\n"
                f"committer A{number % 3} <a{number % 3}@example.org> {1_600_000_000 + number} +0\n"
                f"data {len(subject)}\n".encode()
                + subject
                + b"\n"
            )
            for word, parent in zip(("from", *["merge"] * len(parents)), parents, strict=False):
                stream.append(f"{word} :{parent + 1}\n".encode())
            stream.append(b"deleteall\n")
            for path, (mode, content) in sorted(files.items()):
                if mode == SUBMODULE:
                    stream.append(f"M {mode} {content.decode()} {path}\n".encode())
                else:
                    head = f"M {mode} inline {path}\ndata {len(content)}\n".encode()
                    stream.append(head + content + b"\n")
        stream.append(f"reset refs/heads/upstream\nfrom :{UPSTREAM}\n".encode())
        stream.append(f"\nreset refs/heads/fork\nfrom :{len(self.trees)}\n".encode())
        git.run("fast-import", "--quiet", stdin=b"".join(stream))
        return git


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a fork of up to eight commits, merges, merges of upstream and evil ones of each."""
    history = History()
    donors: list[Files] = []

    def edited(files: Files, most: int, least: int = 1) -> Files:
        made = dict(files)
        for _ in range(draw(st.integers(least, most))):
            repositories.operate(draw, made, str(len(history.trees)), donors)
        return made

    history.add(BASE)
    for number in range(1, UPSTREAM):
        history.add(edited(history.trees[-1], 2), number - 1)
    donors += history.trees[1:]
    tip = history.add(edited(BASE, 2), 0)
    kinds = ("commit", "commit", "upstream", "upstream", "foxtrot", "side", "octopus", "mixed")
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=7)):
        event(kind)
        later = draw(st.integers(history.newest, UPSTREAM - 1))
        match kind:
            case "commit":
                tip = history.add(edited(history.trees[tip], 2), tip)
            case "upstream" | "foxtrot":
                files = edited(history.merged(history.newest, tip, later), 1, 0)
                parents = (tip, later) if kind == "upstream" else (later, tip)
                tip, history.newest = history.add(files, *parents), later
            case _:
                start = tip
                sides = [history.add(edited(history.trees[start], 2), start)]
                if kind == "octopus":
                    sides.append(history.add(edited(history.trees[start], 1), start))
                if kind == "mixed":  # a side branch that merged upstream itself
                    files = history.merged(history.newest, sides[0], later)
                    sides = [history.add(files, sides[0], later)]
                    history.newest = later
                ours = history.add(edited(history.trees[start], 1, 0), start)
                files = history.trees[ours]
                files = edited(history.merged(start, ours, sides[0]), 1, 0)
                tip = history.add(files, ours, *sides)
    return history


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), levels=st.integers(0, 2))
def test_a_fork_that_merges_upstream_becomes_a_queue_of_its_tree(
    tmp_path_factory: pytest.TempPathFactory, history: History, levels: int
) -> None:
    folder = tmp_path_factory.mktemp("case")
    git = history.write(folder / "repository")
    newest = git.line("rev-parse", str(history.newest))
    wanted = git.line("rev-parse", "fork^{tree}")
    if wanted == git.line("rev-parse", f"{newest}^{{tree}}"):
        return
    merging = MergingRange(topics.by_folder(levels) if levels else None)
    source = ImportSource(
        SourceKind.RANGE, "upstream..fork", str(git.git_dir), "upstream", merging=merging
    )
    target = folder / "patches/q"
    importing.import_changes(source, target, folder / "cache", silent)
    queue = storage.load(target)
    assert queue.base.commit == newest
    with open_quarantine(git) as quarantine:
        assert materialise.commits(queue, quarantine)[-1].tree == wanted
    if not any(path.endswith(".gitattributes") for files in history.trees for path in files):
        assert _applied_by_git(git, queue.base.commit, target, folder / "clone") == wanted


def _applied_by_git(git: Git, base: str, queue: Path, clone: Path) -> str:
    """Return the tree that plain `git am` makes."""
    subprocess.run(["git", "clone", "-q", "-n", git.git_dir, clone], check=True, env=AM)
    for args in (
        ["checkout", "-q", "--detach", base],
        ["am", "-q", *sorted(queue.glob("*.patch"))],
    ):
        subprocess.run(["git", "-C", clone, *args], check=True, env=AM, capture_output=True)
    return Git(clone / ".git").line("rev-parse", "HEAD^{tree}")
