"""Whether a mirror's repository is whole, found out before anybody reads from it.

Everything that a mirror receives lies in packs, and a pack and its index both end in a SHA-1 of
all that comes before (gitformat-pack(5)). They are hashed once; a list of those found good, with
their sizes and times, makes later looks cost one stat(2) a file.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from tensorflow_macos_build import files

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git

_HASH = 20  # bytes of a SHA-1: other repositories are not mirrored (`local`, `remote`)
_BLOCK = 1 << 20
_UNKNOWN_REPOSITORY = 128  # how git ends when it dies (usage.c): here, for lack of a repository


def fault(git: Git, known_good: Path) -> str | None:
    """Return what is wrong with a repository, in a few words; None when it is whole.

    Args:
        git: the repository. It need not exist.
        known_good: the file that remembers which packs were found good. It is rewritten.
    """
    return fault_of_store(git, known_good) or _fault_of_refs(git)


def fault_of_store(git: Git, known_good: Path) -> str | None:
    """Return what is wrong as `fault` does, whatever its references name."""
    if not git.git_dir.is_dir():
        return "it does not exist"
    answer = git.run("rev-parse", "--is-bare-repository", expected=(0, _UNKNOWN_REPOSITORY))
    if answer.status != 0:
        return "git does not take it for a repository"
    return _fault_of_packs(git.git_dir / "objects" / "pack", known_good)


def history_fault(git: Git) -> str | None:
    """Return that a commit is missing in the history of a branch or tag; None when none is.

    Takes about a second for each 100,000 commits.
    """
    walked = git.run("rev-list", "--all", "--quiet", expected=())
    return None if walked.status == 0 else "its history has holes"


def _fault_of_refs(git: Git) -> str | None:
    listed = git.run("for-each-ref", "--format=%(objecttype)", expected=())
    return None if listed.status == 0 else "a branch or tag names an object that is not there"


def _fault_of_packs(folder: Path, known_good: Path) -> str | None:
    remembered = _read(known_good)
    good: dict[str, list[int]] = {}
    for pack in sorted(folder.glob("*.pack")):
        index = pack.with_suffix(".idx")
        # git lists the packs by their indexes, and so would miss all that this one holds
        if not index.is_file():
            return f"{pack.name} has no index"
        for path in (pack, index):
            stamp = _stamp(path)
            if remembered.get(path.name) != stamp and not _ends_in_its_hash(path):
                return f"{path.name} is damaged"
            good[path.name] = stamp
        if _pack_hash_in(index) != _tail(pack, _HASH):
            return f"{index.name} belongs to another pack"
    if good != remembered:
        files.write_text(known_good, json.dumps(good, indent=1) + "\n")
    return None


def _read(known_good: Path) -> dict[str, list[int]]:
    try:
        listed = json.loads(known_good.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return {}  # then the packs are hashed anew
    return listed if isinstance(listed, dict) else {}


def _stamp(path: Path) -> list[int]:
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _ends_in_its_hash(path: Path) -> bool:
    left = path.stat().st_size - _HASH
    digest = hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as stream:
        while left > 0 and (block := stream.read(min(left, _BLOCK))):
            digest.update(block)
            left -= len(block)
        return left == 0 and stream.read() == digest.digest()


def _pack_hash_in(index: Path) -> bytes:
    # an index ends in its pack's hash and its own
    return _tail(index, 2 * _HASH)[:_HASH]


def _tail(path: Path, size: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - size))
        return stream.read()
