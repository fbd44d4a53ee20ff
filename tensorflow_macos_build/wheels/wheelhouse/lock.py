"""The lock file of a wheelhouse: pip's requirements format, every wheel by its hash.

A package that only one kind of Mac needs has a marker. Source: pip's "Requirements File Format" and
"Secure installs".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tensorflow_macos_build.wheels.wheelhouse.model import WheelhouseEntry

LOCK = "requirements.txt"
"""The lock file's name in the folder of wheels."""

_HEAD = """\
# pip install --no-index --find-links FOLDER --require-hashes -r FOLDER/requirements.txt
"""


def as_lock(wheels: Iterable[WheelhouseEntry], archs: Collection[str]) -> str:
    """Return the lock file of a wheelhouse that serves `archs`."""
    hashes: dict[tuple[str, str], list[str]] = {}
    users: dict[tuple[str, str], set[str]] = {}
    for entry in wheels:
        release = (entry.name, entry.version)
        hashes.setdefault(release, []).append(entry.sha256)
        users.setdefault(release, set()).update(entry.archs)
    lines = [_HEAD]
    for (name, version), digests in sorted(hashes.items()):
        needed = users[name, version]
        # Of two kinds of Mac it is one then, named as platform.machine() names it there (PEP 508).
        marker = "" if needed == set(archs) else f' ; platform_machine == "{min(needed)}"'
        # All wheels of a release in one line: pip takes the one that fits, if its hash is there.
        pins = "".join(f" \\\n    --hash=sha256:{digest}" for digest in sorted(digests))
        lines.append(f"{name}=={version}{marker}{pins}\n")
    return "".join(lines)
