"""A commit's message in a mail: its subject's tags, and the header fields that a body begins with.

Follows git's mailinfo.c (`cleanup_subject`, `check_inbody_header`).
"""

from __future__ import annotations

import re

from tensorflow_macos_build.patchqueue.formats import people, text_encoding
from tensorflow_macos_build.patchqueue.formats.people import one_line
from tensorflow_macos_build.patchqueue.formats.refused import Malformed

_FIELD = re.compile(r"(From|Subject|Date):[ \t\r\n]*(.*)", re.IGNORECASE | re.DOTALL)
# mailinfo.c, is_format_patch_separator
_QUOTED_SEPARATOR = re.compile(r">From [0-9a-f]{40} Mon Sep 17 00:00:00 2001")
_PATCH_TAG = re.compile(r"PATCH|\b(?i:patch)\b")
_BLANKS = re.compile(r"\n{3,}")


def clean_message(text: str) -> tuple[str, str]:
    r"""Split a commit's message into subject and body, blanks cleaned as `git stripspace` does.

    >>> clean_message("One\ntwo  \n\n\n\nbody\n\n")
    ('One two', 'body')
    """
    lines = [line.rstrip(" \t\r") for line in text.replace("\0", "").split("\n")]
    text = _BLANKS.sub("\n\n", "\n".join(lines)).strip("\n")
    title, _, body = text.partition("\n\n")
    return one_line(title), body.strip("\n")


def clean_subject(text: str) -> str:
    r"""Return a mail's subject without what mailing added: `Re:`, `[PATCH …]`, and a list's tags.

    Tags before `[PATCH …]` are a mailing list's, and go; those behind it are the commit's own, and
    stay. `git am` takes off both, and `git am --keep-non-patch` leaves both. All of them stop at
    whatever else comes first, a line end among it, which `write` puts before a subject to keep.

    >>> clean_subject("Re: [list] [PATCH v2 3/7] [XLA] Fix it"), clean_subject("\n[PATCH] x")
    ('[XLA] Fix it', '[PATCH] x')
    """
    kept = ""
    is_mailed = False
    while True:
        text = text.lstrip(" \t:")
        if text[:3].lower() == "re:" and len(text) > 3:  # a subject of nothing else is kept
            text = text[3:]
        elif text.startswith("[") and "]" in text:
            tag, _, text = text.partition("]")
            if _PATCH_TAG.search(tag) is None:
                # a blank behind a tag belongs to it; mailinfo.c (cleanup_subject) keeps one, too
                kept += f"{tag}] " if text[:1] in (" ", "\t", "\n", "\r") else f"{tag}]"
            elif not is_mailed:
                kept, is_mailed = "", True
        else:
            return (kept + text).strip(" \t\n\r")


def fields_of(message: str) -> tuple[dict[str, str], str]:
    """Read the header fields that a mail's message may begin with.

    A `From` without an address and a `Date` that is none are no fields but the message's first
    lines: git takes them for fields, and then `git am` has no author or date.

    Returns:
        the fields by their names in lower case, and the rest of the message.

    Raises:
        Malformed: a field cannot be decoded.
    """
    lines = message.split("\n")
    fields: dict[str, str] = {}
    start = 0
    while start < len(lines):
        line = lines[start]
        end = start + 1
        if (field := _FIELD.match(line)) is not None and field[1].lower() not in fields:
            while end < len(lines) and lines[end][:1] in (" ", "\t"):
                end += 1
            value = _decoded(" ".join([field[2], *lines[start + 1 : end]]))
            if not _is_readable(field[1].lower(), value):
                break
            fields[field[1].lower()] = value
            # handle_commit_msg: a blank line behind a field ends them, one before a field does not
            if lines[end : end + 1] == [""]:
                start = end
                break
        elif line.startswith("[PATCH]") and line[7:8] in ("", " ", "\t", "\r"):
            fields["subject"] = line
        elif line and _QUOTED_SEPARATOR.fullmatch(line) is None:
            break
        start = end
    return fields, "\n".join(lines[start:])


def _decoded(value: str) -> str:
    return text_encoding.decode_words(value.encode("utf-8", "surrogateescape")).strip(" \t\r")


def _is_readable(name: str, value: str) -> bool:
    match name:
        case "from":
            return bool(people.parse_identity(value).email)
        case "date":
            try:
                people.parse_date(value)
            except Malformed:
                return False
    return True
