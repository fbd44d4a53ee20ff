"""What an LLVM IR object is for, judged by llvm-lipo on modules that llvm-as wrote."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.macho import bitcode
from tensorflow_macos_build.macho.constants import arch_name
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window
from tests.machos import llvm

if TYPE_CHECKING:
    from pathlib import Path

TRIPLES = [
    *("arm64-apple-macosx12.0.0", "aarch64-apple-macosx", "arm64e-apple-macosx11"),
    *("x86_64-apple-macosx10.15.0", "x86_64h-apple-macosx10.15", "x86_64-apple-darwin19"),
    *("arm64-apple-ios14.0-simulator", "x86_64-apple-ios13.1-macabi", "x86_64-linux-gnu-macho"),
    *("x86_64-unknown-linux-gnu", "nvptx64-nvidia-cuda", "x86_64-apple-macosx-elf", "arm64-apple"),
    "",
]


def module(folder: Path, triple: str) -> bytes:
    """Assemble a module with a type, an attribute and a function before and after its triple."""
    text = f'target triple = "{triple}"\n' if triple else ""
    text += "%pair = type { i32, i64 }\ndefine i32 @f(ptr %p) nounwind { ret i32 7 }\n"
    (folder / "unit.ll").write_text(text, encoding="utf-8")
    llvm("llvm-as", folder / "unit.ll", "-o", folder / "unit.bc")
    return (folder / "unit.bc").read_bytes()


def wrapped(content: bytes) -> bytes:
    """Put Darwin's wrapper around a module, as clang for a Mac writes it."""
    return struct.pack("<5I", 0x0B17C0DE, 0, 20, len(content), 7) + content + bytes(12)


def arch(content: bytes) -> str:
    cpu = bitcode.cpu(Window.whole(content))
    return "" if cpu is None else arch_name(*cpu)


@pytest.mark.parametrize("triple", TRIPLES)
def test_a_module_is_for_what_lipo_says(tmp_path: Path, triple: str) -> None:
    content = module(tmp_path, triple)
    for form in (content, wrapped(content)):
        (tmp_path / "judged.bc").write_bytes(form)
        lipos = llvm("llvm-lipo", "-archs", tmp_path / "judged.bc", check=False)
        assert arch(form) == lipos.strip()
        assert bitcode.is_bitcode(form)


def test_a_module_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    content = module(tmp_path, TRIPLES[0])
    # It holds its file's path, by whose length it ends with padding or without.
    ends = range(len(content) + 1)
    at = next(end for end in ends if _arch_or_none(content[:end]) == "arm64")
    assert at > 64
    for end in range(4, at):
        with pytest.raises(MalformedMachO):
            bitcode.cpu(Window.whole(content[:end]))


@pytest.mark.parametrize("tail", [b"", b"\xff" * 64, bytes(64), b"\x01" * 99], ids=repr)
def test_what_only_begins_as_bitcode_is_refused_or_for_nothing(tail: bytes) -> None:
    for head in (b"BC\xc0\xde", b"\xde\xc0\x17\x0b"):
        with contextlib.suppress(MalformedMachO):
            assert bitcode.cpu(Window.whole(head + tail)) is None


def _arch_or_none(content: bytes) -> str | None:
    try:
        return arch(content)
    except MalformedMachO:
        return None
