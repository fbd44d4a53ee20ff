r"""Text in mails: character sets, and the encoded words of a header (RFC 2047), as git reads them.

Sources: git's mailinfo.c (`decode_header`, `convert_to_utf8`) and, for bytes that are no UTF-8,
commit.c (`verify_utf8`), which takes each of them for Latin-1 when a commit is made.
"""

from __future__ import annotations

import base64
import codecs
import re
from itertools import groupby

from tensorflow_macos_build.patchqueue.formats.refused import Malformed

_WORD = re.compile(rb"=\?([^?]*)\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_CHARSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")

# Python's own ways to write text; no mail has them, and iconv does not know them
_PYTHON_ONLY = {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined"}
_PYTHON_ONLY |= {"unicode-escape"}

_LATIN_1_BYTES = "patchqueue.latin-1-bytes"


def _latin_1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_LATIN_1_BYTES, _latin_1)


def to_text(content: bytes) -> str:
    r"""Return bytes as text: UTF-8, and Latin-1 byte by byte where they are not.

    >>> to_text(b"\xc3\xa9 or \xe9")
    'é or é'
    """
    return content.decode("utf-8", _LATIN_1_BYTES)


def to_utf8(content: bytes, charset: str) -> bytes:
    """Return text of a stated character set as UTF-8; as it is when that is UTF-8 or not stated.

    Raises:
        Malformed: the character set is not known, or the text is not of it; git refuses both.
    """
    if charset.lower() in {"", "utf-8", "utf8"}:
        return content
    try:
        if _CHARSET.fullmatch(charset) is None or codecs.lookup(charset).name in _PYTHON_ONLY:
            raise LookupError
        return content.decode(charset).encode("utf-8")
    except LookupError:
        raise Malformed(f"the character set `{charset[:40]}` is not known") from None
    except ValueError:
        raise Malformed(f"the text is not in its stated character set, `{charset}`") from None


def decode_words(value: bytes) -> str:
    """Return a header field's value as text.

    Neighbouring words of one character set are joined before they are decoded, because mailers
    cut them in the middle of a character.

    Raises:
        Malformed: an encoded word does not end, or is of a character set that is not known.

    >>> decode_words(b"=?UTF-8?q?=C3=A9t=C3?= =?UTF-8?q?=A9_x?=")
    'été x'
    """
    pieces: list[tuple[str, bytes]] = []
    position = 0
    # mailinfo.c (decode_header) takes a word wherever it stands; RFC 2047 wants blanks around it
    while (start := value.find(b"=?", position)) >= 0:
        word = _WORD.match(value, start)
        if word is None:
            raise Malformed("a header field has an encoded word (`=?…?=`) that does not end")
        between = value[position:start]
        # RFC 2047, 6.2: blanks between two words are not shown
        if between.strip(b" \t\r\n") or not pieces:
            pieces.append(("", between))
        # RFC 2231, 5: a language may follow the character set, `=?utf-8*en?q?…?=`
        charset = word[1].partition(b"*")[0].decode("latin-1").lower()
        pieces.append((charset, _unpacked(word[2], word[3])))
        position = word.end()
    pieces.append(("", value[position:]))
    joined = [
        to_utf8(b"".join(text for _, text in group), charset)
        for charset, group in groupby(pieces, key=lambda piece: piece[0])
    ]
    return to_text(b"".join(joined))


def from_base64(content: bytes) -> bytes:
    r"""Return what base64 text holds: each line by itself, without what is none of its letters.

    >>> from_base64(b"aGk=\naGk")
    b'hihi'
    """
    pieces = []
    for line in content.split(b"\n"):
        letters = _NOT_BASE64.sub(b"", line)
        # one letter alone, six bits, makes no byte (mailinfo.c, decode_b_segment)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        pieces.append(base64.b64decode(letters + b"=" * (-len(letters) % 4)))
    return b"".join(pieces)


def from_quoted_printable(content: bytes) -> bytes:
    """Return what quoted-printable text holds; what is no escape stays as it is."""
    content = re.sub(rb"=\r?\n", b"", content)  # RFC 2045, 6.7 (5): a soft line break
    return _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), content)


def _unpacked(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        return from_quoted_printable(text.replace(b"_", b" "))  # RFC 2047, 4.2 (2)
    return from_base64(text)
