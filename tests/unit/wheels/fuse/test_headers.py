"""Merged headers mean on each architecture what that architecture's text means there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.fuse import headers

if TYPE_CHECKING:
    from tests.machos import Toolchain

GUARD = b"#ifndef H\n#define H\n#define WIDTH %d\n#endif"


@pytest.mark.parametrize(
    ("arm", "intel"),
    [
        (GUARD % 8, GUARD % 16 + b"\n"),
        (b"#pragma once\r\n#define WIDTH 8\r\n", b"#define WIDTH 16 // a \\\n"),
        (b"#define WIDTH \\\n 8", b"#if 1\n#define WIDTH 16\n#else\n#error no\n#endif"),
        (b"#define WIDTH 8 // a \\ \t\n", b"#define WIDTH 16 // b \\ \r\n"),
        (b"#define WIDTH 8 /* \xe4 not UTF-8 */\\", b"#define WIDTH 16"),
    ],
)
def test_it_compiles_for_both(toolchain: Toolchain, arm: bytes, intel: bytes) -> None:
    header = toolchain.path("h.h")
    header.write_bytes(headers.merge(arm, intel).content)
    for arch, width in (("arm64", 8), ("x86_64", 16)):
        program = f'#include "{header}"\n_Static_assert(WIDTH == {width}, "");\n'
        toolchain.object(program, arch)


@pytest.mark.parametrize("text", [b"a\0b", b"\xef\xbb\xbf#define A\n", bytes(headers.LIMIT + 1)])
def test_what_cannot_stand_under_a_condition_is_refused(text: bytes) -> None:
    with pytest.raises(headers.Unmergeable, match="the x86_64 text"):
        headers.merge(b"", text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/b.h", True), ("B.HPP", True), ("x.inc", True), ("x.py", False), ("h", False)],
)
def test_headers_are_known_by_their_ending(path: str, expected: bool) -> None:
    assert headers.is_header(path) == expected
