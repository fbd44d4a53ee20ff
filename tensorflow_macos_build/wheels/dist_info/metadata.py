"""METADATA of a wheel's dist-info, and the form of header fields that WHEEL shares with it.

Source: PyPA's core metadata specifications.
"""

from __future__ import annotations

import codecs
import email.parser
import email.policy
import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tensorflow_macos_build.wheels.dist_info import tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message

FIELDS_LIMIT = 4 << 20
"""Most bytes of WHEEL's or METADATA's fields that are read: parsed ones take many times that."""

_PIECE = 1 << 20
"""Bytes that are decoded at a time."""

# email.parser ends a line at CRLF, at LF, and at a lone CR (email.feedparser, `NLCRE`).
_END_OF_FIELDS = re.compile(rb"\n\r?\n|\r\r")
"""The first empty line, after which a description may stand (core metadata, "Description")."""


class BadMetadata(ValueError):
    """A file of dist-info does not obey its specification; the message says how."""


def parse_fields(content: bytes) -> Message[str, str]:
    """Read the fields of WHEEL or METADATA; a description after them is left out.

    Raises:
        BadMetadata: the fields are endless, or the file is not UTF-8: pip refuses it then, whether
            it is the fields or the description.
    """
    end = _END_OF_FIELDS.search(content)
    fields = content[: end.start()] if end else content
    if len(fields) > FIELDS_LIMIT:
        raise BadMetadata(f"its fields take more than the {FIELDS_LIMIT} bytes that are read")
    try:
        _check_utf8(content)
        text = fields.decode("utf-8")
    except UnicodeDecodeError:
        raise BadMetadata("it is not UTF-8") from None
    # The specification's own words: as email.parser with the compat32 policy reads it.
    return email.parser.HeaderParser(policy=email.policy.compat32).parsestr(text)


def _check_utf8(content: bytes) -> None:
    """Decode piece by piece, as a description may be large and its text is of no use here."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _PIECE):
        decoder.decode(content[start : start + _PIECE])
    decoder.decode(b"", final=True)


def name_faults(content: bytes, name: tags.WheelName) -> list[str]:
    """Return where METADATA contradicts the wheel's file name; uv or pip refuses such a wheel."""
    try:
        fields = parse_fields(content)
    except BadMetadata as error:
        return [str(error)]
    project, version = (str(fields.get(field, "")) for field in ("Name", "Version"))
    return [
        *_field_faults("Name", project, name.project, canonicalize_name),
        *_field_faults("Version", version, name.parsed_version, tags.parse_version),
    ]


def _field_faults(
    field: str, said: str, expected: object, parsed: Callable[[str], object]
) -> Iterator[str]:
    """Yield what is wrong with a field that the file name says, too."""
    if "\n" in said:  # pip 26 takes the line's end for a part of the value
        yield f"{field} is folded onto a line of its own"
    elif parsed(said.strip()) != expected:
        yield f"{field} is `{said.strip()}`, the file name says `{expected}`"
