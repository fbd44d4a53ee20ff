"""The Macs that platform tags are judged on."""

from __future__ import annotations

Os = tuple[int, int]

_INTEL: list[Os] = [(10, 14), (10, 15), (10, 16), (11, 0), (11, 6), (12, 0), (14, 0), (26, 0)]
_SILICON: list[Os] = [(11, 0), (11, 6), (12, 0), (14, 0), (26, 0)]
_ROSETTA: list[Os] = [(11, 0), (14, 0)]

HOSTS: list[tuple[str, Os]] = [
    *(("x86_64", version) for version in _INTEL),
    *(("arm64", version) for version in _SILICON),
    *(("x86_64", version) for version in _ROSETTA),
]
"""Architecture that Python runs as, and the macOS that it reports."""
