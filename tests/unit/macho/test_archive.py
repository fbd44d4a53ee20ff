"""Static archives: what llvm-ar writes is read; what lies is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.macho import archive
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window

if TYPE_CHECKING:
    from tests.machos import Toolchain

SOURCE = "int answer(void) { return 42; }"


def test_objects_and_their_architectures_are_read(toolchain: Toolchain) -> None:
    names = ["short.o", "an object with a name far longer than sixteen.o"]
    objects = [
        toolchain.object(SOURCE, arch, name)
        for arch, name in zip(("arm64", "x86_64"), names, strict=True)
    ]
    text = toolchain.path("notes.txt")
    text.write_bytes(b"odd")
    made = toolchain.archive("libmixed.a", *objects, text)
    members = list(archive.parse(Window.whole(made.read_bytes())))
    assert [(member.name, member.arch) for member in members] == [
        (names[0], "arm64"), (names[1], "x86_64"), ("notes.txt", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"!<arch",
        b"!<arch>\n" + b"x" * 10,
        b"!<arch>\n" + b"a".ljust(48) + b"99".ljust(10) + b"`\n",
        b"!<arch>\n" + b"a".ljust(48) + b"-1".ljust(10) + b"`\n",
        b"!<arch>\n" + b"a".ljust(48) + b"0".ljust(10) + b"??",
        b"!<arch>\n" + b"#1/99".ljust(48) + b"4".ljust(10) + b"`\nabcd",
    ],
)
def test_a_lying_archive_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedMachO):
        list(archive.parse(Window.whole(content)))
