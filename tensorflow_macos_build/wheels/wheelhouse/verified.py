"""What the verification says of a wheel, remembered by the wheel's hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import closure, files
from tensorflow_macos_build.wheels.verify import Code, Severity, VerifyOptions, verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TAG_TOO_OLD = Code.MINOS_ABOVE_TAG.value[0]
"""The finding that a binary needs a newer macOS than the wheel's tag promises."""


@dataclass(frozen=True, slots=True)
class Error:
    """An error that `verify` found: its code, the member, and what is wrong."""

    code: str
    file: str
    message: str

    def __str__(self) -> str:
        """Give it as one line."""
        return f"{self.code}: {self.file}: {self.message}"


def errors_of(wheel: Path, sha256: str, allow: Sequence[str], cache: Path) -> tuple[Error, ...]:
    """Return the errors of a wheel, verified now or before by the same code.

    Args:
        wheel: its file.
        sha256: the hash of that file.
        allow: accepted findings, as `verify` takes them.
        cache: the folder that remembers.
    """
    words = "\0".join([closure.digest(verify.__module__), sha256, *allow])
    known = cache / "verified" / f"{hashlib.sha256(words.encode()).hexdigest()}.json"
    if known.is_file() and (remembered := _read(known)) is not None:
        return remembered
    found = verify(wheel, VerifyOptions(allow=tuple(allow)))
    errors = tuple(
        Error(one.code.value[0], one.file, one.message)
        for one in found.findings
        if one.severity is Severity.ERROR
    )
    files.write_text(known, json.dumps([asdict(one) for one in errors]))
    return errors


def _read(known: Path) -> tuple[Error, ...] | None:
    """Return the errors that the cache remembers; None where somebody else wrote there."""
    try:
        return tuple(Error(**each) for each in json.loads(known.read_bytes()))
    except (ValueError, TypeError, RecursionError):
        return None
