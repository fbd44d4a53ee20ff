"""Differences between trees as git prints them, read back: files, hunks, lines.

All options that a configuration could change are pinned. Unless renames are asked for, a moved file
is one that goes and one that comes.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.markers import split_lines
from tensorflow_macos_build.git.objects import decode_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tensorflow_macos_build.git.repository import Git

_Read = TypeVar("_Read")

_PINNED = (
    "-p", "-r", "--root", "--full-index", "-l0", "--inter-hunk-context=0",
    "--diff-algorithm=myers", "--indent-heuristic", "--no-renames", "--no-relative",
    "--src-prefix=a/", "--dst-prefix=b/", "--no-ext-diff", "--no-textconv", "--no-color",
    "--submodule=short", "-O/dev/null",
)  # fmt: skip
"""Everything about `git diff-tree -p` that a configuration could change (git-diff-tree(1)).

What a caller varies comes after these: of options that contradict each other, git takes the last.
-l0 lifts diff.renameLimit, whose default is another one in other versions; -O/dev/null is how
git-diff-tree(1) takes back diff.orderFile.
"""

_OF_COMMITS = ("--always", *_PINNED)

_RENAMES = "--find-renames=50%"

_AT_ONCE = 20
"""Patch texts in memory at a time: those of a large fork are many times its largest patch."""

# What a hunk begins with; its own lines begin with a sign. A line feed first, and not `^`: Python
# finds it six times as fast.
_HUNK = re.compile(rb"\n@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@[^\n]*")
_CHANGED = re.compile(rb"\n([-+][^\n]*)")
_ADDED = re.compile(rb"\n(\+[^\n]*)")
# how git writes a path that needs quotes (quote_c_style in quote.c)
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_FILE = b"\ndiff --git "
# a line of ids: of a commit, or of the two trees that were asked for
_IDS = re.compile(rb"[0-9a-f]{40,64}(?: [0-9a-f]{40,64})?")
_NOISE = (b"--- ", b"+++ ", b"Binary files ", b"similarity ")


@dataclass(frozen=True, slots=True)
class LineRange:
    """Lines of a file: the first one's number less one, and how many. May be empty."""

    start: int
    count: int

    @property
    def end(self) -> int:
        """Return the number of the last line (as lines are counted, from 1)."""
        return self.start + self.count

    def meets(self, other: LineRange) -> bool:
        """Whether two ranges share a line, or one begins where the other ends."""
        return self.start <= other.end and other.start <= self.end


@dataclass(frozen=True, slots=True)
class DiffHunk:
    """A hunk: where it is in the old and in the new file, and how git prints it."""

    old: LineRange
    new: LineRange
    text: bytes

    @property
    def lines(self) -> list[bytes]:
        """Return its lines with their signs."""
        return split_lines(self.text)[1:]


LineMap = tuple[tuple[LineRange, LineRange], ...]
"""Which lines of one file became which lines of another."""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What changes in one file; its text is taken apart when it is asked about.

    Attributes:
        path: its path.
        header: git's lines on modes, additions, deletions and, for binary files, blob ids.
        text: the hunks as git prints them; empty for binary files and changes of mode.
    """

    path: str
    header: tuple[bytes, ...]
    text: bytes

    @property
    def hunks(self) -> tuple[DiffHunk, ...]:
        """Return the changed lines, stretch by stretch, and where they are."""
        return hunks_of(self.text)

    @property
    def lines(self) -> list[bytes]:
        """Return all lines of all hunks, with their signs, without their ends."""
        return [line for line in self.text.split(b"\n") if line and line[:1] != b"@"]

    @property
    def added(self) -> list[bytes]:
        """Return the lines that come, with their signs, without their ends."""
        return _ADDED.findall(b"\n" + self.text)

    @property
    def changed(self) -> list[bytes]:
        """Return the lines that go and come, with their signs, without their ends."""
        return _CHANGED.findall(b"\n" + self.text)


TreeDiff = tuple[FileDiff, ...]


def hunks_of(text: bytes) -> tuple[DiffHunk, ...]:
    """Take a file's hunks apart, as git prints them."""
    text = b"\n" + text
    starts = list(_HUNK.finditer(text))
    ends = [*(start.start() + 1 for start in starts[1:]), len(text)]
    return tuple(
        DiffHunk(*_ranges(start), text[start.start() + 1 : end])
        for start, end in zip(starts, ends, strict=False)  # of no hunk there is an end, too
    )


def of_trees(
    git: Git,
    pairs: Sequence[tuple[str, str]],
    *,
    context: int = 3,
    algorithm: str = "myers",
    renames: bool = False,
    plain: bool = False,
) -> list[TreeDiff]:
    """Compare pairs of trees; one process for all.

    `plain` leaves out the indent heuristic, and takes binary files for text.
    """
    trees.bring_changed(git, pairs)
    flags = _of_trees(context, algorithm, renames=renames, plain=plain)
    return _of_pairs(git.diff_tree(*flags, lines=_lines(pairs)))


def ask_trees(
    git: Git,
    pairs: Sequence[tuple[str, str]],
    read: Callable[[list[TreeDiff]], _Read],
    *,
    context: int = 3,
    algorithm: str = "myers",
    renames: bool = False,
    plain: bool = False,
) -> Callable[[], _Read]:
    """Let git compare as `of_trees` does, and return what gives what is read in the result."""
    trees.bring_changed(git, pairs)
    flags = _of_trees(context, algorithm, renames=renames, plain=plain)
    lines = _lines(pairs)
    return git.ask_diff_tree(*flags, lines=lines, read=lambda out: read(_of_pairs(out)))


def _of_trees(context: int, algorithm: str, *, renames: bool, plain: bool) -> tuple[str, ...]:
    moves = (_RENAMES,) if renames else ()
    bare = ("--no-indent-heuristic", "--text") if plain else ()
    # Without --binary: the ids of what is no text are enough to compare it, and they can be turned
    # round (`change_ids.of_inverse`), which a delta cannot.
    return (*_PINNED, f"-U{context}", f"--diff-algorithm={algorithm}", *moves, *bare)


def _lines(compared: Iterable[tuple[str, ...]]) -> bytes:
    return "".join(f"{' '.join(ids)}\n" for ids in compared).encode()


def _of_pairs(out: bytes) -> list[TreeDiff]:
    return [diff for _, diff in _records(out)]


def of_commits(
    git: Git, commits: Sequence[str], *, context: int = 0, only: Sequence[str] = ()
) -> dict[str, TreeDiff]:
    """Compare commits with their first parents; merges have no difference of their own.

    With `only`, no other paths count.
    """
    asked = [(commit,) for commit in commits]
    trees.bring_changed(git, asked, only)
    flags = (*_OF_COMMITS, f"-U{context}")
    compared: dict[str, TreeDiff] = {}
    for paths in trees.batches(only):
        for commit, diff in _by_commit(git.diff_tree(*flags, lines=_lines(asked), paths=paths)):
            compared[commit] = compared.get(commit, ()) + diff
    return compared


def ask_commits(
    git: Git, commits: Sequence[str], read: Callable[[TreeDiff], _Read]
) -> Callable[[], dict[str, _Read]]:
    """Let git compare as `of_commits` does, without context.

    What is returned gives what is read in the difference of each commit.
    """
    asked = [(commit,) for commit in commits]
    trees.bring_changed(git, asked)

    def read_all(out: bytes) -> dict[str, _Read]:
        return {commit: read(diff) for commit, diff in _by_commit(out)}

    return git.ask_diff_tree(*_OF_COMMITS, "-U0", lines=_lines(asked), read=read_all)


def _by_commit(out: bytes) -> Iterator[tuple[str, TreeDiff]]:
    return ((decode_path(head), diff) for head, diff in _records(out))


def patch_texts(
    git: Git, pairs: Sequence[tuple[str, str]], *, context: int, renames: bool = True
) -> Iterator[bytes]:
    """Yield for each pair of trees its patch text, the same bytes on every machine.

    `git` must ask a quarantine: other repositories have attributes of their own.
    """
    trees.bring_changed(git, pairs)
    moves = (_RENAMES,) if renames else ()
    flags = (*_PINNED, "--binary", f"-U{context}", *moves)
    for start in range(0, len(pairs), _AT_ONCE):
        headings = [f"{old} {new}\n".encode() for old, new in pairs[start : start + _AT_ONCE]]
        out = git.diff_tree(*flags, lines=b"".join(headings))
        yield from _parted(out, headings)


def _parted(out: bytes, headings: Sequence[bytes]) -> Iterator[bytes]:
    """Yield what follows each of the lines that part an output."""
    position = 0
    for heading, following in itertools.zip_longest(headings, headings[1:]):
        start = position + len(heading)
        # no line within a diff is two ids and a blank: its lines begin with a mark or a keyword
        position = len(out) if following is None else _find_line(out, following, start)
        yield out[start:position]


def _find_line(out: bytes, line: bytes, start: int) -> int:
    if out.startswith(line, start):
        return start
    before = out.find(b"\n" + line, start)
    if before < 0:
        raise WorkFailed("git diff-tree left out a pair of trees that it was asked for")
    return before + 1


def text_digest(diff: TreeDiff) -> bytes:
    """Return a digest of a difference's text without its line numbers."""
    digest = hashlib.sha256()
    for file in diff:
        digest.update(repr((file.path, file.header)).encode())
        digest.update(_HUNK.sub(b"\n@@", b"\n" + file.text))
    return digest.digest()


def _records(out: bytes) -> Iterator[tuple[bytes, TreeDiff]]:
    """Take the output of `diff-tree --stdin` apart: the line of ids, and the files under it.

    Lines of a hunk begin with a sign, so none can be one that a block begins with.
    """
    head: bytes | None = None
    files: list[FileDiff] = []
    # each block without the line feed at its end, and with the lines of ids behind it
    for block in _blocks(out):
        lines, following = _without_ids(block)
        if lines:
            files.append(_file(lines))
        for ids in following:
            if head is not None:
                yield head, tuple(files)
            head, files = ids, []
    if head is not None:
        yield head, tuple(files)


def _blocks(out: bytes) -> Iterator[bytes]:
    """Yield what stands before, between and after the lines that begin a file's difference.

    One at a time: an answer is of many megabytes where upstream reformats all files.
    """
    start = 0
    while (at := out.find(_FILE, start)) >= 0:
        yield out[start:at]
        start = at + len(_FILE)
    yield out[start:].rstrip(b"\n")


def _without_ids(block: bytes) -> tuple[bytes, list[bytes]]:
    """Part a block from the lines of ids at its end, which are many where nothing differs."""
    end = len(block)
    following: list[bytes] = []
    while (ids := _IDS.fullmatch(block, block.rfind(b"\n", 0, end) + 1, end)) is not None:
        following.append(ids[0])
        end = max(0, ids.start() - 1)
    return block[:end], following[::-1]


def _file(block: bytes) -> FileDiff:
    at = block.find(b"\n@@ -")
    head, text = (block, b"") if at < 0 else (block[:at], block[at + 1 :] + b"\n")
    first, *header = head.split(b"\n")
    return FileDiff(_path(first, header), _lasting(header), text)


def _lasting(header: list[bytes]) -> tuple[bytes, ...]:
    """Leave out blob ids, unless they are all that is said about a binary file."""
    # the same change of text has other ids where something else in the file is another one
    binary = any(line.startswith(b"Binary files ") for line in header)
    noise = _NOISE if binary else (*_NOISE, b"index ")
    return tuple(line for line in header if not line.startswith(noise))


def _path(first: bytes, header: Sequence[bytes]) -> str:
    """Read the path out of `rename to PATH`, or else out of the first line's `a/PATH b/PATH`."""
    for line in header:
        if line.startswith(b"rename to "):
            return decode_path(_unquoted(line.removeprefix(b"rename to ")))
    # both names are the same here, so that half of the line is one: blanks in it need no care
    return decode_path(_unquoted(first[: len(first) // 2]).removeprefix(b"a/"))


def _unquoted(path: bytes) -> bytes:
    return _ESCAPE.sub(_unescape, path[1:-1]) if path.startswith(b'"') else path


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) if len(code) == 3 else _ESCAPED[code[0]]])


def _ranges(start: re.Match[bytes]) -> tuple[LineRange, LineRange]:
    old_start, old_end, new_start, new_end = _bounds(*start.groups(b""))
    return LineRange(old_start, old_end - old_start), LineRange(new_start, new_end - new_start)


def hunk_bounds(text: bytes) -> list[tuple[int, int, int, int]]:
    """Return where hunks are: where the old lines begin and end, then the new ones."""
    return [_bounds(*numbers) for numbers in _HUNK.findall(b"\n" + text)]


def _bounds(
    old_start: bytes, old_count: bytes, new_start: bytes, new_count: bytes
) -> tuple[int, int, int, int]:
    old_lines, new_lines = int(old_count or b"1"), int(new_count or b"1")
    # a range without lines is called by the line before it (POSIX's diff, "Diff -u Output Format")
    old, new = int(old_start) - bool(old_lines), int(new_start) - bool(new_lines)
    return old, old + old_lines, new, new + new_lines
