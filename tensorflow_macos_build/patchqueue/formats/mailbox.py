r"""Mailboxes and mails: where one patch ends, and what a mail's header and body say.

A mailbox file is split at its `From ` lines. `git mailsplit` takes every line that looks like one;
here such a line must also be followed by a header field, so a commit message that quotes a mailbox
does not fall apart. A mail's header is read as `git mailinfo` does it: it ends at the first line
that is no field, which then begins the body, and of a field that comes twice the last one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from tensorflow_macos_build.patchqueue.formats import mail_body, text_encoding
from tensorflow_macos_build.patchqueue.formats.refused import Malformed

# mailsplit.c, is_from_line: `From `, anything, a time of day, a year after 90
FROM_LINE = re.compile(rb"From (?=.{15})[^\n]*[0-9][^\n][0-9]{2}:[0-9]{2}[ \t]*([0-9]+)[^:\n]*")
_SEPARATOR = re.compile(rb"^" + FROM_LINE.pattern + rb"\r?\n(?=>?[!-9;-~]+:)", re.MULTILINE)
# mailinfo.c, is_rfc2822_header; a `From ` line within the header counts as a field without a name
_FIELD = re.compile(rb"(?:([!-9;-~]*):|>?From )([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)")
_FOLD = re.compile(rb"[ \t\r]*\n[ \t]")
_BLANK = re.compile(rb"[ \t\r]*\n")
_BLANKS = b" \t\r\n"

_LAST_YEAR_NOT_TAKEN = 90
"""mailsplit.c, is_from_line: a larger number behind the time of day is a year, of any century."""

MAX_HEADER = 1 << 16
"""Bytes of the longest header that a mail may have."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, whole and decoded.

    Attributes:
        raw: its bytes, from the `From ` line on.
        fields: header fields in order: the name in lower case, and the value with RFC 2047 words
            decoded and line folds taken out.
        text: the body, decoded: the commit's message in UTF-8, then the diff's bytes.
        body_line: the number of the body's first line in `raw`, from 1.
        decoded: whether `text` differs from the raw body, so that line numbers may differ too.
    """

    raw: bytes
    fields: tuple[tuple[str, str], ...]
    text: bytes
    body_line: int
    decoded: bool

    def get(self, name: str) -> str | None:
        """Return the last field called `name` (lower case); None without one."""
        return next((value for key, value in reversed(self.fields) if key == name), None)


def split(content: bytes) -> list[bytes]:
    """Split a mailbox into its mails; their concatenation is `content`.

    What stands before the first `From ` line belongs to the first mail.
    """
    lines = _SEPARATOR.finditer(content)
    starts = [line.start() for line in lines if int(line[1][:9]) > _LAST_YEAR_NOT_TAKEN]
    bounds = [0, *starts[1:], len(content)]
    return [content[start:end] for start, end in pairwise(bounds)]


def has_from_line(mail: bytes) -> bool:
    """Whether a mail begins, but for blank lines, with a `From ` line at which `split` cuts."""
    line = _SEPARATOR.match(mail.lstrip(_BLANKS))
    return line is not None and int(line[1][:9]) > _LAST_YEAR_NOT_TAKEN


def is_mail(content: bytes) -> bool:
    """Whether a patch file begins with a mail's header: a `From ` line or a `From:` field."""
    if _SEPARATOR.match(content):
        return True
    position = 0
    names: set[bytes] = set()
    while position < MAX_HEADER and (field := _FIELD.match(content, position)) is not None:
        names.add((field[1] or b"").lower())
        position = field.end()
    # a `From` alone is DEP-3's author: that header is no mail's
    return b"from" in names and (b"subject" in names or b"date" in names)


def parse(raw: bytes) -> Mail:
    """Read one mail.

    Raises:
        Malformed: the header is too long or holds what cannot be decoded, or the body's type,
            encoding or character set is not taken.
    """
    start = len(raw) - len(raw.lstrip(_BLANKS))
    separator = _SEPARATOR.match(raw, start)
    start = start if separator is None else separator.end()
    fields, end = _fields(raw, start)
    first_field = raw[start : raw.find(b"\n", start) + 1]
    body = raw[end:]
    # a header with CRLF shows that all line ends were translated on the way; without, a CRLF
    # below belongs to the patched file
    plain = body.replace(b"\r\n", b"\n") if first_field.endswith(b"\r\n") else body
    text = mail_body.decode(dict(fields), plain, _fields_of_part)
    decoded = tuple((name, text_encoding.decode_words(value)) for name, value in fields)
    return Mail(raw, decoded, text, raw.count(b"\n", 0, end) + 1, text is not plain)


def _fields(raw: bytes, start: int) -> tuple[list[tuple[str, bytes]], int]:
    """Read the header that begins at `start`; return its fields and where the body begins."""
    fields: list[tuple[str, bytes]] = []
    position = start
    while (field := _FIELD.match(raw, position)) is not None:
        if field[1] is not None:
            # RFC 5322, 2.2.3: a fold's line end and the blank after it stand for one blank
            value = _FOLD.sub(b" ", field[2]).strip(b" \t\r\n")
            fields.append((field[1].decode("ascii").lower(), value))
        position = field.end()
        if position - start > MAX_HEADER:
            raise Malformed(f"the mail's header has more than {MAX_HEADER} bytes")
    blank = _BLANK.match(raw, position)
    return fields, position if blank is None else blank.end()


def _fields_of_part(part: bytes) -> tuple[dict[str, bytes], int]:
    fields, end = _fields(part, 0)
    return dict(fields), end
