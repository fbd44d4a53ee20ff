"""What git's object ids look like, in full: 40 hexadecimal digits (SHA-1), or 64 (SHA-256)."""

from __future__ import annotations

import re

_FULL = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# A word of its own: a part of a longer run of such digits is no id.
_IN_TEXT = re.compile(rf"\b{_FULL.pattern}\b")


def is_full(text: str) -> bool:
    """Whether a text is a full object id, and so names the same object for ever."""
    return _FULL.fullmatch(text) is not None


def in_text(text: bytes) -> list[str]:
    """Return the full object ids that a text speaks of, each once, in order."""
    return list(dict.fromkeys(_IN_TEXT.findall(text.decode("ascii", "replace"))))
