"""What a queue's folder may hold: files that somebody else may have written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import queue_files, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.queue.queue_files import FilesOnDisk

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "1" * 40
RIGHT = f"upstream: 'embedded:'\nref: v2.16.0\ncommit: {COMMIT}\n"


def test_queue_yaml_is_read_as_the_text_that_it_is(tmp_path: Path) -> None:
    (tmp_path / "queue.yaml").write_text(RIGHT.replace("v2.16.0", "2.10"))
    base = QueueBase("embedded:", "2.10", COMMIT)
    assert queue_files.read_base(FilesOnDisk(tmp_path)) == (base, ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        RIGHT + "more: x",
        RIGHT + "ref: twice",
        RIGHT.replace("v2.16.0", "!!int x"),
        RIGHT.replace("v2.16.0", ""),
        RIGHT.replace("v2.16.0", "null"),
        RIGHT.replace("v2.16.0", "[a, b]"),
        RIGHT.replace("v2.16.0", "--upload-pack=x"),
        RIGHT.replace("v2.16.0", '"a\\0b"'),
        RIGHT.replace("v2.16.0", '"\\ud800"'),
        RIGHT.replace("v2.16.0", "x" * 5000),
        RIGHT.replace(COMMIT, "2001-13-45"),
        RIGHT.replace(COMMIT, "9" * 5000),
        RIGHT.replace(COMMIT, f'"{COMMIT}\\n"'),
        RIGHT.replace("ref", "null"),
        RIGHT.replace("v2.16.0", "{a: " * 5000),
        "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]",
        "? [a]\n: b",
    ],
)
def test_a_queue_yaml_that_says_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "queue.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        queue_files.read_base(FilesOnDisk(tmp_path))
    assert str(tmp_path / "queue.yaml") in str(caught.value)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("name", ["queue.yaml", "series"])
def test_what_is_no_small_regular_file_is_refused_unread(tmp_path: Path, name: str) -> None:
    """A pipe would wait for its writer; 800 MB of nothing would be read for minutes."""

    def refused() -> str:
        with pytest.raises(UsageError) as caught:
            storage.load(tmp_path)
        return str(caught.value)

    (tmp_path / "queue.yaml").write_text(RIGHT)
    (tmp_path / "series").write_text("")
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    assert f"{name}: it is no regular file" in refused()
    (tmp_path / name).unlink()
    with (tmp_path / name).open("wb") as stream:
        stream.truncate(800 << 20)
    assert f"{name}: it has more than" in refused()
    (tmp_path / name).unlink()
    (tmp_path / name).write_bytes(b"\xff\n")
    assert name in refused()
