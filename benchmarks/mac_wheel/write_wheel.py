"""Write a wheel from a manifest of PLACE<tab>FILE lines; the same bytes whenever it runs (PEP 427).

Usage: write_wheel.py MANIFEST VERSION TAG WHEEL
"""

from __future__ import annotations

import base64
import hashlib
import stat
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_METADATA = """\
Metadata-Version: 2.1
Name: abseil-cpp
Version: {}
Summary: Libraries and headers of Abseil, built to see how a build goes.
"""
_WHEEL = """\
Wheel-Version: 1.0
Generator: write_wheel
Root-Is-Purelib: false
Tag: {}
"""
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
"""The oldest that a zip file can name."""


def _members(manifest: Path, info: str, version: str, tag: str) -> dict[str, bytes]:
    lines = manifest.read_text(encoding="utf-8").splitlines()
    members = {place: Path(path).read_bytes() for place, path in (x.split("\t") for x in lines)}
    ends = {"METADATA": _METADATA.format(version), "WHEEL": _WHEEL.format(tag)}
    return {**members, **{info + name: text.encode() for name, text in ends.items()}}


def _record(members: Mapping[str, bytes], info: str) -> Iterator[str]:
    for place, content in sorted(members.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
        yield f"{place},sha256={digest.decode()},{len(content)}\n"
    yield f"{info}RECORD,,\n"


def _add(archive: zipfile.ZipFile, place: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(place, _FIRST_DATE)
    entry.create_system = 3  # Unix, so that the mode counts
    mode = 0o755 if place.endswith(".dylib") else 0o644
    entry.external_attr = (stat.S_IFREG | mode) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def write(manifest: str, version: str, tag: str, wheel: str) -> None:
    """Write the wheel; what is in dist-info comes last."""
    info = f"abseil_cpp-{version}.dist-info/"
    members = _members(Path(manifest), info, version, tag)
    with zipfile.ZipFile(wheel, "w") as archive:
        for place in sorted(members, key=lambda place: (place.startswith(info), place)):
            _add(archive, place, members[place])
        _add(archive, f"{info}RECORD", "".join(_record(members, info)).encode())


if __name__ == "__main__":
    write(*sys.argv[1:])
