"""Evidence as JSON that any reader takes, and of bounded size."""

import math
from typing import Any

DEEPEST = 12
LONGEST_TEXT = 20000
MOST_ITEMS = 5000


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value of JSON: NumPy's numbers as numbers, what is no number of JSON as text."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, dict):
        items = list(value.items())[:MOST_ITEMS]
        return {str(key): plain(item, depth + 1) for key, item in items}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, depth + 1) for item in list(value)[:MOST_ITEMS]]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), depth + 1)
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if value is None or is_number else text(value)


def text(value: Any) -> str:
    """Return a value as text without what UTF-8 cannot hold, and not endless."""
    return str(value)[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")
