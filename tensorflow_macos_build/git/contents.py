"""Many file contents in one stream, one in memory at a time (git-cat-file(1), --batch)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.git.repository import Git

_AT_ONCE = 200
"""How many are asked for before the first answer is read: 200 ids of 65 bytes fit into the buffer
of any pipe (16 KiB on macOS, more on Linux: pipe(7)), so that neither side waits for ever."""

LARGEST = 8 << 20
"""Bytes of the largest content that is read; what is larger is data, not a program."""


def sizes(git: Git, oids: Sequence[str]) -> list[int | None]:
    """Return the size of each blob, in bytes; None for what the repository lacks."""
    form = "--batch-check=%(objecttype) %(objectsize)"
    answers = git.out("cat-file", form, stdin="".join(f"{oid}\n" for oid in oids).encode())
    parts = (answer.split(b" ") for answer in answers.splitlines())
    return [int(size) if kind == b"blob" else None for kind, size in parts]


def stream(git: Git, oids: Sequence[str]) -> Iterator[bytes | None]:
    """Yield the content of each blob, in order; None for what is missing or larger than `LARGEST`.

    Nothing is fetched.
    """
    readable = [size is not None and size <= LARGEST for size in sizes(git, oids)]
    wanted = [oid for oid, is_read in zip(oids, readable, strict=True) if is_read]
    contents = _stream(git, wanted)
    for is_read in readable:
        yield next(contents) if is_read else None


def _stream(git: Git, oids: Sequence[str]) -> Iterator[bytes]:
    with process.start(git.argv("cat-file", "--batch"), env=git.environment()) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for start in range(0, len(oids), _AT_ONCE):
            asked = oids[start : start + _AT_ONCE]
            child.stdin.write("".join(f"{oid}\n" for oid in asked).encode())
            child.stdin.flush()
            for _ in asked:
                size = int(child.stdout.readline().split(b" ")[2])
                yield child.stdout.read(size + 1)[:-1]
