"""What the verification says of a wheel, remembered by the wheel's hash and name.

The key holds the code of the verification, too: a new check looks at old wheels again.
"""

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

TAG_TOO_OLD = Code.MINOS_ABOVE_TAG.slug
"""The finding that a binary needs a newer macOS than the wheel's tag promises."""


@dataclass(frozen=True, slots=True)
class RememberedError:
    """An error that `verify` found: its code, the member, and what is wrong."""

    code: str
    file: str
    message: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.code}: {self.file}: {self.message}"


def errors_of(
    wheel: Path, sha256: str, allow: Sequence[str], cache: Path
) -> tuple[RememberedError, ...]:
    """Return the errors of a wheel, verified now or before by the same code.

    Args:
        wheel: its file.
        sha256: the hash of that file.
        allow: accepted findings, as `verify` takes them.
        cache: the folder that remembers.
    """
    # The name is verified, too, and an index may offer one wheel under two.
    words = "\0".join([closure.digest(verify.__module__), sha256, wheel.name, *allow])
    known = cache / "verified" / f"{hashlib.sha256(words.encode()).hexdigest()}.json"
    if known.is_file() and (remembered := _read(known)) is not None:
        return remembered
    verification = verify(wheel, VerifyOptions(allow=tuple(allow)))
    errors = tuple(
        RememberedError(finding.code.slug, finding.file, finding.message)
        for finding in verification.findings
        if finding.severity is Severity.ERROR
    )
    files.write_text(known, json.dumps([asdict(error) for error in errors]))
    return errors


def _read(known: Path) -> tuple[RememberedError, ...] | None:
    """Return the errors that the cache remembers; None where somebody else wrote there."""
    try:
        return tuple(RememberedError(**entry) for entry in json.loads(known.read_bytes()))
    except (ValueError, TypeError, RecursionError):
        return None
