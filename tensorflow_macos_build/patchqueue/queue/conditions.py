"""The condition in a patch's `Drop-When:` trailer: a small language that a program can decide.

    condition := clause (" and " clause)* | clause (" or " clause)*
    clause    := "upstream" OP VERSION            OP is one of >= > == < <=
               | "upstream has commit" ID         ID is 7 to 40 hexadecimal digits
               | "upstream has file" PATH
               | "upstream lacks file" PATH
               | "never"

`and` and `or` are not mixed: a condition that needs both is two patches. A version is one of
PEP 440, with or without a leading `v`; the upstream's version is that of the newest release tag
that its commit contains.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import revisions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tensorflow_macos_build.git.repository import Git

HINT = (
    "write `upstream >= v2.18`, `upstream has commit ID`, `upstream has file PATH`, "
    "`upstream lacks file PATH` or `never`, joined by `and` or by `or`"
)

_SHOWN = 100
"""Characters of a wrong condition that its error repeats."""

_COMPARE: dict[str, Callable[[Version, Version], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_VERSION = re.compile(r"upstream (>=|<=|==|>|<) (\S+)")
_COMMIT = re.compile(r"upstream has commit ([0-9a-f]{7,40})")
_FILE = re.compile(r"upstream (has|lacks) file (\S.*)")


@dataclass(frozen=True)
class UpstreamRevision:
    """One revision of upstream, as conditions ask about it.

    Attributes:
        git: the upstream repository.
        commit: the revision's full commit id.
    """

    git: Git
    commit: str

    # of many conditions each asks, and of TensorFlow's tags git takes a second for one answer
    @functools.cached_property
    def version(self) -> Version | None:
        """The newest release whose tag this revision contains; None when there is none."""
        tags = self.git.out("tag", "--merged", self.commit).decode("utf-8", "replace").split()
        return max(filter(None, map(_release, tags)), default=None)

    def contains(self, commit: str) -> bool:
        """Whether a commit is this revision or one of its ancestors."""
        # merge-base fails on an id that names nothing, and a condition may name what is to come
        known = revisions.find_commit(self.git, commit)
        return known is not None and revisions.is_ancestor(self.git, known, self.commit)

    def has_file(self, path: str) -> bool:
        """Whether the revision's tree holds a file, or a folder, at `path`."""
        # `:(literal)`: a path's `*`, `?` and `[` are no pattern (gitglossary(7), "pathspec")
        return bool(self.git.out("ls-tree", "-z", self.commit, "--", f":(literal){path}"))


@dataclass(frozen=True)
class Clause:
    """One clause: how it reads, and what decides it."""

    text: str
    holds: Callable[[UpstreamRevision], bool]


@dataclass(frozen=True)
class Condition:
    """Clauses that must all hold, or of which one must."""

    clauses: tuple[Clause, ...]
    every: bool

    def holds(self, revision: UpstreamRevision) -> bool:
        """Whether the condition has come true at a revision of upstream."""
        join = all if self.every else any
        return join(clause.holds(revision) for clause in self.clauses)


def parse(text: str, where: str = "") -> Condition:
    """Read a condition.

    Raises:
        UsageError: it is not one of this language; `where` is what the error names.
    """
    words = " ".join(text.split())
    if " and " in words and " or " in words:
        raise UsageError(
            f"the condition `{words[:_SHOWN]}` mixes `and` with `or`", where=where, hint=HINT
        )
    every = " or " not in words
    parts = words.split(" and " if every else " or ")
    return Condition(tuple(_clause(part, where) for part in parts), every)


def true_at(revision: UpstreamRevision, conditions: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the names of those conditions, given as name and text, that hold at a revision.

    What cannot be decided does not hold; `patches.lint` names it.
    """
    names: list[str] = []
    for name, text in conditions:
        with contextlib.suppress(UsageError):
            if parse(text).holds(revision):
                names.append(name)
    return tuple(names)


def _clause(text: str, where: str) -> Clause:
    if text == "never":
        return Clause(text, lambda _: False)
    if matched := _VERSION.fullmatch(text):
        return _version_clause(text, matched[1], matched[2], where)
    if matched := _COMMIT.fullmatch(text):
        commit = matched[1]
        return Clause(text, lambda revision: revision.contains(commit))
    # a NUL, which no argument of a program can hold, is not printable
    if text.isprintable() and (matched := _FILE.fullmatch(text)):
        should_exist, path = matched[1] == "has", matched[2]
        return Clause(text, lambda revision: revision.has_file(path) is should_exist)
    raise UsageError(
        f"`{text[:_SHOWN]}` is not a condition that can be decided", where=where, hint=HINT
    )


def _version_clause(text: str, sign: str, stated: str, where: str) -> Clause:
    try:
        limit = Version(stated)
    except ValueError:  # InvalidVersion, or a number of more digits than int() takes
        raise UsageError(f"`{stated[:_SHOWN]}` is not a version", where=where, hint=HINT) from None

    def holds(revision: UpstreamRevision) -> bool:
        version = revision.version
        return version is not None and _COMPARE[sign](version, limit)

    return Clause(text, holds)


def _release(tag: str) -> Version | None:
    try:
        version = Version(tag)
    except ValueError:
        return None
    # a release candidate may be withdrawn: a patch is not dropped for it
    return None if version.is_prerelease else version
