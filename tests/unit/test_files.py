import hashlib
import os
from pathlib import Path

import pytest

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError


class Broken(Exception):
    pass


def write_half_a_file(target: Path) -> None:
    with files.atomic_path(target) as unfinished:
        unfinished.write_text("half")
        raise Broken


def write_half_a_folder(target: Path) -> None:
    with files.atomic_folder(target) as unfinished:
        (unfinished / "half").touch()
        raise Broken


def test_a_body_that_ends_well_puts_its_file_in_place(tmp_path: Path) -> None:
    files.write_text(tmp_path / "deep" / "a", "ä\r\n")
    assert (tmp_path / "deep" / "a").read_bytes() == b"\xc3\xa4\r\n"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]


def test_a_body_that_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    with pytest.raises(Broken):
        write_half_a_file(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_body_that_raises_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(Broken):
        write_half_a_folder(target)
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with files.atomic_folder(tmp_path / "out") as unfinished:
            (unfinished / name).touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_sha256_is_hashlibs(tmp_path: Path) -> None:
    content = bytes(range(256)) * 8192
    (tmp_path / "a").write_bytes(content)
    assert files.sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_a_small_file_is_read_whole_and_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "right").write_bytes(b"x" * 10)
    assert files.read_small(tmp_path / "right", 10) == b"x" * 10
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(800 << 20)
    refused = [tmp_path / name for name in ("pipe", "link", "sparse")]
    for path in (*refused, Path("/dev/zero")):
        with pytest.raises(UsageError) as caught:
            files.read_small(path, 1 << 20)
        assert caught.value.where == str(path)
    with pytest.raises(UsageError):
        files.read_small(tmp_path, 10)
