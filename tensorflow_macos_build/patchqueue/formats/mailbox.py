r"""Mailboxes and mails: where one patch ends, and what a mail's header and body say.

A mailbox file is split at its `From ` lines. `git mailsplit` takes every line that looks like one;
here such a line must also be followed by a header field, so a commit message that quotes a mailbox
does not fall apart. A mail is decoded as `git mailinfo` does it: RFC 2047 words in the header,
quoted-printable and base64 bodies, one level of text parts.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from itertools import pairwise

from tensorflow_macos_build.patchqueue.formats.refused import Malformed

# mailsplit.c, is_from_line: `From `, anything, a time of day, a year after 90
FROM_LINE = re.compile(rb"From (?=.{15})[^\n]*[0-9][^\n][0-9]{2}:[0-9]{2}[ \t]*([0-9]+)[^:\n]*")
_SEPARATOR = re.compile(rb"^" + FROM_LINE.pattern + rb"\r?\n(?=>?[!-9;-~]+:)", re.MULTILINE)
_FIELD = re.compile(rb"([!-9;-~]+):[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)")
_WORD = re.compile(rb"=\?([!-<>@-~]+)\?([bBqQ])\?([!->@-~]*)\?=")
_BETWEEN_WORDS = re.compile(rb"(\?=)[ \t\r\n]+(=\?)")
_PARAMETER = re.compile(r';\s*([!-:<>-~]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))')

MAX_HEADER = 1 << 16
"""Bytes of the longest header that a mail may have."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, whole and decoded.

    Attributes:
        raw: its bytes, from the `From ` line on.
        fields: header fields in order: the name in lower case, and the value with RFC 2047 words
            decoded and line folds taken out.
        text: the body, decoded to the bytes that the patch has; the commit's message first.
        charset: the character set of the message in `text`, lower case; "" when not stated.
        body_line: the number of the body's first line in `raw`, from 1.
        decoded: whether `text` differs from the raw body, so that line numbers may differ too.
    """

    raw: bytes
    fields: tuple[tuple[str, str], ...]
    text: bytes
    charset: str
    body_line: int
    decoded: bool

    def get(self, name: str) -> str | None:
        """Give the first field called `name` (lower case); None without one."""
        return next((value for key, value in self.fields if key == name), None)


def split(content: bytes) -> list[bytes]:
    """Split a mailbox into its mails; their concatenation is `content`.

    What stands before the first `From ` line belongs to the first mail.
    """
    starts = [found.start() for found in _SEPARATOR.finditer(content) if int(found[1][:9]) > 90]
    bounds = [0, *starts[1:], len(content)]
    return [content[start:end] for start, end in pairwise(bounds)]


def is_mail(content: bytes) -> bool:
    """Tell whether a patch file begins with a mail's header: a `From ` line or a `From:` field."""
    if _SEPARATOR.match(content):
        return True
    position = 0
    names: set[bytes] = set()
    while position < MAX_HEADER and (found := _FIELD.match(content, position)) is not None:
        names.add(found[1].lower())
        position = found.end()
    return b"from" in names and (b"subject" in names or b"date" in names)


def parse(raw: bytes) -> Mail:
    """Read one mail.

    Raises:
        Malformed: the header has no end or is too long, or the body's type or encoding is not
            taken.
    """
    separator = _SEPARATOR.match(raw)
    start = 0 if separator is None else separator.end()
    fields, end = _fields(raw, start)
    first_field = raw[start : raw.find(b"\n", start) + 1]
    body = raw[end:]
    # a header with CRLF shows that all line ends were translated on the way; without, a CRLF
    # below belongs to the patched file
    plain = body.replace(b"\r\n", b"\n") if first_field.endswith(b"\r\n") else body
    text, charset = _decoded_body(fields, plain, depth=0)
    decoded = tuple((name, decode_words(value)) for name, value in fields)
    return Mail(raw, decoded, text, charset, raw.count(b"\n", 0, end) + 1, text is not plain)


def decode_words(value: bytes) -> str:
    """Give a header field's value as text: RFC 2047 words decoded, bare bytes as UTF-8 or Latin-1.

    >>> decode_words(b"=?UTF-8?q?=C3=A9t=C3=A9?= =?UTF-8?q?_x?=")
    'été x'
    """
    value = _BETWEEN_WORDS.sub(rb"\1\2", value)
    pieces: list[str] = []
    position = 0
    for found in _WORD.finditer(value):
        pieces += (to_text(value[position : found.start()], ""), _decoded_word(found))
        position = found.end()
    return "".join([*pieces, to_text(value[position:], "")])


def to_text(content: bytes, charset: str) -> str:
    """Decode a message: by its stated character set, else UTF-8, else Latin-1 (as git guesses)."""
    for name in (charset, "utf-8"):
        try:
            return content.decode(name) if name else content.decode("utf-8")
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("latin-1")


def _decoded_word(found: re.Match[bytes]) -> str:
    charset = found[1].partition(b"*")[0].decode("ascii")
    if found[2] in b"qQ":
        return to_text(_unquoted(found[3].replace(b"_", b" ")), charset)
    try:
        return to_text(base64.b64decode(found[3] + b"=="), charset)
    except binascii.Error:
        return found[0].decode("ascii")


def _fields(raw: bytes, start: int) -> tuple[list[tuple[str, bytes]], int]:
    """Read the header that begins at `start`; give its fields and where the body begins."""
    fields: list[tuple[str, bytes]] = []
    position = start
    while (found := _FIELD.match(raw, position)) is not None:
        value = re.sub(rb"\r?\n[ \t]", b" ", found[2]).strip()
        fields.append((found[1].decode("ascii").lower(), value))
        position = found.end()
        if position - start > MAX_HEADER:
            raise Malformed(f"the mail's header has more than {MAX_HEADER} bytes")
    if raw.startswith(b"\r\n", position):
        return fields, position + 2
    if raw.startswith(b"\n", position):
        return fields, position + 1
    if position == len(raw):
        return fields, position
    raise Malformed("the mail's header has a line that is no field", raw.count(b"\n", 0, position))


def _decoded_body(fields: list[tuple[str, bytes]], body: bytes, *, depth: int) -> tuple[bytes, str]:
    """Undo the transfer encoding and join text parts; give the text and its character set."""
    content_type = next((value for name, value in fields if name == "content-type"), b"")
    kind, parameters = _parameters(decode_words(content_type))
    if kind.startswith("multipart/"):
        return _joined_parts(kind, parameters.get("boundary", ""), body, depth)
    if kind and not kind.startswith("text/"):
        raise Malformed(f"a mail part of type {kind} is not taken; only text is")
    encoding = next((value for name, value in fields if name == "content-transfer-encoding"), b"")
    charset = parameters.get("charset", "").lower()
    match encoding.strip().lower():
        case b"" | b"7bit" | b"8bit" | b"binary":
            return body, charset
        case b"quoted-printable":
            return _unquoted(body), charset
        case b"base64":
            try:
                return base64.b64decode(body), charset
            except binascii.Error as error:
                raise Malformed(f"the mail's base64 body is damaged: {error}") from None
        case other:
            shown = other.decode("ascii", "replace")
            raise Malformed(f"the mail's transfer encoding `{shown}` is not known")


def _joined_parts(kind: str, boundary: str, body: bytes, depth: int) -> tuple[bytes, str]:
    if kind != "multipart/mixed" or depth or not boundary:
        raise Malformed(f"a mail of nested parts or of type {kind} is not taken; attach one patch")
    pieces = re.split(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(?=--|\r?\n)", body)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise Malformed("the mail's parts do not end")
    texts: list[bytes] = []
    charset = ""
    for piece in pieces[1:-1]:
        part = piece.lstrip(b"\r").removeprefix(b"\n")
        fields, end = _fields(part, 0)
        text, found = _decoded_body(fields, part[end:], depth=depth + 1)
        charset = charset or found
        texts.append(text if text.endswith(b"\n") else text + b"\n")
    return b"".join(texts), charset


def _parameters(value: str) -> tuple[str, dict[str, str]]:
    kind = value.partition(";")[0].strip().lower()
    found = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PARAMETER.findall(value)
    }
    return kind, found


def _unquoted(content: bytes) -> bytes:
    """Undo quoted-printable as git does it: what is no escape stays as it is."""
    content = re.sub(rb"=\r?\n", b"", content)
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()), content)
