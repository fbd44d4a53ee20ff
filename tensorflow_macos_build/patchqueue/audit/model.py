"""An audit's result as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit


class NameKind(Enum):
    """What a name is the name of."""

    IDENTIFIER = "identifier"
    """A word of a program: a function, a class, a macro, a variable, a rule."""
    FILE = "file"
    """A file that is included, imported or listed; its path in the tree."""
    TARGET = "target"
    """A Bazel target, as `//package:target` with the package's path in the tree."""
    LOAD = "load"
    """A symbol of a `.bzl` file that is loaded, as `path%symbol`."""


class UsedName(NamedTuple):
    """A name that a patch's lines use."""

    kind: NameKind
    name: str


class NameUse(NamedTuple):
    """Where a patch uses a name first: the file, the line's number in it, and the line."""

    path: str
    line: int
    text: str


@dataclass(frozen=True)
class AuditFinding:
    """A name that a patch uses and that upstream took away.

    Attributes:
        patch: the name of the patch's file.
        used: the name.
        use: where the patch uses it first.
        uses: how many lines of the patch use it.
        was_in: the file of the old base that had it; a file's own path.
        removed_by: the commits that took it away, the last one first; none where the history does
            not tell.
        renamed_to: its evident new name; "" where there is none.
        looked_at: what somebody noted who looked at it; None where nobody did.
    """

    patch: str
    used: UsedName
    use: NameUse
    uses: int
    was_in: str
    removed_by: tuple[UpstreamCommit, ...] = ()
    renamed_to: str = ""
    looked_at: str | None = None


@dataclass(frozen=True)
class AuditResult:
    """What an audit saw.

    Attributes:
        findings: in the queue's order, then by kind and name.
        names: how many names the queue's lines use.
        unread: how many files' contents the repository lacks or are too large; names in them do
            not count as there.
        not_done: why there was no audit; "" where there was one.
    """

    findings: tuple[AuditFinding, ...] = ()
    names: int = 0
    unread: int = 0
    not_done: str = ""

    @property
    def needs_look(self) -> tuple[AuditFinding, ...]:
        """The findings that nobody has looked at."""
        return tuple(finding for finding in self.findings if finding.looked_at is None)
