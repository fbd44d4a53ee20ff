"""What the reader takes equals what zipfile reads; what it refuses names the member."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from pip._internal.utils.unpacking import zip_item_is_executable

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.archive.members import (
    ArchiveLimits,
    BrokenWheel,
    CompressionMethod,
)
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.binaries.slices import read_slice

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = {
    "p/__init__.py": b"",
    "p/data.bin": bytes(range(256)) * 3000,
    "p/stored.txt": b"as it is",
    "p/\u00fcml.txt": b"not ascii",
}
NAME = "p-1-py3-none-any.whl"


class Unseekable(io.BytesIO):
    """zipfile writes data descriptors when it cannot go back."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


def plain_zip(stream: io.BytesIO | None = None, *, zip64: bool = False) -> bytes:
    stream = stream or io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in CONTENT.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            stored = "stored" in name
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            with made.open(info, "w", force_zip64=zip64) as member:
                member.write(content)
    return stream.getvalue()


def read(path: Path, limits: ArchiveLimits | None = None) -> dict[str, bytes]:
    with open_archive(path, limits) as wheel:
        return {name: wheel.read(member) for name, member in wheel.members.items()}


def read_by_views(path: Path) -> dict[str, bytes]:
    with open_archive(path) as wheel:
        views = {name: wheel.views(member) for name, member in wheel.members.items()}
        return {name: b"".join(map(bytes, pieces)) for name, pieces in views.items()}


def written(folder: Path, content: bytes) -> Path:
    path = folder / NAME
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(plain_zip, id="plain"),
        pytest.param(lambda: plain_zip(zip64=True), id="zip64"),
        pytest.param(lambda: plain_zip(Unseekable()), id="descriptors"),
        pytest.param(lambda: plain_zip(Unseekable(), zip64=True), id="zip64-descriptors"),
    ],
)
def test_every_form_that_zipfile_writes_reads_as_zipfile_reads_it(
    tmp_path: Path, made: Callable[[], bytes]
) -> None:
    wheel = written(tmp_path, made())
    assert read(wheel) == CONTENT
    assert read_by_views(wheel) == CONTENT


def test_a_descriptor_without_its_optional_signature_is_understood(tmp_path: Path) -> None:
    made = plain_zip(Unseekable())
    with zipfile.ZipFile(io.BytesIO(made)) as parsed:
        infos, start = parsed.infolist(), parsed.start_dir
    bare, offsets = b"", {}
    for info, end in zip(infos, [i.header_offset for i in infos[1:]] + [start], strict=True):
        offsets[info.header_offset] = len(bare)
        bare += made[info.header_offset : end - 16] + made[end - 12 : end]
    directory = made[start:-22]
    for old, new in sorted(offsets.items(), reverse=True):
        at = directory.rfind(struct.pack("<L", old), 0)
        directory = directory[:at] + struct.pack("<L", new) + directory[at + 4 :]
    end_record = made[-22:-6] + struct.pack("<LH", len(bare), 0)
    assert read(written(tmp_path, bare + directory + end_record)) == CONTENT


def test_members_tell_method_size_crc_and_mode(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        info = zipfile.ZipInfo("tool")
        info.external_attr = (stat.S_IFREG | 0o755) << 16
        made.writestr(info, b"#!/bin/sh\n")
        made.writestr("text", b"text" * 99)
        made.writestr("folder/", b"")
    with open_archive(path) as wheel:
        assert list(wheel.members) == ["tool", "text"]
        assert wheel.members["tool"].executable
        text = wheel.members["text"]
        assert (text.method, text.size, text.executable) == (CompressionMethod.DEFLATED, 396, False)
        assert text.crc == zlib.crc32(b"text" * 99)
        assert zlib.decompress(b"".join(wheel.raw(text)), -15) == b"text" * 99
        assert wheel.sha256(text) == hashlib.sha256(b"text" * 99).digest()


@pytest.mark.parametrize("system", [0, 3, 19])
@pytest.mark.parametrize("mode", [0o644, 0o744, 0o654, 0o645, 0])
@pytest.mark.parametrize("kind", [stat.S_IFREG, 0])
def test_what_may_be_executed_is_what_pip_lets_be_executed(
    tmp_path: Path, system: int, mode: int, kind: int
) -> None:
    path = tmp_path / NAME
    info = zipfile.ZipInfo("tool")
    info.create_system, info.external_attr = system, (kind | mode) << 16
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(info, b"#!/bin/sh\n")
    with open_archive(path) as wheel, zipfile.ZipFile(path) as judge:
        assert wheel.members["tool"].executable == zip_item_is_executable(judge.getinfo("tool"))


def with_member(name: str, content: bytes = b"x", mode: int = 0o100644) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr(zipfile.ZipInfo("first"), b"1")
        info = zipfile.ZipInfo("n" * len(name.encode()))
        info.create_system = 3
        info.external_attr = mode << 16
        made.writestr(info, content)
    flag = 0 if name.isascii() else 0x08
    raw = stream.getvalue().replace(b"n" * len(name.encode()), name.encode())
    if not flag:
        return raw
    for mark, at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        start = raw.rfind(mark)
        raw = raw[: start + at] + bytes([flag]) + raw[start + at + 1 :]
    return raw


def two(first: str, second: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr(zipfile.ZipInfo(first), b"1")
        made.writestr(zipfile.ZipInfo("?" * len(second)), b"2")
    return stream.getvalue().replace(b"?" * len(second), second.encode())


@pytest.mark.parametrize(
    ("made", "member", "reason"),
    [
        (with_member("../evil"), "../evil", "leaves the wheel's folder"),
        (with_member("a/../../evil"), "a/../../evil", "leaves the wheel's folder"),
        (with_member("/etc/evil"), "/etc/evil", "absolute"),
        (with_member("C:evil"), "C:evil", "absolute"),
        (with_member("a\\evil"), "a\\evil", "backslash"),
        (with_member("a\x1b[2Jevil"), r"a\x1b[2Jevil", "control character"),
        (with_member("a\0evil"), r"a\x00evil", "control character"),
        (with_member("a//evil"), "a//evil", "empty part"),
        (with_member("./evil"), "./evil", "empty part"),
        (with_member("evil//", b""), "evil//", "empty part"),
        (with_member("link", b"/etc/passwd", 0o120777), "link", "symbolic link"),
        (with_member("pipe", b"", 0o010644), "pipe", "neither a file nor a folder"),
        (with_member("folder/", b"x", 0o040755), "folder/", "folder that holds data"),
        (two("same", "same"), "same", "twice"),
        (two("Read", "rEAD"), "rEAD", "beside `Read`"),
        (two("a/b", "A"), "A", "beside `a/b`"),
    ],
)
def test_a_name_that_installers_could_misread_is_refused(
    tmp_path: Path, made: bytes, member: str, reason: str
) -> None:
    with pytest.raises(BrokenWheel, match=reason) as refused:
        read(written(tmp_path, made))
    assert refused.value.where == f"{NAME}: {member}"


def test_names_equal_after_normalisation_collide(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("\u00e9", b"composed")
        made.writestr("e\u0301", b"decomposed")
    with pytest.raises(BrokenWheel, match="beside"):
        read(path)


def patched(raw: bytes, mark: bytes, at: int, new: bytes, *, last: bool = False) -> bytes:
    start = (raw.rfind(mark) if last else raw.find(mark)) + at
    assert raw[start : start + len(new)] != new
    return raw[:start] + new + raw[start + len(new) :]


LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def both(at_local: int, new: bytes) -> bytes:
    """Change a field of the first member in both headers; the central one lies 2 bytes later."""
    raw = patched(with_member("second", b"y" * 40), LOCAL, at_local, new)
    return patched(raw, CENTRAL, at_local + 2, new)


def deflated(content: bytes, tail: bytes = b"", size: int | None = None) -> bytes:
    """Return a zip of one member whose deflate stream is followed by `tail` and declares `size`."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = engine.compress(content) + engine.flush() + tail
    size = len(content) if size is None else size
    numbers = (zlib.crc32(content), len(data), size)
    local = struct.pack("<4s5H3L2H", LOCAL, 20, 0, 8, 0, 33, *numbers, 6, 0) + b"member" + data
    central = struct.pack(
        "<4s6H3L5H2L", CENTRAL, 788, 20, 0, 8, 0, 33, *numbers, 6, 0, 0, 0, 0, 0, 0
    )
    central += b"member"
    end = struct.pack("<4s4H2LH", END, 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def with_zip64_end(count: int) -> bytes:
    """Return a zip whose ZIP64 end record says `count` entries, and whose plain one says 2."""
    raw = with_member("second", b"y" * 40)
    start, end = raw.index(CENTRAL), raw.index(END)
    wide = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, end - start, start
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    return raw[:end] + wide + locator + raw[end:]


def with_second_name() -> bytes:
    """Return a zip with Info-ZIP's Unicode path, which some readers believe and some do not."""
    stream, info = io.BytesIO(), zipfile.ZipInfo("first")
    info.extra = struct.pack("<2HBL", 0x7075, 10, 1, zlib.crc32(b"first")) + b"other"
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr(info, b"1")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (patched(plain_zip(Unseekable()), b"PK\x07\x08", 4, b"\xff"), "descriptor contradicts"),
        (patched(plain_zip(Unseekable()), b"PK\x07\x08", 12, b"\xff"), "descriptor contradicts"),
        (patched(plain_zip(Unseekable()), b"PK\x07\x08", 3, b"\x09"), "descriptor is malformed"),
        (patched(with_member("second"), END, 4, b"\1"), "a part of a zip file on several disks"),
        (with_zip64_end(3), "its two end records contradict each other"),
        (with_second_name(), "first: it has a second name"),
        (both(22, b"\x02"), "first: it is stored and has two sizes"),
        (both(6, b"\x01"), "first: it is encrypted"),
        (both(8, b"\x0e"), "first: its compression method 14"),
        (both(14, b"\0\0\0\0"), "first: its CRC-32"),
        (patched(with_member("second"), LOCAL, 30, b"F"), "first: .* another name"),
        (patched(with_member("second"), LOCAL, 26, b"\4"), "first: .* another name"),
        (patched(with_member("second"), LOCAL, 26, b"\6"), "first: .* another name"),
        (patched(with_member("second"), LOCAL, 14, b"\0\0\0\0"), "first: .* CRC or sizes"),
        (patched(with_member("second"), CENTRAL, 10, b"\x08"), "first: .* method or flags"),
        (
            patched(with_member("second"), CENTRAL, 42, b"\x01", last=True),
            "second: its data overlaps|first: .* overlaps",
        ),
        (patched(with_member("second"), END, 16, b"\x01"), "central directory is not where"),
        (b"junk" + with_member("second"), "central directory is not where"),
        (with_member("second") + b"junk", "other bytes follow its end record"),
        (with_member("second")[:-1], "it is not a whole zip file|other bytes"),
        (with_member("second")[:60], "it is not a whole zip file"),
        (b"", "it is not a whole zip file"),
        (deflated(b"a" * 999, tail=b"hidden"), "member: bytes follow"),
        (deflated(b"a" * 999, size=998), "member: .* longer than 998"),
        (deflated(b"a" * 999, size=1000), "member: it holds 999 bytes and declares 1000"),
        (deflated(b"a" * 999, size=99_999), "member: it declares more bytes than"),
        (deflated(b"")[:36] + b"\xff\xff" + deflated(b"")[38:], "member: .* cannot be inflated"),
    ],
)
def test_a_broken_wheel_is_refused_with_the_member_named(
    tmp_path: Path, made: bytes, reason: str
) -> None:
    with pytest.raises(BrokenWheel) as refused:
        read(written(tmp_path, made))
    assert str(refused.value).startswith(NAME)
    assert re.search(reason, str(refused.value)), str(refused.value)


LARGE = bytes(999_999)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (deflated(LARGE, tail=b"hidden"), "member: bytes follow the end of its deflate stream"),
        (deflated(LARGE, size=999_998), "member: its content is longer than 999998"),
        (deflated(LARGE, size=1_000_000), "member: it holds 999999 bytes and declares 1000000"),
        (deflated(LARGE)[:36] + b"\xff\xff" + deflated(LARGE)[38:], "member: .* be inflated"),
        (both(14, b"\0\0\0\0"), "first: its CRC-32"),
    ],
)
def test_a_broken_member_is_refused_however_it_is_read(
    tmp_path: Path, made: bytes, reason: str
) -> None:
    wheel = written(tmp_path, made)
    for reading in (read, read_by_views):
        with pytest.raises(BrokenWheel) as refused:
            reading(wheel)
        assert str(refused.value).startswith(NAME)
        assert re.search(reason, str(refused.value)), str(refused.value)


def test_two_end_records_that_agree_are_understood(tmp_path: Path) -> None:
    assert read(written(tmp_path, with_zip64_end(2))) == {"first": b"1", "second": b"y" * 40}


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = with_member("second", b"y" * 40)
    for length in range(len(whole)):
        with pytest.raises(BrokenWheel):
            read(written(tmp_path, whole[:length]))


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    raw = with_member("second", b"y" * 40)
    second = raw.index(LOCAL, 4)
    size = struct.pack("<2L", 2 + second, 2 + second)
    wider = patched(patched(raw, LOCAL, 18, size), CENTRAL, 20, size)
    with pytest.raises(BrokenWheel, match="overlaps"):
        read(written(tmp_path, wider))


def test_bytes_between_members_are_refused(tmp_path: Path) -> None:
    raw = with_member("second", b"y" * 40)
    second, start = raw.index(LOCAL, 4), raw.index(CENTRAL)
    gap = raw[:second] + b"hidden" + raw[second:]
    gap = patched(gap, CENTRAL, 42, struct.pack("<L", second + 6), last=True)
    gap = patched(gap, END, 16, struct.pack("<L", start + 6))
    with pytest.raises(BrokenWheel, match="6 bytes stand after its data"):
        read(written(tmp_path, gap))


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    bomb = written(tmp_path, deflated(b"\0" * 1_000_000))
    with pytest.raises(BrokenWheel, match="would grow"):
        read(bomb, ArchiveLimits(ratio=100, ratio_from=1000))
    with pytest.raises(BrokenWheel, match="more than 1000"):
        read(bomb, ArchiveLimits(total=1000))
    with pytest.raises(BrokenWheel, match="1 members, more than 0"):
        read(bomb, ArchiveLimits(members=0))
    assert read(bomb) == {"member": b"\0" * 1_000_000}


def test_a_small_read_refuses_a_large_member(tmp_path: Path) -> None:
    path = written(tmp_path, deflated(b"a" * 999))
    with open_archive(path) as wheel, pytest.raises(BrokenWheel, match="larger than the 10 bytes"):
        wheel.read(wheel.members["member"], limit=10)


def test_an_empty_zip_holds_nothing_and_a_missing_file_is_an_error(tmp_path: Path) -> None:
    zipfile.ZipFile(tmp_path / NAME, "w").close()
    assert read(tmp_path / NAME) == {}
    with pytest.raises(UsageError, match="cannot be opened"):
        read(tmp_path / "missing.whl")
    os.mkfifo(tmp_path / "pipe.whl")
    for path in (tmp_path, tmp_path / "pipe.whl"):
        with pytest.raises(UsageError, match="no regular file"):
            read(path)


def test_machine_code_shorter_than_it_declares_is_refused(tmp_path: Path) -> None:
    """Its first bytes are those of an image, and the header that should follow is not there."""
    header = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, 0, 0, 0, 0)
    path = written(tmp_path, deflated(header[:23], size=999))
    with open_archive(path) as wheel, pytest.raises(BrokenWheel, match="malformed") as refused:
        read_slice(wheel, wheel.members["member"])
    assert refused.value.where == f"{NAME}: member"
