"""Addresses within a page, made of the names of what they are about and never of their places."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Item = TypeVar("_Item", bound=_Named)

_OTHER = re.compile(r"[^A-Za-z0-9._+]+")
_LONGEST = 80
_PART = "--"
"""What stands between the parts of an address. No part holds it, so parts of two addresses that
differ never make the same one."""


def slug(name: str) -> str:
    """Return a name as it may stand in a URL's fragment.

    What it lost is made up for by ten digits of the name's SHA-256: `GPU:0` and `GPU 0` differ.
    """
    kept = _OTHER.sub("-", name).strip("-")[:_LONGEST]
    if kept == name and name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{kept}-{digest}" if kept else digest


def address(*parts: str) -> str:
    """Return the id of what is called by some names, the outermost first."""
    return _PART.join(map(slug, parts))


def keyed(items: Iterable[_Item]) -> Iterator[tuple[str, _Item]]:
    """Yield things with their slugs; of several with one name the second has `~2` behind it."""
    seen: Counter[str] = Counter()
    for item in items:
        key = slug(item.name)
        seen[key] += 1
        # No slug has a tilde, so no other name makes this one.
        yield (key if seen[key] == 1 else f"{key}~{seen[key]}"), item
