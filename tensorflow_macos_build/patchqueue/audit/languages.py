"""Which files are programs, and what their lines say without comments and strings."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    NumberedLine = tuple[int, bytes]


class Language(Enum):
    """How a file's comments, strings and imports are written."""

    C = "C"
    """C, C++, Objective-C and what else has their comments."""
    PYTHON = "Python"
    BAZEL = "Bazel"


_SUFFIXES = {
    Language.C: (
        ".c .cc .cpp .cxx .cu .h .hh .hpp .hxx .inc .inl .m .mm .proto .td .java .go .swift .rs"
    ),
    Language.PYTHON: ".py .pyi .pyx .pxd",
    Language.BAZEL: ".bzl .bazel .BUILD",
}
_BY_SUFFIX = {suffix: language for language, all in _SUFFIXES.items() for suffix in all.split()}
_BAZEL_NAMES = ("BUILD", "WORKSPACE")
# `foo.h.tpl` and `BUILD.tpl` are filled in by a rule, and otherwise what they are without it
_TEMPLATES = (".tpl", ".in", ".template", ".oss")

_C_NOISE = re.compile(
    rb'"(?:\\.|[^"\\\n])*"' rb"|'(?:\\.|[^'\\\n])*'" rb"|//.*" rb"|/\*.*?(?:\*/|$)"
)
# a line within a block comment, as nearly everybody indents it
_C_COMMENT = re.compile(rb"\s*\*(?:\s|/|$)")
_SCRIPT_NOISE = re.compile(
    rb'"""(?:.*?""")?'
    rb"|'''(?:.*?''')?"
    rb'|"(?:\\.|[^"\\\n])*"'
    rb"|'(?:\\.|[^'\\\n])*'"
    rb"|#.*"
)


def of(path: str) -> Language | None:
    """Return a file's language by its name; None: it is no program."""
    name = path.rpartition("/")[2]
    for template in _TEMPLATES:
        name = name.removesuffix(template)
    if name.partition(".")[0] in _BAZEL_NAMES and not name.endswith((".md", ".txt")):
        return Language.BAZEL
    return _BY_SUFFIX.get("." + name.rpartition(".")[2]) if "." in name else None


def bare(language: Language, lines: Iterable[NumberedLine]) -> Iterator[NumberedLine]:
    """Yield lines that follow each other without their comments and strings."""
    if language is Language.C:
        for number, line in lines:
            yield number, b"" if _C_COMMENT.match(line) else _C_NOISE.sub(b'""', line)
        return
    within = b""
    for number, line in lines:
        text, within = _without_strings(line, within)
        yield number, text


def _without_strings(line: bytes, within: bytes) -> tuple[bytes, bytes]:
    """Return a script's line without strings, and the quotes of the one that goes on."""
    kept = b""
    while True:
        if within:
            _, ended, line = line.partition(within)
            if not ended:
                return kept, within
            within = b""
        match = _SCRIPT_NOISE.search(line)
        if match is None:
            return kept + line, b""
        kept, line = kept + line[: match.start()], line[match.end() :]
        if match[0].startswith(b"#"):
            return kept, b""
        within = match[0] if match[0] in (b'"""', b"'''") else b""
        kept += b'""'


def without_comment(line: bytes) -> bytes:
    """Return a script's line without its comment, strings and all."""
    for match in _SCRIPT_NOISE.finditer(line):
        if match[0].startswith(b"#"):
            return line[: match.start()]
    return line
