"""Reading a diff: which bytes belong to which file and hunk.

Time is linear in the text's length. A line that begins a file is looked for only outside hunks, and
a hunk's end is told by its counts, never by what its lines look like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import diff_header, paths
from tensorflow_macos_build.patchqueue.formats.diff import (
    GITLINK,
    SYMLINK,
    BinaryHunk,
    BinaryMethod,
    BinaryPatch,
    ChangeKind,
    Diff,
    FileChange,
    PatchHunk,
)
from tensorflow_macos_build.patchqueue.formats.refused import Malformed

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.formats.diff_header import FileHeader

MAX_FILES = 100_000
"""File changes that one patch may hold; all of TensorFlow has 30,000 files."""

MAX_HUNKS = 250_000
"""Hunks that one patch may hold."""

MAX_LINES = (1 << 31) - 1
"""The largest line number or count that a hunk may state: git keeps them in such integers."""

_DIGITS = 20
"""More digits are never read: Python refuses numbers of 4,300 digits."""

_LEAST = 6
"""Bytes that must follow a header's first line (apply.c, find_header)."""

_START = re.compile(
    rb"^(?:diff --git |diff --(?:cc|combined) |--- |@@ -[0-9]|@@@+ -[0-9])", re.MULTILINE
)
_HUNK = re.compile(rb"@@ -([0-9]+)(?:,([0-9]+))? \+([0-9]+)(?:,([0-9]+))? @@[^\n]*\n")
# apply.c, parse_fragment: `\ No newline at end of file` is in no language shorter than 12 bytes
_NO_NEWLINE = re.compile(rb"\\ [^\n]{9,}(?:\n|\Z)")
_BAD_MARK = re.compile(rb"^\\(?! [^\n]{9})", re.MULTILINE)
_AFTER_RUN = re.compile(rb"\n[^ +\-\\\n]")
_BLANK = re.compile(rb"\n(?=\n)")
_MARKS = (b" ", b"\n", b"-", b"+", b"\\")
_BINARY_HEAD = re.compile(rb"(literal|delta) ([0-9]+)\r?\n")
_MAX_DIGITS = 15
_BINARY_LINES = re.compile(rb"(?:[A-Za-z](?:[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{5})+\n)+")


@dataclass(slots=True)
class _Cursor:
    """How far the text is read.

    Attributes:
        text: the diff.
        position: where what is not read begins.
        line: the number, from 1, of the line there.
        strip: path components to take off the names.
        guesses: whether `strip` is only git's default, which names without a folder correct.
    """

    text: bytes
    position: int
    line: int
    strip: int
    guesses: bool

    def move(self, position: int) -> bytes:
        """Go on to `position` and give the bytes passed."""
        passed = self.text[self.position : position]
        self.position = position
        self.line += passed.count(b"\n")
        return passed

    def end_of_line(self, start: int) -> int:
        """Return the position after the line end at or behind `start`, or the text's end."""
        end = self.text.find(b"\n", start)
        return len(self.text) if end < 0 else end + 1


def parse(text: bytes, *, strip: int = 1, first_line: int = 1) -> Diff:
    """Read a diff that git or another tool wrote.

    Args:
        text: the diff, perhaps with other text between the files.
        strip: leading path components to take off (patch's -p); 1 becomes 0, as with `git apply`,
            from the first plain diff on whose names have no folder.
        first_line: the number of the text's first line in its file.

    Raises:
        Malformed: it is damaged, hostile or of a kind not taken; `line` is the line in the file.
    """
    cursor = _Cursor(text, 0, first_line, strip, guesses=strip == 1)
    changes: list[FileChange] = []
    hunks = 0
    while (change := _next_change(cursor)) is not None:
        changes.append(change)
        hunks += len(change.hunks)
        if len(changes) > MAX_FILES or hunks > MAX_HUNKS:
            raise Malformed(
                f"the patch holds more than {MAX_FILES} files or {MAX_HUNKS} hunks", change.line
            )
    _check_symlinks(changes)
    return Diff(tuple(changes), text[cursor.position :])


def _next_change(cursor: _Cursor) -> FileChange | None:
    """Read up to the end of the next file's change; None leaves the rest unread."""
    seek = cursor.position
    while (matched := _START.search(cursor.text, seek)) is not None:
        start, seek = matched.start(), cursor.end_of_line(matched.start())
        change = None
        match matched[0][:8]:
            case b"diff --g" | b"--- " if len(cursor.text) < seek + _LEAST:
                return None
            case b"diff --g":
                change = _git_change(cursor, start)
            case b"--- ":
                change = _plain_change(cursor, start)
            case _:
                _check_stray(cursor, matched[0], start)
        if change is not None:
            return change
    return None


def _check_stray(cursor: _Cursor, begins: bytes, start: int) -> None:
    """Refuse a merge's diff, and a hunk that no file's header introduces."""
    if begins.startswith((b"diff --c", b"@@@")):
        cursor.move(start)
        raise Malformed("it is a merge's combined diff, which cannot be applied", cursor.line)
    if _HUNK.match(cursor.text, start):
        cursor.move(start)
        raise Malformed("a hunk has no file header before it", cursor.line)


def _is_plain_header(text: bytes, start: int) -> bool:
    second = text.find(b"\n", start) + 1
    if second == 0 or not text.startswith(b"+++ ", second):
        return False
    # without the `@@` of a hunk it is prose, or a table's rule (apply.c, find_header)
    third = text.find(b"\n", second) + 1
    return third != 0 and text.startswith(b"@@ -", third)


def _git_change(cursor: _Cursor, start: int) -> FileChange:
    """Read a file's change with git's header."""
    line = cursor.line + cursor.text.count(b"\n", cursor.position, start)
    # 24 bytes are more than the longest keyword of a header has
    first = end = cursor.end_of_line(start)
    while diff_header.is_extended(cursor.text[end : end + 24]):
        if cursor.text.find(b"\n", end) < 0:
            break  # a line without an end is no header to git
        end = cursor.end_of_line(end)
    try:
        names = diff_header.git(cursor.text[start:end].rstrip(b"\n").split(b"\n"), cursor.strip)
    except Malformed as error:
        raise Malformed(error.what, line + (error.line or 0)) from None
    if end == first:
        cursor.move(start)
        raise Malformed("nothing follows the `diff --git` line", cursor.line)
    lead, head = cursor.move(start), cursor.move(end)
    binary = _binary(cursor)
    hunks = () if binary is not None else _hunks(cursor)
    if not hunks and binary is None:
        _check_header_alone(cursor, names)
    return _change(names, lead, head, hunks, binary, line=line)


def _check_header_alone(cursor: _Cursor, names: FileHeader) -> None:
    """Refuse a header without hunks that changes nothing by itself (apply.c, parse_chunk)."""
    if cursor.text.startswith(b"Binary files ", cursor.position):
        raise Malformed(
            "a binary file's change has no content; make the patch with `git diff --binary`",
            cursor.line,
        )
    if names.kind is ChangeKind.MODIFY and names.new_mode in (None, names.old_mode):
        raise Malformed(f"nothing follows the header of {paths.show(names.new_path)}", cursor.line)


def _plain_change(cursor: _Cursor, start: int) -> FileChange | None:
    if not _is_plain_header(cursor.text, start):
        return None
    lead = cursor.move(start)
    line = cursor.line
    head = cursor.move(cursor.end_of_line(cursor.end_of_line(start)))
    old_line, new_line = head.rstrip(b"\n").split(b"\n")
    hunks = _hunks(cursor)
    # `@@ -0,0 +1,N @@`: the file was not there, or was empty; a plain diff does not say which
    creates = len(hunks) == 1 and hunks[0].old_start == 0 and hunks[0].old_count == 0
    if cursor.guesses and diff_header.is_without_folders(new_line):
        cursor.strip, cursor.guesses = 0, False
    try:
        names = diff_header.plain(old_line, new_line, cursor.strip, creates=creates)
    except Malformed as error:
        raise Malformed(error.what, line) from None
    return _change(names, lead, head, hunks, None, line=line)


def _change(
    names: FileHeader,
    lead: bytes,
    head: bytes,
    hunks: tuple[PatchHunk, ...],
    binary: BinaryPatch | None,
    *,
    line: int,
) -> FileChange:
    mode = names.new_mode if names.new_mode is not None else names.old_mode
    try:
        for path in {names.old_path, names.new_path}:
            paths.check(path, symlink=mode == SYMLINK)
    except Malformed as error:
        raise Malformed(error.what, line) from None
    _check_hunks(names.kind, hunks)
    return FileChange(
        names.kind,
        names.old_path,
        names.new_path,
        names.old_mode,
        names.new_mode,
        names.old_id,
        names.new_id,
        lead,
        head,
        hunks,
        binary,
        line,
        names.guessed,
    )


def _check_hunks(kind: ChangeKind, hunks: tuple[PatchHunk, ...]) -> None:
    for hunk in hunks:
        if kind is ChangeKind.ADD and hunk.old_count:
            raise Malformed("a new file's hunk has lines of an old one", hunk.line)
        if kind is ChangeKind.DELETE and hunk.new_count:
            raise Malformed("a deleted file's hunk leaves lines", hunk.line)
    if kind in (ChangeKind.ADD, ChangeKind.DELETE) and len(hunks) > 1:
        raise Malformed(f"a file's {kind.value} has more than one hunk", hunks[1].line)


def _hunks(cursor: _Cursor) -> tuple[PatchHunk, ...]:
    hunks: list[PatchHunk] = []
    while (matched := _HUNK.match(cursor.text, cursor.position)) is not None:
        # a count that is left out is 1 (git-diff(1), POSIX diff "Diff -u Output Format")
        counts = [1 if digits is None else int(digits[:_DIGITS]) for digits in matched.groups()]
        line = cursor.line
        if max(counts) > MAX_LINES:
            raise Malformed(f"the hunk states a number above {MAX_LINES}", line)
        head = cursor.move(matched.end())
        body = cursor.move(_end_of_body(cursor, counts[1], counts[3]))
        _check_body(body, line)
        hunks.append(PatchHunk(counts[0], counts[1], counts[2], counts[3], head, body, line))
        if len(hunks) > MAX_HUNKS:
            raise Malformed(f"one file has more than {MAX_HUNKS} hunks", line)
    if cursor.text.startswith(b"@@ -", cursor.position):
        raise Malformed("the hunk's `@@` line is damaged", cursor.line)
    return tuple(hunks)


def _check_body(body: bytes, line: int) -> None:
    mark = _BAD_MARK.search(body)
    if mark is not None:
        at_line = line + 1 + body.count(b"\n", 0, mark.start())
        raise Malformed("a line of the hunk begins with a backslash, but is no such mark", at_line)
    if not body.startswith((b"+", b"-")) and b"\n+" not in body and b"\n-" not in body:
        raise Malformed("the hunk changes nothing", line)


def _end_of_body(cursor: _Cursor, old: int, new: int) -> int:
    """Find where a hunk of `old` and `new` lines ends: at once if all that look like its are."""
    start = cursor.position
    # from the line end before the hunk, so that its first line is one like all others
    after = _AFTER_RUN.search(cursor.text, start - 1)
    end = len(cursor.text) if after is None else after.start() + 1
    body = cursor.text[start - 1 : end] if cursor.text[end - 1 : end] == b"\n" else b""
    common = body.count(b"\n ") + (len(_BLANK.findall(body)) if b"\n\n" in body else 0)
    if (body.count(b"\n-") + common, body.count(b"\n+") + common) == (old, new):
        return end
    return _end_by_count(cursor, old, new)


def _end_by_count(cursor: _Cursor, old: int, new: int) -> int:
    text, position = cursor.text, cursor.position
    line = cursor.line
    while old > 0 or new > 0:
        mark = text[position : position + 1]
        if mark not in _MARKS:
            raise Malformed(f"the hunk ends {max(old, new)} lines short of what it states", line)
        old -= mark in (b" ", b"\n", b"-")
        new -= mark in (b" ", b"\n", b"+")
        if old < 0 or new < 0:
            raise Malformed("the hunk has more lines than it states", line)
        position = cursor.end_of_line(position)
        line += 1
        if text[position - 1 : position] != b"\n":
            raise Malformed("the patch is cut within a hunk's last line: it has no line end", line)
    # the mark of the very last line is behind the counts' end
    mark_line = _NO_NEWLINE.match(text, position)
    return position if mark_line is None else mark_line.end()


def _binary(cursor: _Cursor) -> BinaryPatch | None:
    start = cursor.position
    if not cursor.text.startswith((b"GIT binary patch\n", b"GIT binary patch\r\n"), start):
        return None
    cursor.move(cursor.end_of_line(start))
    forward = _binary_hunk(cursor)
    if forward is None:
        raise Malformed("a binary patch has neither literal nor delta data", cursor.line)
    reverse = _binary_hunk(cursor)  # `git apply -R` needs it; other tools leave it out
    return BinaryPatch(forward, reverse, cursor.text[start : cursor.position])


def _binary_hunk(cursor: _Cursor) -> BinaryHunk | None:
    head = _BINARY_HEAD.match(cursor.text, cursor.position)
    if head is None:
        return None
    line = cursor.line
    if len(head[2]) > _MAX_DIGITS:  # git would ask for that much memory, and die
        raise Malformed("the binary patch states a size that no file has", line)
    cursor.move(head.end())
    lines = _BINARY_LINES.match(cursor.text, cursor.position)
    data = b"" if lines is None else cursor.move(lines.end())
    end = cursor.end_of_line(cursor.position)
    if cursor.text[cursor.position : end] not in (b"\n", b"\r\n"):
        raise Malformed("a binary patch's data are damaged, or cut", cursor.line)
    cursor.move(end)
    return BinaryHunk(BinaryMethod(head[1].decode()), int(head[2]), data, line)


def _check_symlinks(changes: list[FileChange]) -> None:
    """Refuse a patch that makes a link (or a submodule) and writes through it.

    Each path is safe by itself; together they leave the tree (CVE-2015-1196 of GNU patch is of that
    kind, and git's apply.c refuses it in path_is_beyond_symlink).
    """
    links = {
        change.new_path: change.line
        for change in changes
        if change.new_mode in (SYMLINK, GITLINK) and change.kind is not ChangeKind.DELETE
    }
    if not links:
        return
    for change in changes:
        parts = change.new_path.split(b"/")
        for depth in range(1, len(parts)):
            parent = b"/".join(parts[:depth])
            if parent in links and change.kind is not ChangeKind.DELETE:
                raise Malformed(
                    f"{paths.show(change.new_path)} would be written through the link "
                    f"{paths.show(parent)} that the same patch makes",
                    change.line,
                )
