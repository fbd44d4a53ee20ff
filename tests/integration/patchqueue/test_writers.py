"""One writer a queue: no update is lost, whatever writes at once and however the queue is named."""

from __future__ import annotations

import shutil
import threading
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import files, temporary
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import diffs, objects
from tensorflow_macos_build.patchqueue.queue import commit_range, lock, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase, encoded
from tensorflow_macos_build.patchqueue.rebase import engine
from tests import chains
from tests.chains import Chain, Written

if TYPE_CHECKING:
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
    from tests.chains import Tree


def _tree(number: int) -> Written:
    content = {b"f": ("100644", b"".join(b"line %d\n" % n for n in range(number)))}
    return Written(content, f"Patch {number}", ("A", "a@b"), 86400, "+0000")


@pytest.fixture
def made(tmp_path: Path) -> tuple[Git, QueueBase, tuple[PatchStep, ...]]:
    chain = Chain({b"f": ("100644", b"")}, tuple(_tree(number) for number in range(3, 7)))
    git, base, tip = chains.build(tmp_path / "repository", chain)
    return git, QueueBase("embedded:", "v1", base), commit_range.read(git, base, tip).steps


@pytest.fixture
def folder(tmp_path: Path, made: tuple[Git, QueueBase, tuple[PatchStep, ...]]) -> Path:
    git, base, steps = made
    return storage.save(tmp_path / "patches/q", base, steps, git).queue.folder


def test_a_queue_is_written_with_one_copy_of_its_patches_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is composed, read back and replayed is there for one patch after the other."""
    monkeypatch.setattr(objects, "_BLOBS_KEPT", 1 << 18)
    monkeypatch.setattr(diffs, "_AT_ONCE", 5)
    texts = (b"".join(b"%d of %d\n" % (n, c) for n in range(10_000)) for c in range(30))
    tree: Tree = {}
    steps = [
        Written(
            tree := {**tree, b"f%d" % c: ("100644", text)}, f"Add {c}", ("A", "a@b"), 1, "+0000"
        )
        for c, text in enumerate(texts)
    ]
    git, base, tip = chains.build(tmp_path / "repository", Chain({}, tuple(steps)))
    read = commit_range.read(git, base, tip).steps
    tracemalloc.start()
    saved = storage.save(tmp_path / "q", QueueBase("embedded:", "v1", base), read, git)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = sum(len(patch.content) for patch in saved.queue.patches)
    assert size > 3_000_000
    assert peak < 1.6 * size


@pytest.mark.parametrize("name", ["q", "./q/", "q/../q", "alias", "ABSOLUTE"])
def test_every_name_of_a_queue_is_one_lock(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(folder.parent)
    Path("alias").symlink_to("q")
    other = folder if name == "ABSOLUTE" else Path(name)
    lines: list[str] = []
    waits = threading.Event()

    def tell(message: str) -> None:
        lines.append(message)
        waits.set()

    def second() -> None:
        with lock.sole_writer(other, tell):
            order.append("second")

    order: list[str] = []
    with lock.sole_writer(folder):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(20)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]
    assert lines == [f"waiting for another command that is at work on a queue in {folder.parent}"]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["alias", "q"]


def test_a_queue_that_is_named_by_a_link_is_written_where_it_is(
    tmp_path: Path, folder: Path, made: tuple[Git, QueueBase, tuple[PatchStep, ...]]
) -> None:
    git, base, steps = made
    link = tmp_path / "link"
    link.symlink_to(folder)
    saved = storage.save(link, base, steps[:2], git)
    assert link.is_symlink()
    assert saved.queue.name == "q"
    assert len(storage.load(folder).patches) == 2


def test_a_queue_that_somebody_changed_since_it_was_read_is_left_as_it_is(
    folder: Path, made: tuple[Git, QueueBase, tuple[PatchStep, ...]]
) -> None:
    git, base, steps = made
    digest = storage.load(folder).digest
    series = folder / "series"
    series.write_text("".join(series.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(UsageError, match="changed by somebody else"):
        storage.save(folder, base, steps[:1], git, seen=digest)
    assert len(storage.load(folder).patches) == 3


@pytest.mark.parametrize("touched", ["series", "README", "resolutions/x.json"])
def test_a_file_that_somebody_writes_while_the_queue_is_written_is_not_lost(
    folder: Path, made: tuple[Git, QueueBase, tuple[PatchStep, ...]], touched: str
) -> None:
    git, base, steps = made

    def edit(_: str) -> None:
        path = folder / touched
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"# by hand\n")

    with pytest.raises(UsageError, match="changed by somebody else"):
        storage.save(folder, base, steps[:1], git, announce=edit)
    assert (folder / touched).read_bytes() == b"# by hand\n"
    assert [path.name for path in folder.parent.iterdir()] == ["q"]


def test_readers_see_one_state_while_a_writer_swaps(
    folder: Path, made: tuple[Git, QueueBase, tuple[PatchStep, ...]]
) -> None:
    """Two states of the queue take turns; each reader's queue is the one or the other, whole."""
    git, base, steps = made
    ended = threading.Event()
    states = {storage.load(folder).digest}

    def write() -> None:
        for count in (1, 4, 2, 3, 1):
            states.add(storage.save(folder, base, steps[:count], git).queue.digest)
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    read = set()
    while not ended.is_set():
        read.add(storage.load(folder).digest)
    writer.join()
    assert len(read) > 1
    assert read <= states


def test_reading_a_queue_whose_swap_was_cut_in_two_writes_nothing(folder: Path) -> None:
    before = storage.load(folder)
    folder.rename(files.displaced(folder))
    again = storage.load(folder)
    assert (again.name, again.folder, again.digest) == ("q", folder, before.digest)
    assert not folder.exists()


def test_a_command_that_has_nothing_to_write_sweeps_what_killed_writers_left(folder: Path) -> None:
    (folder.parent / f"{temporary.PREFIX}x").mkdir()
    with lock.sole_writer(folder):
        assert [path.name for path in folder.parent.iterdir()] == ["q"]


def test_a_rebase_is_not_written_over_what_was_changed_since(
    folder: Path, made: tuple[Git, QueueBase, tuple[PatchStep, ...]]
) -> None:
    git, base, _ = made
    queue = storage.load(folder)
    shutil.copytree(folder, folder.parent / "saved")
    for path in sorted(folder.glob("*.patch"))[-1:]:
        path.write_bytes(path.read_bytes().replace(b"Patch", b"Patches", 1))
    with pytest.raises(UsageError, match="changed by somebody else"):
        engine.rebase(queue, git, base.commit, write=True)


def test_no_two_names_are_encoded_alike_not_even_without_regard_to_case() -> None:
    names = ["nv.1", "nv-1", "nv_1", "NV-1", "nv%2e1", "nv 1", "nv+1", "\u00fc", "u\u0308", "a..b"]
    made = [encoded(name) for name in names]
    assert len({name.casefold() for name in made}) == len(names)
    assert all(name.isascii() for name in made)
    assert encoded("demo") == "demo"
