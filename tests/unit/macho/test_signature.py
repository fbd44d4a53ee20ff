"""Signatures that linkers write are read whole; a changed byte is found at its page."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.macho import image, signature
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain

SOURCE = "int table[9000] = {1, 2, 3}; int answer(void) { return table[7]; }"


def stored(content: bytes) -> Window:
    window = Window.whole(content)
    data = image.parse(window).linkedit_range("LC_CODE_SIGNATURE")
    assert data is not None
    return window.part(data.offset, data.size, data.name)


@pytest.fixture
def signed(toolchain: Toolchain) -> Path:
    return toolchain.dylib("libsigned.dylib", SOURCE, "arm64")


def test_what_lld_signs_is_sound(signed: Path) -> None:
    content = signed.read_bytes()
    area = stored(content)
    parsed = signature.parse(area)
    (directory,) = parsed.directories
    assert parsed.length <= len(area)
    assert directory.code_limit == area.start
    assert (directory.algorithm, directory.page_size) == ("sha256", 4096)
    assert directory.flags == 0x20002
    code = Window(content, 0, directory.code_limit)
    assert signature.bad_pages(directory, code.blocks(1 << 16)) == ()
    assert directory.pages > 10


@pytest.mark.parametrize("block", [4096, 3 * 4096, 1 << 20])
def test_every_changed_page_is_named(signed: Path, block: int) -> None:
    content = bytearray(signed.read_bytes())
    (directory,) = signature.parse(stored(bytes(content))).directories
    last = (directory.code_limit - 1) // 4096
    for page in (0, 2, 3, last):
        content[page * 4096 + 5] ^= 0x80
    code = Window(bytes(content), 0, directory.code_limit)
    assert signature.bad_pages(directory, code.blocks(block)) == (0, 2, 3, last)


def test_pages_without_a_hash_and_hashes_without_a_page_are_bad(signed: Path) -> None:
    content = signed.read_bytes()
    (directory,) = signature.parse(stored(content)).directories
    longer = [content[: directory.code_limit].ljust((directory.pages + 1) * 4096, b"\0")]
    assert signature.bad_pages(directory, longer)[-1] == directory.pages
    shorter = [content[: (directory.pages - 2) * 4096]]
    expected = (directory.pages - 2, directory.pages - 1)
    assert signature.bad_pages(directory, shorter) == expected


def blob(magic: int, body: bytes) -> bytes:
    return struct.pack(">II", magic, 8 + len(body)) + body


def by_hand(code: bytes, hash_type: int = 2, wrong: bool = False) -> bytes:
    """Write a signature with a requirements blob, as codesign does, by the header's text."""
    name, size = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20), 4: ("sha384", 48)}[
        hash_type
    ]

    def digest(content: bytes) -> bytes:
        return hashlib.new(name, content).digest()[:size]

    requirements = blob(0xFADE0C01, struct.pack(">I", 0))
    pages = [code[at : at + 4096] for at in range(0, len(code), 4096)]
    identifier = b"by.hand\0"
    special = [digest(requirements + (b"x" if wrong else b"")), bytes(size)]
    ident = 88
    hashes = ident + len(identifier) + 2 * size
    directory = struct.pack(
        ">7I4BI", 0x20400, 2, hashes, ident, 2, len(pages), len(code), size, hash_type, 0, 12, 0
    )
    directory += struct.pack(">3IQ3Q", 0, 0, 0, 0, 0, 0, 0)
    directory += identifier + b"".join(special) + b"".join(map(digest, pages))
    blobs = [(0, blob(0xFADE0C02, directory)), (2, requirements)]
    at = 12 + 8 * len(blobs)
    index = b""
    for slot, content in blobs:
        index += struct.pack(">II", slot, at)
        at += len(content)
    body = index + b"".join(content for _, content in blobs)
    return struct.pack(">III", 0xFADE0CC0, 12 + len(body), len(blobs)) + body


@pytest.mark.parametrize("hash_type", [1, 2, 3, 4])
def test_every_kind_of_hash_is_checked(hash_type: int) -> None:
    code = bytes(range(256)) * 40
    parsed = signature.parse(Window.whole(by_hand(code, hash_type)))
    assert parsed.bad_special == ()
    (directory,) = parsed.directories
    assert signature.bad_pages(directory, [code]) == ()
    assert signature.bad_pages(directory, [code[:-1] + b"x"]) == (2,)


def test_a_blob_with_another_hash_than_stated_is_named() -> None:
    assert signature.parse(Window.whole(by_hand(b"code", wrong=True))).bad_special == (2,)


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (0, 0),  # SuperBlob: magic
        (4, 1 << 31),  # length
        (8, 1 << 31),  # count
        (8, 0),
        (16, 1 << 31),  # BlobIndex: offset
        (28, 0),  # CodeDirectory: magic
        (32, 1 << 30),  # length
        (44, 1 << 30),  # hashOffset
        (44, 4),  # special slots before the blob
        (48, 1 << 30),  # identOffset
        (56, 1 << 28),  # nCodeSlots
        (64, 0x20FF000C),  # hash type 255
        (64, 0x200200FF),  # page size 2^255
    ],
)
def test_a_lying_signature_is_refused(offset: int, value: int) -> None:
    content = bytearray(by_hand(bytes(5000)))
    struct.pack_into(">I", content, offset, value)
    with pytest.raises(MalformedMachO) as caught:
        signature.parse(Window.whole(bytes(content)))
    assert caught.value.command == "LC_CODE_SIGNATURE"


def test_a_cut_signature_is_refused_at_every_length() -> None:
    content = by_hand(bytes(5000))
    for length in range(len(content)):
        with pytest.raises(MalformedMachO):
            signature.parse(Window.whole(content[:length]))
