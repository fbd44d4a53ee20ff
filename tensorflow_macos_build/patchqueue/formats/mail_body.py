"""A mail's body: transfer encodings undone, parts joined, flowed lines put together again.

Follows git's mailinfo.c (`handle_body`, `handle_filter_flowed`), with two differences. A mail whose
parts do not end was cut on its way, and a part that is a picture, a sound, or the same text in
another form is no patch: these are refused, where git reads on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import text_encoding
from tensorflow_macos_build.patchqueue.formats.refused import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fields = Callable[[bytes], tuple[dict[str, bytes], int]]

# mailinfo.c, patchbreak: what ends a mail's commit message
_BREAK = re.compile(rb"^(?:diff -|Index: |--- (?:[^ \t\r\n]|\Z)|---[ \t\r]*\n)", re.MULTILINE)
_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_NO_PATCH = ("image/", "audio/", "video/", "multipart/alternative")

MAX_DEPTH = 4
"""Parts within parts that a mail may have: git's MAX_BOUNDARIES, less one."""


@dataclass(frozen=True, slots=True)
class _ContentType:
    """What a part's header says of its body."""

    kind: str
    charset: str
    boundary: str
    flowed: bool
    delsp: bool


def split_text(text: bytes) -> int:
    """Return where in a mail's text the commit message ends and the rest, with the diff, begins."""
    line = _BREAK.search(text)
    return len(text) if line is None else line.start()


def decode(fields: dict[str, bytes], body: bytes, read_fields: Fields) -> bytes:
    """Return a mail's text: the commit's message in UTF-8, then the diff's bytes as they were.

    Args:
        fields: the mail's header, names in lower case.
        body: what follows it.
        read_fields: reads the header at the beginning of a part, and says where that ends.

    Raises:
        Malformed: the body is damaged, or of a type, encoding or character set not taken.
    """
    texts: list[bytes] = []
    in_message = True
    for text, charset in _parts(fields, body, read_fields, depth=0):
        # the stated character set is the message's; a diff's bytes are those of the files
        cut = split_text(text) if in_message else 0
        message = text_encoding.to_utf8(text[:cut], charset)
        texts += [text] if message == text[:cut] else [message, text[cut:]]
        in_message = in_message and cut == len(text)
    return texts[0] if len(texts) == 1 else b"".join(texts)


def _parts(
    fields: dict[str, bytes], body: bytes, read_fields: Fields, *, depth: int
) -> Iterator[tuple[bytes, str]]:
    """Return the text of each part, its transfer encoding undone, with its character set."""
    content = _type(text_encoding.decode_words(fields.get("content-type", b"")))
    if content.kind.startswith(_NO_PATCH):
        raise Malformed(f"a mail part of type {content.kind} is not taken; only text is")
    if not content.boundary:
        if content.kind.startswith("multipart/"):
            raise Malformed(f"a mail of type {content.kind} states no boundary of its parts")
        text = _transferred(fields.get("content-transfer-encoding", b""), body)
        yield _unflowed(text, content) if content.flowed else text, content.charset
        return
    if depth == MAX_DEPTH:
        raise Malformed(f"a mail of parts nested more than {MAX_DEPTH} deep is not taken")
    for piece in _pieces(body, content.boundary):
        part = piece.lstrip(b" \t\r").removeprefix(b"\n")
        inner, end = read_fields(part)
        for text, charset in _parts(inner, part[end:], read_fields, depth=depth + 1):
            yield text if text.endswith(b"\n") else text + b"\n", charset


def _pieces(body: bytes, boundary: str) -> list[bytes]:
    # RFC 2046, 5.1.1: a delimiter is a whole line; the last one has two more dashes
    line = re.escape(b"--" + boundary.encode("utf-8", "surrogateescape"))
    pieces = re.split(rb"^" + line + rb"(?=--|[ \t]*\r?$)", body, flags=re.MULTILINE)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise Malformed("the mail's parts do not end")
    end = next(number for number, piece in enumerate(pieces) if number and piece.startswith(b"--"))
    return pieces[1:end]  # before the first delimiter stands a text for readers without MIME


def _transferred(encoding: bytes, body: bytes) -> bytes:
    match encoding.strip().lower():
        case b"" | b"7bit" | b"8bit" | b"binary":
            return body
        case b"quoted-printable":
            return text_encoding.from_quoted_printable(body)
        case b"base64":
            return text_encoding.from_base64(body)
        case other:
            shown = other.decode("ascii", "replace")
            raise Malformed(f"the mail's transfer encoding `{shown}` is not known")


def _unflowed(text: bytes, content: _ContentType) -> bytes:
    """Join the lines of a text that is `format=flowed` (RFC 3676, section 4)."""
    pieces: list[bytes] = []
    for raw in _LINE.findall(text):
        line = raw.rstrip(b"\r\n") if raw.endswith(b"\n") else raw
        end = raw[len(line) :]
        if line != b"-- ":  # 4.3: a signature's separator is as it is
            line = line.removeprefix(b" ")  # 4.4: space-stuffing
            if line.endswith(b" "):  # 4.1: a soft line break; with DelSp its blank goes, too
                line, end = line[: len(line) - content.delsp], b""
        pieces += (line, end)
    return b"".join(pieces)


def _type(value: str) -> _ContentType:
    return _ContentType(
        kind=value.partition(";")[0].strip().lower(),
        charset=_attribute(value, "charset"),
        boundary=_attribute(value, "boundary"),
        flowed=_attribute(value, "format").lower() == "flowed",
        delsp=_attribute(value, "delsp").lower() == "yes",
    )


def _attribute(value: str, name: str) -> str:
    """Read a parameter of Content-Type, wherever it stands (mailinfo.c, slurp_attr)."""
    parameter = re.search(rf'{name}=(?:"([^"]*)|([^; \t]*))', value, re.IGNORECASE)
    return "" if parameter is None else parameter[1] or parameter[2] or ""
