"""C headers that differ between architectures, as one header that is right on both.

Both texts are kept whole, one under `#if defined(__arm64__)`, the other under
`#elif defined(__x86_64__)`, as CPython does for its own universal2 pyconfig.h
(python/cpython#110820: what configure finds is true of the machine that it runs on alone). Where
each text lies is recorded, so that the merge can be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

SUFFIXES = frozenset(
    {".h", ".hh", ".hpp", ".hxx", ".h++", ".inc", ".inl", ".ipp", ".tpp", ".tcc", ".cuh"}
)
"""How names of files end that only a C preprocessor reads."""

LIMIT = 16 << 20
"""Largest text that is merged, in bytes."""

# __arm64__ is Apple's name, __aarch64__ that of other compilers.
_ARM64 = b"#if defined(__arm64__) || defined(__aarch64__)\n"
_X86_64 = b"#elif defined(__x86_64__)\n"
# A third architecture gets an error, and not silently one of the two texts.
_END = b'#else\n#error "this header was fused of arm64 and x86_64"\n#endif\n'
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Unmergeable(ValueError):
    """A text cannot stand under a condition; the message says why."""


@dataclass(frozen=True, slots=True)
class MergedHeader:
    """A header for both architectures.

    Attributes:
        content: its bytes.
        ranges: offset and length of each architecture's own text in it.
    """

    content: bytes
    ranges: dict[str, tuple[int, int]]


def is_header(path: str) -> bool:
    """Whether only a C preprocessor reads the file, by its path's ending."""
    return PurePosixPath(path).suffix.lower() in SUFFIXES


def merge(arm64: bytes, x86_64: bytes) -> MergedHeader:
    """Make one header of two.

    Raises:
        Unmergeable: a text is binary, too large, or begins with a byte order mark.
    """
    for arch, text in (("arm64", arm64), ("x86_64", x86_64)):
        if reason := _fault(text):
            raise Unmergeable(f"the {arch} text {reason}")
    first = _ARM64 + _closed(arm64) + _X86_64
    content = first + _closed(x86_64) + _END
    ranges = {"arm64": (len(_ARM64), len(arm64)), "x86_64": (len(first), len(x86_64))}
    return MergedHeader(content, ranges)


def _closed(text: bytes) -> bytes:
    """End a text so that a directive may follow: a backslash would draw that into its line."""
    ending = b"" if text.endswith(b"\n") or not text else b"\n"
    # Compilers take a backslash for one that continues the line also where blanks follow it.
    spliced = text.rstrip().endswith(b"\\")
    return text + ending + (b"\n" if spliced else b"")


def _fault(text: bytes) -> str | None:
    if len(text) > LIMIT:
        return f"is larger than {LIMIT} bytes"
    if b"\0" in text:
        return "holds NUL bytes"
    if text.startswith(_BYTE_ORDER_MARK):
        return "begins with a byte order mark, which no compiler takes in the middle of a file"
    return None
