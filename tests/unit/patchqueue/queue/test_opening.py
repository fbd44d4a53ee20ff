"""A queue is opened with its upstream, and no more of it is read than somebody asks for."""

import shutil
from pathlib import Path

import pytest

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.formats.refused import Refused
from tensorflow_macos_build.patchqueue.queue import opening, storage


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """The demo's queue, on the miniature upstream."""
    return shutil.copytree(checkout.path("patches/demo"), tmp_path / "demo")


def test_an_opened_queue_has_its_base_in_its_upstream(queue: Path, tmp_path: Path) -> None:
    opened = opening.open(queue, tmp_path / "cache")
    assert opened.base == storage.load_base(queue) == opened.queue.base
    assert opened.mirror.resolve(opened.base.ref) == opened.base.commit
    assert opened.queue is opened.queue


def test_a_damaged_patch_is_in_the_way_of_those_alone_who_need_it(
    queue: Path, tmp_path: Path
) -> None:
    next(queue.glob("*.patch")).write_bytes(b"no patch\n")
    opened = opening.open(queue, tmp_path / "cache")
    opened.prepare()
    with pytest.raises(Refused):
        _ = opened.queue


def test_a_base_that_upstream_lacks_is_found_out_where_it_is_needed(
    queue: Path, tmp_path: Path
) -> None:
    written = (queue / "queue.yaml").read_text()
    commit = storage.load_base(queue).commit
    (queue / "queue.yaml").write_text(written.replace(commit, "1" * 40))
    with pytest.raises(UsageError, match="1111111"):
        opening.open(queue, tmp_path / "cache")
    assert opening.open(queue, tmp_path / "cache", needs_base=False).base.commit == "1" * 40


def test_a_queue_to_be_made_has_the_commit_of_its_ref(queue: Path, tmp_path: Path) -> None:
    base = storage.load_base(queue)
    opened = opening.open_new(tmp_path / "new", base.upstream, base.ref, tmp_path / "cache")
    assert opened.base == base
