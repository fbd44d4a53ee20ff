"""Patch files that are no mails: DEP-3 headers, free comments, or nothing before the diff.

DEP-3 is Debian's proposal for tagging patches: fields like those of a mail, then free text, until
`---` or the diff begins. The fields stay with the patch as trailers of its message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import diff_parse, mailbox
from tensorflow_macos_build.patchqueue.formats.patch import (
    Header,
    Identity,
    Moment,
    Patch,
    clean_message,
    parse_date,
    parse_identity,
)
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.formats.write import shielded

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.formats.diff import Diff

# where a header ends: DEP-3's `---`, or what begins a diff
_END = re.compile(
    rb"^(?:---[ \t]*\r?$|diff |Index: |--- [^\s][^\n]*\n\+\+\+ |@@ -|===+$|Only in )", re.MULTILINE
)
_FIELD = re.compile(r"([A-Z][A-Za-z0-9-]*):[ \t]*(.*)")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_KNOWN = {
    "description",
    "subject",
    "origin",
    "bug",
    "forwarded",
    "author",
    "from",
    "reviewed-by",
    "acked-by",
    "last-update",
    "applied-upstream",
}
_UPSTREAM = re.compile(r"(?:upstream|backport)[,:]?\s*(.*)", re.IGNORECASE)

NOBODY = Identity("Unknown author", "unknown@invalid")
"""Who wrote a patch that names nobody."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A patch file that is no mail.

    Attributes:
        lead: the bytes before the diff.
        fields: DEP-3's fields in order, values with folds joined by line ends.
        text: what else stands before the diff.
        diff: the diff.
    """

    lead: bytes
    fields: tuple[tuple[str, str], ...]
    text: str
    diff: Diff

    def emit(self) -> bytes:
        """Give the bytes that the file was read from."""
        return self.lead + self.diff.emit()

    def get(self, *names: str) -> str | None:
        """Give the first field called one of `names` (lower case); None without one."""
        return next((value for key, value in self.fields if key.lower() in names), None)


def parse(content: bytes, where: str, *, strip: int = 1) -> Plain:
    """Read a patch file that is no mail.

    Args:
        content: the file's bytes.
        where: the file's name, for errors.
        strip: path components to take off the names (patch's -p).

    Raises:
        Refused: the diff is damaged, hostile or of a kind not taken.
    """
    found = _END.search(content)
    cut = len(content) if found is None else found.start()
    lead, line = content[:cut], content.count(b"\n", 0, cut) + 1
    try:
        diff = diff_parse.parse(content[cut:], strip=strip, first_line=line)
    except Malformed as error:
        raise Refused(error.what, patch=where, line=error.line) from None
    fields, text = _fields(mailbox.to_text(lead, "").replace("\r\n", "\n"))
    return Plain(lead, fields, text, diff)


def as_patch(plain: Plain, name: str, author: Identity, date: Moment) -> Patch:
    """Give a plain patch as one with a message.

    Args:
        plain: the patch.
        name: what its subject is called after when it says nothing itself: its file's name.
        author: who wrote it when it does not say.
        date: when, likewise.

    The first line of the description becomes the subject. An origin upstream becomes the trailer
    `Upstream:`; other fields become trailers as they are.
    """
    description = plain.get("description", "subject") or ""
    title, _, rest = description.partition("\n")
    text = plain.text if title or not plain.text else plain.text.partition("\n")[2]
    title = title or plain.text.partition("\n")[0] or name
    paragraphs = (_unfolded(rest), text, "\n".join(_trailers(plain)))
    subject, body = clean_message("\n\n".join([title, *filter(None, paragraphs)]))
    named = plain.get("author", "from")
    identity = parse_identity(named) if named else author
    return Patch(Header(identity, _date(plain, date), subject, shielded(body)), plain.diff.changes)


def _fields(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """Read fields from the top; what is not one, from there on, is free text."""
    lines = [line.removeprefix("## ") for line in text.strip("\n").split("\n")]
    fields: list[tuple[str, str]] = []
    position = 0
    for position, line in enumerate(lines):  # noqa: B007 (the place where the fields end is used)
        if fields and line[:1] in (" ", "\t"):
            fields[-1] = (fields[-1][0], f"{fields[-1][1]}\n{line[1:]}")
            continue
        found = _FIELD.fullmatch(line)
        known = found is not None and (fields or found[1].lower() in _known_names())
        if found is None or not known:
            break
        fields.append((found[1], found[2]))
    else:
        position = len(lines)
    free = [line.lstrip("#").strip() if line.startswith("#") else line for line in lines[position:]]
    return tuple(fields), "\n".join(free).strip("\n")


def _known_names() -> set[str]:
    return _KNOWN | {"bug-debian", "bug-ubuntu", "reason", "upstream", "drop-when", "owner"}


def _unfolded(text: str) -> str:
    return "\n".join("" if line.strip() == "." else line for line in text.split("\n")).strip("\n")


def _trailers(plain: Plain) -> list[str]:
    shown = []
    for key, value in plain.fields:
        if key.lower() in {"description", "subject", "author", "from", "date", "last-update"}:
            continue
        joined = " ".join(value.split())
        upstream = _UPSTREAM.fullmatch(joined) if key.lower() == "origin" else None
        if upstream is not None and upstream[1]:
            shown.append(f"Upstream: {upstream[1]}")
        else:
            shown.append(f"{key}: {joined}")
    return shown


def _date(plain: Plain, default: Moment) -> Moment:
    stated = plain.get("date")
    day = _DAY.match(plain.get("last-update") or "")
    try:
        if stated:
            return parse_date(stated)
        if day is not None:
            year, month, date = (int(part) for part in day.groups())
            return parse_date(f"{date} {_MONTHS[month - 1]} {year} 12:00:00 +0000")
    except (Malformed, IndexError):
        pass
    return default


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
