"""Changing a queue: what plain git makes of the same change is the judge of the result."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.edit import changes, operations
from tensorflow_macos_build.patchqueue.edit.session import EditSession
from tensorflow_macos_build.patchqueue.exchange import exporting
from tensorflow_macos_build.patchqueue.queue import commit_range, storage
from tensorflow_macos_build.patchqueue.queue.metadata import Metadata
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.review import lint
from tensorflow_macos_build.patchqueue.worktree.conflict_tree import Unresolved
from tests import command_line
from tests.kills import ended_at

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.edit.step import EditProgress

IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A"), ("EMAIL", "a@b"), ("DATE", "1700000000 +0100"))
}
ENVIRONMENT = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull}
SUBJECTS = ("Head", "Tail", "Both", "Fresh file", "Tail again")


def git(folder: Path, *args: str | Path) -> str:
    argv = ["git", "-C", str(folder), *map(str, args)]
    done = subprocess.run(argv, check=True, capture_output=True, env=ENVIRONMENT, text=True)
    return done.stdout.strip()


def _write(folder: Path, first: str, last: str) -> None:
    middle = "".join(f"line {number}\n" for number in range(20))
    (folder / "sub").mkdir(exist_ok=True)
    (folder / "sub/text").write_text(f"{first}\n{middle}{last}\n")


@pytest.fixture(scope="module")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fork")
    git(folder, "init", "-q", "-b", "main")
    texts = (("a", "z"), ("head", "z"), ("head", "tail"), ("head both", "tail both"))
    for number, subject in enumerate(("Base", *SUBJECTS)):
        if number < len(texts):
            _write(folder, *texts[number])
        elif subject == "Fresh file":
            (folder / "fresh").write_text("fresh\n")
        else:
            _write(folder, "head both", "tail both again")
        if subject == "Both":
            (folder / "other").write_text("other\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", f"{subject}\n\nReason: fork-only")
    return folder


@pytest.fixture
def fork(tmp_path: Path, _made_once: Path) -> Path:
    return shutil.copytree(_made_once, tmp_path / "fork", symlinks=True)


@pytest.fixture
def session(tmp_path: Path, fork: Path) -> EditSession:
    repository = commit_range.repository(fork)
    commits = commit_range.read(repository, "main~5", "main")
    base = QueueBase(str(fork), "v1", commits.base)
    saved = storage.save(tmp_path / "patches/q", base, commits.steps, repository)
    return EditSession(saved.queue, repository, tmp_path / "edit")


def again(session: EditSession) -> EditSession:
    """The session as a new process has it."""
    return EditSession(storage.load(session.queue.folder), session.git, session.folder)


def picked(fork: Path, *commits: str) -> str:
    """The tree that plain git makes by cherry-picks on the base."""
    git(fork, "checkout", "-q", "--detach", "main~5")
    git(fork, "cherry-pick", *commits)
    return git(fork, "rev-parse", "HEAD^{tree}")


def tree_of(session: EditSession, edited: EditProgress) -> str:
    assert edited.saved is not None
    tip = exporting.to_branch(edited.saved.queue, session.git, "result", force=True)
    return session.git.line("rev-parse", f"{tip}^{{tree}}")


def subjects(edited: EditProgress) -> list[str]:
    assert edited.saved is not None
    return [patch.patch.header.subject for patch in edited.saved.queue.patches]


def test_a_dropped_patch_is_gone_and_the_others_follow(session: EditSession, fork: Path) -> None:
    edited = session.change(lambda _, pieces: operations.dropped(pieces, 3))
    assert subjects(edited) == ["Head", "Tail", "Both", "Tail again"]
    assert tree_of(session, edited) == picked(fork, "main~4", "main~3", "main~2", "main")
    assert edited.saved is not None
    assert not edited.saved.written
    assert not session.folder.exists()


def test_patches_that_commute_change_places(session: EditSession, fork: Path) -> None:
    edited = session.change(lambda _, pieces: operations.moved(pieces, 1, 0))
    assert subjects(edited)[:2] == ["Tail", "Head"]
    assert tree_of(session, edited) == git(fork, "rev-parse", "main^{tree}")
    names = [patch.name for patch in again(session).queue.patches]
    assert names == sorted(names)


@pytest.mark.parametrize(("at", "into"), [(1, 0), (0, 1), (4, 0), (0, 4)])
def test_a_folded_patch_has_both_changes_under_one_message(
    session: EditSession, fork: Path, at: int, into: int
) -> None:
    edited = session.change(lambda _, pieces: operations.folded(pieces, at, into))
    if edited.conflicts:  # moved over a patch that it needs
        assert abs(at - into) > 1
        session.abort()
        assert len(again(session).queue.patches) == 5
        return
    assert subjects(edited) == [s for n, s in enumerate(SUBJECTS) if n != at]
    assert tree_of(session, edited) == git(fork, "rev-parse", "main^{tree}")


def test_a_patch_cut_in_two_and_folded_is_what_it_was(session: EditSession, fork: Path) -> None:
    before = session.queue.patches[2].content

    def cut(
        quarantine: Quarantine, pieces: list[operations.PatchEdit]
    ) -> list[operations.PatchEdit]:
        return [
            *pieces[:2],
            *operations.split(quarantine, pieces[2], ["oth*"], "Other"),
            *pieces[3:],
        ]

    edited = session.change(cut)
    assert subjects(edited) == ["Head", "Tail", "Both", "Other", "Fresh file", "Tail again"]
    joined = again(session).change(lambda _, pieces: operations.folded(pieces, 3, 2))
    assert tree_of(session, joined) == git(fork, "rev-parse", "main^{tree}")
    assert again(session).queue.patches[2].content == before


def test_a_new_patch_has_a_subject_of_one_line(session: EditSession) -> None:
    with pytest.raises(UsageError, match="it is empty"):
        changes.split(session, "both", ["other"], " \n")
    edited = changes.split(session, "both", ["other"], "Two\nlines ")
    assert "Two lines" in subjects(edited)


def test_trailers_are_given_to_the_patches_that_lack_them(session: EditSession, fork: Path) -> None:
    before = {patch.name: patch for patch in session.queue.patches}
    metadata = Metadata("backport", "never", "Team <t@e>", "abcdef0")
    some = changes.give_trailers(session, ["*-tail*"], metadata)
    assert some.saved is not None
    assert [name.partition("-")[2] for name in some.saved.written] == [
        "tail.patch",
        "tail-again.patch",
    ]
    done = changes.give_trailers(again(session), [], metadata)
    assert done.saved is not None
    assert len(done.saved.kept) == 2
    for patch in done.saved.queue.patches:
        content = (done.saved.queue.folder / patch.name).read_bytes()
        argv = ["git", "interpret-trailers", "--parse"]
        message = patch.patch.header.message.encode()
        parsed = subprocess.run(argv, input=message, capture_output=True, check=True).stdout
        assert parsed.decode().splitlines() == [
            "Reason: fork-only",
            "Drop-When: never",
            "Owner: Team <t@e>",
            "Upstream: abcdef0",
        ]
        old = before[patch.name]
        assert content.partition(b"\n---\n")[2] == old.content.partition(b"\n---\n")[2]
    assert tree_of(session, done) == git(fork, "rev-parse", "main^{tree}")
    assert not [
        finding
        for finding in lint.lint(done.saved.queue.folder, lint.LintLimits())
        if not finding.line
    ]


def test_trailers_that_patches_have_are_replaced_only_on_demand(session: EditSession) -> None:
    folder = session.queue.folder
    allowed = "lint:\n  allow:\n    whitespace: '*'\n"
    (folder / "queue.yaml").write_text((folder / "queue.yaml").read_text() + allowed)
    metadata = Metadata("backport", "never", "Team <t@e>", "abcdef0")
    done = changes.give_trailers(again(session), ["*-tail*"], metadata, replace=True)
    assert done.saved is not None
    reasons = [patch.patch.header.trailer("Reason") for patch in done.saved.queue.patches]
    assert reasons.count("backport") == 2
    assert (folder / "queue.yaml").read_text().endswith(allowed)


@pytest.mark.parametrize(
    ("globs", "metadata", "what"),
    [
        ([], Metadata(), "give one of"),
        ([], Metadata(reason="because"), "is no reason"),
        ([], Metadata(drop_when="some day"), "not a condition"),
        (["nothing*"], Metadata(owner="me"), "no patch's file is called"),
    ],
)
def test_trailers_that_lint_would_refuse_are_not_given(
    session: EditSession, globs: list[str], metadata: Metadata, what: str
) -> None:
    with pytest.raises(UsageError, match=what):
        changes.give_trailers(session, globs, metadata)
    assert storage.load(session.queue.folder) == session.queue


def test_a_conflict_waits_for_somebody_and_then_the_rest_follows(
    session: EditSession, fork: Path
) -> None:
    edited = session.change(lambda _, pieces: operations.dropped(pieces, 1))
    assert edited.saved is None
    assert edited.folder is not None
    assert edited.conflicts == ("sub/text",)
    assert len(again(session).queue.patches) == 5
    assert "not shown before" in again(session).go_on().note
    session.shown(edited)
    with pytest.raises(Unresolved):
        again(session).go_on()
    with pytest.raises(UsageError, match="under way"):
        again(session).edit("head")
    _write(edited.folder, "head both", "z both")
    following = again(session).go_on()
    assert following.conflicts == ("sub/text",)
    assert following.folder is not None
    _write(following.folder, "head both", "z again")
    done = again(session).go_on()
    assert subjects(done) == ["Head", "Both", "Fresh file", "Tail again"]
    tip = exporting.to_branch(again(session).queue, session.git, "result")
    assert git(fork, "show", f"{tip}:sub/text").endswith("z again")
    assert not session.folder.exists()


def test_an_amended_patch_is_followed_by_the_others(session: EditSession, fork: Path) -> None:
    opened = session.edit("fresh-file")
    assert opened.folder is not None
    assert opened.subject == "Fresh file"
    (opened.folder / "fresh").write_text("fresher\n")
    git(opened.folder, "commit", "-q", "-a", "--amend", "-m", "Fresher file\n\nReason: fork-only")
    (opened.folder / "uncommitted").write_text("too\n")
    edited = again(session).go_on()
    assert subjects(edited) == ["Head", "Tail", "Both", "Fresher file", "Tail again"]
    assert edited.saved is not None
    assert len(edited.saved.written) == 1
    tip = exporting.to_branch(again(session).queue, session.git, "result")
    assert git(fork, "show", f"{tip}:fresh") == "fresher"
    assert git(fork, "show", f"{tip}:uncommitted") == "too"
    assert git(fork, "show", f"{tip}:sub/text").endswith("tail both again")


def test_several_commits_make_several_patches_and_none_drops_it(session: EditSession) -> None:
    opened = session.edit("both")
    assert opened.folder is not None
    git(opened.folder, "reset", "-q", "HEAD^")
    for path in ("sub/text", "other"):
        git(opened.folder, "add", "--sparse", path)
        git(opened.folder, "commit", "-qm", f"Only {path}")
    edited = again(session).go_on()
    assert subjects(edited)[2:4] == ["Only sub/text", "Only other"]
    opened = again(session).edit("only-other")
    assert opened.folder is not None
    git(opened.folder, "reset", "-q", "--hard", "HEAD^")
    assert "Only other" not in subjects(again(session).go_on())


def test_commits_that_a_stopped_rebase_has_still_to_pick_are_not_lost(session: EditSession) -> None:
    """HEAD is not all that somebody made while git waits for them (wt-status.c)."""
    tree = session.edit("fresh-file").folder
    assert tree is not None
    for name in ("first", "second"):
        (tree / name).write_text(f"{name}\n")
        git(tree, "add", "--sparse", name)
        git(tree, "commit", "-qm", name)
    stop = {"GIT_SEQUENCE_EDITOR": "sed -i -e 1s/^pick/edit/", "GIT_EDITOR": "true"}
    rebase = ["git", "-C", str(tree), "rebase", "-q", "-i", "HEAD~2"]
    subprocess.run(rebase, env=ENVIRONMENT | stop, check=True, capture_output=True)
    with pytest.raises(UsageError, match="`git rebase` is unfinished"):
        again(session).go_on()
    git(tree, "rebase", "--continue")
    assert subjects(again(session).go_on())[3:6] == ["Fresh file", "first", "second"]


@pytest.mark.parametrize("verb", ["add", "clean"])
def test_new_files_that_gitignore_names_are_not_lost(session: EditSession, verb: str) -> None:
    tree = session.edit("fresh-file").folder
    assert tree is not None
    (tree / ".gitignore").write_text("*.cfg\nout/\n")
    (tree / "out").mkdir()
    for path in ("mine.cfg", "out/it's"):
        (tree / path).write_text("hours of work\n")
    with pytest.raises(UsageError, match="gitignore") as refused:
        again(session).go_on()
    assert refused.value.detail.split("\n") == ["mine.cfg", "out/it's"]
    assert (tree / "mine.cfg").read_text() == "hours of work\n"
    (line,) = (words for words in refused.value.hint.split("`")[1::2] if f" {verb} " in words)
    typed = line.replace("FILE", 'mine.cfg "out/it\'s"')
    subprocess.run(typed, shell=True, check=True, capture_output=True)
    done = again(session).go_on()
    assert done.saved is not None
    content = next(patch.content for patch in done.saved.queue.patches if "fresh" in patch.name)
    assert (b"hours of work" in content) is (verb == "add")


def test_a_queue_that_changed_meanwhile_is_not_overwritten(session: EditSession) -> None:
    session.edit("head")
    series = session.queue.folder / "series"
    series.write_text("".join(series.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(UsageError, match="another one"):
        again(session).go_on()


def test_a_patch_is_found_by_any_part_of_its_name_that_fits_it_alone(session: EditSession) -> None:
    for name in ("00400-fresh-file.patch", "fresh-file", "fresh", "00400"):
        assert session.queue.position(name) == 3
    assert session.queue.position("tail") == 1
    for name, message in (("ail", "fits 2 patches"), ("gone", "no patch"), ("", "no patch")):
        with pytest.raises(UsageError, match=message):
            session.queue.position(name)


def test_a_kill_while_going_on_loses_nothing(session: EditSession) -> None:
    opened = session.edit("fresh-file")
    assert opened.folder is not None
    (opened.folder / "fresh").write_text("fresher\n")
    root = session.folder.parent
    step = 1
    while ended_at(step, root, lambda: again(session).go_on()):
        queue = storage.load(session.queue.folder)
        if queue.patches[3].content != session.queue.patches[3].content:
            again(session).go_on()
            break
        step += 1
    else:
        pytest.fail("the work ended before it was killed")
    assert step > 10
    assert b"+fresher\n" in storage.load(session.queue.folder).patches[3].content


class Killed(Exception):
    pass


def _cut_off_behind_the_swap(session: EditSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """End a change when its queue is written and its folder is not yet gone."""

    def kill(_: Path) -> None:
        raise Killed

    delete = "tensorflow_macos_build.files.delete_folder"

    opened = session.edit("fresh-file")
    assert opened.folder is not None
    (opened.folder / "fresh").write_text("fresher\n")
    with monkeypatch.context() as patch:
        patch.setattr(delete, kill)
        with pytest.raises(Killed):
            again(session).go_on()


def test_a_change_that_was_cut_off_behind_the_swap_is_finished(
    session: EditSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cut_off_behind_the_swap(session, monkeypatch)
    written = storage.load(session.queue.folder)
    with pytest.raises(UsageError, match="no change"):
        again(session).status()
    assert session.folder.exists()
    edited = again(session).go_on()
    assert edited.saved is not None
    assert edited.saved.queue == written
    assert b"+fresher\n" in written.patches[3].content
    assert not session.folder.exists()


def test_a_queue_that_somebody_changed_meanwhile_is_not_taken_for_the_result(
    session: EditSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cut_off_behind_the_swap(session, monkeypatch)
    path = sorted(session.queue.folder.glob("*.patch"))[3]
    path.write_bytes(path.read_bytes().replace(b"+fresher", b"+freshest"))
    with pytest.raises(UsageError, match="another one than when this change"):
        again(session).go_on()
    again(session).abort()
    assert b"+freshest" in path.read_bytes()


def test_the_tasks_print_documents_of_their_schema(tmp_path: Path, session: EditSession) -> None:
    def invoke(*words: str) -> documents.Json:
        flags = ["--queue", str(session.queue.folder), "--cache", str(tmp_path / "cache"), "--json"]
        done = command_line.run(*words, *flags, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        document: documents.Json = json.loads(done.stdout)
        documents.check(document)
        return document

    assert invoke("patches.reorder", "tail-again", "--after", "both")["done"]
    assert len(invoke("patches.split", "both", "--path", "other", "--subject", "X")["patches"]) == 6
    assert not invoke("patches.edit", "head")["done"]
    assert invoke("patches.status")["subject"] == "Head"
    assert invoke("patches.continue")["done"]
