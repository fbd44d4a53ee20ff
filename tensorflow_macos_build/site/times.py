"""Times of documents (RFC 3339): no clock is read."""

from __future__ import annotations

import re
from datetime import datetime

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


def instant(text: str) -> datetime | None:
    """Return the instant that a text names, to the second; None: it names none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    # Before Python 3.11 fromisoformat knows neither `Z` nor most fractions.
    zone = "+00:00" if match[3] in "Zz" else match[3]
    try:
        return datetime.fromisoformat(f"{match[1]}{zone}")
    except ValueError:
        return None
