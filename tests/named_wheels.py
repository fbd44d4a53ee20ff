"""Small wheels whose file name, dist-info and METADATA a test chooses."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tests.wheel_files import record_of

if TYPE_CHECKING:
    from pathlib import Path


def wheel_of(
    folder: Path,
    name: str,
    info: str,
    tag: str = "py3-none-any",
    *,
    data: str = "",
    about: bytes = b"",
) -> Path:
    project, version = name.split("-")[:2]
    made = {"demo.py": b"", **({data: b""} if data else {})}
    usual = f"Metadata-Version: 2.1\nName: {canonicalize_name(project)}\nVersion: {version}\n"
    made[f"{info}/METADATA"] = about or usual.encode()
    made[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    made[f"{info}/RECORD"] = record_of(made, info)
    path = folder / f"{name}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in made.items():
            archive.writestr(member, content)
    return path
