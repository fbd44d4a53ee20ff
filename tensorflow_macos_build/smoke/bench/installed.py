"""What an arm's Python imports: by this an upgrade between two sessions is noticed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import WorkFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Isolated, as the measuring process is (-I): neither the user's packages nor PYTHONPATH's count.
_ASK = "import json, sys; print(json.dumps([sys.version, sys.path]))"

_SECONDS = 60.0

_METADATA = ("METADATA", "PKG-INFO", "")
"""Where metadata are: of a wheel, of an egg, of an egg-info that is a file itself."""


@dataclass(frozen=True)
class Distribution:
    """A distribution that is installed.

    Attributes:
        version: as its metadata has it.
        sha256: of the lines of its RECORD that are of its own files; without a RECORD of none.
    """

    version: str
    sha256: str


@dataclass(frozen=True)
class Installed:
    """What a Python imports.

    Attributes:
        python: its version and compiler, as `sys.version` has them.
        distributions: what is installed for it, by normalised name.
    """

    python: str
    distributions: Mapping[str, Distribution]


def installed(python: Path) -> Installed:
    """Return what is installed for an interpreter.

    Raises:
        process.ProgramFailed: it does not start.
        WorkFailed: what it, or a distribution, says of itself cannot be read.
    """
    completed = process.run([python.absolute(), "-I", "-c", _ASK], timeout=_SECONDS)
    try:
        version, path = json.loads(completed.stdout)
        # As in an import, what comes first on the path hides what comes later.
        distributions = dict(reversed(list(_distributions(path))))
        return Installed(version, dict(sorted(distributions.items())))
    except (ValueError, TypeError) as error:
        what = f"what is installed there cannot be read: {error}"
        raise WorkFailed(what, where=str(python)) from None


def changes(before: Installed, now: Installed) -> list[str]:
    """Return what is different between two states of an environment, a phrase each."""
    words = [] if before.python == now.python else [f"Python {_first(before)} is {_first(now)}"]
    for name in sorted(before.distributions.keys() | now.distributions.keys()):
        old, new = before.distributions.get(name), now.distributions.get(name)
        if old is None or new is None:
            words.append(f"{name} is {'new' if old is None else 'gone'}")
        elif old.version != new.version:
            words.append(f"{name} {old.version} is {new.version}")
        elif old != new:
            words.append(f"{name} {new.version} is another build")
    return words


def _first(state: Installed) -> str:
    return state.python.partition(" ")[0]


def _distributions(path: list[str]) -> Iterator[tuple[str, Distribution]]:
    for each in metadata.distributions(path=path):
        # A folder that a broken removal left behind is no distribution.
        if any(map(each.read_text, _METADATA)):
            record = each.read_text("RECORD") or ""
            name = canonicalize_name(str(each.metadata["Name"]))
            yield name, Distribution(str(each.version), _digest(record))


def _digest(record: str) -> str:
    """Return the hash of what a RECORD says of the files that are imported.

    Installers add their notes to dist-info, with the time, and scripts name the environment's path:
    both are others for the same wheel.
    """
    lines = record.splitlines()
    own = sorted(line for line in lines if not line.startswith("..") and ".dist-info/" not in line)
    # What pip compiles is listed without a hash, and may be added later.
    own = [line for line in own if ".pyc," not in line]
    return hashlib.sha256("\n".join(own).encode()).hexdigest()
