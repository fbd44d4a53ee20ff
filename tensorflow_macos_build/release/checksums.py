"""SHA256SUMS: what sha256sum(1) writes and `--check` reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tensorflow_macos_build.release.model import SUMS, ReleaseBroken, is_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
_MOST = 1_000


def format_sums(digests: Mapping[str, str]) -> str:
    """Return the file's text: a line a file, the digest, two spaces, the name; sorted by name."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))


def parse_sums(text: str) -> dict[str, str]:
    """Return the SHA-256 of each file by its name.

    Raises:
        ReleaseBroken: a line is no such line, or names a file twice.
    """
    digests: dict[str, str] = {}
    # By LF alone, as sha256sum(1): `splitlines` would see two files where that sees one odd name.
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        match = _LINE.fullmatch(line)
        if match is None or not is_name(match[2]) or match[2] in digests or number > _MOST:
            raise ReleaseBroken("this is no line of checksums", where=f"{SUMS}:{number}")
        digests[match[2]] = match[1]
    return digests
