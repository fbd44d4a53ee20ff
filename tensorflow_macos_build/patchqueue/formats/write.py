r"""Writing a patch file: the one form that the queue's files have.

A mailbox patch that plain `git am` takes, with nothing in it that changes when the patch does not:
the zero commit, no `[PATCH n/m]`, no statistics, no git version, no `index` lines but those that a
binary change needs. Where git would misread the text on its way back (a line end of CRLF, a
message line that looks like a mailbox's `From ` line), the body is quoted-printable, in which only
the bytes concerned are quoted.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import mailbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.patchqueue.formats.diff import FileChange
    from tensorflow_macos_build.patchqueue.formats.patch import Header, Identity, Moment

ZERO_COMMIT = b"0" * 40

_SEPARATOR = b"From " + ZERO_COMMIT + b" Mon Sep 17 00:00:00 2001\n"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LAST_MAIL_YEAR = 2099
"""git's date.c reads years of mail dates up to this one."""

_WIDTH = 76
_BREAK = re.compile(r"^(?=diff -|Index: |--- [^\s]|---[ \t]*$)", re.MULTILINE)
_READ_AS_FIELD = re.compile(r"(?:(?:from|subject|date):|>From\s|\[PATCH\]\s)", re.IGNORECASE)
_FROM_LINE = re.compile(rb"^" + mailbox.FROM_LINE.pattern + rb"$", re.MULTILINE)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


def emit(header: Header, changes: Iterable[FileChange]) -> bytes:
    """Write a patch as the bytes of its file.

    Args:
        header: its author, date and message.
        changes: its file changes; `index` lines of text changes are left out.
    """
    body = _message_body(header) + b"---\n\n" + _diff(changes)
    encoding = _encoding(body, header)
    if encoding == b"quoted-printable":
        body = _quoted_printable(body)
    return _SEPARATOR + _fields(header, encoding) + b"\n" + body


def emit_quilt(header: Header, changes: Iterable[FileChange]) -> bytes:
    """Write a patch as quilt has it: DEP-3 fields that mail has too, the message, the bare diff."""
    encoding = b"" if header.message.isascii() else b"8bit"
    return _fields(header, encoding) + b"\n" + _message_body(header) + b"---\n\n" + _diff(changes)


def shielded(body: str) -> str:
    """Indent by one space the lines of a message at which git would end the message.

    Mail has no way to quote `---`, `diff -…` or `Index: …` at a line's start; `git am` would drop
    the rest of the message. Applied at import, so that storing a patch never changes it.
    """
    return _BREAK.sub(" ", body)


def _diff(changes: Iterable[FileChange]) -> bytes:
    return b"".join(change.without_index().emit() for change in changes)


def _fields(header: Header, encoding: bytes) -> bytes:
    fields = [
        _field("From", _identity(header.author)),
        _field("Date", _date(header.date)),
        _field("Subject", _encoded(header.subject)),
    ]
    if encoding:
        fields.append(
            b"MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
            b"Content-Transfer-Encoding: " + encoding + b"\n"
        )
    return b"".join(fields)


def _message_body(header: Header) -> bytes:
    body = header.body
    if not body:
        return b""
    if _READ_AS_FIELD.match(body):
        # a field of our own ends the fields that git looks for at a body's start
        body = f"From: {_identity(header.author)}\n\n{body}"
    return body.encode("utf-8", "surrogateescape") + b"\n"


def _encoding(body: bytes, header: Header) -> bytes:
    if b"\r\n" in body or _FROM_LINE.search(body):
        return b"quoted-printable"
    return b"" if header.message.isascii() else b"8bit"


def _quoted_printable(body: bytes) -> bytes:
    body = body.replace(b"=", b"=3D").replace(b"\r\n", b"=0D\n")
    return _FROM_LINE.sub(lambda found: b"=46" + found[0][1:], body)


def _field(name: str, value: str) -> bytes:
    """Write a field, folded at blanks so that lines keep to mail's width where they can."""
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > _WIDTH and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\n".join([*lines, line]).encode("utf-8", "surrogateescape") + b"\n"


def _identity(person: Identity) -> str:
    if not person.name.isascii():
        return f"{_encoded(person.name)} <{person.email}>"
    if _PLAIN_NAME.fullmatch(person.name):
        return f"{person.name} <{person.email}>"
    quoted = re.sub(r'(["\\])', r"\\\1", person.name)
    return f'"{quoted}" <{person.email}>'


def _encoded(text: str) -> str:
    """Give text as a field may hold it: as it is, or as RFC 2047 words of whole characters."""
    if text.isascii() and "=?" not in text and text.isprintable():
        return text
    words, word = [], ""
    for character in text:
        piece = _q_encoded(character)
        if len(word) + len(piece) > _WIDTH - len("Subject: =?UTF-8?q??="):
            words.append(word)
            word = ""
        word += piece
    return " ".join(f"=?UTF-8?q?{word}?=" for word in [*words, word])


def _q_encoded(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    if character == " ":
        return "_"
    return "".join(f"={byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def _date(moment: Moment) -> str:
    hours, minutes = int(moment.zone[1:3]), int(moment.zone[3:5])
    offset = (hours * 60 + minutes) * (-60 if moment.zone[0] == "-" else 60)
    local = time.gmtime(moment.seconds + offset)
    if local.tm_year > _LAST_MAIL_YEAR or moment.seconds + offset < 0:
        return f"@{moment.seconds} {moment.zone}"
    return (
        f"{_DAYS[local.tm_wday]}, {local.tm_mday} {_MONTHS[local.tm_mon - 1]} {local.tm_year:04} "
        f"{local.tm_hour:02}:{local.tm_min:02}:{local.tm_sec:02} {moment.zone}"
    )
