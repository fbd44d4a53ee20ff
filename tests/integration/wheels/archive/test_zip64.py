"""Numbers past 32 bits, and counts past 16, get ZIP64 records that zipfile and the reader take."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, BinaryIO

from tensorflow_macos_build.wheels.archive.members import CompressionMethod
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.archive.writer import NewMember, WheelWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Sparse:
    """A stream that turns zeros into holes, so that 4 GiB cost nothing."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, piece: bytes, /) -> int:
        if len(piece) > 1 << 16:
            return self._stream.seek(len(piece), 1)
        return self._stream.write(piece)


def zeros(length: int) -> Iterator[bytes]:
    piece = bytes(1 << 24)
    while length:
        yield piece[:length]
        length -= min(length, len(piece))


def test_members_past_four_gib_get_zip64_records_that_readers_take(tmp_path: Path) -> None:
    path, size = tmp_path / "large.whl", (4 << 30) + 5
    with path.open("wb") as stream:
        writer = WheelWriter(Sparse(stream))
        writer.add(NewMember("large", CompressionMethod.STORED, 0, size, size), zeros(size))
        writer.add_stored("after", b"after")
        writer.finish()
    with zipfile.ZipFile(path) as made:
        assert made.getinfo("large").file_size == size
        assert made.read("after") == b"after"
    with open_archive(path) as wheel:
        assert wheel.members["large"].size == size
        assert wheel.read(wheel.members["after"]) == b"after"


def test_more_members_than_sixteen_bits_count_get_a_zip64_end(tmp_path: Path) -> None:
    path, count = tmp_path / "many.whl", 65_536
    with path.open("wb") as stream:
        writer = WheelWriter(stream)
        for index in range(count):
            writer.add_stored(f"{index}", b"")
        writer.finish()
    with zipfile.ZipFile(path) as made, open_archive(path) as wheel:
        assert len(made.namelist()) == len(wheel.members) == count
