"""One patch: who wrote it, what its message says, what it changes."""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass
from email.utils import parsedate_tz
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import diff_parse, mailbox, trailers
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.formats.diff import FileChange
    from tensorflow_macos_build.patchqueue.formats.mailbox import Mail
    from tensorflow_macos_build.patchqueue.formats.trailers import Trailer

MAX_SIZE = 512 << 20
"""Bytes of the largest patch file taken."""

MAX_MESSAGE = 1 << 20
"""Bytes of the longest commit message taken."""

_RAW_DATE = re.compile(r"@([0-9]{1,18}) ([+-][0-9]{4})")
# mailinfo.c, patchbreak: what ends a mail's commit message
_BREAK = re.compile(rb"^(?:diff -|Index: |--- [^\s]|---[ \t\v\f\r]*$)", re.MULTILINE)
_IN_BODY = re.compile(r"(From|Subject|Date):[ \t]*(.*)", re.IGNORECASE | re.DOTALL)
_ASCII_BLANKS = re.compile(r"[ \t\n\r\f\v]+")
_BLANKS = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as git names them; neither part holds `<`, `>` or a line end."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as git keeps it.

    Attributes:
        seconds: since 1970-01-01 UTC.
        zone: the writer's offset from UTC, `+hhmm` or `-hhmm`.
    """

    seconds: int
    zone: str


@dataclass(frozen=True, slots=True)
class Header:
    """A patch without its changes.

    Attributes:
        author: who wrote it.
        date: when.
        subject: the message's first paragraph, in one line.
        body: the rest, trailers included, without blank lines around it; "" when there is none.
    """

    author: Identity
    date: Moment
    subject: str
    body: str

    @property
    def message(self) -> str:
        """Give the whole message as a commit has it."""
        return f"{self.subject}\n\n{self.body}\n" if self.body else f"{self.subject}\n"

    @property
    def trailers(self) -> tuple[Trailer, ...]:
        """Give the message's trailers, in order."""
        return trailers.parse(self.message)

    def trailer(self, key: str) -> str | None:
        """Give the value of the last trailer called `key`; None without one."""
        return trailers.value(self.trailers, key)


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch: its header and what it does to each file, in order."""

    header: Header
    changes: tuple[FileChange, ...]


def parse(content: bytes, where: str, *, keep_subject: bool = True) -> Patch:
    """Read a file that holds one mailbox patch.

    Args:
        content: the file's bytes.
        where: the file's name, for errors.
        keep_subject: leave a bracketed word at the subject's start; False takes `[PATCH …]` and
            `Re:` off, as `git am --keep-non-patch` does.

    Raises:
        Refused: the patch is damaged, hostile or of a kind not taken.
    """
    if len(content) > MAX_SIZE:
        raise Refused(f"it has {len(content)} bytes; at most {MAX_SIZE} are taken", patch=where)
    try:
        mail = mailbox.parse(content)
    except Malformed as error:
        raise Refused(error.what, patch=where, line=(error.line or 0) + 1) from None
    shift = 0 if mail.decoded else mail.body_line - 1
    cut = split_text(mail.text)
    if cut > MAX_MESSAGE:
        raise Refused(f"its message has {cut} bytes; {MAX_MESSAGE} are taken", patch=where)
    message = mailbox.to_text(mail.text[:cut], mail.charset)
    first_line = shift + 1 + mail.text.count(b"\n", 0, cut)
    try:
        header = _header(mail, message, keep_subject=keep_subject)
        found_diff = diff_parse.parse(mail.text[cut:], first_line=first_line)
    except Malformed as error:
        raise Refused(error.what, patch=where, line=error.line) from None
    return Patch(header, found_diff.changes)


def split_text(text: bytes) -> int:
    """Give where in a mail's text the commit message ends and the rest, with the diff, begins."""
    found = _BREAK.search(text)
    return len(text) if found is None else found.start()


def clean_message(text: str) -> tuple[str, str]:
    r"""Split a commit's message into subject and body, blanks cleaned as `git stripspace` does.

    >>> clean_message("One\ntwo  \n\n\n\nbody\n\n")
    ('One two', 'body')
    """
    lines = [line.rstrip(" \t\v\f\r") for line in text.replace("\r\n", "\n").split("\n")]
    text = _BLANKS.sub("\n\n", "\n".join(lines).replace("\0", "")).strip("\n")
    title, _, body = text.partition("\n\n")
    return one_line(title), body.strip("\n")


def one_line(text: str) -> str:
    """Join the words of a subject by single blanks; other blanks than ASCII's are part of words."""
    return " ".join(word for word in _ASCII_BLANKS.split(text) if word)


def parse_identity(text: str) -> Identity:
    """Read `Name <address>`, `address (Name)` or a bare address.

    >>> parse_identity('"O. (x)" <a@b>')
    Identity(name='O. (x)', email='a@b')
    """
    text = text.strip()
    before, opened, rest = text.rpartition("<")
    if opened and ">" in rest:
        email, _, after = rest.partition(">")
        name = f"{before} {after}"
    elif text.endswith(")") and "(" in text:
        email, _, name = text[:-1].partition("(")
    else:
        name, email = "", text
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    email = re.sub(r"[<>\s\0]", "", email)
    return Identity(one_line(re.sub(r"[<>\0]", "", name)) or email, email)


def parse_date(text: str) -> Moment:
    """Read a mail's date (RFC 5322), or git's raw form `@seconds +hhmm`.

    Raises:
        Malformed: it is neither.
    """
    if (found := _RAW_DATE.fullmatch(text.strip())) is not None:
        return Moment(int(found[1]), found[2])
    try:
        parsed = parsedate_tz(text)
        seconds = None if parsed is None else timegm((*parsed[:6], 0, 1, 0))
    except (ValueError, OverflowError, IndexError):
        parsed = seconds = None
    if parsed is None or seconds is None:
        raise Malformed(f"the date `{text[:80]}` is not one that mail has")
    offset = parsed[9] or 0
    if seconds < offset or abs(offset) >= 100 * 3600:
        raise Malformed(f"the date `{text[:80]}` is before 1970 or in no time zone")
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset) // 60, 60)
    return Moment(seconds - offset, f"{sign}{hours:02}{minutes:02}")


def clean_subject(text: str) -> str:
    """Take `[PATCH …]` and `Re:` off a subject's start (mailinfo.c, cleanup_subject, with -b).

    >>> clean_subject("Re: [PATCH v2 3/7] [XLA] Fix it")
    '[XLA] Fix it'
    """
    kept = ""
    while True:
        text = text.lstrip(" \t:")
        if text[:3].lower() == "re:":
            text = text[3:]
        elif text.startswith("[") and "]" in text:
            word, _, text = text.partition("]")
            if "PATCH" not in word:
                kept += f"{word}] " if text[:1] in (" ", "\t") else f"{word}]"
        else:
            return (kept + text).strip()


def _header(mail: Mail, message: str, *, keep_subject: bool) -> Header:
    in_body, rest = _in_body_fields(message)
    author = in_body.get("from") or mail.get("from")
    date = in_body.get("date") or mail.get("date")
    subject = in_body.get("subject") or mail.get("subject") or ""
    if author is None or not (identity := parse_identity(author)).email:
        raise Malformed("the patch names no author: it needs a `From:` field", 1)
    if date is None:
        raise Malformed("the patch has no `Date:` field", 1)
    try:
        moment = parse_date(date)
    except Malformed as error:
        raise Malformed(error.what, 1) from None
    if not keep_subject:
        subject = clean_subject(subject)
    title, body = clean_message(f"{one_line(subject)}\n\n{rest}")
    return Header(identity, moment, title, body)


def _in_body_fields(message: str) -> tuple[dict[str, str], str]:
    """Read the header fields that a body may begin with (mailinfo.c, check_inbody_header)."""
    lines = message.lstrip("\n").split("\n")
    fields: dict[str, list[str]] = {}
    last = ""
    rest: list[str] = []
    for number, line in enumerate(lines):
        if last and line[:1] in (" ", "\t"):
            fields[last].append(line.strip())
            continue
        found = _IN_BODY.match(line)
        if found is None or found[1].lower() in fields:
            rest = lines[number:]
            break
        last = found[1].lower()
        fields[last] = [found[2].strip()]
    values = {name: " ".join(pieces).encode() for name, pieces in fields.items()}
    decoded = {name: mailbox.decode_words(value) for name, value in values.items()}
    return decoded, "\n".join(rest)
