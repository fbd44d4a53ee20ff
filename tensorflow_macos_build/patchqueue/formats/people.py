"""Who wrote a patch, and when: a mail's `From` and `Date`, as git reads them."""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass
from email.utils import parsedate_tz

from tensorflow_macos_build.patchqueue.formats.refused import Malformed

MAX_SECONDS = (1 << 63) - 1
"""The latest moment that git takes in a commit."""

MAX_MAIL_YEAR = 2099
"""git's date.c reads years of mail dates up to this one; later moments are written raw."""

NO_ADDRESS = "unknown@invalid"
"""The address of an author who states none: git makes no commit without one."""

_BLANKS = re.compile(r"[ \t\n\r]+")
_RAW_DATE = re.compile(r"@?([0-9]{1,19}) ([+-][0-9]{4})")
_ISO_DATE = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?"
    r" ?(Z|[+-][0-9]{2}:?[0-9]{2})?(?: \([^()]*\))?"
)
_COLON = re.compile(r"([+-][0-9]{2}):([0-9]{2})\b")
_ZONE = re.compile(r"([+-])([0-9]{2}):?([0-5][0-9])")
# names of zones that git knows (date.c, timezone_names) and Python's mail parser does not
_ZONES = {
    "WET": "+0000", "BST": "+0100", "CET": "+0100", "MET": "+0100", "MEWT": "+0100",
    "MEZ": "+0100", "FWT": "+0100", "CEST": "+0200", "MEST": "+0200", "MESZ": "+0200",
    "FST": "+0200", "EET": "+0200", "EEST": "+0300", "WAST": "+0700", "WADT": "+0800",
    "CCT": "+0800", "JST": "+0900", "EAST": "+1000", "EADT": "+1100", "GST": "+1000",
    "NZT": "+1200", "NZST": "+1200", "NZDT": "+1300", "IDLE": "+1200", "HST": "-1000",
    "YST": "-0900", "YDT": "-0800", "NT": "-1100", "IDLW": "-1200",
}  # fmt: skip
_ZONE_NAME = re.compile(rf"(?<= )(?:{'|'.join(_ZONES)})$")
# RFC 5322, 3.4: a display name of atoms or one quoted string, and an address in brackets
_MAILBOX = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|([^"()<>@,:;\\]*?))[ \t]*<([^<>\s]*)>')


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


def one_line(text: str) -> str:
    """Join words by single blanks; other blanks than git's `isspace` knows are parts of words."""
    return " ".join(word for word in _BLANKS.split(text) if word)


def parse_identity(text: str) -> Identity:
    """Read `Name <address>`, `address (Name)` or a bare address (mailinfo.c, handle_from).

    The address is "" when there is none. Where git takes the address for the name, because the name
    is longer than 60 bytes or holds `@`, the name is kept.

    >>> parse_identity('"O. (x)" <a@b>'), parse_identity("<a@b> (A U Thor)")
    (Identity(name='O. (x)', email='a@b'), Identity(name='A U Thor', email='a@b'))
    """
    text = text.strip()
    mailbox = _MAILBOX.fullmatch(text)
    if mailbox is not None:
        quoted, bare, email = mailbox.groups()
        return _identity(bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted), email)
    flat = _unquoted(text)
    # mailinfo.c, handle_from: the word around the first `@` is the address, all else the name
    at_sign = flat.find("@")
    if at_sign < 0:
        before, opened, rest = text.partition("<")
        email, closed, _ = rest.partition(">")
        return _identity(before, email) if opened and closed else _nameless(flat)
    start = max(flat.rfind(stop, 0, at_sign) for stop in " \t\n\r<") + 1
    stops = [end for stop in " \t\n\r\v\f>" if (end := flat.find(stop, start)) >= 0]
    end = min(stops, default=len(flat))
    name = one_line(flat[:start].removesuffix("<") + " " + flat[end + 1 :])
    if name.startswith("(") and name.endswith(")"):
        name = name[1:-1]
    return _identity("" if re.search("[@<>]", name) else name, flat[start:end])


def parse_date(text: str) -> Moment:
    """Read a mail's date (RFC 5322), an ISO 8601 one, or git's raw form `@seconds +hhmm`.

    Raises:
        Malformed: it is none of them, or out of range.
    """
    text = text.strip()
    if (raw := _RAW_DATE.fullmatch(text)) is not None:
        return _moment(text, int(raw[1]), raw[2])
    if (iso := _ISO_DATE.fullmatch(text)) is not None:
        # git would take the machine's own zone; here a patch means one moment everywhere
        parts = [int(part or 0) for part in iso.groups()[:6]]
        zone = "+0000" if iso[7] in (None, "Z") else iso[7].replace(":", "")
    else:
        parts, zone = _mail_date(text)
    _check_clock(text, parts)
    seconds = timegm((parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]))
    return _moment(text, seconds - offset_of(zone), zone)


def parse_day(text: str) -> Moment:
    """Read a date as `parse_date` does, or one without a time of day as noon.

    Raises:
        Malformed: it is neither.
    """
    try:
        return parse_date(text)
    except Malformed:
        return parse_date(f"{text.strip()} 12:00:00 +0000")


def offset_of(zone: str) -> int:
    """Return the seconds that a zone, `+hhmm`, is ahead of UTC.

    Raises:
        Malformed: it is no zone; a day or more is none.
    """
    matched = _ZONE.fullmatch(zone)
    if matched is None or int(matched[2]) >= 24:
        raise Malformed(f"`{zone[:20]}` is no time zone")
    return (int(matched[2]) * 60 + int(matched[3])) * (-60 if matched[1] == "-" else 60)


def _moment(text: str, seconds: int, zone: str) -> Moment:
    offset_of(zone)
    if not 0 <= seconds <= MAX_SECONDS:
        raise Malformed(f"the date `{text[:80]}` is before 1970 or too far ahead")
    return Moment(seconds, zone)


def _mail_date(text: str) -> tuple[list[int], str]:
    numeric = _ZONE_NAME.sub(lambda name: _ZONES[name[0]], _COLON.sub(r"\1\2", text))
    try:
        parsed = parsedate_tz(numeric)
    except (ValueError, OverflowError, IndexError, TypeError):  # of text that is nobody's date
        parsed = None
    if parsed is None:
        raise Malformed(f"the date `{text[:80]}` is not one that mail has")
    # no zone, and the `-0000` of RFC 5322, 3.3, which says that none is known, are UTC
    minutes = abs(parsed[9] or 0) // 60
    sign = "-" if (parsed[9] or 0) < 0 else "+"
    return list(parsed[:6]), f"{sign}{minutes // 60:02}{minutes % 60:02}"


def _check_clock(text: str, parts: list[int]) -> None:
    year, month, day, hour, minute, second = parts
    in_range = 1970 <= year <= MAX_MAIL_YEAR and 1 <= month <= 12 and 1 <= day <= 31
    if not in_range or not (0 <= hour <= 24 and 0 <= minute < 60 and 0 <= second <= 60):
        raise Malformed(f"the date `{text[:80]}` is not one that a calendar has")


def _nameless(text: str) -> Identity:
    return Identity(one_line(re.sub(r"[<>\0]", "", text)), "")


def _identity(name: str, email: str) -> Identity:
    email = re.sub(r"[<>\s\0]", "", email)
    return Identity(one_line(re.sub(r"[<>\0]", "", name)) or email, email)


def _unquoted(text: str) -> str:
    r"""Take quotes off, and `\` before what it quotes; comments in brackets stay."""
    pieces: list[str] = []
    closing = ""
    position = 0
    while position < len(text):
        character = text[position]
        if closing and character == "\\":
            position += 1
            character = text[position : position + 1]
        elif closing == '"' and character == '"':
            closing, character = "", ""
        elif not closing and character in '"(':
            closing, character = ('"', "") if character == '"' else (")", "(")
        elif closing == ")" and character == ")":
            closing = ""
        pieces.append(character)
        position += 1
    return "".join(pieces)
