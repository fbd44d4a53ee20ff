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
from calendar import timegm
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import mailbox, people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.patchqueue.formats.diff import FileChange
    from tensorflow_macos_build.patchqueue.formats.patch import Header
    from tensorflow_macos_build.patchqueue.formats.people import Identity, Moment

ZERO_COMMIT = b"0" * 40

# git format-patch, too, writes this one date into every such line (git-format-patch(1))
_SEPARATOR = b"From " + ZERO_COMMIT + b" Mon Sep 17 00:00:00 2001\n"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_END_OF_MAIL_DATES = timegm((people.MAX_MAIL_YEAR + 1, 1, 1, 0, 0, 0))

_WIDTH = 76
"""Columns of a header's line: RFC 2047, 2, allows no more to one with encoded words."""

_BREAK = re.compile(r"^(?=diff -|Index: |--- [^\s]|---[ \t]*$)", re.MULTILINE)
_READ_AS_FIELD = re.compile(r"(?:(?:from|subject|date):|>From\s|\[PATCH\](?:\s|\Z))", re.IGNORECASE)
_FROM_LINE = re.compile(rb"^" + mailbox.FROM_LINE.pattern + rb"$", re.MULTILINE)
_TAKEN_OFF = re.compile(r"re:|:|\[[^\]]*\]", re.IGNORECASE)
_MEANT = r'["\\()]'
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


def emit_mailbox(patches: Iterable[bytes]) -> bytes:
    """Write the contents of patch files as one mailbox, in which each is a mail of its own."""
    return b"".join(map(_member, patches))


def _member(patch: bytes) -> bytes:
    # `git am` takes one mail without a `From ` line, or without an end of its last line; among
    # others it would be the end of the mail before it, or swallow the next
    begun = patch if mailbox.has_from_line(patch) else _SEPARATOR + patch.lstrip()
    return begun if begun.endswith(b"\n") else begun + b"\n"


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
        _field("Subject", _subject(header.subject)),
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
    # only what must be: the diff stays readable. A CR before a line end would be lost on the way
    body = body.replace(b"=", b"=3D").replace(b"\r\n", b"=0D\n")
    # `=46` is an F: no reader takes the line for the next mail's. mboxrd would put a `>` before it,
    # which `git am` takes off only where it is told so (--patch-format=mboxrd)
    return _FROM_LINE.sub(lambda line: b"=46" + line[0][1:], body)


def _field(name: str, value: str) -> bytes:
    """Write a field, folded at blanks so that lines keep to mail's width where they can."""
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > _WIDTH and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\n".join([*lines, line]).encode("utf-8", "surrogateescape") + b"\n"


def _subject(text: str) -> str:
    r"""Write a subject so that plain `git am` keeps its tags.

    mailinfo.c (cleanup_subject) takes `Re:` and every `[tag]` off a subject's start, but not from
    behind a line end, which it takes off afterwards. So an encoded line end comes first:
    `[XLA] Fix it` becomes `=?UTF-8?q?=0A=5BXLA=5D?= Fix it`.
    """
    if _TAKEN_OFF.match(text) is None:
        return _encoded(text)
    first, blank, rest = text.partition(" ")
    if _encoded(rest) != rest:
        return _encoded(f"\n{text}")
    return _encoded(f"\n{first}") + blank + rest


def _identity(person: Identity) -> str:
    name, email = person.name, _encoded(person.email)
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    if _encoded(name) != name:
        # mailinfo.c takes quotes and comments for such after it has decoded the words, too
        return f"{_encoded(quoted if re.search(_MEANT, name) else name)} <{email}>"
    return f"{name if _PLAIN_NAME.fullmatch(name) else quoted} <{email}>"


def _encoded(text: str) -> str:
    """Return text as a field may hold it: as it is, or as RFC 2047 words of whole characters."""
    if text.isascii() and "=?" not in text and text.isprintable():
        return text
    words, word = [], ""
    # by characters: RFC 2047, 5 (3), wants each word to hold whole ones
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
    local = moment.seconds + people.offset_of(moment.zone)
    # git reads its raw form everywhere that it reads dates (date.c, match_object_header_date)
    if not 0 <= local < _END_OF_MAIL_DATES:
        return f"@{moment.seconds} {moment.zone}"
    # strftime would name days and months in the machine's language
    clock = time.gmtime(local)
    return (
        f"{_DAYS[clock.tm_wday]}, {clock.tm_mday} {_MONTHS[clock.tm_mon - 1]} {clock.tm_year:04} "
        f"{clock.tm_hour:02}:{clock.tm_min:02}:{clock.tm_sec:02} {moment.zone}"
    )
