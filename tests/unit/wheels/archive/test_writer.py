"""What the writer makes, zipfile and the reader take."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

import pytest

from tensorflow_macos_build.wheels.archive.members import CompressionMethod
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.archive.writer import NewMember, WheelWriter, order

if TYPE_CHECKING:
    from pathlib import Path


def small(stream: BinaryIO) -> None:
    writer = WheelWriter(stream)
    writer.add_stored("a.txt", b"text")
    writer.add_stored("p-1.data/scripts/tool", b"#!", executable=True)
    data = zlib.compress(b"z" * 999)[2:-4]
    entry = NewMember("\u00fc", CompressionMethod.DEFLATED, zlib.crc32(b"z" * 999), 999, len(data))
    writer.add(entry, (data,))
    writer.finish()


def test_zipfile_reads_contents_modes_and_the_date_of_the_format_s_zero() -> None:
    stream = io.BytesIO()
    small(stream)
    with zipfile.ZipFile(stream) as made:
        assert made.testzip() is None
        assert [made.read(name) for name in made.namelist()] == [b"text", b"#!", b"z" * 999]
        modes = [info.external_attr >> 16 for info in made.infolist()]
        assert modes == [0o100644, 0o100755, 0o100644]
        assert {info.date_time for info in made.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {(info.create_system, info.extra) for info in made.infolist()} == {(3, b"")}
    assert b"PK\x06\x06" not in stream.getvalue()


def test_our_reader_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "p.whl"
    with path.open("wb") as stream:
        small(stream)
    with open_archive(path) as wheel:
        assert wheel.read(wheel.members["a.txt"]) == b"text"


def test_data_of_another_length_than_declared_is_refused() -> None:
    writer = WheelWriter(io.BytesIO())
    with pytest.raises(ValueError, match="3 bytes, not 4"):
        writer.add(NewMember("a", CompressionMethod.STORED, 0, 4, 4), (b"abc",))


def test_dist_info_comes_last_and_record_at_the_end() -> None:
    names = ["z", "p-1.dist-info/RECORD", "p-1.dist-info/WHEEL", "p-1.data/x", "p-1.dist-infox"]
    assert order(names, "p-1.dist-info") == [
        "p-1.data/x",
        "p-1.dist-infox",
        "z",
        "p-1.dist-info/WHEEL",
        "p-1.dist-info/RECORD",
    ]
