"""A queue's name means one folder, for every task; a name that is none makes no folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import invoke
import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import locate, storage
from tensorflow_macos_build.tasks import edit, forecast, patches, rebase, review, upstream
from tests.fork import DEMO

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "checkout"
    shutil.copytree(DEMO, root / "patches" / "demo")
    shutil.copytree(DEMO, root / "demo")
    (root / "sub").mkdir()
    (root / "patches" / "current").symlink_to("demo")
    (root / "ring").symlink_to("ring")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("demo", "patches/demo"),
        ("demo/", "patches/demo"),
        ("demo//", "patches/demo"),
        ("patches/demo", "patches/demo"),
        ("patches/demo/", "patches/demo"),
        ("./patches/demo", "patches/demo"),
        ("sub/../patches//demo", "patches/demo"),
        ("{root}/patches/demo/", "patches/demo"),
        ("current", "patches/demo"),
        ("patches/current/.", "patches/demo"),
        ("./demo", "demo"),
        ("./demo/", "demo"),
        ("{root}/demo", "demo"),
        ("new", "patches/new"),
        ("../new", "../new"),
    ],
)
def test_every_spelling_means_its_folder(name: str, folder: str, checkout: Path) -> None:
    """The kernel is the judge: the folder is the same by device and inode, where there is one."""
    expected = checkout / folder
    located = locate.queue_folder(name.format(root=checkout))
    assert located.resolve() == expected.resolve()
    assert not expected.exists() or located.samefile(expected)
    assert locate.queue_folder(locate.name_of(located)) == located


def test_a_name_that_reads_as_a_flag_is_printed_so_that_it_can_be_typed(checkout: Path) -> None:
    (checkout / "patches" / "--help").mkdir()
    folder = locate.queue_folder("--help")
    name = locate.name_of(folder)
    assert not name.startswith("-")
    assert locate.queue_folder(name) == folder


def test_the_current_folder_is_a_queue_with_a_name(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout / "demo")
    for name in (".", "./", "../demo"):
        assert storage.load(locate.queue_folder(name)).name == "demo"
    assert locate.queue_folder("..") == checkout


@pytest.mark.parametrize(
    "name", ["", "x" * 300, "x/" * 3000, "./ring/x", "patches/a\0b", "a\udcff"]
)
def test_what_can_be_no_name_is_refused_in_one_line(name: str, checkout: Path) -> None:
    with pytest.raises(UsageError) as caught:
        locate.queue_folder(name)
    assert caught.value.hint == "patches/ has current, demo"
    assert all(len(line) < 200 for line in str(caught.value).splitlines())
    assert checkout.is_dir()


def test_a_new_queue_goes_into_patches_or_a_folder_that_exists(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert locate.new("new") == Path("patches/new")
    assert locate.new("../new") == checkout.parent / "new"
    assert locate.new("sub/patches/new") == Path("sub/patches/new")
    with pytest.raises(UsageError, match="does not exist"):
        locate.new("../nowhere/new")
    assert locate.new("nowhere/new") == Path("nowhere/new")
    monkeypatch.chdir(checkout / "sub")
    assert locate.new("first") == Path("patches/first")


C = invoke.Context()
READERS: dict[str, Callable[[str], object]] = {
    "rebase": lambda queue: rebase.rebase(C, queue=queue, onto="v2.17.0"),
    "rebase --plan": lambda queue: rebase.rebase(C, queue=queue, onto="v2.17.0", plan=True),
    "rebase.start": lambda queue: rebase.start(C, queue=queue, onto="v2.17.0"),
    "rebase.status": lambda queue: rebase.status(C, queue=queue),
    "rebase.continue": lambda queue: rebase.continue_(C, queue=queue),
    "rebase.skip": lambda queue: rebase.skip(C, queue=queue),
    "rebase.abort": lambda queue: rebase.abort(C, queue=queue),
    "patches.drop": lambda queue: edit.drop(C, "x", queue=queue),
    "patches.fold": lambda queue: edit.fold(C, "x", queue=queue, into="y"),
    "patches.reorder": lambda queue: edit.reorder(C, "x", queue=queue, after="y"),
    "patches.split": lambda queue: edit.split(C, "x", queue=queue, path=["*"], subject="S"),
    "patches.edit": lambda queue: edit.edit(C, "x", queue=queue),
    "patches.continue": lambda queue: edit.continue_(C, queue=queue),
    "patches.status": lambda queue: edit.status(C, queue=queue),
    "patches.abort": lambda queue: edit.abort(C, queue=queue),
    "patches.export": lambda queue: patches.export(C, queue=queue, to="mailbox", out="out"),
    "patches.lint": lambda queue: review.lint(C, queue, allow=[], forbid=[]),
    "patches.lint --onto": lambda queue: review.lint(C, queue, allow=[], forbid=[], onto="v2.17.0"),
    "patches.report": lambda queue: review.report(C, queue, "demo"),
    "patches.forecast": lambda queue: forecast.forecast(C, queue=queue, onto="v2.17.0"),
    "upstream.status": lambda queue: upstream.status(C, queue=queue),
}


@pytest.mark.parametrize("task", READERS)
def test_a_task_that_reads_a_queue_makes_no_folder_for_one_that_is_none(
    task: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(checkout.parent.rglob("*"))
    for name in ("", "nowhere", "nowhere/", "../../x", "/nowhere/x", "x" * 300, "patches", "sub/"):
        with pytest.raises(invoke.Exit) as ended:
            READERS[task](name)
        assert ended.value.code == 2
        assert capsys.readouterr().err.startswith("error: ")
    assert sorted(checkout.parent.rglob("*")) == before


def test_an_import_makes_no_folders_above_its_queue(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(checkout.parent.rglob("*"))
    for name in ("", "../nowhere/x", "/nowhere/x", "/nowhere/patches/x", "x" * 300):
        with pytest.raises(invoke.Exit) as ended:
            patches.import_(C, queue=name, upstream="embedded:", diff="x", against="v2.16.0")
        assert ended.value.code == 2
    assert "does not exist" in capsys.readouterr().err
    assert sorted(checkout.parent.rglob("*")) == before


WRITERS: dict[str, Callable[[str], object]] = {
    "mailbox": lambda out: patches.export(C, queue="demo", to="mailbox", out=out),
    "quilt": lambda out: patches.export(C, queue="demo", to="quilt", out=out),
    "forecast": lambda out: forecast.forecast(C, queue="demo", onto="v2.17.0", html=out),
    "report": lambda out: review.report(C, "demo", "demo", html=out),
    "markdown": lambda out: review.report(C, "demo", "demo", markdown=out),
}


@pytest.mark.parametrize("task", WRITERS)
def test_no_folder_is_made_outside_of_the_current_one(task: str, checkout: Path) -> None:
    before = sorted(checkout.parent.rglob("*"))
    for out in ("/nowhere/x", "../nowhere/x", "sub/../../nowhere/x"):
        with pytest.raises(invoke.Exit) as ended:
            WRITERS[task](out)
        assert ended.value.code == 2
    assert sorted(checkout.parent.rglob("*")) == before
