"""The queues of TensorFlow's releases, as far as they can be held without TensorFlow's own trees.

Their bases are not in the tests. A tree is made up instead, which has at other lines what each hunk
takes away; `python -m benchmarks.queue_trees` lays them on the nearest real ones.
"""

from __future__ import annotations

import ast
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.exchange import exporting
from tensorflow_macos_build.patchqueue.forecast import forecast
from tensorflow_macos_build.patchqueue.formats import apply
from tensorflow_macos_build.patchqueue.formats.diff import ChangeKind
from tensorflow_macos_build.patchqueue.queue import materialise, names, storage
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.review.lint import LintLimits, lint
from tensorflow_macos_build.patchqueue.verdict.status import Status

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.formats.diff import FileChange
    from tensorflow_macos_build.patchqueue.queue.model import Queue

ROOT = Path(__file__).resolve().parents[4]
QUEUES = sorted((ROOT / "patches").glob("tf-*"), key=lambda folder: folder.name)
NAMES = [folder.name for folder in QUEUES]

METAL = ("tf-2.21", "tf-2.21-metal")

HEADER = b"# Copyright 2026 The tensorflow_macos_build authors. All Rights Reserved.\n"
LICENSE = b'# Licensed under the Apache License, Version 2.0 (the "License");\n'

every_queue = pytest.mark.parametrize("folder", QUEUES, ids=NAMES)


def changes_of(queue: Queue) -> list[FileChange]:
    return [change for patch in queue.patches for change in patch.patch.changes]


def new_files(queue: Queue) -> dict[str, bytes]:
    added = [change for change in changes_of(queue) if change.kind is ChangeKind.ADD]
    return {change.new_path.decode(): apply.content_after(change, b"") for change in added}


def test_there_is_one_for_each_release_that_is_kept_up() -> None:
    assert {"tf-2.19", "tf-2.20", "tf-2.21", "tf-2.22"} <= {*NAMES}


@every_queue
def test_lint_finds_nothing_but_picks_that_a_server_has_to_pin(folder: Path) -> None:
    findings = lint(folder, LintLimits())
    waiting = [pick for pick in storage.load(folder).picks if not pick.is_pinned]
    assert [finding.code for finding in findings] == ["pick-unpinned"] * len(waiting)


@pytest.mark.parametrize(
    ("name", "picked"),
    [
        ("tf-2.19", []),
        ("tf-2.20", ["pull-126377"]),
        ("tf-2.21", ["pull-126377"]),
        ("tf-2.21-metal", ["pull-126377", "pull-126254"]),
        ("tf-2.22", []),
    ],
)
def test_what_upstream_wrote_comes_by_reference(name: str, picked: list[str]) -> None:
    assert [pick.name for pick in storage.load(ROOT / "patches" / name).picks] == picked


@pytest.mark.parametrize("name", sorted({*NAMES} & {*config.names(ROOT)}))
def test_the_config_of_its_name_builds_it_on_its_upstream(name: str) -> None:
    release, queue = config.load(name, root=ROOT).release, storage.load(ROOT / "patches" / name)
    assert (release.queue, release.upstream.url) == (name, queue.base.upstream)
    # a release whose commit nobody here knows is reached from the one before it
    assert release.upstream.ref in (queue.base.commit, "v2.22.0-rc0")


@every_queue
def test_the_files_have_the_names_that_the_tool_gives(folder: Path) -> None:
    subjects = [patch.patch.header.subject for patch in storage.load(folder).patches]
    listed = (folder / "series").read_text().split()
    assert listed == names.assign(subjects, [None] * len(subjects))


@every_queue
def test_new_files_state_their_authors_and_license(folder: Path) -> None:
    files = new_files(storage.load(folder))
    assert files
    for path, content in files.items():
        assert content.startswith(HEADER), path
        assert LICENSE in content, path


@every_queue
def test_new_python_files_can_be_read(folder: Path) -> None:
    for path, content in new_files(storage.load(folder)).items():
        if path.endswith(".py"):
            ast.parse(content, path)


@every_queue
def test_changes_of_upstreams_files_are_its_lines_alone_that_they_stand_at(folder: Path) -> None:
    for change in changes_of(storage.load(folder)):
        if change.kind is not ChangeKind.ADD:
            for hunk in change.hunks:
                marks = [mark for mark, _ in hunk.lines()]
                # one line, which git looks for: an added line alone would go by its number
                assert marks.count(ord("-")) == 1
                assert hunk.context() == (0, 0)


@dataclass(frozen=True)
class MadeUp:
    """A repository that is made up for a queue: its base, and a later commit."""

    git: Git
    base: str
    onto: str


def made_up(queue: Queue, folder: Path) -> MadeUp:
    git = Git(folder / "upstream.git")
    git.init()
    contents: dict[str, list[bytes]] = {}
    for change in changes_of(queue):
        if change.kind is not ChangeKind.ADD:
            removed = [text for hunk in change.hunks for mark, text in hunk.lines() if mark == 45]
            lines = contents.setdefault(change.old_path.decode(), [])
            for line in removed:
                lines += [b"# line %d" % (len(lines) + number) for number in range(9)]
                lines += [line.removesuffix(b"\n"), b"# more", b"# and more", b"# and the last"]
    base = commit(git, contents)
    later = {path: [b"# another", *lines[:3], *lines[5:]] for path, lines in contents.items()}
    return MadeUp(git, base, commit(git, later, base))


def commit(git: Git, contents: dict[str, list[bytes]], *parents: str) -> str:
    index = git.git_dir / "made-index"
    index.unlink(missing_ok=True)
    entries = []
    for path, lines in sorted(contents.items()):
        oid = git.line("hash-object", "-w", "--stdin", stdin=b"".join(b"%s\n" % x for x in lines))
        entries.append(f"100644 {oid}\t{path}\n")
    plumbing(git, "update-index", "--index-info", stdin="".join(entries).encode())
    tree = plumbing(git, "write-tree")
    named = [argument for parent in parents for argument in ("-p", parent)]
    return plumbing(git, "commit-tree", tree, *named, "-m", "made up")


def plumbing(git: Git, *args: str, stdin: bytes = b"") -> str:
    person = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000"))
    }
    done = subprocess.run(
        ["git", f"--git-dir={git.git_dir}", *args],
        input=stdin,
        env={**os.environ, **person, "GIT_INDEX_FILE": str(git.git_dir / "made-index")},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


@every_queue
def test_it_applies_where_its_lines_have_moved_as_git_applies_it(
    folder: Path, tmp_path: Path
) -> None:
    queue = storage.load(folder)
    made = made_up(queue, tmp_path)
    moved = replace(queue, base=replace(queue.base, commit=made.base), picks=())
    with open_quarantine(made.git) as quarantine:
        ours = [step.tree for step in materialise.commits(moved, quarantine)]
    plumbing(made.git, "read-tree", made.base)
    gits = []
    for patch in queue.patches:
        plumbing(made.git, "apply", "--cached", "--unidiff-zero", stdin=patch.content)
        gits.append(plumbing(made.git, "write-tree"))
    assert ours == gits


@every_queue
def test_it_moves_to_where_upstream_changed_other_lines(folder: Path, tmp_path: Path) -> None:
    queue = storage.load(folder)
    made = made_up(queue, tmp_path)
    moved = replace(queue, base=replace(queue.base, commit=made.base), picks=())
    result = engine.rebase(moved, made.git, made.onto)
    assert {patch.status for patch in result.patches} <= {Status.CLEAN, Status.ADAPTED}
    files = {path.decode() for path in trees.files(made.git, result.tree)}
    assert {*new_files(queue)} <= files


def test_the_queue_with_the_backend_in_the_tree_has_the_patches_of_its_release() -> None:
    release, with_metal = (storage.load(ROOT / "patches" / name) for name in METAL)
    assert release.base == with_metal.base
    assert [p.content for p in release.patches] == [p.content for p in with_metal.patches]


def test_a_pick_that_waits_for_its_pin_is_refused_before_a_server_is_asked(tmp_path: Path) -> None:
    folder, cache = ROOT / "patches" / "tf-2.21", tmp_path / "cache"
    out = str(tmp_path / "fork.mbox")
    calls = (
        lambda: engine.run(engine.RebaseRequest(folder, "v2.22.0", cache)),
        lambda: forecast.run(forecast.ForecastRequest(folder, cache, onto=("v2.22.0",))),
        lambda: exporting.export(
            exporting.ExportRequest(folder, exporting.ExportForm.MAILBOX, out, cache)
        ),
    )
    for call in calls:
        with pytest.raises(UsageError, match="pull-126377: not pinned") as raised:
            call()
        assert "patches.pin --queue tf-2.21" in raised.value.hint
    assert not cache.exists()
