"""Which commits took names away, and what they put in their place.

One walk of the history for all names, limited to the files that had them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import diffs, trees
from tensorflow_macos_build.patchqueue.audit import words
from tensorflow_macos_build.patchqueue.audit.model import NameKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tensorflow_macos_build.git.diffs import FileDiff
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.audit.model import UsedName

_FILES_EACH = 20
"""Of a name that was in more files than these, only the first are looked through: the one that
defined it is among them."""

_AT_ONCE = 50


class Removal(NamedTuple):
    """Who took a name away: commits, the last one first; and its evident new name, or ""."""

    commits: tuple[str, ...]
    renamed_to: str


def of_names(
    git: Git, old: str, new: str, names: Mapping[UsedName, Sequence[str]]
) -> dict[UsedName, Removal]:
    """Return who took each name away between two commits; `names` has the files that had it."""
    sought = {used: paths[:_FILES_EACH] for used, paths in names.items()}
    by_path: dict[str, list[UsedName]] = {}
    for used, paths in sought.items():
        for path in paths:
            by_path.setdefault(path, []).append(used)
    removing: dict[UsedName, dict[str, list[FileDiff]]] = {used: {} for used in sought}
    for commit, file in _changes(git, old, new, list(by_path)):
        for used in by_path.get(file.path, ()):
            if _takes(used, file):
                removing[used].setdefault(commit, []).append(file)
    return {used: _removal(git, used, commits) for used, commits in removing.items()}


def _changes(git: Git, old: str, new: str, paths: Sequence[str]) -> Iterator[tuple[str, FileDiff]]:
    """Yield what the commits between changed in files, the newest first."""
    if not paths:
        return
    query = "\n".join([new, f"^{old}", "--", *(path for path in paths if "\n" not in path), ""])
    # --full-history: the commit that took a name away may be on a branch that a merge hid
    flags = ("--topo-order", "--full-history", "--no-merges", "--stdin")
    listed = git.out(
        "--literal-pathspecs", "rev-list", *flags, stdin=query.encode("utf-8", "surrogateescape")
    )
    commits = listed.decode().split()
    for start in range(0, len(commits), _AT_ONCE):
        asked = commits[start : start + _AT_ONCE]
        compared = diffs.of_commits(git, asked, only=paths)
        for commit in asked:
            for file in compared.get(commit, ()):
                yield commit, file


def _takes(used: UsedName, file: FileDiff) -> bool:
    """Whether a change of a file leaves fewer of a name in it."""
    if used.kind is NameKind.FILE:
        return any(line.startswith(b"deleted file mode ") for line in file.header)
    balance = 0
    for line in file.changed:
        if _holds(used, line):
            balance += 1 if line[:1] == b"+" else -1
    return balance < 0


def _holds(used: UsedName, line: bytes) -> bool:
    text = _text(used)
    if text not in line:
        return False
    if used.kind is NameKind.TARGET:
        return re.search(rb"""\bname\s*=\s*["']%b["']""" % re.escape(text), line) is not None
    return bool(words.lines_with(text, [line[1:]]))


def _text(used: UsedName) -> bytes:
    """Return what stands in the lines that bind a name."""
    name = used.name
    if used.kind is NameKind.TARGET:
        name = name.rpartition(":")[2]
    elif used.kind is NameKind.LOAD:
        name = name.rpartition("%")[2]
    return name.encode("utf-8", "surrogateescape")


def _removal(git: Git, used: UsedName, commits: Mapping[str, Sequence[FileDiff]]) -> Removal:
    if used.kind is NameKind.FILE:
        moved = (trees.moves(git, commit).get(used.name, "") for commit in commits)
        return Removal(tuple(commits), next(filter(None, moved), ""))
    votes: Counter[str] = Counter()
    for files in commits.values():
        for file in files:
            votes.update(_replacements(_text(used), file, quoted=used.kind is NameKind.TARGET))
    # Two candidates are no evidence, unless one has nearly all the lines for it.
    best = votes.most_common(2)
    is_evident = bool(best) and best[0][1] >= 0.8 * votes.total()
    return Removal(tuple(commits)[:3], best[0][0] if is_evident else "")


def _replacements(text: bytes, file: FileDiff, *, quoted: bool) -> Iterator[str]:
    """Yield what stands for a name where a line came back with nothing else changed."""
    shape = rb"""["']([^"']+)["']""" if quoted else rb"([A-Za-z_]\w*)"
    boundary = rb"""["']%b["']""" if quoted else rb"\b%b\b"
    name = re.compile(boundary % re.escape(text))
    for hunk in file.hunks:
        gone, come = (
            [line[1:].strip() for line in hunk.lines if line[:1] == sign] for sign in (b"-", b"+")
        )
        for line in gone:
            pieces = name.split(line)
            if len(pieces) != 2:
                continue
            # the line as it was, but for one other word in the name's place
            again = re.compile(re.escape(pieces[0]) + shape + re.escape(pieces[1]))
            matches = [match[1] for other in come if (match := again.fullmatch(other))]
            # where several lines of the shape go, none tells which of them came back
            is_alone = sum(again.fullmatch(other) is not None for other in gone) == 1
            if (
                is_alone
                and len(matches) == 1
                and matches[0] != text
                and len(b"".join(pieces).strip()) > 2
            ):
                yield matches[0].decode("utf-8", "surrogateescape")
