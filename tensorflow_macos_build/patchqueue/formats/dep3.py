"""Patch files that are no mails: DEP-3 headers, free comments, or nothing before the diff.

DEP-3 is Debian's proposal for tagging patches: fields like those of a mail, then free text, until
`---` or the diff begins. The fields stay with the patch as trailers of its message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import diff_parse, text_encoding, trailers
from tensorflow_macos_build.patchqueue.formats.message import clean_message, clean_subject
from tensorflow_macos_build.patchqueue.formats.patch import MAX_MESSAGE, Header, Patch
from tensorflow_macos_build.patchqueue.formats.people import (
    NO_ADDRESS,
    Identity,
    Moment,
    parse_day,
    parse_identity,
)
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.formats.trailers import Trailer
from tensorflow_macos_build.patchqueue.formats.write import shielded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.formats.diff import Diff

# where a header ends: DEP-3's `---`, or what begins a diff; prose may have `diff` and `===` too
_END = re.compile(
    rb"^(?:---[ \t]*\r?$|diff -|Index: |--- [^\s][^\n]*\n\+\+\+ |@@ -[0-9]"
    rb"|={3,}\r?\n--- |Only in [^\n]*: )",
    re.MULTILINE,
)
_FIELD = re.compile(r"([A-Z][A-Za-z0-9-]*):[ \t]*(.*)")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_KNOWN = {
    "acked-by", "applied-upstream", "author", "bug", "bug-debian", "bug-ubuntu", "description",
    "drop-when", "forwarded", "from", "last-update", "origin", "owner", "reason", "reviewed-by",
    "subject", "upstream",
}  # fmt: skip
# what a mail's header says in its own way, and what shows that a mail was sent
_OF_MAIL = {"", "cc", "date", "from", "mime-version", "reply-to", "sender", "subject"}
_SENT = {"in-reply-to", "message-id", "received", "references", "return-path", "to", "x-mailer"}
_UPSTREAM = re.compile(r"(?:upstream|backport)[,:]?\s*(.*)", re.IGNORECASE)

NOBODY = Identity("Unknown author", NO_ADDRESS)
"""Who wrote a patch that names nobody."""


@dataclass(frozen=True, slots=True)
class PlainPatch:
    """A patch file that is no mail.

    Attributes:
        content: the file's bytes.
        lead: those before the diff.
        fields: DEP-3's fields in order, values with folds joined by line ends.
        text: what else stands before the diff.
        diff: the diff.
        strip: path components that were taken off its names.
    """

    content: bytes
    lead: bytes
    fields: tuple[tuple[str, str], ...]
    text: str
    diff: Diff
    strip: int

    def emit(self) -> bytes:
        """Return the bytes that the file was read from."""
        return self.lead + self.diff.emit()

    def get(self, *names: str) -> str | None:
        """Return the first field called one of `names` (lower case); None without one."""
        return next((value for key, value in self.fields if key.lower() in names), None)


def parse(content: bytes, where: str, *, strip: int = 1) -> PlainPatch:
    """Read a patch file that is no mail.

    Args:
        content: the file's bytes.
        where: the file's name, for errors.
        strip: path components to take off the names (patch's -p).

    Raises:
        Refused: the diff is damaged, hostile or of a kind not taken.
    """
    end = _END.search(content)
    cut = len(content) if end is None else end.start()
    if cut > MAX_MESSAGE:
        raise Refused(f"its text has {cut} bytes; {MAX_MESSAGE} are taken", patch=where)
    lead, line = content[:cut], content.count(b"\n", 0, cut) + 1
    try:
        diff = diff_parse.parse(content[cut:], strip=strip, first_line=line)
    except Malformed as error:
        raise Refused(error.what, patch=where, line=error.line) from None
    fields, text = _fields(text_encoding.to_text(lead).replace("\r\n", "\n"))
    return PlainPatch(content, lead, fields, text, diff, strip)


def as_patch(plain: PlainPatch, name: str, author: Identity, date: Moment) -> Patch:
    """Return a plain patch as one with a message.

    Args:
        plain: the patch.
        name: what its subject is called after when it says nothing itself: its file's name.
        author: who wrote it when it does not say.
        date: when, likewise.

    Its `Subject` or the first line of its description becomes the subject. An origin upstream
    becomes the trailer `Upstream:`; other fields become trailers as they are.
    """
    # DEP-3 takes `Subject` for `Description`; where both are, the first names the change
    subject = clean_subject(_text(plain.get("subject") or ""))
    title, _, rest = (plain.get("description") or "").partition("\n")
    if subject:
        title, rest = subject, "\n".join(filter(None, (title, rest)))
    text = plain.text if title or not plain.text else plain.text.partition("\n")[2]
    title = title or plain.text.partition("\n")[0] or name
    paragraphs = [title, *filter(None, (_unfolded(rest), text))]
    named = plain.get("author") or plain.get("from")
    author_key = "author" if plain.get("author") else "from"
    message = trailers.added("\n\n".join(paragraphs), _trailers(_rest(plain.fields, author_key)))
    title, body = clean_message(message)
    identity = author if named is None else _person(named)
    header = Header(identity, _date(plain.fields, date), title, shielded(body))
    line = plain.lead.count(b"\n") + 1
    return Patch(header, plain.content, len(plain.lead), line, plain.strip)


def _rest(fields: Sequence[tuple[str, str]], author: str) -> list[tuple[str, str]]:
    """Return the fields that the subject, the text, the author and the date do not say already."""
    names = [key.lower() for key, _ in fields]
    in_header = {"subject", "description", "date" if "date" in names else "last-update"}
    first = names.index(author) if author in names else -1
    return [
        field
        for number, field in enumerate(fields)
        if number != first and names[number] not in in_header
    ]


def with_fields(patch: Patch, fields: Sequence[tuple[str, str]]) -> Patch:
    """Return a mail's patch with the DEP-3 fields of the mail's header in its message.

    Args:
        patch: the patch.
        fields: the mail's header, names in lower case.
    """
    named = [
        ("-".join(word.capitalize() for word in key.split("-")), value)
        for key, value in _beside_mail(fields)
    ]
    description = "\n\n".join(value for key, value in named if key == "Description")
    header = patch.header
    paragraphs = filter(None, (header.subject, description, header.body))
    kept = _trailers([field for field in named if field[0] != "Description"])
    title, body = clean_message(trailers.added("\n\n".join(paragraphs), kept))
    return replace(patch, header=replace(header, subject=title, body=shielded(body)))


def _beside_mail(fields: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Return a header's fields that are not mail's: all others where nobody has sent it."""
    names = {key for key, _ in fields}
    mails_own = _OF_MAIL if "date" in names else {*_OF_MAIL, "last-update"}
    for key, value in fields:
        known = key in _KNOWN or key.startswith("bug-") or not names & _SENT
        if known and key not in mails_own and not key.startswith(("content-", "list-")):
            yield key, value


def date_of(fields: Sequence[tuple[str, str]], default: Moment) -> Moment:
    """Return the date that a header without `Date` states by `Last-Update`, or the default."""
    return _date([field for field in fields if field[0].lower() == "last-update"], default)


def _fields(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """Read fields from the top; what is not one, from there on, is free text."""
    # the lines of a dpatch header begin so (dpatch(7)): it is a shell script's comment
    lines = [line.removeprefix("## ") for line in text.strip("\n").split("\n")]
    fields: list[tuple[str, str]] = []
    position = 0
    for position, line in enumerate(lines):  # noqa: B007 (the place where the fields end is used)
        if fields and line[:1] in (" ", "\t"):
            fields[-1] = (fields[-1][0], f"{fields[-1][1]}\n{line[1:]}")
            continue
        field = _FIELD.fullmatch(line)
        # the first one must be known: prose may begin with a word and a colon
        known = field is not None and (fields or field[1].lower() in _KNOWN)
        if field is None or not known:
            break
        fields.append((field[1], field[2]))
    else:
        position = len(lines)
    free = [line.lstrip("#").strip() if line.startswith("#") else line for line in lines[position:]]
    return tuple(fields), "\n".join(free).strip("\n")


def _unfolded(text: str) -> str:
    # a lone dot is a blank line within a field, as in debian/control (Debian Policy, 5.6.13)
    return "\n".join("" if line.strip() == "." else line for line in text.split("\n")).strip("\n")


def _trailers(fields: Sequence[tuple[str, str]]) -> list[Trailer]:
    made: list[Trailer] = []
    for key, value in fields:
        joined = " ".join(value.split())
        # DEP-3, Origin: `upstream, URL or commit` and `backport, …`; a vendor's own is no upstream
        upstream = _UPSTREAM.fullmatch(joined) if key.lower() == "origin" else None
        if upstream is not None and upstream[1]:
            made.append(Trailer("Upstream", upstream[1]))
        else:
            made.append(Trailer(key, joined))
    return made


def _person(text: str) -> Identity:
    """Read an author; DEP-3 asks for a name, and an address is often missing."""
    person = parse_identity(_text(text))
    return person if person.email else replace(NOBODY, name=person.name or NOBODY.name)


def _text(value: str) -> str:
    """Decode the encoded words of a field; one that is not whole stays as it is."""
    try:
        return text_encoding.decode_words(value.encode("utf-8", "surrogateescape"))
    except Malformed:
        return value


def _date(fields: Sequence[tuple[str, str]], default: Moment) -> Moment:
    # Last-Update is a day alone; a mail's Date, where there is one, says the time too
    values = {key.lower(): value for key, value in fields}
    day = _DAY.match(values.get("last-update", ""))
    stated = values.get("date") or ("" if day is None else day[0])
    try:
        return parse_day(stated) if stated else default
    except Malformed:
        return default
