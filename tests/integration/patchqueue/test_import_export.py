"""Every way into a queue and out of it ends at the same tree (law 1), with git at the other end."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import silent, ticker_of
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.exchange import exporting, importing
from tensorflow_macos_build.patchqueue.exchange.exporting import ExportForm
from tensorflow_macos_build.patchqueue.exchange.importing import ImportSource, SourceKind
from tensorflow_macos_build.patchqueue.formats.refused import Refused
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.queue.metadata import Metadata
from tensorflow_macos_build.upstream import mirror
from tests import command_line
from tests.git_servers import http_server

if TYPE_CHECKING:
    from tensorflow_macos_build.pace import WorkProgress
    from tensorflow_macos_build.patchqueue.exchange.sources import Imported
    from tensorflow_macos_build.patchqueue.queue.storage import Saved

IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "An Author"),
        ("EMAIL", "a@example.org"),
        ("DATE", "1700000000 +0100"),
    )
}
ENVIRONMENT = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull}
LINES = "".join(f"line {number}\n" for number in range(40))


def git(folder: Path, *args: str | Path) -> str:
    done = subprocess.run(
        ["git", "-C", folder, *args], check=True, capture_output=True, env=ENVIRONMENT, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a release `v1` and four commits on top, on `main`."""
    folder = tmp_path_factory.mktemp("fork")
    git(folder, "init", "-q", "-b", "main")
    (folder / "sub").mkdir()
    (folder / "sub/text").write_text(LINES)
    (folder / "other").write_text("other\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Release one")
    git(folder, "tag", "v1")
    steps = (
        (
            "[core] Say more",
            lambda: (folder / "sub/text").write_text(LINES.replace("e 7\n", "e seven\n")),
        ),
        ("Move it", lambda: (folder / "sub/text").rename(folder / "sub/moved")),
        ("Add a tool", lambda: (folder / "tool").write_text("#!/bin/sh\n")),
        ("Let the tool run", lambda: (folder / "tool").chmod(0o755)),
    )
    for subject, change in steps:
        change()
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", f"{subject}\n\nBecause it helps.\n\nReason: fork-only")
    return folder


def tree(fork: Path, name: str = "main") -> str:
    return git(fork, "rev-parse", f"{name}^{{tree}}")


def take(
    tmp_path: Path, fork: Path, kind: SourceKind, location: str | Path, *, replace: bool = False
) -> tuple[Imported, Saved]:
    source = ImportSource(kind, str(location), str(fork), "v1")
    queue, cache = tmp_path / "patches/q", tmp_path / "cache"
    return importing.import_changes(source, queue, cache, silent, replace=replace)


def test_a_range_a_mailbox_and_gits_own_patches_make_the_same_queue(
    tmp_path: Path, fork: Path
) -> None:
    _, of_range = take(tmp_path / "1", fork, SourceKind.RANGE, "v1..main")
    git(fork, "format-patch", "-q", "-o", tmp_path / "made", "v1..main")
    _, of_folder = take(tmp_path / "2", fork, SourceKind.FOLDER, tmp_path / "made")
    exporting.to_mailbox(of_range.queue, tmp_path / "all.mbox")
    _, of_mailbox = take(tmp_path / "3", fork, SourceKind.DIFF, tmp_path / "all.mbox")
    contents = [patch.content for patch in of_range.queue.patches]
    assert len(contents) == 4
    assert [patch.content for patch in of_folder.queue.patches] == contents
    assert [patch.content for patch in of_mailbox.queue.patches] == contents


def test_an_import_counts_the_patches_that_it_compares_writes_and_verifies(
    tmp_path: Path, fork: Path
) -> None:
    told: dict[str, list[tuple[int, int | None]]] = {}

    def note(progress: WorkProgress) -> None:
        told.setdefault(progress.phase, []).append((progress.done, progress.total))

    source = ImportSource(SourceKind.RANGE, "v1..main", str(fork), "v1")
    queue, cache = tmp_path / "patches/q", tmp_path / "cache"
    importing.import_changes(source, queue, cache, ticker_of(note))
    counted = [(0, None), *((done, 4) for done in range(4))]
    comparing, writing, verifying = (
        f"2/2 saving, {phase}" for phase in ("1/3 comparing", "2/3 writing", "3/3 verifying")
    )
    assert (told[writing], told[verifying]) == (counted, counted)
    told.clear()
    importing.import_changes(source, queue, cache, ticker_of(note), replace=True)
    assert told[comparing] == counted


def test_patches_without_a_from_line_or_a_last_line_end_are_mails_of_their_own(
    tmp_path: Path, fork: Path
) -> None:
    imported, saved = take(tmp_path / "1", fork, SourceKind.RANGE, "v1..main")
    for number, patch in enumerate(saved.queue.patches):
        bare = patch.content.partition(b"\n")[2] if number % 2 else patch.content
        (saved.queue.folder / patch.name).write_bytes(bare + b"-- \n2.39.5")
    queue = storage.load(saved.queue.folder)
    exporting.to_mailbox(queue, tmp_path / "all.mbox")
    _, again = take(tmp_path / "2", fork, SourceKind.DIFF, tmp_path / "all.mbox")
    assert [patch.content for patch in again.queue.patches] == [
        patch.content for patch in saved.queue.patches
    ]
    git(fork, "worktree", "add", "-q", "--detach", tmp_path / "tree", "v1")
    git(tmp_path / "tree", "am", "-q", tmp_path / "all.mbox")
    assert git(tmp_path / "tree", "rev-list", "--count", "v1..HEAD") == "4"
    assert git(tmp_path / "tree", "rev-parse", "HEAD^{tree}") == imported.steps[-1].after


def test_a_quilt_series_comes_back_as_the_same_tree_and_messages(
    tmp_path: Path, fork: Path
) -> None:
    imported, saved = take(tmp_path / "1", fork, SourceKind.RANGE, "v1..main~1")
    with open_quarantine(Git(fork / ".git")) as quarantine:
        exporting.to_quilt(saved.queue, quarantine, tmp_path / "quilt")
    again, back = take(tmp_path / "2", fork, SourceKind.QUILT, tmp_path / "quilt/series")
    assert again.steps[-1].after == imported.steps[-1].after == tree(fork, "main~1")
    assert [p.patch.header for p in back.queue.patches] == [
        p.patch.header for p in saved.queue.patches
    ]
    git(fork, "worktree", "add", "-q", "--detach", tmp_path / "tree", "v1")
    names = (tmp_path / "quilt/series").read_text().splitlines()
    assert names[0].startswith("# ")  # quilt(1): a comment
    for name in names[1:]:
        stdin = (tmp_path / "quilt" / name).read_bytes()
        subprocess.run(["patch", "-sp1"], cwd=tmp_path / "tree", input=stdin, check=True)
    git(tmp_path / "tree", "add", "-A")
    assert git(tmp_path / "tree", "write-tree") == imported.steps[-1].after


def test_a_foreign_series_keeps_what_its_headers_say(tmp_path: Path, fork: Path) -> None:
    folder = tmp_path / "debian"
    folder.mkdir()
    (folder / "series").write_text("# all of them\nfix.patch -p0 # why not\n\nbare.diff\n")
    (folder / "fix.patch").write_text(
        "Description: Say more in the seventh line\n It was short.\n .\n Now it is not.\n"
        "Origin: upstream, https://example.org/c/1\nBug: https://example.org/2\n"
        "Author: Zo\u00eb <z@example.org>\nLast-Update: 2020-02-03\n---\n"
        "--- sub/text\t2020-01-01 00:00:00\n+++ sub/text\t2020-01-02 00:00:00\n"
        "@@ -7,3 +7,3 @@\n line 6\n-line 7\n+line seven\n line 8\n"
    )
    (folder / "bare.diff").write_text("--- a/other\n+++ b/other\n@@ -1 +1,2 @@\n other\n+more\n")
    _, saved = take(tmp_path, fork, SourceKind.QUILT, folder / "series")
    first, second = (patch.patch.header for patch in saved.queue.patches)
    assert first.subject == "Say more in the seventh line"
    assert first.body.startswith("It was short.\n\nNow it is not.\n\n")
    assert first.author.name == "Zo\u00eb"
    assert first.trailer("Upstream") == "https://example.org/c/1"
    assert first.trailer("Bug") == "https://example.org/2"
    assert (second.subject, second.author.name) == ("bare", "Unknown author")


def test_a_source_tree_without_history_is_one_patch(tmp_path: Path, fork: Path) -> None:
    git(fork, "worktree", "add", "-q", "--detach", tmp_path / "tree", "main")
    imported, saved = take(tmp_path, fork, SourceKind.TREE, tmp_path / "tree")
    assert imported.steps[-1].after == tree(fork)
    assert len(saved.queue.patches) == 1


def test_a_branch_has_the_trees_of_the_commits_it_came_from(tmp_path: Path, fork: Path) -> None:
    _, saved = take(tmp_path, fork, SourceKind.RANGE, "v1..main")
    target = Git(fork / ".git")
    tip = exporting.to_branch(saved.queue, target, "exported")
    assert git(fork, "log", "--format=%T %s", tip) == git(fork, "log", "--format=%T %s", "main")
    git(fork, "branch", "-f", "exported", "v1")
    with pytest.raises(UsageError, match="exists"):
        exporting.to_branch(saved.queue, target, "exported")
    assert exporting.to_branch(saved.queue, target, "exported", force=True) == tip
    before = target.out("for-each-ref")
    for name in (
        "-x",
        "--force",
        "@",
        "HEAD",
        "refs/heads/x",
        "@{-1}",
        "a..b",
        "x.lock",
        "",
        "a b",
    ):
        with pytest.raises(UsageError, match="no name that a branch can have"):
            exporting.to_branch(saved.queue, target, name, force=True)
    assert target.out("for-each-ref") == before
    assert exporting.to_branch(saved.queue, target, "na\u00efve/x-y@z") == tip
    git(fork, "worktree", "add", "-q", "-b", "out", str(tmp_path / "tree"), "v1")
    with pytest.raises(UsageError, match="checked out"):
        exporting.to_branch(saved.queue, target, "out", force=True)
    git(fork, "fsck", "--strict")


def test_importing_again_keeps_every_file_and_names_what_left(tmp_path: Path, fork: Path) -> None:
    _, first = take(tmp_path, fork, SourceKind.RANGE, "v1..main")
    with pytest.raises(UsageError, match="already"):
        take(tmp_path, fork, SourceKind.RANGE, "v1..main~1")
    _, second = take(tmp_path, fork, SourceKind.RANGE, "v1..main~1", replace=True)
    assert second.removed == (first.queue.patches[-1].name,)
    assert second.kept == tuple(patch.name for patch in first.queue.patches[:-1])
    assert not second.written


def test_what_does_not_apply_is_refused_by_patch_line_and_reason(
    tmp_path: Path, fork: Path
) -> None:
    (tmp_path / "bad.diff").write_text("--- a/other\n+++ b/other\n@@ -1 +1 @@\n-something\n+else\n")
    with pytest.raises(Refused, match="line 1 should be `something`, but is `other`") as refused:
        take(tmp_path, fork, SourceKind.DIFF, tmp_path / "bad.diff")
    assert refused.value.where == "bad.diff:3"
    assert not (tmp_path / "patches/q").exists()


def test_a_range_must_stand_on_its_beginning(tmp_path: Path, fork: Path) -> None:
    with pytest.raises(UsageError, match="no commit, branch or tag"):
        take(tmp_path, fork, SourceKind.RANGE, "v1..gone")
    git(fork, "branch", "-f", "side", git(fork, "commit-tree", "-m", "x", tree(fork)))
    with pytest.raises(UsageError, match="does not stand on"):
        take(tmp_path, fork, SourceKind.RANGE, "v1..side")


def test_the_tasks_print_documents_of_their_schemas(tmp_path: Path, fork: Path) -> None:
    queue = str(tmp_path / "patches/q")
    flags = ["--queue", queue, "--range", "v1..main", "--upstream", str(fork)]
    cache = ["--cache", str(tmp_path / "cache"), "--json"]
    for argv in (
        ["patches.import", *flags, *cache],
        ["patches.export", "--queue", queue, "--to", "quilt", "--out", str(tmp_path / "o"), *cache],
    ):
        done = command_line.run(*argv, module="invoke")
        assert done.returncode == 0, done.stderr
        documents.check(json.loads(done.stdout))
    wrong = command_line.run("patches.import", "--queue", queue, "--upstream", "x")
    assert wrong.returncode == 2
    assert len(storage.load(Path(queue)).patches) == 4


def test_a_partial_clone_fetches_what_it_needs_in_one_request(tmp_path: Path, fork: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    git(served, "clone", "-q", "--bare", fork, "up.git")
    git(served / "up.git", "config", "uploadpack.allowFilter", "true")
    git(served / "up.git", "config", "uploadpack.allowAnySHA1InWant", "true")
    with http_server(served) as (address, faults):
        url = f"{address}/up.git"
        for number, (kind, location) in enumerate(
            ((SourceKind.RANGE, "v1..main"), (SourceKind.DIFF, str(tmp_path / "all.mbox")))
        ):
            source = ImportSource(kind, location, url, "v1")
            mirror.open(url, tmp_path / f"cache{number}")
            del faults.requests[:], faults.wants[:]
            folder = tmp_path / f"patches/{number}"
            imported, saved = importing.import_changes(
                source, folder, tmp_path / f"cache{number}", silent
            )
            assert imported.steps[-1].after == tree(fork)
            assert len(faults.wants) == 1, faults.requests
            exporting.to_mailbox(saved.queue, tmp_path / "all.mbox")


def test_a_mailbox_has_context_where_git_am_asks_for_it(tmp_path: Path, fork: Path) -> None:
    git(fork, "format-patch", "-q", "-U0", "-o", tmp_path / "made", "v1..main")
    _, saved = take(tmp_path, fork, SourceKind.FOLDER, tmp_path / "made")
    bare, *others = saved.queue.patches
    assert b"@@ -8 +8 @@" in bare.content
    out, cache = tmp_path / "all.mbox", tmp_path / "cache"
    request = exporting.ExportRequest(saved.queue.folder, ExportForm.MAILBOX, str(out), cache)
    exporting.export(request)
    written = out.read_bytes()
    assert b"@@ -5,7 +5,7 @@" in written
    assert all(patch.content.partition(b"\n")[2] in written for patch in others)
    git(fork, "checkout", "-q", "--detach", "v1")
    git(fork, "am", "-q", out)
    assert tree(fork, "HEAD") == tree(fork)


SUBJECTS = ("[PATCH] a tool", "Re: what was said", "[a] [b/c] two tags", "[\u00e9t\u00e9] x", ": x")


def test_subjects_that_mailing_would_cut_come_back_whole(tmp_path: Path) -> None:
    fork = tmp_path / "fork"
    fork.mkdir()
    git(fork, "init", "-q", "-b", "main")
    git(fork, "commit", "-q", "--allow-empty", "-m", "Release one")
    git(fork, "tag", "v1")
    for number, subject in enumerate(SUBJECTS):
        (fork / f"f{number}").write_text("x\n")
        git(fork, "add", "-A")
        git(fork, "commit", "-qm", f"{subject}\n\n[PATCH] is how the text begins")
    _, saved = take(tmp_path / "1", fork, SourceKind.RANGE, "v1..main")
    exporting.to_mailbox(saved.queue, tmp_path / "all.mbox")
    with open_quarantine(Git(fork / ".git")) as quarantine:
        exporting.to_quilt(saved.queue, quarantine, tmp_path / "quilt")
    headers = [patch.patch.header for patch in saved.queue.patches]
    assert tuple(header.subject for header in headers) == SUBJECTS
    for kind, location in ((SourceKind.DIFF, "all.mbox"), (SourceKind.QUILT, "quilt/series")):
        _, again = take(tmp_path / kind.value, fork, kind, tmp_path / location)
        assert [patch.patch.header for patch in again.queue.patches] == headers
    git(fork, "checkout", "-q", "--detach", "v1")
    git(fork, "am", "-q", tmp_path / "all.mbox")
    assert git(fork, "log", "--reverse", "--format=%s", "v1..").splitlines() == list(SUBJECTS)
    assert tree(fork, "HEAD") == tree(fork)


def test_an_import_says_of_patches_what_they_do_not_say_and_keeps_it(
    tmp_path: Path, fork: Path
) -> None:
    metadata = Metadata("backport", "never", "Team <t@e>")
    source = ImportSource(SourceKind.RANGE, "v1..main", str(fork), "v1", metadata=metadata)
    _, saved = importing.import_changes(source, tmp_path / "patches/q", tmp_path / "cache", silent)
    for patch in saved.queue.patches:
        trailers = [(trailer.key, trailer.value) for trailer in patch.patch.header.trailers]
        assert trailers == [
            ("Reason", "fork-only"),
            ("Drop-When", "never"),
            ("Owner", "Team <t@e>"),
        ]
    _, again = take(tmp_path, fork, SourceKind.RANGE, "v1..main", replace=True)
    assert not again.written
    assert again.queue.patches == saved.queue.patches


def test_an_export_replaces_only_what_an_export_made_and_nobody_changed(
    tmp_path: Path, fork: Path
) -> None:
    _, saved = take(tmp_path / "1", fork, SourceKind.RANGE, "v1..main~1")
    _, fewer = take(tmp_path / "2", fork, SourceKind.RANGE, "v1..main~2")
    out = tmp_path / "quilt"

    def export(imported: storage.Saved, *, force: bool = False) -> list[str]:
        with open_quarantine(Git(fork / ".git")) as quarantine:
            exporting.to_quilt(imported.queue, quarantine, out, force=force)
        return sorted(path.name for path in out.iterdir())

    assert len(export(saved)) == len(export(fewer)) + 1
    patch = next(out.glob("*.patch"))
    for touched in (patch, out / "notes.txt"):
        with touched.open("ab") as stream:
            stream.write(b"# mine\n")
        with pytest.raises(UsageError, match="changed since"):
            export(saved)
        assert touched.read_bytes().endswith(b"# mine\n")
        export(saved, force=True)
    (out / "series").unlink()
    with pytest.raises(UsageError, match="no quilt series"):
        export(saved, force=True)


def test_a_mailbox_replaces_no_other_file(tmp_path: Path, fork: Path) -> None:
    _, saved = take(tmp_path / "1", fork, SourceKind.RANGE, "v1..main")
    out = tmp_path / "thesis.txt"
    out.write_text("three years of work")
    with pytest.raises(UsageError, match="another content"):
        exporting.to_mailbox(saved.queue, out)
    assert out.read_text() == "three years of work"
    exporting.to_mailbox(saved.queue, out, force=True)
    exporting.to_mailbox(saved.queue, out)
    assert out.read_bytes() == b"".join(patch.content for patch in saved.queue.patches)


def test_an_export_never_replaces_a_queue_a_pipe_or_a_folder(tmp_path: Path, fork: Path) -> None:
    _, saved = take(tmp_path, fork, SourceKind.RANGE, "v1..main~1")
    queue = saved.queue.folder
    before = {path.name: path.read_bytes() for path in queue.iterdir()}
    with (
        open_quarantine(Git(fork / ".git")) as quarantine,
        pytest.raises(UsageError, match="it is a queue"),
    ):
        exporting.to_quilt(saved.queue, quarantine, queue, force=True)
    assert {path.name: path.read_bytes() for path in queue.iterdir()} == before
    os.mkfifo(tmp_path / "pipe")
    for out in (tmp_path / "pipe", queue, Path("/dev/null")):
        with pytest.raises(UsageError, match="no regular file"):
            exporting.to_mailbox(saved.queue, out, force=True)
    assert (tmp_path / "pipe").is_fifo()
    assert Path("/dev/null").is_char_device()


def test_an_upstream_that_reads_as_a_flag_is_refused_before_anything_is_written(
    tmp_path: Path, fork: Path
) -> None:
    source = ImportSource(SourceKind.RANGE, "v1..main", "-fork", "v1")
    with pytest.raises(UsageError, match="begins with a `-`") as caught:
        importing.import_changes(source, tmp_path / "q", tmp_path / "cache", silent)
    assert caught.value.hint == "write it as ./-fork"
    assert not any(path.name == "q" for path in tmp_path.iterdir())


def test_a_branch_that_is_the_queues_already_is_left_as_it_is(tmp_path: Path, fork: Path) -> None:
    _, saved = take(tmp_path, fork, SourceKind.RANGE, "v1..main~1")
    git = Git(fork / ".git")
    tip = exporting.to_branch(saved.queue, git, "again")
    assert exporting.to_branch(saved.queue, git, "again") == tip
    git.run("update-ref", "refs/heads/again", f"{tip}^")
    with pytest.raises(UsageError, match="exists"):
        exporting.to_branch(saved.queue, git, "again")
    assert git.line("rev-parse", "again") == git.line("rev-parse", f"{tip}^")
