"""Documents about a build rather than for a program: software bills of materials, mostly.

Each build of a wheel makes its own, with a serial number and a time, so the two halves' always
differ. PEP 770 keeps them in dist-info/sboms, under names that nothing looks for: so both can be
kept, each named by its architecture.
"""

from __future__ import annotations

import json
from typing import Any

LIMIT = 1 << 20
"""Largest document that is compared with another, in bytes: parsed, JSON takes many times that."""

_DIFFERING = frozenset({"serialNumber", "timestamp", "documentNamespace", "created"})
"""Fields that differ in every build: CycloneDX's serialNumber and metadata.timestamp, SPDX's
documentNamespace and creationInfo.created."""


def is_sbom(path: str, dist_info: str) -> bool:
    """Whether a path is where PEP 770 puts bills of materials."""
    return path.startswith(f"{dist_info}/sboms/")


def is_one_build_s(first: bytes, second: bytes) -> bool:
    """Whether two texts are JSON documents that differ in serial numbers and times alone."""
    try:
        left, right = (json.loads(text) for text in (first, second))
        return isinstance(left, dict) and _same(left, right)
    # RecursionError: json recurses into brackets, which a file may nest by the thousand.
    except (ValueError, RecursionError):
        return False


def named(path: str, arch: str) -> str:
    """Return the name under which an architecture's file is kept beside the other's."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{arch}-{name}"


def _same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal but for `_DIFFERING`, which both must have as texts."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            (key in _DIFFERING and isinstance(left[key], str) and isinstance(right[key], str))
            or _same(left[key], right[key])
            for key in left
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    # In Python 1 == 1.0 == True, which are three values of JSON.
    return type(left) is type(right) and bool(left == right)
