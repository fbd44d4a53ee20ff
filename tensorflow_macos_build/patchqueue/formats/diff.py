r"""The diff of a patch as values that remember their bytes.

Every part keeps the exact bytes that it was read from, and `emit` joins them, so what was read is
written back unchanged; the decoded fields beside them are what the rest of the package works with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SYMLINK = 0o120000
"""The mode of a symbolic link in git's trees."""

GITLINK = 0o160000
"""The mode of a submodule's commit in git's trees."""


_CONTEXT, _ADDED, _REMOVED = b" +-"
"""What the lines of a hunk begin with (git-diff(1), "unified format"), as numbers."""


class ChangeKind(Enum):
    """What a patch does to one file."""

    ADD = "add"
    DELETE = "delete"
    MODIFY = "modify"
    RENAME = "rename"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class PatchHunk:
    """One hunk of a unified diff.

    Attributes:
        old_start: the first line of the preimage, from 1; with `old_count` 0, the line after which
            the new lines go.
        old_count: lines of the preimage.
        new_start: likewise in the postimage.
        new_count: lines of the postimage.
        head: the `@@` line, with its line end.
        body: the lines after it, each with its first character and line end.
        line: the number of the `@@` line in the patch's text, from 1.
    """

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    head: bytes
    body: bytes
    line: int

    def lines(self) -> Iterator[tuple[int, bytes]]:
        r"""Return each line's first character, as a number, and its content with the line end.

        A line that `\ No newline at end of file` follows comes without a line end. An empty context
        line without its space is one all the same: newer GNU diff writes it so, and editors do.
        """
        lines = self.body.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        last = len(lines) - 1
        for number, line in enumerate(lines):
            if line[:1] == b"\\":
                continue
            unended = number < last and lines[number + 1][:1] == b"\\"
            yield (line[0] if line else _CONTEXT), line[1:] + (b"" if unended else b"\n")

    def sides(self) -> tuple[list[bytes], list[bytes]]:
        """Return the hunk's lines of the preimage and of the postimage, each with its line end."""
        old: list[bytes] = []
        new: list[bytes] = []
        for mark, content in self.lines():
            if mark != _ADDED:
                old.append(content)
            if mark != _REMOVED:
                new.append(content)
        return old, new

    def only(self, mark: bytes) -> bytes:
        """Return the content of a hunk whose lines all begin with `mark`, in one go."""
        body = self.body
        # the last line is perhaps `\ No newline at end of file`, which ends the one before it
        last = body.rfind(b"\n", 0, len(body) - 1) + 1
        if body.startswith(b"\\", last):
            body = body[: last - 1]
        elif not body.endswith(b"\n"):
            body += b"\n"
        return body[1:].replace(b"\n" + mark, b"\n")

    def context(self) -> tuple[int, int]:
        """Return the number of context lines before the first change and after the last one."""
        marks = [mark for mark, _ in self.lines()]
        changed = [number for number, mark in enumerate(marks) if mark != _CONTEXT]
        if not changed:
            return len(marks), len(marks)
        return changed[0], len(marks) - 1 - changed[-1]


class BinaryMethod(Enum):
    """How a binary hunk gives its content (git's apply.c)."""

    LITERAL = "literal"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class BinaryHunk:
    """One direction of a `GIT binary patch`.

    Attributes:
        method: whether the data are the content or a delta against the other side.
        size: the inflated data's size in bytes, as the patch states it.
        data: the base-85 lines, each with its length character and line end.
        line: the number of its `literal` or `delta` line in the patch's text, from 1.
    """

    method: BinaryMethod
    size: int
    data: bytes
    line: int


@dataclass(frozen=True, slots=True)
class BinaryPatch:
    """A file's binary change.

    Attributes:
        forward: makes the postimage.
        reverse: makes the preimage; None when the patch leaves it out.
        raw: all its bytes, from the line `GIT binary patch`.
    """

    forward: BinaryHunk
    reverse: BinaryHunk | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a patch does to one file.

    Attributes:
        kind: add, delete, modify, rename or copy.
        old_path: the preimage's path in the tree; equal to `new_path` unless renamed or copied.
        new_path: the postimage's path.
        old_mode: the preimage's git mode where the patch states it.
        new_mode: the postimage's; None when the mode stays.
        old_id: the preimage's blob id as the patch gives it, perhaps shortened; "" without one.
        new_id: likewise for the postimage.
        lead: bytes before the header that say nothing to git (`Index:`, `diff -ru …`).
        head: the header's lines, from `diff --git` or `---` on.
        hunks: the text hunks, in order.
        binary: the binary change, where it is one.
        line: the number of the header's first line in the patch's text, from 1.
        guessed: whether that it adds a file is only guessed, from a plain diff whose preimage is
            empty: an empty file may be there, too.
    """

    kind: ChangeKind
    old_path: bytes
    new_path: bytes
    old_mode: int | None
    new_mode: int | None
    old_id: str
    new_id: str
    lead: bytes
    head: bytes
    hunks: tuple[PatchHunk, ...]
    binary: BinaryPatch | None
    line: int
    guessed: bool = False

    def emit(self) -> bytes:
        """Return the bytes that the change was read from."""
        pieces = [self.lead, self.head]
        for hunk in self.hunks:
            pieces += (hunk.head, hunk.body)
        if self.binary is not None:
            pieces.append(self.binary.raw)
        return b"".join(pieces)

    def without_index(self) -> FileChange:
        """Return the change with no `index` line where git does not need it.

        It needs one for a binary change, and where it is all that follows the first line.
        """
        # the ids of a moved patch's files are other ones, though the patch says the same
        lines = self.head.splitlines(keepends=True)
        others = [line for line in lines if not line.startswith(b"index ")]
        if self.binary is not None or len(others) == 1:
            return self
        kept = b"".join(others)
        return replace(self, head=kept, old_id="", new_id="")

    def without_headings(self) -> FileChange:
        """Return the change with no text after the `@@` of its hunks: that is context, too."""
        hunks = [
            # the first ` @@`: a heading may have one, too
            replace(hunk, head=hunk.head[: hunk.head.index(b" @@") + 3] + b"\n")
            for hunk in self.hunks
        ]
        return replace(self, hunks=tuple(hunks))


@dataclass(frozen=True, slots=True)
class Diff:
    """All file changes of one text.

    Attributes:
        changes: one for each file header, in order.
        tail: what follows the last change: a mail signature, a footer.
    """

    changes: tuple[FileChange, ...]
    tail: bytes

    def emit(self) -> bytes:
        """Return the bytes that the diff was read from."""
        return b"".join(change.emit() for change in self.changes) + self.tail
